"""A machine's name, time zone and language: what runs now and what comes after a reboot."""

from __future__ import annotations

import re

from pyinfra.api.operation import operation
from pyinfra.context import host

from clup import report
from clup.command import script, sh
from clup.facts.identity import Identity, IdentityState
from clup.operations.files import File, configured, linked
from clup.operations.steps import Steps, ensure

ZONES = "/usr/share/zoneinfo"

BUILT_IN = {"C", "POSIX", "C.UTF-8"}
"""Locales that the C library brings: nothing has to be compiled for them."""

# $1 locale, such as de_DE.UTF-8: /etc/locale.gen lists it, commented out or not at all.
_COMPILE = """set -e
line="$1 ${1#*.}"; line=${line%@*}
touch /etc/locale.gen
grep -qxF -- "$line" /etc/locale.gen || printf '%s\\n' "$line" >>/etc/locale.gen
locale-gen"""


@operation()
def named(hostname: str, among: tuple[str, ...] = ()) -> Steps:
    """Give the machine a host name: the running kernel's, /etc/hostname and /etc/hosts."""
    found = host.get_fact(Identity)
    files = [
        File("/etc/hostname", f"{hostname}\n"),
        File("/etc/hosts", with_name(found.hosts, hostname, found.hostname_file.strip())),
    ]
    running = found.hostname == hostname
    if not running:
        report.evidence(f"the running name is {found.hostname}")
    yield from configured._inner(files, among=among)
    if not running:
        # hostnamectl would need its service and D-Bus; the file is already written.
        yield sh("hostname", hostname)
        yield ensure("host name", lambda: _differs(host.get_fact(Identity).hostname, hostname))


@operation()
def zoned(zone: str) -> Steps:
    """Set the time zone, given its IANA name; tzdata is there before this is executed."""
    found = host.get_fact(Identity)
    target = f"{ZONES}/{zone}"
    linked_already = found.localtime == target
    # Debian 13 has no /etc/timezone any more; where there is one, programs read it.
    stale = found.timezone not in ("", f"{zone}\n")
    if linked_already and not stale:
        return
    report.evidence(f"time zone: {found.localtime.removeprefix(f'{ZONES}/') or 'none'} -> {zone}")
    yield script(
        '[ -f "$1" ] || { echo "there is no $1; has this zone an older name (tzdata-legacy)?" >&2;'
        " exit 1; }",
        target,
    )
    if not linked_already:
        yield from linked._inner("/etc/localtime", target)
    if stale:
        yield from configured._inner([File("/etc/timezone", f"{zone}\n")])
    yield ensure("time zone", lambda: _differs(host.get_fact(Identity).localtime, target))


@operation()
def speaking(locale: str, among: tuple[str, ...] = ()) -> Steps:
    """Set the language of programs, given a UTF-8 locale, and compile it where that is needed.

    The package `locales` is there before this is executed, unless the locale is built in.
    """
    found = host.get_fact(Identity)
    missing = not is_compiled(locale, found)
    if missing:
        report.evidence(f"to compile: {locale}")
    text = with_language(found.language, locale)
    yield from configured._inner([File(found.language_file, text)], among=among)
    if missing:
        yield script(_COMPILE, locale)
        yield ensure("language", lambda: _uncompiled(locale))


def with_name(hosts: str, name: str, former: str) -> str:
    """Given the text of /etc/hosts, return it with `name` at 127.0.1.1, as Debian has it.

    Other names of that line stay, but not the former host name, with or without a domain.
    """
    lines = hosts.splitlines()
    at = [index for index, line in enumerate(lines) if line.split()[:1] == ["127.0.1.1"]]
    names = [word for index in at for word in lines[index].partition("#")[0].split()[1:]]
    if name in names:
        return hosts
    kept = [word for word in names if word.split(".")[0] != former]
    line = "\t".join(["127.0.1.1", " ".join([name, *kept])])
    local = [index for index, line in enumerate(lines) if line.split()[:1] == ["127.0.0.1"]]
    place = at[0] if at else local[-1] + 1 if local else 0
    others = [other for index, other in enumerate(lines) if index not in at]
    return "".join(f"{each}\n" for each in [*others[:place], line, *others[place:]])


def with_language(text: str, locale: str) -> str:
    """Given the text of /etc/default/locale, return it with LANG set, its other lines kept."""
    line = f"LANG={locale}"
    if re.search(r"(?m)^LANG=", text):
        return re.sub(r"(?m)^LANG=.*$", line, text)
    return "".join(f"{each}\n" for each in [*text.splitlines(), line])


def is_compiled(locale: str, found: IdentityState) -> bool:
    """Whether a locale can be used; `locale -a` writes the charset its own way ("utf8")."""
    if locale in BUILT_IN:
        return True
    return locale.replace(".UTF-8", ".utf8") in found.locales


def _uncompiled(locale: str) -> str | None:
    ready = is_compiled(locale, host.get_fact(Identity))
    return None if ready else f"{locale} is not among the compiled ones after locale-gen"


def _differs(found: str, wanted: str) -> str | None:
    return None if found == wanted else f"is {found} after the change, not {wanted}"
