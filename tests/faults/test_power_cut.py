"""What a power cut leaves of files: on a real ext4, whose image is copied at that moment.

A cut comes at the worst time: all that the journal knows is on the disk, as after a commit, and
no data is there that nobody asked to be written. (ext4 writes data some 30 s after its metadata.)
"""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import clup.machine
from clup.operations import accounts, files, sshd
from tests.faults.disks.loops import loop

CHANGE = Path(clup.machine.__path__[0]) / "sshd_change.sh"
FORMER, NEW = "what the operator wrote\n", "what clup wants\n"


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A folder on an ext4 of its own."""
    if os.geteuid() != 0:
        pytest.skip("loop devices can only be made by root")
    with loop(tmp_path, 64) as disk:
        subprocess.run(["mkfs.ext4", "-q", disk.path], check=True)
        with mounted(disk.path, tmp_path / "root") as folder:
            yield folder


@contextmanager
def mounted(source: str, folder: Path, *options: str) -> Iterator[Path]:
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", *options, source, str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def after_a_cut(root: Path) -> dict[str, str]:
    """Return the files that are there after a cut, by their path, with what is in them."""
    with (root / "commit").open("w") as file:
        os.fsync(file.fileno())
    image = root.parent / "disk.img"
    cut = root.parent / "cut.img"
    subprocess.run(["cp", "--sparse=always", str(image), str(cut)], check=True)
    with mounted(str(cut), root.parent / "cut", "-o", "loop") as seen:
        return {
            str(path.relative_to(seen)): path.read_text()
            for path in sorted(seen.rglob("*"))
            if path.is_file()
        }


def written(path: Path, text: str) -> None:
    """Write a file that has long been on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def run(words: list[str], text: str, **env: str) -> None:
    done = subprocess.run(
        words,
        input=base64.encodebytes(text.encode()).decode(),
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_what_a_file_replaces_is_kept(root: Path) -> None:
    written(root / "fstab", FORMER)
    run(["sh", "-c", files._WRITE, "sh", f"{root}/fstab", "root", "root", "0644", ""], NEW)
    left = after_a_cut(root)
    assert FORMER in left.values(), left
    assert left["fstab"] in (FORMER, NEW)


def test_a_link_that_leads_nowhere_is_replaced(root: Path) -> None:
    (root / "fstab").symlink_to("nowhere")
    run(["sh", "-c", files._WRITE, "sh", f"{root}/fstab", "root", "root", "0644", ""], NEW)
    assert (root / "fstab").read_text() == NEW


def test_the_keys_that_are_replaced_are_kept(root: Path) -> None:
    written(root / ".ssh/authorized_keys", FORMER)
    run(["sh", "-c", accounts._WRITE_KEYS, "sh", "root", "root", str(root)], NEW)
    assert FORMER in after_a_cut(root).values()


def test_a_new_home_is_whole(root: Path) -> None:
    home = ["sh", "-c", accounts._NEW_HOME, "sh", "root", "root", f"{root}/home", "0700"]
    skeleton = {
        f"home/{path.relative_to('/etc/skel')}": path.read_text()
        for path in Path("/etc/skel").rglob("*")
        if path.is_file()
    }
    assert skeleton
    run(home, "")
    assert skeleton.items() <= after_a_cut(root).items()


def test_what_a_cut_left_half_written_goes(root: Path) -> None:
    written(root / ".clup.psy.a1b2c3/.profile", FORMER)
    written(root / "psy/.ssh/.authorized_keys.a1b2c3", FORMER)
    written(root / ".clup.fstab.a1b2c3", FORMER)
    run(["sh", "-c", accounts._WRITE_KEYS, "sh", "root", "root", f"{root}/psy"], NEW)
    run(["sh", "-c", files._WRITE, "sh", f"{root}/fstab", "root", "root", "0644", ""], NEW)
    assert sorted(path.name for path in (root / "psy/.ssh").iterdir()) == ["authorized_keys"]
    (root / "psy").rename(root / "other")
    run(["sh", "-c", accounts._NEW_HOME, "sh", "root", "root", f"{root}/psy", "0700"], "")
    assert sorted(path.name for path in root.iterdir()) == ["fstab", "lost+found", "other", "psy"]


def test_a_change_to_sshd_can_still_be_taken_back(root: Path, tmp_path: Path) -> None:
    program, dropin = root / "clup/sshd/change", root / "etc/10-clup.conf"
    units = ("clup-sshd-takeback.timer", "clup-sshd-takeback.service")
    written(dropin, FORMER)
    (root / "units").mkdir()
    script = CHANGE.read_text()
    places = {
        "/var/lib/clup": "clup",
        "/etc/systemd/system": "units",
        "/etc/ssh/sshd_config.d": "etc",
    }
    for path, here in places.items():
        assert path in script
        script = script.replace(path, f"{root}/{here}")
    path = stubs(tmp_path / "bin", "systemctl", "sshd", "logger")
    arm = sshd._ARM.replace("/var/lib/clup", f"{root}/clup")
    run(["sh", "-c", arm, "sh", str(program), "45"], script, PATH=path)
    armed = after_a_cut(root)
    written(dropin.with_name(f"{dropin.name}.a1b2c3"), FORMER)
    run([str(program), "put"], NEW, PATH=path)
    assert [each.name for each in dropin.parent.iterdir()] == [dropin.name]
    put = after_a_cut(root)
    for left in (armed, put):
        assert left["clup/sshd/change"] == script
        assert left["clup/sshd/previous"] == FORMER
        assert all("[Unit]" in left[f"units/{unit}"] for unit in units), left
    assert put["etc/10-clup.conf"] in (FORMER, NEW)
    run([str(program), "keep"], "", PATH=path)
    assert FORMER in after_a_cut(root).values()


def stubs(folder: Path, *names: str) -> str:
    """Make programs that do nothing; return the PATH on which they come first."""
    folder.mkdir()
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"
