from __future__ import annotations

import pytest
from pyinfra.api.exceptions import FactProcessError

from clup.disks.machine import BlockDevice, Machine, Mount
from clup.facts.disks import Disks
from clup.facts.mounts import MountPoint, MountPoints, parse
from clup.operations.mounts import is_open, mount_point, remount, wrong_mount
from tests.unit.operations.planning import evaluate

PATH = "/srv/data"
SEALED = MountPoint("folder", immutable=True)


def mount(options: str = "rw,noatime") -> Mount:
    return Mount("8:16", "/", PATH, frozenset(options.split(",")), "ext4", "/dev/sdb")


@pytest.mark.parametrize(
    ("found", "root", "wrong"),
    [
        (mount(), ("root", "root", "0755"), None),
        (mount("rw,noatime,seclabel"), ("root", "root", "0755"), None),
        (None, None, "nothing is mounted"),
        (mount("ro,noatime"), ("root", "root", "0755"), "mounted with noatime,ro"),
        (mount("rw,relatime"), ("root", "root", "0755"), "mounted with relatime,rw"),
        (mount("rw,noatime,noexec"), ("root", "root", "0755"), "mounted with noatime,noexec,rw"),
        (mount(), ("psy", "root", "0755"), "its root is psy root 0755, not root root 0755"),
        (mount(), ("root", "root", "1777"), "its root is root root 1777, not root root 0755"),
    ],
)
def test_what_is_wrong_with_a_mount(
    found: Mount | None, root: tuple[str, str, str] | None, wrong: str | None
) -> None:
    assert wrong_mount(found, ("noatime", "data=ordered"), root, "0755") == wrong


def test_a_remount_takes_back_what_is_not_asked_for() -> None:
    assert remount(("noatime", "nosuid")) == "remount,rw,noatime,diratime,nosuid,dev,exec"


@pytest.mark.parametrize(
    ("state", "is_so"),
    [
        (MountPoint("absent"), True),
        (MountPoint("folder", immutable=False), True),
        (MountPoint("folder", immutable=True), False),
        (MountPoint("folder", immutable=None), False),
        (MountPoint("hidden"), False),
    ],
)
def test_what_could_be_written_below_a_mount(state: MountPoint, is_so: bool) -> None:
    assert is_open(state) is is_so


@pytest.mark.parametrize(
    ("state", "mounted", "steps", "refusals"),
    [
        (SEALED, False, 0, []),
        (MountPoint("absent"), False, 2, []),
        (MountPoint("folder", False), True, 2, []),
        (MountPoint("folder", False, ("photos",)), True, 2, []),
        (
            MountPoint("other"),
            False,
            1,
            [f"{PATH}: is not a folder; move it away, then apply again"],
        ),
        (
            MountPoint("hidden"),
            False,
            1,
            [
                f"{PATH}: is a mount point of which nobody can see what lies below; "
                "find out why `unshare --mount mount --bind / /run` fails on the machine"
            ],
        ),
        (
            MountPoint("folder", True, ("photos", "notes")),
            False,
            1,
            [
                f"{PATH}: holds photos, notes on the disk below, which a mount would hide; "
                "move it away, then apply again"
            ],
        ),
    ],
)
def test_a_mount_point_hides_nothing(
    state: MountPoint, mounted: bool, steps: int, refusals: list[str]
) -> None:
    machine = Machine({"sdb": BlockDevice("sdb", "8:16", 1)}, mounts=(mount(),) if mounted else ())
    facts = {Disks: machine, MountPoints: {PATH: state}}
    done, notes = evaluate(mount_point, facts, path=PATH, among=(PATH,))
    assert (len(done), notes.refusals) == (steps, refusals)


def test_the_reading_of_mount_points() -> None:
    lines = """path /srv/data
root root root 755
path /srv/cache
path /srv/data
folder ----i---------e-------
entry photos
entry my notes
path /srv/cache
absent
path /srv/tmp
root psy users 1777
folder none
path /srv/odd
hidden
end""".splitlines()
    with pytest.raises(FactProcessError, match="were not read to the end, but to 'hidden'"):
        parse(lines[:-1])
    assert parse(lines) == {
        "/srv/data": MountPoint("folder", True, ("photos", "my notes"), ("root", "root", "0755")),
        "/srv/cache": MountPoint("absent"),
        "/srv/tmp": MountPoint("folder", None, (), ("psy", "users", "1777")),
        "/srv/odd": MountPoint("hidden"),
    }
