"""The machine itself, as somebody set it up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from clup.checks import lines, read
from clup.facts.identity import Identity, IdentityState
from clup.facts.sshd import Sshd, SshdState
from clup.found import Found, Note
from clup.masking import masked
from clup.operations.identity import ZONES
from clup.operations.sshd import DROPIN
from roles.base import config
from roles.base.checks import last_values
from roles.base.settings import LABEL, LOCALE, Settings

if TYPE_CHECKING:
    from testinfra.host import Host

# What people wrote, without clup's own file and those that packages brought. $1 clup's own.
_TUNED = """sh -c '
for file in /etc/sysctl.d/*.conf; do
  [ -f "$file" ] && [ ! -L "$file" ] && [ "$file" != "$1" ] || continue
  dpkg-query -S "$file" >/dev/null 2>&1 || cat -- "$file"
done
if [ -f /etc/sysctl.conf ]; then cat /etc/sysctl.conf; fi' sh %s"""


def found(host: Host, _settings: Settings) -> Iterator[Found | Note]:
    """Yield what the settings of this role would say of the machine."""
    yield from identity(read(host, Identity))
    yield from kernel(lines(host, _TUNED, config.SYSCTL))
    yield from sshd(read(host, Sshd, DROPIN))


def identity(state: IdentityState) -> Iterator[Found | Note]:
    """Given the machine's name, time zone and language, yield what settings would say of them."""
    name = state.hostname.partition(".")[0]
    if LABEL.fullmatch(name):
        yield Found(("hostname",), name)
    else:
        yield Note(f"The machine is called {state.hostname!r}, which base.hostname does not take.")
    if state.localtime.startswith(f"{ZONES}/"):
        yield Found(("timezone",), state.localtime.removeprefix(f"{ZONES}/"))
    language = last_values(state.language.splitlines()).get("LANG", "").strip("\"'")
    if LOCALE.fullmatch(language):
        yield Found(("locale",), language)
    elif language:
        yield Note(f"Its language is {language}; clup sets one in UTF-8, see base.locale.")


def kernel(text: Iterable[str]) -> Iterator[Found | Note]:
    """Given the lines that people wrote about the kernel, yield its settings."""
    for name, value in sorted(last_values(text).items()):
        words = " ".join(value.split())
        if name.endswith("_key") or masked(f"{name}={words}") != f"{name}={words}":
            yield Note(f"{name} is set, which may be a secret: it stays as it is.")
            continue
        number = words.isdigit() and str(int(words)) == words
        yield Found(("sysctl", name.replace("/", ".")), int(words) if number else words)


def sshd(state: SshdState) -> Iterator[Found | Note]:
    """Given what sshd's files amount to, yield what settings would say of it.

    Ports and accounts that its files name are left to them: sshd adds up what is said twice.
    """
    if state.options.get("permitrootlogin") == ("no",):
        yield Found(("ssh", "root_login"), "no")
    elif state.options.get("permitrootlogin") == ("yes",):
        yield Note("root may log in with a password now; apply lets it in by a key alone.")
    if state.options.get("passwordauthentication") == ("yes",):
        yield Note(
            "sshd takes passwords now; apply ends that, unless base.ssh.password_login is True."
        )
