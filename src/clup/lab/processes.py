"""The processes of the operator's machine, known by their command lines."""

from pathlib import Path


def processes() -> dict[int, list[str]]:
    """Return the command line of each process of this machine, without those in containers.

    A lab's own processes, such as its Docker daemon, are nobody's business here.
    """
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "status").read_text()
                words = (entry / "cmdline").read_bytes().split(b"\0")[:-1]
            except OSError:
                continue  # it ended meanwhile
            if not in_container(status):
                found[int(entry.name)] = [word.decode(errors="replace") for word in words]
    return found


def in_container(status: str) -> bool:
    """Given a process's /proc/PID/status, return whether it has a second pid in a namespace."""
    pids = next((line for line in status.splitlines() if line.startswith("NSpid:")), "")
    return len(pids.split()) > 2
