"""What runs a virtual machine's code: the processor itself (KVM), or an emulator.

/dev/kvm may be there and yet run no stock kernel, as within some virtual machines. So the lab's
own kernel is tried once for each boot of the operator's machine, and the verdict remembered.
"""

import json
import os
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from clup.lab import machine
from clup.lab.commands import environment
from clup.lab.qemu import EMULATED, KVM, PROGRAM
from clup.lab.say import Say

DEVICE = Path("/dev/kvm")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
TRIAL_SECONDS = 30.0
# Whoever is killed in the middle of a trial leaves no QEMU behind (setpriv(1)).
MORTAL = ("setpriv", "--pdeathsig", "KILL")
# The kernel says so when it starts the first program of its initrd: by then it runs.
ALIVE = b"Run /init as init process"


@dataclass(frozen=True)
class Verdict:
    """Whether KVM runs this kernel on this boot of the operator's machine, and what was seen."""

    boot: str
    image: str
    works: bool
    seen: str


def memory() -> Path:
    """Return the file that remembers the verdict."""
    return machine.FOLDER / ".kvm.json"


def accelerator(image: Path, say: Say) -> tuple[str, ...]:
    """Given an image, return QEMU's words for what runs its code best here."""
    verdict = judged(image, say)
    if verdict.works:
        return KVM
    say(f"The machine is emulated, which is slow: {verdict.seen}.")
    return EMULATED


def judged(image: Path, say: Say) -> Verdict:
    """Given an image, return the verdict on KVM: as it is remembered, else after a trial."""
    boot = BOOT_ID.read_text().strip()
    known = remembered()
    if known is not None and (known.boot, known.image) == (boot, image.name):
        return known
    if why := closed():
        verdict = Verdict(boot, image.name, False, why)
    else:
        say(f"Trying whether KVM runs the lab's kernel (at most {TRIAL_SECONDS:g} s).")
        seen = trial(image)
        verdict = Verdict(boot, image.name, seen is None, seen or "a kernel boots under KVM")
    draft = memory().with_suffix(".draft")
    draft.write_text(json.dumps(asdict(verdict)) + "\n")
    draft.replace(memory())
    return verdict


def remembered() -> Verdict | None:
    """Return the verdict that was written down last, None when there is none that can be read."""
    try:
        return Verdict(**json.loads(memory().read_text()))
    except (OSError, ValueError, TypeError):
        return None


def closed() -> str | None:
    """Return why KVM cannot even be tried here, None if it can."""
    if not DEVICE.exists():
        return f"there is no {DEVICE}"
    if not os.access(DEVICE, os.R_OK | os.W_OK):
        return f"this account may not open {DEVICE}"
    return None


def trial(image: Path) -> str | None:
    """Given an image, boot its kernel under KVM. Return None if it came alive, else what was seen.

    It gets no disk, so it does nothing beyond its initrd, and is ended as soon as it lives.
    """
    console, errors = (machine.FOLDER / f".kvm-trial.{name}" for name in ("log", "err"))
    console.write_bytes(b"")
    argv = [
        *MORTAL,
        PROGRAM,
        *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *KVM,
        *("-m", "512", "-serial", f"file:{console.name}"),
        *("-kernel", str(image / "vmlinuz"), "-initrd", str(image / "initrd")),
        *("-append", "console=ttyS0 panic=-1"),
    ]
    with errors.open("wb") as said:
        process = subprocess.Popen(
            argv,
            cwd=machine.FOLDER,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env=environment(),
        )
        try:
            lives = comes_alive(process, console)
        finally:
            process.kill()
            process.wait()
    text = errors.read_bytes()
    for file in (console, errors):
        file.unlink()
    return None if lives else failure(text)


def comes_alive(process: subprocess.Popen[bytes], console: Path) -> bool:
    """Given a QEMU and the file with its console, return whether the kernel lives in time."""
    end = time.monotonic() + TRIAL_SECONDS
    while time.monotonic() < end:
        if ALIVE in console.read_bytes():
            return True
        if process.poll() is not None:
            return False
        time.sleep(0.1)
    return False


def failure(said: bytes) -> str:
    """Given what QEMU wrote to stderr, return in a few words why the kernel did not live."""
    lines = said.decode(errors="replace").strip().splitlines()
    first = lines[0].removeprefix(f"{PROGRAM}: ") if lines else "its kernel did not start in time"
    return f"KVM does not run the lab's kernel here ({first})"
