"""The container engine as it runs and as it is configured, in one command; and what it stores.

Docker is asked only while its service is active: a question to its socket would start it.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase

from clup.command import script
from clup.daemon_files import CONTAINERD_TOML, DAEMON_JSON

# One line for each thing that is known: KEY VALUE. containerd does not tell its root; the file
# that it holds open below it does.
READ = """LC_ALL=C; export LC_ALL
. /etc/os-release; echo "os $ID $VERSION_ID"
for path in "$1" "$2"; do
  if [ -f "$path" ]; then echo "file $path $(base64 -w0 -- "$path")"; fi
done
if [ "$(systemctl is-active docker.service 2>/dev/null)" = active ] &&
  info=$(timeout 20 docker info --format '{{json .}}' 2>/dev/null)
then printf 'docker %s\\n' "$info"; fi
pid=$(systemctl show -p MainPID --value containerd.service 2>/dev/null)
if [ "${pid:-0}" -gt 0 ]; then
  find "/proc/$pid/fd" -lname '*/io.containerd.metadata.v1.bolt/meta.db' \\
    -printf 'containerd %l\\n' -quit 2>/dev/null
fi
true
"""


@dataclass(frozen=True)
class Wanted:
    """What the running daemons must say of themselves."""

    data_root: str
    containerd_root: str
    live_restore: bool
    log_driver: str

    def differences(self, found: EngineState) -> list[str]:
        """Given the engine's state, return how the daemons that run differ; [] for none."""
        wrong = []
        if found.containerd_root not in (None, self.containerd_root):
            wrong.append(f"containerd's root is {found.containerd_root}")
        for what, key, wanted in (
            ("Docker's root", "DockerRootDir", self.data_root),
            ("live restore", "LiveRestoreEnabled", self.live_restore),
            ("the logging driver", "LoggingDriver", self.log_driver),
        ):
            if found.info is not None and found.info.get(key) != wanted:
                wrong.append(f"{what} is {found.info.get(key)}")
        return wrong


@dataclass(frozen=True)
class EngineState:
    """What a machine says about its container engine."""

    os: tuple[str, str]
    """ID and VERSION_ID of /etc/os-release, such as ("debian", "13")."""
    info: dict[str, Any] | None
    """`docker info` of the running daemon; None when it does not run or does not answer."""
    containerd_root: str | None
    """The root of the running containerd; None when it does not run."""
    files: dict[str, str]
    """The text of daemon.json and config.toml, as far as they are there."""

    @property
    def is_in_swarm(self) -> bool:
        """Whether the running daemon is a member of a swarm, or was and cannot be reached."""
        swarm = (self.info or {}).get("Swarm") or {}
        return swarm.get("LocalNodeState") not in (None, "", "inactive")

    @property
    def compose(self) -> str | None:
        """Compose's version as its plugin tells it, such as "2.26.1-4" or "v5.0.0"."""
        plugins = ((self.info or {}).get("ClientInfo") or {}).get("Plugins") or []
        return next((each["Version"] for each in plugins if each["Name"] == "compose"), None)


class Engine(FactBase[EngineState]):
    """Return the engine's state; works where no part of it is installed."""

    def command(self) -> StringCommand:
        return script(READ, DAEMON_JSON, CONTAINERD_TOML)

    def process(self, output: list[str]) -> EngineState:
        return parsed(output)


def parsed(output: list[str]) -> EngineState:
    """Given the lines that the machine printed, return the engine's state."""
    system = ("", "")
    info = None
    root = None
    files: dict[str, str] = {}
    for line in output:
        key, _, value = line.partition(" ")
        if key == "os":
            name, _, version = value.partition(" ")
            system = (name, version)
        elif key == "file":
            path, _, content = value.partition(" ")
            files[path] = base64.b64decode(content).decode("utf-8", errors="surrogateescape")
        elif key == "docker":
            info = _answer(value)
        elif key == "containerd":
            root = value.removesuffix("/io.containerd.metadata.v1.bolt/meta.db")
    return EngineState(system, info, root, files)


def _answer(text: str) -> dict[str, Any] | None:
    """Return what the daemon answered; the client alone answers too, without a server's version."""
    found = json.loads(text)
    return found if isinstance(found, dict) and found.get("ServerVersion") else None


# What an engine would no longer find if it looked elsewhere. $1 is Docker's root, $2 where it
# shall be; $3 and $4 the same of containerd. A link or bind mount to the wanted place is no move.
STORED = """LC_ALL=C; export LC_ALL
count() {
  what=$1; shift
  said=$(timeout 60 find "$@" -printf 'found\\n' 2>&1) || [ $? = 1 ] || said="no end after 60 s"
  # Only what is not there counts as nothing.
  wrong=$(echo "$said" | grep -vx -e found -e '' -e '.*: No such file or directory' | head -n 1)
  if [ -n "$wrong" ]; then echo "$what cannot be counted: $wrong" >&2; exit 1; fi
  n=$(echo "$said" | grep -cx found)
  if [ "$n" -gt 0 ]; then echo "$what $n"; fi
}
if [ "$1" != "$2" ] && [ -d "$1" ] && ! [ "$1" -ef "$2" ]; then
  count images "$1"/image/*/imagedb/content/sha256 -type f
  count "images of driver vfs" "$1/image/vfs/imagedb/content/sha256" -type f
  count containers "$1/containers" -mindepth 1 -maxdepth 1 -type d
  count volumes "$1/volumes" -mindepth 1 -maxdepth 1 -type d
  count "swarm files" "$1/swarm" -type f
fi
if [ "$3" != "$4" ] && [ -d "$3" ] && ! [ "$3" -ef "$4" ]; then
  count "containerd blobs" "$3/io.containerd.content.v1.content/blobs" -type f
  count "running containers" /run/containerd/io.containerd.runtime.v2.task -mindepth 2 -maxdepth 2
fi
true
"""


class Stored(FactBase[dict[str, int]]):
    """Given roots and where they shall be, return how many of what would be left behind.

    The keys are in words ("images", "volumes" ...); what there is none of is not in the result.
    """

    default = dict

    def command(
        self, data: str, data_wanted: str, containerd: str, containerd_wanted: str
    ) -> StringCommand:
        return script(STORED, data, data_wanted, containerd, containerd_wanted)

    def process(self, output: list[str]) -> dict[str, int]:
        rows = [line.rsplit(" ", 1) for line in output]
        return {what: int(number) for what, number in rows}
