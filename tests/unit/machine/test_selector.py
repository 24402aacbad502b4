"""Whether an open disk is the one that the settings name: with this machine's null device."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clup.machine import selector
from clup.machine.selector import is_selected, plain, wwn


@pytest.mark.parametrize(
    ("written", "bare"),
    [("0x6002", "6002"), ("naa.6002", "6002"), ("eui.6002", "6002"), ("wwn-0x6002", "6002")],
)
def test_names_of_the_world(written: str, bare: str) -> None:
    assert wwn(written) == bare
    assert wwn(written.upper().replace("NAA", "naa")) == bare


@pytest.mark.parametrize(
    ("name", "selected"),
    [
        ("ata-Disk, one", True),  # as udev escapes it
        ("ata-other", False),
        ("ata-gone", False),
        ("ata-Disk", False),
        ("never-there", False),
    ],
)
def test_the_link_has_to_lead_to_the_open_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, selected: bool
) -> None:
    for link, target in (
        (r"ata-Disk\x2c\x20one", "/dev/null"),
        ("ata-other", "/dev/zero"),
        ("ata-gone", "/dev/gone"),
    ):
        (tmp_path / link).symlink_to(target)
    monkeypatch.setattr(selector, "BY_ID", tmp_path)
    with Path("/dev/null").open("rb") as disk:
        assert is_selected(disk.fileno(), "by_id", name) is selected


@pytest.mark.parametrize(
    ("chosen", "value", "selected"),
    [
        ("serial", "S1", True),
        ("serial", "S2", True),
        ("serial", "S3", False),
        ("serial", "", False),
        ("wwn", "naa.6002248A", True),
        ("wwn", "0x6002248a", True),
        ("wwn", "6002248", False),
    ],
)
def test_serial_and_wwn_are_those_of_udev_and_the_kernel(
    monkeypatch: pytest.MonkeyPatch, chosen: selector.Selector, value: str, selected: bool
) -> None:
    texts = {
        "/run/udev/data/b1:3": "S:disk/by-id/x\nE:ID_SERIAL_SHORT=S1\nE:ID_WWN=0x6002248a\n",
        "/sys/dev/block/1:3/device/serial": "  S2 \n",
    }
    monkeypatch.setattr(selector, "_text", lambda path: texts.get(str(path), ""))
    fd = os.open("/dev/null", os.O_RDONLY)
    assert is_selected(fd, chosen, value) is selected
    os.close(fd)


def test_escapes_of_udev() -> None:
    assert plain(r"my\x20disk\x2f1") == "my disk/1"
