"""What a lab is, and the file that remembers it.

A lab is written down before anything of it is made, so that whatever a cut run has left behind
can be found again and removed.
"""

import json
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from clup.lab.errors import LabError

FOLDER = Path(__file__).resolve().parents[3] / ".lab"
STATE = "lab.json"
NAME = re.compile(r"[a-z][a-z0-9-]{0,29}")
DISK_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,62}")
PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+")  # Debian Policy, 5.6.1


@dataclass(frozen=True)
class Disk:
    """One extra disk: its name below /dev/disk/by-id in the machine and its size in bytes.

    A disk that is not attached keeps its content in the lab's folder.
    """

    id: str
    size: int
    read_only: bool = False
    attached: bool = True


DEFAULT_DISKS = (Disk("virtio-LABDATA", 1 << 30), Disk("virtio-LABCACHE", 4 << 30))


@dataclass(frozen=True)
class Lab:
    """A throwaway machine, reached by ssh as `user` on `address`:`port`.

    `ready` says that ssh once answered: without it, the `up` that began this lab was cut.
    `packages` are in its image beside what makes it a machine.
    """

    name: str
    kind: str
    suite: str
    port: int
    disks: tuple[Disk, ...]
    folder: Path
    ready: bool = False
    address: str = "127.0.0.1"
    user: str = "operator"
    packages: tuple[str, ...] = ()

    @property
    def key_file(self) -> Path:
        """The private key of `user`."""
        return self.folder / "key"

    @property
    def host_key_file(self) -> Path:
        """The private key of the machine's ssh server, put there by us: so it is known before."""
        return self.folder / "host_key"

    @property
    def known_hosts_file(self) -> Path:
        """The lab's own known_hosts: with a shared one, reused ports look like changed keys."""
        return self.folder / "known_hosts"

    def disk_file(self, disk: str) -> Path:
        """Given a disk's id, return the sparse file with its contents."""
        return self.folder / f"{disk}.disk"


def make_disk(lab: Lab, disk: Disk) -> None:
    """Given a lab and a disk of it, make the file with its contents, blank, unless it is there."""
    file = lab.disk_file(disk.id)
    if not file.exists():
        with file.open("xb") as blank:
            blank.truncate(disk.size)


def checked_name(name: str) -> str:
    """Given a name for a lab, return it. Raise LabError unless it can be a host name."""
    if NAME.fullmatch(name):
        return name
    raise LabError(
        f"{name!r} cannot be a host name",
        "the lab's name",
        "use a letter, then at most 29 lower-case letters, digits and dashes",
    )


def checked_packages(packages: tuple[str, ...]) -> tuple[str, ...]:
    """Given packages for a lab, return them. Raise LabError for what cannot be a package's name."""
    for name in packages:
        if not PACKAGE.fullmatch(name):
            raise LabError(
                f"{name!r} cannot be a package",
                "the lab's packages",
                "use the name of a Debian package, such as 'lvm2'",
            )
    return packages


def checked_disks(disks: tuple[Disk, ...]) -> tuple[Disk, ...]:
    """Given the disks for a lab, return them. Raise LabError for a bad id, size, or a duplicate."""
    for disk in disks:
        if not DISK_ID.fullmatch(disk.id):
            raise LabError(
                f"{disk.id!r} cannot be a name below /dev/disk/by-id",
                "the lab's disks",
                "use letters, digits and . _ : - only, such as 'virtio-LABDATA'",
            )
        if disk.size <= 0 or disk.size % 512:
            raise LabError(
                f"{disk.size} bytes are not a number of whole sectors",
                f"the lab's disk {disk.id}",
                "give a positive multiple of 512",
            )
    ids = [disk.id for disk in disks]
    if len(set(ids)) < len(ids):
        raise LabError(
            f"two disks have one id among {', '.join(ids)}",
            "the lab's disks",
            "give each its own id",
        )
    return disks


def save(lab: Lab) -> None:
    """Given a lab, write its state in one step: a reader sees the old state or the new."""
    lab.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = {key: value for key, value in asdict(lab).items() if key != "folder"}
    draft = lab.folder / f"{STATE}.draft"
    draft.write_text(json.dumps(state, indent=2) + "\n")
    draft.replace(lab.folder / STATE)


def load(folder: Path) -> Lab:
    """Given a lab's folder, return the lab. Raise LabError when its state cannot be read."""
    try:
        state = json.loads((folder / STATE).read_text())
        disks = tuple(Disk(**disk) for disk in state.pop("disks"))
        packages = tuple(state.pop("packages", ()))
        return Lab(**state, disks=disks, packages=packages, folder=folder)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise LabError(
            f"cannot read the lab's state ({error})",
            str(folder / STATE),
            f"remove the lab with `clup lab down --name {folder.name}`",
        ) from None


def recorded(folder: Path | None = None) -> list[str]:
    """Return the names of all labs that have a folder, readable state or not, sorted."""
    root = FOLDER if folder is None else folder
    if not root.is_dir():
        return []
    return sorted(entry.name for entry in root.iterdir() if NAME.fullmatch(entry.name))


def made_ready(lab: Lab) -> Lab:
    """Given a lab that ssh reached, return it marked so, and written down."""
    ready = replace(lab, ready=True)
    save(ready)
    return ready
