"""format_disk, cut at every write: the next run finishes its own work and nobody else's."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clup.machine.ext4 import Recipe, make_image, used_ranges
from tests.faults.disks.loops import MIB, Loop, blkid, format_disk, format_words, loop, marker

CUT = Path(__file__).with_name("cut.py")
ENV = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "src")}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Loop]:
    with loop(tmp_path) as made:
        yield made


def power_fails(disk: Loop, folder: Path, at: int) -> bool:
    """Run format_disk and lose the power at its write or fsync `at`; False if it ended before."""
    words = [sys.executable, str(CUT), str(at), *format_words(disk, folder)]
    ended = subprocess.run(words, env=ENV, capture_output=True, text=True, check=False)
    assert ended.returncode in (0, -signal.SIGKILL), ended.stderr
    return ended.returncode != 0


def is_clean(disk: Loop) -> bool:
    return subprocess.run(["e2fsck", "-fn", disk.path], capture_output=True).returncode == 0


def write(disk: Loop, at: int, data: bytes) -> None:
    fd = os.open(disk.path, os.O_WRONLY)
    os.pwrite(fd, data, at)
    os.fsync(fd)
    os.close(fd)


def test_it_converges_after_a_power_cut_at_every_write(tmp_path: Path) -> None:
    left = set()
    for at in range(1, 100):
        folder = tmp_path / str(at)
        folder.mkdir()
        with loop(folder) as disk:
            was_cut = power_fails(disk, folder, at)
            left.add((marker(folder) is not None, blkid(disk).get("LABEL")))
            again = format_disk(disk, folder)
            assert again.returncode == 0, (at, again.stderr)
            assert (marker(folder), blkid(disk)["LABEL"], is_clean(disk)) == (
                None,
                "CLAW_DATA",
                True,
            )
            record = (folder / "data.uuid").read_text().strip()
            assert record == blkid(disk)["UUID"], at
        if not was_cut:
            break
    else:
        pytest.fail("format_disk never came to its end")
    # No cut leaves a filesystem that nobody knows of while its parts are still missing.
    assert left == {(False, None), (True, None), (True, "CLAW_DATA"), (False, "CLAW_DATA")}


def test_it_converges_after_a_kill_at_any_time(disk: Loop, tmp_path: Path) -> None:
    chance = random.Random(3)
    for _ in range(8):
        words = [sys.executable, str(CUT), "0", *format_words(disk, tmp_path)]
        killed = subprocess.Popen(words, env=ENV, stdout=subprocess.DEVNULL, text=True)
        time.sleep(chance.uniform(0.05, 0.4))
        killed.kill()
        killed.wait()
    assert format_disk(disk, tmp_path).returncode == 0
    assert is_clean(disk)
    assert marker(tmp_path) is None


@pytest.mark.parametrize("at", [100, 40 * MIB + 5, 64 * MIB - 1])
def test_what_somebody_else_wrote_after_the_cut_is_refused(
    disk: Loop, tmp_path: Path, at: int
) -> None:
    assert power_fails(disk, tmp_path, 8)
    write(disk, at, b"x")
    before = disk.sha256()
    refused = format_disk(disk, tmp_path)
    assert refused.returncode == 3
    assert f"byte {at} is not zero (b'x' begins there)" in refused.stderr
    assert disk.sha256() == before


def test_the_marker_of_another_label_finishes_nothing(disk: Loop, tmp_path: Path) -> None:
    assert power_fails(disk, tmp_path, 8)
    before = disk.sha256()
    refused = format_disk(disk, tmp_path, label="CLAW_CACHE")
    assert refused.returncode == 3, refused.stdout
    assert disk.sha256() == before


def test_without_the_last_sector_there_is_no_filesystem(disk: Loop, tmp_path: Path) -> None:
    assert format_disk(disk, tmp_path).returncode == 0
    write(disk, 1024, bytes(512))
    assert blkid(disk) == {}


def test_a_later_run_waits_and_then_finds_the_work_done(tmp_path: Path) -> None:
    with loop(tmp_path, mib=512) as disk:
        words = [sys.executable, str(CUT), "0", *format_words(disk, tmp_path)]
        first = subprocess.Popen(words, env=ENV, stdout=subprocess.DEVNULL)
        while not (tmp_path / "data.json").exists() and first.poll() is None:
            time.sleep(0.005)
        first.send_signal(signal.SIGSTOP)
        second = subprocess.Popen(
            [sys.executable, str(CUT), "0", *format_words(disk, tmp_path)],
            env=ENV, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert second.stdout is not None
        assert "waiting for the process that holds it" in second.stdout.readline()
        first.send_signal(signal.SIGCONT)
        assert (first.wait(), second.wait()) == (0, 0)
        assert "was already there" in second.stdout.read()


def test_a_run_that_waited_too_long_refuses(disk: Loop, tmp_path: Path) -> None:
    node = os.open(disk.path, os.O_RDONLY)
    fcntl.flock(node, fcntl.LOCK_EX)
    refused = format_disk(disk, tmp_path, wait=0.5)
    os.close(node)
    assert refused.returncode == 3
    assert "another process has held it" in refused.stderr


def test_a_sample_reads_what_the_filesystem_takes_for_zero(tmp_path: Path) -> None:
    """A stray in free space passes a sample, hence the waiver; one in the journal does not."""
    image = make_image(Recipe("L", "11111111-2222-4333-8444-555555555555", 1024 * MIB, 1, 0, ""))
    journal = max(used_ranges(image), key=lambda between: between[1] - between[0])
    os.close(image)
    with loop(tmp_path, mib=1024) as disk:
        write(disk, 900 * MIB - 77, b"in free space")
        assert format_disk(disk, tmp_path).returncode == 3
        write(disk, journal[1] - 2 * MIB - 77, b"in the journal")
        assert format_disk(disk, tmp_path, proof="sample").returncode == 3
        write(disk, journal[1] - 2 * MIB - 77, bytes(14))
        assert format_disk(disk, tmp_path, proof="sample").returncode == 0
        assert is_clean(disk)


def test_a_cut_run_is_finished_only_after_all_of_the_disk_was_read(tmp_path: Path) -> None:
    """A waiver speaks of a new disk; after a cut, somebody else may have used this one."""
    with loop(tmp_path, mib=256) as disk:
        assert power_fails(disk, tmp_path, 8)
        stray = 100 * MIB + 5
        write(disk, stray, b"x")
        refused = format_disk(disk, tmp_path, proof="sample")
        assert refused.returncode == 3, refused.stdout
        assert f"byte {stray} is not zero" in refused.stderr
