"""A virtual lab whose `up` was killed: `down` leaves nothing of it, `up` makes it anew. And the
kernel that it would boot is tried, with an emulator in KVM's place."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clup import lab
from clup.lab import accel, machine, qemu, vm, vm_image
from clup.lab.lifecycle import SUITE
from clup.lab.lock import locked
from tests.faults.disks.vm_kinds import PACKAGES

ROOT = Path(__file__).resolve().parents[2]
NAME = "vm-wreck"
UP = f"from clup import lab; lab.up({NAME!r}, 'vm', say=lambda line: None, packages={PACKAGES!r})"


@pytest.fixture(scope="module", autouse=True)
def image() -> Path:
    """What is killed is the making of a lab, not of its image."""
    with locked(print):
        return vm_image.ensure(SUITE, PACKAGES, print)


def test_a_trial_boots_the_kernel_of_a_lab(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "FOLDER", tmp_path)
    monkeypatch.setattr(accel, "KVM", qemu.EMULATED)
    monkeypatch.setattr(accel, "TRIAL_SECONDS", 300.0)
    assert accel.trial(image) is None
    monkeypatch.setattr(accel, "TRIAL_SECONDS", 0.5)
    assert "its kernel did not start in time" in str(accel.trial(image))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seconds", [0.3, 0.6, 0.9, 1.2, 1.6, 2.0, 3.0, 6.0])
def test_down_after_a_kill_leaves_nothing(seconds: float) -> None:
    up = subprocess.Popen(
        [sys.executable, "-c", UP], env={**os.environ, "PYTHONPATH": str(ROOT / "src")}
    )
    time.sleep(seconds)
    up.send_signal(signal.SIGKILL)
    up.wait()
    if NAME in machine.recorded():
        lab.down(NAME, lambda line: None)
    assert not (machine.FOLDER / NAME).exists()
    assert vm.pid_of(machine.FOLDER / NAME) is None
