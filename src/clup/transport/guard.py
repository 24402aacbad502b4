"""Commands that change a machine: begun whole, ended by themselves, never beside another run.

A run that is killed leaves the command that it has just sent. That command

- does not begin before all of its input is there: what it would make of half of it, such as half
  a file, nobody wants;
- begins only if no other run has begun on the machine since;
- goes on to its end although nobody reads what it says: a pipe that breaks would kill apt in the
  middle of a package;
- is waited for by the next run, as it holds `RUNNING` shared until it, and all that writes to its
  output, have ended. Daemons that it starts do not hold it.

What pyinfra runs as another account than root (`_sudo_user`, `_su_user`) goes as it is: the lock
is root's. No operation of clup's does that, and none uploads a file.
"""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import uuid4

from pyinfra.api.command import QuoteString, StringCommand

from clup.transport.cache import Command, Options

FOLDER = "/run/clup"
RUNNING = f"{FOLDER}/run.lock"
"""Held shared by a command of an operation, exclusively for a moment by a run that begins."""

TOKEN = f"{FOLDER}/run.token"
"""Which run may change the machine: the one that began last."""

COMMAND = f"{FOLDER}/command"
"""What the last command is for, with its process; written when it began."""


@cache
def this_run() -> str:
    """Return the name of the run that this process is, which no other one has."""
    return uuid4().hex


# $1 this run, $2 what the command is for, $3 how many bytes its input has or nothing, the rest is
# the command. `tee -p` reads on when nobody listens any more. The exit status comes back as what
# the braces print.
_GUARD = f"""
run=$1 what=$2 bytes=$3
shift 3
read -r token <{TOKEN}
if [ "$token" != "$run" ]; then
  echo "another run has begun on this machine: this command was not; apply again" >&2
  exit 1
fi
if [ -n "$bytes" ]; then
  input=$(cat; echo .)
  input=${{input%.}}
  if [ "$(printf %s "$input" | wc -c)" -ne "$bytes" ]; then
    echo "not all of its input came: this command was not begun; apply again" >&2
    exit 1
  fi
fi
echo "$what, process $$" >{COMMAND}
begin() {{
  if [ -n "$bytes" ]; then printf %s "$input" | "$@"; else "$@"; fi
}}
exec 3>&1 4>&2
exit "$(
  {{
    {{ {{ begin "$@" 3>&- 4>&- 5>&-; echo $? >&5; }} | tee -p /dev/null >&3; }} 2>&1 |
      tee -p /dev/null >&4
  }} 5>&1
)"
"""


def words(what: str, *command: str, stdin: bytes = b"") -> list[str]:
    """Given a program with its arguments and its input, return the words that run it guarded.

    `what` says what it is for, to whoever has to wait for it.
    """
    bytes_of_input = str(len(stdin)) if stdin else ""
    locked = ["flock", "--shared", "--close", RUNNING]
    return [*locked, "sh", "-c", _GUARD, "sh", this_run(), what, bytes_of_input, *command]


def guarded(command: Command, what: str, options: Options) -> tuple[Command, Options]:
    """Given a command of pyinfra's with its connector's options, return both, guarded."""
    changed = dict(options)
    if options.get("_sudo_user") or options.get("_su_user"):
        return command, changed
    text = _input(options.get("_stdin"))
    if text:
        changed["_stdin"] = text
    shell = options.get("_shell_executable")
    inner = words(what, shell if isinstance(shell, str) else "sh", "-c", stdin=text.encode())
    return StringCommand(*map(QuoteString, inner), QuoteString(command)), changed


def _input(stdin: Any) -> str:
    """Return what pyinfra would send for a command's `_stdin`: lines, each with its end."""
    if not stdin:
        return ""
    lines = stdin.readlines() if hasattr(stdin, "readlines") else stdin
    each = lines if isinstance(lines, list | tuple) else [lines]
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in each)
