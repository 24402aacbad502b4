"""A machine's mounts, said in settings."""

from __future__ import annotations

from typing import Any

import pytest

from clup.disks.machine import Answer, BlockDevice, Machine, Mount
from clup.facts.mounts import MountPoint
from clup.found import Found, Note, tree
from roles.storage.found import described
from roles.storage.settings import Settings

UUID = "6a2f5a3e-0000-4000-8000-000000000001"


def machine(target: str, label: str = "CLAW_DATA", kind: str = "ext4", root: str = "/") -> Machine:
    tags = {"ID_FS_TYPE": kind, "ID_FS_UUID": UUID}
    if label:
        tags["ID_FS_LABEL_ENC"] = label
    disk = BlockDevice("sdb", "8:16", 1 << 30, "/dev/sdb", blkid=Answer(0, tags))
    options = frozenset({"rw", "relatime"})
    return Machine(
        devices={"sdb": disk},
        links={"scsi-36002248aa": "sdb", "wwn-0x6002248aa": "sdb"},
        mounts=(Mount("8:16", root, target, options, kind, "/dev/sdb"),),
    )


def said(found: Machine, fstab: str, given: dict[str, Any] | None = None) -> tuple[Any, list[str]]:
    roots = {"/srv/data": MountPoint(root=("psy", "psy", "0750"))}
    every = list(described(found, fstab, roots, Settings.model_validate(given or {})))
    notes = [each.text for each in every if isinstance(each, Note)]
    return tree(each for each in every if isinstance(each, Found)).get("filesystems", {}), notes


@pytest.mark.parametrize(
    ("there", "fstab", "expected"),
    [
        (machine("/"), "", {}),
        (machine("/boot"), "", {}),
        (machine("/srv/data/docker", root="/docker"), "", {}),
        (
            machine("/srv/cache", "CLAW_CACHE"),
            f"UUID={UUID} /srv/cache ext4 defaults,noatime,nofail 0 2",
            {"cache": {"by_id": "wwn-0x6002248aa"}},
        ),
        (
            machine("/mnt/Bots", "BOTS"),
            f"UUID={UUID} /mnt/Bots ext4 defaults 0 2",
            {
                "bots": {
                    "by_id": "wwn-0x6002248aa",
                    "label": "BOTS",
                    "mount": "/mnt/Bots",
                    "options": [],
                }
            },
        ),
        (
            machine("/srv/a-name-longer-than-any-label", "LONG"),
            "",
            {
                "a-name-longer-than-any-label": {
                    "by_id": "wwn-0x6002248aa",
                    "label": "LONG",
                    "options": [],
                }
            },
        ),
    ],
)
def test_a_mounted_filesystem_is_said(there: Machine, fstab: str, expected: dict[str, Any]) -> None:
    assert said(there, fstab) == (expected, [])
    Settings.model_validate({"filesystems": expected})


def test_one_that_is_declared_is_known_by_its_mount() -> None:
    given = {"filesystems": {"disk1": {"label": "CLAW_DATA", "mount": "/srv/data", "serial": "x"}}}
    found, notes = said(machine("/srv/data"), "", given)
    assert found == {"disk1": {"options": [], "mode": "0750"}}
    assert notes == ["/srv/data itself belongs to psy:psy; apply gives it to root."]


@pytest.mark.parametrize(
    ("there", "note"),
    [
        (machine("/srv/data", kind="xfs"), "/srv/data is xfs"),
        (machine("/srv/data", ""), "/srv/data has no label to be known by: give it one, such as"),
        (machine("/srv/1"), "/srv/1 stays as it is"),
    ],
)
def test_what_cannot_be_said_is_remarked_on(there: Machine, note: str) -> None:
    found, notes = said(there, "")
    assert found == {}
    assert [text.startswith(note) for text in notes] == [True]
