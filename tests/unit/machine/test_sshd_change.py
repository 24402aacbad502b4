"""A change to sshd that is taken back while the disk is full: run for real in a folder."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

import clup.machine

SOURCE = Path(clup.machine.__path__[0]) / "sshd_change.sh"
FORMER = "PasswordAuthentication no\n"
BAD = "AllowUsers nobody\n"


@dataclass(frozen=True)
class Box:
    """A machine's folders, and programs that stand for those of the system."""

    folder: Path

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def dropin(self) -> Path:
        return self.folder / "sshd_config.d/10-clup.conf"

    def run(self, action: str) -> subprocess.CompletedProcess[str]:
        """Run one action of the program; every program that is replaced comes first."""
        path = f"{self.folder / 'bin'}:/usr/sbin:/usr/bin:/sbin:/bin"
        return subprocess.run(
            [str(self.folder / "change"), action],
            env={"PATH": path}, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def replace(self, programs: Mapping[str, str]) -> None:
        """Put programs in place of the system's, each given by its sh lines."""
        for name, lines in programs.items():
            program = self.folder / "bin" / name
            program.write_text(f"#!/bin/sh\n{lines}\n")
            program.chmod(0o755)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """A machine on which a bad drop-in waits for its proof, and the former one is kept."""
    made = Box(tmp_path)
    for name in ("bin", "run", "state", "sshd_config.d", "units"):
        (tmp_path / name).mkdir(mode=0o700)
    text = SOURCE.read_text()
    for path, name in (
        ("/var/lib/clup/sshd", "state"),
        ("/etc/ssh/sshd_config.d", "sshd_config.d"),
        ("/etc/systemd/system", "units"),
        ("/run/sshd", "run"),
    ):
        text = text.replace(path, str(tmp_path / name))
    (tmp_path / "change").write_text(text)
    (tmp_path / "change").chmod(0o755)
    made.replace(dict.fromkeys(("systemctl", "sshd", "logger"), "exit 0"))
    made.dropin.write_text(BAD)
    (made.state / "previous").write_text(FORMER)
    (made.state / "armed").touch()
    return made


def left(box: Box) -> list[str]:
    return sorted(path.name for path in (*box.state.iterdir(), *box.dropin.parent.iterdir()))


@pytest.mark.parametrize(
    "programs",
    [
        {},
        # No room for a second copy, but for a name.
        {"cp": "exit 1"},
        {"cp": 'for to; do :; done; echo half >"$to"; exit 1'},
        # Room once the bad drop-in is away; two filesystems.
        {"cp": f'for to; do :; done\n[ ! -e "${{to%.former}}" ] && exec {"/bin/cp"} "$@"; exit 1',
         "ln": "exit 1"},
    ],
    ids=["room", "none", "half", "later"],
)  # fmt: skip
def test_the_former_settings_come_back(box: Box, programs: Mapping[str, str]) -> None:
    box.replace(programs)
    done = box.run("takeback")
    assert (done.returncode, done.stderr) == (0, "")
    assert box.dropin.read_text() == FORMER
    assert left(box) == ["10-clup.conf", "lock"]


def test_without_any_room_they_are_kept_until_there_is(box: Box) -> None:
    box.replace({"cp": "exit 1", "ln": "exit 1"})
    done = box.run("takeback")
    assert done.returncode == 1
    assert "10-clup.conf cannot be brought back (is the disk full?)" in done.stderr
    # What locked the operator out is gone, and the timer's service tries again.
    assert left(box) == ["armed", "lock", "previous"]
    for name in ("cp", "ln"):
        (box.folder / "bin" / name).unlink()
    assert box.run("takeback").returncode == 0
    assert box.dropin.read_text() == FORMER


def test_a_proof_without_a_copy_of_the_former_settings_is_none(box: Box) -> None:
    box.replace({"cp": "exit 1", "ln": "exit 1"})
    done = box.run("keep")
    assert done.returncode == 1
    assert "cannot be kept as" in done.stderr
    assert left(box) == ["10-clup.conf", "armed", "lock", "previous"]
