"""sshd as it would judge a login, in one command: the merged result counts, not one file."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase

from clup.command import script

# $1 is the path of clup's drop-in. sshd refuses to judge its files without its folder below /run,
# which its service makes when it starts: with socket activation that may not have been yet.
_LOOK = """export LC_ALL=C
if [ -f "$1" ] && [ ! -L "$1" ]; then stat -c '%U:%G %a' -- "$1"; base64 -w0 -- "$1"; echo
else echo; echo; fi
if [ -e /var/lib/clup/sshd/armed ]; then echo armed; else echo; fi
read=$(systemctl show --timestamp=unix --property=StateChangeTimestamp --value ssh.service)
echo "$(systemctl is-active ssh.service) ${read#@}"
find /etc/ssh/sshd_config /etc/ssh/sshd_config.d -maxdepth 1 \\
  \\( -name sshd_config -o -name '*.conf' \\) -printf '%T@ %p\\n' | sort -n | tail -n 1
install -d -m 0755 /run/sshd
sshd -T 2>&1 || echo "failed $?"
"""


@dataclass(frozen=True)
class SshdState:
    """What sshd's files amount to, and whether the running one has read them.

    `options` are those of `sshd -T`: lower-case keywords, each with its values in order.
    `error` is what sshd says when it refuses its own files. `newer` names a file that changed
    after the running sshd last read them. `armed` says that a change waits for its proof.
    """

    content: str | None
    owner: str
    armed: bool
    newer: str | None
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    error: str = ""


class Sshd(FactBase[SshdState]):
    """Given the path of clup's drop-in, return the state of sshd."""

    def command(self, path: str) -> StringCommand:
        return script(_LOOK, path)

    def process(self, output: list[str]) -> SshdState:
        owner, content, armed, running, newest, *effective = output
        failed = bool(effective) and effective[-1].startswith("failed ")
        options: dict[str, tuple[str, ...]] = defaultdict(tuple)
        for line in () if failed else effective:
            keyword, _, value = line.partition(" ")
            options[keyword] += (value,)
        return SshdState(
            content=base64.b64decode(content).decode(errors="replace") if owner else None,
            owner=owner,
            armed=armed == "armed",
            newer=newer_than_read(running, newest),
            options=dict(options),
            error="; ".join(effective[:-1]) if failed else "",
        )


def newer_than_read(running: str, newest: str) -> str | None:
    """Given "STATE SECONDS" of sshd and "SECONDS PATH" of its newest file, return that path when
    it changed after sshd read its files, else None: one that is not running reads them later."""
    state, _, read = running.partition(" ")
    changed, _, path = newest.partition(" ")
    if state != "active" or not read or not changed:
        return None
    return path if int(float(changed)) > int(float(read)) else None
