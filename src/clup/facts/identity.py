"""By what name, in which time zone and in which language a machine speaks, in one command."""

from __future__ import annotations

import base64
import posixpath
from dataclasses import dataclass

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase

from clup.command import script

# Files travel as base64, so that each is one line.
_LOOK = """text() { if [ -f "$1" ]; then base64 -w0 -- "$1"; fi; echo; }
hostname
text /etc/hostname
text /etc/hosts
readlink /etc/localtime || echo
text /etc/timezone
language=$(readlink -m /etc/default/locale)
echo "$language"
text "$language"
LC_ALL=C locale -a | tr '\\n' ' '"""


@dataclass(frozen=True)
class IdentityState:
    """What the running machine says, and what its files will say after a reboot.

    A file's text is "" when it is not there; bytes that are no UTF-8 come as lone surrogates, so
    that they can be written back. `language_file` is where /etc/default/locale leads
    to, `locales` are those that are compiled, as `locale -a` names them.
    """

    hostname: str
    hostname_file: str
    hosts: str
    localtime: str
    timezone: str
    language_file: str
    language: str
    locales: frozenset[str]


class Identity(FactBase[IdentityState]):
    """Return the machine's name, time zone and language."""

    def command(self) -> StringCommand:
        return script(_LOOK)

    def process(self, output: list[str]) -> IdentityState:
        hostname, hostname_file, hosts, localtime, timezone, path, language, locales = output
        return IdentityState(
            hostname=hostname,
            hostname_file=_text(hostname_file),
            hosts=_text(hosts),
            # timedatectl links it as ../usr/share/zoneinfo/...
            localtime=localtime and posixpath.normpath(posixpath.join("/etc", localtime)),
            timezone=_text(timezone),
            language_file=path,
            language=_text(language),
            locales=frozenset(locales.split()),
        )


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode("utf-8", errors="surrogateescape")
