"""Disks that are not blank: each is refused in its own words, and not a byte of it changes.

`pytest -s` prints the table: kind, verdict of the plan, what the operator is told.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import clup.facts.disks
from clup.disks.machine import Machine
from clup.disks.verdict import Verdict, Wanted, verdict
from clup.facts.disks import Disks, parse
from tests.faults.disks.kinds import STRANGERS, Stranger, put
from tests.faults.disks.loops import MIB, Loop, format_disk, loop

WANTED = Wanted("data", "CLAW_DATA", "/srv/data", by_id="virtio-LABDATA", at_least=16 * MIB)
SCRIPT = Path(clup.facts.disks.__file__).with_suffix(".sh").read_text()


def read(*disks: Loop) -> Machine:
    """Read this machine as the fact does, leaving out the disks of anyone else here."""
    said = subprocess.run(["sh", "-c", SCRIPT], capture_output=True, text=True, check=True)
    machine = parse(said.stdout.splitlines())
    names = [Path(disk.path).name for disk in disks]
    return replace(
        machine,
        devices={name: machine.devices[name] for name in names},
        links={"virtio-LABDATA": names[0]},
        records={},
        markers={},
    )


def judge(*disks: Loop) -> Verdict:
    return verdict(read(*disks), WANTED)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Loop]:
    with loop(tmp_path) as made:
        yield made


@pytest.mark.parametrize("stranger", STRANGERS, ids=lambda stranger: stranger.name)
def test_a_stranger_is_refused_and_left_alone(stranger: Stranger, tmp_path: Path) -> None:
    with loop(tmp_path, stranger.mib) as disk:
        stranger.make(disk.file)
    with loop(tmp_path, stranger.mib) as disk:
        before = disk.sha256()
        planned = judge(disk)
        # Also the program on the machine, which the plan's refusal keeps from being called.
        proof = format_disk(disk, tmp_path)
        after = disk.sha256()
    told = str(planned) if planned.refused else proof.stderr
    print(f"| {stranger.name} | {planned.kind} | {told.strip()}; {planned.cure} |")  # noqa: T201
    assert planned.kind == stranger.planned
    assert proof.returncode == 3, proof.stderr
    assert stranger.says in told
    # What is typed next must not be about another disk after a reboot.
    assert (planned.cure if planned.refused else proof.stderr).count(disk.path) == 0
    assert (disk.path if planned.refused else str(disk.link)) in told
    assert after == before
    assert not (tmp_path / "data.json").exists()


def test_each_stranger_has_words_of_its_own() -> None:
    words = [stranger.says for stranger in STRANGERS]
    assert len(set(words)) == len(words) >= 20


def test_a_blank_disk_is_blank_only_so_far(disk: Loop) -> None:
    found = judge(disk)
    assert found.kind == "blank"
    assert "is blank so far" in found.found


def test_a_read_only_disk(tmp_path: Path) -> None:
    with loop(tmp_path, read_only=True) as disk:
        assert (judge(disk).kind, judge(disk).found) == ("foreign", "is read-only")
        refused = format_disk(disk, tmp_path)
    assert refused.returncode == 3
    assert "is read-only" in refused.stderr


def test_a_disk_that_is_mounted_elsewhere(disk: Loop, tmp_path: Path) -> None:
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-L", "CLAW_DATA", disk.path], check=True)
    place = tmp_path / "mnt"
    place.mkdir()
    subprocess.run(["mount", disk.path, str(place)], check=True)
    try:
        found = judge(disk)
        proof = format_disk(disk, tmp_path)
    finally:
        subprocess.run(["umount", str(place)], check=True)
    assert (found.kind, found.found) == ("foreign", f"is mounted at {place}, not at /srv/data")
    assert proof.returncode == 3
    assert "is held by a mount, a mapping or another program" in proof.stderr


def test_a_disk_that_another_program_holds(disk: Loop, tmp_path: Path) -> None:
    holder = os.open(disk.path, os.O_RDWR | os.O_EXCL)
    refused = format_disk(disk, tmp_path)
    os.close(holder)
    assert refused.returncode == 3
    assert "is held by" in refused.stderr


def test_two_disks_with_our_label(disk: Loop, tmp_path: Path) -> None:
    with loop(tmp_path, name="twin") as twin:
        for one in (disk, twin):
            subprocess.run(["mke2fs", "-q", "-t", "ext4", "-L", "CLAW_DATA", one.path], check=True)
        found = judge(disk, twin)
    assert found.kind == "unknown"
    assert f"is not the only one with the label 'CLAW_DATA': so has {twin.path}" in found.found


def test_a_disk_that_is_too_small(tmp_path: Path) -> None:
    with loop(tmp_path, mib=8) as disk:
        found = judge(disk)
    assert found.kind == "foreign"
    assert "is too small: at least 16.0 MiB" in found.found


def test_our_own_filesystem_is_adopted_as_it_is(disk: Loop, tmp_path: Path) -> None:
    assert format_disk(disk, tmp_path).returncode == 0
    before = disk.sha256()
    assert judge(disk).kind == "adopt"
    again = format_disk(disk, tmp_path)
    assert again.returncode == 0
    assert "was already there" in again.stdout
    assert disk.sha256() == before


def test_a_disk_that_changed_since_it_was_planned(disk: Loop, tmp_path: Path) -> None:
    """The disk itself is read: the machine's memory still holds what was there before."""
    assert judge(disk).kind == "blank"
    with open(disk.path, "rb") as remembered:  # noqa: PTH123  a device
        remembered.read()
        put(disk.file, 40 * MIB, b"somebody's data")
        refused = format_disk(disk, tmp_path)
    assert refused.returncode == 3
    assert "somebody's data" in refused.stderr


def test_another_disk_under_the_same_name(disk: Loop, tmp_path: Path) -> None:
    refused = format_disk(disk, tmp_path, size=disk.size + 512)
    assert refused.returncode == 3
    assert "plan again" in refused.stderr


def test_another_disk_under_the_same_number(disk: Loop, tmp_path: Path) -> None:
    """One was detached while the run waited, and another of its size took its place."""
    with loop(tmp_path, name="selected") as selected:
        for name in (selected.link.name, "wwn-gone"):
            refused = format_disk(disk, tmp_path, id=name)
            assert refused.returncode == 3
            assert f"is not, or no longer, the disk of by_id '{name}'" in refused.stderr
        for selector in ("serial", "wwn"):
            refused = format_disk(disk, tmp_path, selector=selector, id="60022480")
            assert refused.returncode == 3
            assert f"the disk of {selector} '60022480'; plan again" in refused.stderr
    assert not any(disk.file.read_bytes())


def test_the_reading_needs_no_argument_and_one_command() -> None:
    assert SCRIPT in Disks().command().get_raw_value().replace("'\"'\"'", "'")
