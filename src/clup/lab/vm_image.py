"""The image from which virtual machines start: the userland of the labs, with a kernel to boot it.

An image is a folder with a filesystem, a kernel and an initrd. A lab writes to an overlay of its
own, and remembers its image by a link: images that no lab has are removed when another is built.
"""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from clup.lab import image, machine
from clup.lab.commands import as_root, run
from clup.lab.machine import Lab
from clup.lab.qemu import IMAGE
from clup.lab.say import Say
from clup.lab.tree import Entry, packed

PACKAGES = (
    *image.PACKAGES,
    "linux-image-cloud-amd64",
    "kmod",
    "busybox-static",
    "cpio",
    "xz-utils",
)
HOOKS = (*image.HOOKS, 'chroot "$1" systemctl enable systemd-networkd.service')
UNITS = "etc/systemd/system"
LIBRARY = "usr/local/lib/lab"
ROOT_LABEL = "LAB_ROOT"
SIZE = "8G"  # of the root filesystem; its file is sparse
NETWORK = """\
[Match]
Name=eth0

[Network]
Address=10.0.2.15/24
Gateway=10.0.2.2
"""
# A terminal, a session and a line of the journal for each command took sudo two thirds of its time
# where the machine is emulated.
SUDO = "Defaults:operator !use_pty, !pam_session, !syslog\n"
# What a machine without a screen, without EFI, and with ssh alone to log in by has no use for; each
# costs an emulated one a part of its boot.
MASKED = (
    "modprobe@drm.service",
    "modprobe@efi_pstore.service",
    "systemd-network-generator.service",
    "systemd-networkd-persistent-storage.service",
    "systemd-udev-load-credentials.service",
    "e2scrub_reap.service",
    "getty@tty1.service",
    "serial-getty@ttyS0.service",
)
CHRONY = "refclock SOCK /run/chrony/lab.sock poll 1 refid HOST\n"


def tree() -> tuple[Entry, ...]:
    """Return the files that turn a Debian root into a virtual machine's."""
    return (
        *image.ACCOUNT,
        Entry("etc/lab", 0o755),
        Entry(LIBRARY, 0o755),
        *(
            Entry(f"{LIBRARY}/{name}", 0o755, (image.INSIDE / f"lab-{name}").read_bytes())
            for name in ("init", "initrd")
        ),
        *(Entry(f"{UNITS}/{unit}", 0o777, link="/dev/null") for unit in MASKED),
        *program("seed", "sysinit.target"),
        *program("clock", "multi-user.target"),
        Entry("etc/sudoers.d/lab", 0o440, SUDO.encode()),
        Entry("etc/chrony/conf.d/lab.conf", 0o644, CHRONY.encode()),
        Entry("etc/systemd/network/10-lab.network", 0o644, NETWORK.encode()),
        Entry("etc/resolv.conf", 0o644, b"nameserver 10.0.2.3\n"),
        Entry("etc/fstab", 0o644, f"LABEL={ROOT_LABEL} / ext4 errors=remount-ro 0 1\n".encode()),
    )


def program(name: str, target: str) -> tuple[Entry, ...]:
    """Given a program of `inside` and a target of systemd, return what has it run there."""
    unit = f"{UNITS}/lab-{name}.service"
    wants = f"{UNITS}/{target}.wants"
    return (
        Entry(f"{LIBRARY}/{name}", 0o755, (image.INSIDE / f"lab-{name}").read_bytes()),
        Entry(unit, 0o644, (image.INSIDE / f"lab-{name}.service").read_bytes()),
        Entry(wants, 0o755),
        Entry(f"{wants}/lab-{name}.service", 0o777, link=f"/{unit}"),
    )


def folder() -> Path:
    """Return where images are kept."""
    return machine.FOLDER / ".images"


def ensure(suite: str, packages: tuple[str, ...], say: Say) -> Path:
    """Given a suite and packages beside PACKAGES, build the image unless it is there, and return
    its folder."""
    recipe = image.recipe(suite, (*PACKAGES, *packages), HOOKS, tree())
    made = folder() / image.tag(recipe).replace(":", "-")
    if made.is_dir():
        return made
    say(f"Building the image {made.name} from distribution packages (about a minute).")
    image.discard_scratch()
    image.scratch().mkdir(mode=0o700, parents=True)
    root, draft, files = (image.scratch() / name for name in ("root", "image", "tree.tar"))
    draft.mkdir()
    files.write_bytes(packed(recipe.tree))
    image.build(recipe, root)
    cure = f"check that there is room for 1 GB below {machine.FOLDER}, then run this again"
    unpack = ["tar", "--extract", f"--directory={root}", f"--file={files}"]
    make = ["mke2fs", "-q", "-t", "ext4", "-L", ROOT_LABEL, "-d", str(root)]
    kernel = ["cp", "--dereference", str(root / "vmlinuz"), str(draft / "vmlinuz")]
    own = ["chown", "--recursive", f"{os.getuid()}:{os.getgid()}", str(draft)]
    initrd = ["chroot", str(root), f"/{LIBRARY}/initrd", "/initrd"]
    out = ["mv", str(root / "initrd"), str(draft)]
    for argv in (unpack, kernel, initrd, out, [*make, str(draft / "root.img"), SIZE], own):
        run(as_root(argv), seconds=image.BUILD_SECONDS, cure=cure)
    folder().mkdir(mode=0o700, exist_ok=True)
    draft.replace(made)
    image.discard_scratch()
    discard_others(made)
    return made


def discard_others(made: Path) -> None:
    """Given an image just built, remove the others that no lab starts from."""
    links = (machine.FOLDER / name / IMAGE for name in machine.recorded())
    used = {link.resolve() for link in links if link.is_symlink()}
    for other in unused(folder().iterdir(), {made.resolve(), *used}):
        shutil.rmtree(other)


def unused(images: Iterable[Path], used: set[Path]) -> list[Path]:
    """Given images and those that are in use, return the others."""
    return [each for each in images if each.resolve() not in used]


def link(lab: Lab, made: Path) -> None:
    """Given a lab and its image, remember it in the lab's folder."""
    link = lab.folder / IMAGE
    link.unlink(missing_ok=True)
    link.symlink_to(Path("..") / made.relative_to(machine.FOLDER))
