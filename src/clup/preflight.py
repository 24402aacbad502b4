"""What must hold on a machine before anything on it is touched, read in one command."""

from __future__ import annotations

from dataclasses import dataclass

from pyinfra.api.host import Host

from clup import managed
from clup.transport import raw

MIN_FREE_MIB = {"/": 200, "/var": 200, "/tmp": 16, "/run": 4}
"""MiB that a filesystem must have free for a run that changes something."""

SYSTEMS = {("debian", "12"), ("debian", "13"), ("ubuntu", "24.04"), ("ubuntu", "26.04")}
"""(ID, VERSION_ID) of /etc/os-release that clup converges."""

_LOOK = """echo uid $(id -u)
. /etc/os-release; echo os "$ID" "$VERSION_ID"
echo init $(cat /proc/1/comm)
for folder in / /tmp /var /run; do
  echo free $folder $(df -m --output=avail,target $folder | tail -n 1); done
if [ -f "$2" ]; then sed 's/^/managed /' "$2"; fi
if [ "$1" = changes ]; then for folder in / /var; do
  touch $folder/.clup-probe 2>/dev/null && rm -f $folder/.clup-probe || echo readonly $folder
done; fi"""


@dataclass(frozen=True)
class Seen:
    """What stands in the way on a machine, a line each, and what it remembers that clup manages."""

    objections: list[str]
    managed: frozenset[managed.Thing] = frozenset()


def look(host: Host, changes: bool) -> Seen:
    """Given a connected host, return what must be known of it before anything else.

    With `changes` the room on its disks counts too: a plan only reads. Raise OSError when the
    machine does not answer.
    """
    words = ("sh", "changes" if changes else "reads", managed.PATH)
    answer = raw.run(host, raw.as_root(host, "sh", "-c", _LOOK, *words), timeout=30)
    if answer.status != 0 or not answer.stdout.startswith(b"uid 0"):
        return Seen([_no_root(host, answer)])
    text = answer.stdout.decode(errors="replace")
    said = [line.removeprefix("managed ") for line in text.splitlines() if line[:8] == "managed "]
    return Seen(judge(host.name, text, changes), managed.parsed(said))


def judge(name: str, seen: str, changes: bool) -> list[str]:
    """Given what the look printed, return what stands in the way, a line each.

    What is wrong with a filesystem is said once, however many of the folders lie on it.
    """
    lines = []
    mounts: dict[str, str] = {}
    bad: set[str] = set()
    for words in (line.split() for line in seen.splitlines()):
        match words:
            case ["os", system, version] if (system, version) not in SYSTEMS:
                known = ", ".join(" ".join(each) for each in sorted(SYSTEMS))
                lines.append(f"{name}: {system} {version} is not supported; use one of {known}")
            case ["init", program] if program != "systemd":
                lines.append(f"{name}: PID 1 is {program}; clup needs a machine run by systemd")
            case ["free", folder, free, mount]:
                mounts[folder] = mount
                if changes and int(free) < MIN_FREE_MIB[folder] and mount not in bad:
                    bad.add(mount)
                    lines.append(
                        f"{name}: {folder} has {free} MiB free and needs {MIN_FREE_MIB[folder]};"
                        f" find what fills it with `du -xh {mount} | sort -h | tail`"
                    )
            case ["readonly", folder] if changes and mounts[folder] not in bad:
                bad.add(mounts[folder])
                lines.append(
                    f"{name}: {folder} cannot be written; is the filesystem full or read-only?"
                    " See `dmesg | tail` and `df -i` there"
                )
    return lines


def _no_root(host: Host, answer: raw.Answer) -> str:
    if raw.is_sudo(host):
        return (
            f"{host.name}: sudo without a password is not possible ({answer.error});"
            " give that account NOPASSWD in /etc/sudoers.d, or set ssh_user to root"
        )
    return f"{host.name}: commands do not run as root there ({answer.error}); set _sudo = True"
