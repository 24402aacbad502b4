"""sshd's settings: kept only when a second login succeeds after the change.

The drop-in sorts before the ones of the distribution and of cloud-init, since sshd takes the first
value that it meets. What is compared is `sshd -T`, the result of all files. Before the change a
timer on the machine is armed (clup/machine/sshd_change.sh), which takes it back unless it is told
in time that the operator can still log in.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path

from pyinfra.api.operation import operation
from pyinfra.context import host

import clup.machine
from clup import report
from clup.command import script, sh
from clup.facts.sshd import Sshd, SshdState
from clup.operations.steps import Steps, ensure, refuse
from clup.transport import again, guard, raw

DROPIN = "/etc/ssh/sshd_config.d/10-clup.conf"
PROGRAM = "/var/lib/clup/sshd/change"

TAKE_BACK = 45
"""Seconds after which the machine takes a change back; with the restart this stays below 60."""
LOGIN = 20
"""Seconds that the second login may take."""

Options = Mapping[str, Sequence[str]]

# $1 program, $2 seconds; the program comes as base64. An older one may just run: it is replaced.
_ARM = """set -eu
mkdir -p -m 0700 /var/lib/clup "${1%/*}"
base64 -d >"$1.new"
chmod 0700 "$1.new"
sync -- "$1.new"
mv -fT -- "$1.new" "$1"
exec "$1" arm "$2"
"""


@operation()
def allowing(options: Options) -> Steps:
    """Given sshd's keywords with their values, in the words of sshd_config(5), converge sshd.

    A change after which the operator cannot log in is taken back, and fails the host.
    """
    found = host.get_fact(Sshd, path=DROPIN)
    text = rendered(options)
    is_written = found.content == text and found.owner == "root:root 644"
    if is_written and found.error:
        yield refuse("sshd", f"refuses its own files: {found.error}", "mend that file")
        return
    overruled = [] if found.error else differing(options, found)
    if is_written and overruled:
        yield refuse(
            "sshd",
            f"other files below /etc/ssh overrule clup's {DROPIN}: {'; '.join(overruled)}",
            "find them with `grep -ri KEYWORD /etc/ssh` and take that line out",
        )
        return
    if is_written and not found.armed and found.newer is None:
        return
    if not is_written:
        report.diff(DROPIN, found.content, text)
    elif found.armed:
        report.evidence("a change to sshd still waits for the proof of a second login")
    else:
        report.evidence(f"sshd has not read {found.newer} yet")
    yield from _changed(text)
    yield ensure("sshd", lambda: _still_wrong(options))


def rendered(options: Options) -> str:
    """Given keywords with their values, return the text of the drop-in, a line for each value."""
    lines = [f"{keyword} {value}" for keyword, values in options.items() for value in values]
    return "".join(f"{line}\n" for line in lines)


def differing(options: Options, found: SshdState) -> list[str]:
    """Return what `sshd -T` has otherwise than wanted, such as "x11forwarding is yes, not no"."""
    wrong = []
    for keyword, values in options.items():
        actual = found.options.get(keyword.lower(), ())
        if sorted(map(_as_shown, values)) != sorted(map(_as_shown, actual)):
            shown = " ".join(actual) or "not set"
            wrong.append(f"{keyword.lower()} is {shown}, not {' '.join(values)}")
    return wrong


def _as_shown(value: str) -> str:
    # sshd -T prints the older name of this value.
    return "prohibit-password" if value == "without-password" else value


def _changed(text: str) -> Steps:
    source = Path(clup.machine.__path__[0]) / "sshd_change.sh"
    yield script(_ARM, PROGRAM, str(TAKE_BACK), stdin=_packed(source.read_text()))
    yield sh(PROGRAM, "put", stdin=_packed(text))
    yield ensure("sshd", _unproven)
    yield sh(PROGRAM, "keep")


def _packed(text: str) -> str:
    return base64.encodebytes(text.encode()).decode()


def _unproven() -> str | None:
    """Log in once more. Where that fails, have the change taken back now, and say why."""
    ports = host.get_fact(Sshd, path=DROPIN).options.get("port", ())
    reason = again.login(host, tuple(map(int, ports)), LOGIN)
    if reason is None:
        return None
    try:
        words = guard.words("sshd: take the change back", PROGRAM, "takeback")
        is_back = raw.run(host, raw.as_root(host, *words)).status == 0
    except OSError:
        is_back = False
    when = "the former settings are back" if is_back else f"they come back within {TAKE_BACK} s"
    return f"a second login failed after the change ({reason}); {when}; check base.ssh"


def _still_wrong(options: Options) -> str | None:
    found = host.get_fact(Sshd, path=DROPIN)
    if found.error:
        return f"sshd refuses its own files: {found.error}"
    if wrong := differing(options, found):
        return f"other files below /etc/ssh overrule clup's: {'; '.join(wrong)}"
    return f"sshd has not read {found.newer}" if found.newer else None
