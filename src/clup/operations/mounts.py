"""Mounts that survive a reboot: the mount point, the line in fstab, the mount itself."""

from __future__ import annotations

from collections.abc import Sequence

from pyinfra.api.operation import operation
from pyinfra.context import host

from clup import fstab, report
from clup.command import script, sh
from clup.disks.machine import Mount
from clup.disks.verdict import Wanted, verdict
from clup.facts.disks import Disks
from clup.facts.mounts import MountPoint, MountPoints
from clup.facts.paths import Text
from clup.operations.files import File, configured
from clup.operations.steps import Steps, ensure, refuse

FSTAB = "/etc/fstab"

SECONDS = 300
"""How long a mount may take: after a crash it replays the journal first."""

# What a running mount shows of its options (mount(8)), and what takes each of them back.
FLAGS = {
    "ro": "rw",
    "noatime": "relatime",
    "nodiratime": "diratime",
    "nosuid": "suid",
    "nodev": "dev",
    "noexec": "exec",
}

# The folder below a mount is reached as the fact reads it: through a private view of its parent.
# $1 the mount point.
_SEAL = """set -eu
parent=${1%/*}
mkdir -p -m 0755 -- "${parent:-/}"
exec unshare --mount sh -euc '
mount --no-mtab --bind "$1" /run
if [ ! -d "/run/$2" ]; then mkdir -m 0555 -- "/run/$2"; fi
if lsattr -d "/run/$2" >/dev/null 2>&1; then chattr +i "/run/$2"; fi
' sh "${parent:-/}" "${1##*/}"
"""

# udev has to have seen a filesystem that was just made: systemd would unmount what it mounts from
# a device that it does not know yet. $1 the mount point, $2 mode of the filesystem's root.
_MOUNT = """set -eu
if command -v udevadm >/dev/null; then udevadm settle --timeout=30 || true; fi
mount -- "$1"
chown root:root -- "$1"
chmod "$2" -- "$1"
"""


@operation()
def mount_point(path: str, among: tuple[str, ...]) -> Steps:
    """Have a folder for a mount, empty and immutable, so that nothing lands on the root disk
    while its disk is missing. Refuse to hide what lies in it.

    What it lies on is mounted: the folder below another mount can be made only then. `among`
    names all mount points that a series of these is about.
    """
    state = host.get_fact(MountPoints, paths=among)[path]
    if state.kind == "other":
        yield refuse(path, "is not a folder", "move it away, then apply again")
        return
    if state.kind == "hidden":
        yield refuse(
            path,
            "is a mount point of which nobody can see what lies below",
            "find out why `unshare --mount mount --bind / /run` fails on the machine",
        )
        return
    if state.entries and host.get_fact(Disks).mounted_at(path) is None:
        shown = ", ".join(state.entries)
        yield refuse(
            path,
            f"holds {shown} on the disk below, which a mount would hide",
            "move it away, then apply again",
        )
        return
    if not is_open(state):
        return
    report.evidence(f"{path}: {state.kind}, to be empty and immutable")
    yield script(_SEAL, path)
    yield ensure(path, lambda: _still_open(path, among))


@operation()
def in_fstab(entries: Sequence[fstab.Entry]) -> Steps:
    """Have one right line for each entry in /etc/fstab; every other line stays as it is."""
    text = host.get_fact(Text, path=FSTAB) or ""
    if "\N{REPLACEMENT CHARACTER}" in text:
        yield refuse(FSTAB, "is not UTF-8, so that it cannot be kept as it is", "mend it by hand")
        return
    uuids = {device.label: device.uuid for device in host.get_fact(Disks).devices.values()}
    try:
        wanted = fstab.converged(text, entries, uuids)
    except fstab.Conflict as conflict:
        yield refuse(FSTAB, str(conflict), "remove that line, or correct the settings")
        return
    yield from configured._inner(
        files=[File(FSTAB, wanted, edited=True)],
        then=[sh("systemctl", "daemon-reload")],
        pending="fstab",
    )


@operation()
def mounted(wanted: Wanted, options: Sequence[str], mode: str, among: tuple[str, ...]) -> Steps:
    """Have the filesystem mounted with its options, and its root of this mode root's own.

    Its line in fstab is there. `among` names all mount points that a series of these is about.
    """
    path = wanted.mount
    wrong = _not_mounted(path, options, mode, among)
    if wrong is None:
        return
    report.evidence(f"{path}: {wrong}")
    if host.get_fact(Disks).mounted_at(path) is None:
        yield script(_MOUNT, path, mode, timeout=SECONDS)
    else:
        yield sh("mount", "-o", remount(options), "--", path, timeout=SECONDS)
        yield script('chown root:root -- "$1" && chmod "$2" -- "$1"', path, mode)
    yield ensure(path, lambda: _not_ours(wanted) or _not_mounted(path, options, mode, among))


def is_open(state: MountPoint) -> bool:
    """Whether something could be written to the folder of a mount, where that can be prevented."""
    return state.kind == "absent" or (state.kind == "folder" and state.immutable is False)


def remount(options: Sequence[str]) -> str:
    """Return the options that bring a running mount to these, and take back the others."""
    flags = [flag if flag in options else opposite for flag, opposite in FLAGS.items()]
    return ",".join(["remount", *flags])


def wrong_mount(
    found: Mount | None, options: Sequence[str], root: tuple[str, str, str] | None, mode: str
) -> str | None:
    """Given a mount, and owner, group and mode of its root, return what is wrong, or None."""
    if found is None:
        return "nothing is mounted"
    if flags(found) != FLAGS.keys() & set(options):
        return f"mounted with {','.join(sorted(found.options))}"
    if root != ("root", "root", mode):
        return f"its root is {root and ' '.join(root)}, not root root {mode}"
    return None


def flags(found: Mount) -> set[str]:
    """Return those options of a running mount that can be compared with what was asked for."""
    return FLAGS.keys() & found.options


def _not_mounted(
    path: str, options: Sequence[str], mode: str, among: tuple[str, ...]
) -> str | None:
    root = host.get_fact(MountPoints, paths=among)[path].root
    return wrong_mount(host.get_fact(Disks).mounted_at(path), options, root, mode)


def _not_ours(wanted: Wanted) -> str | None:
    found = verdict(host.get_fact(Disks), wanted)
    return None if found.kind == "mounted" else f"{found.what} {found.found}"


def _still_open(path: str, among: tuple[str, ...]) -> str | None:
    state = host.get_fact(MountPoints, paths=among)[path]
    return "is still not an immutable folder" if is_open(state) else None
