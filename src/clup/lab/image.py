"""The image from which labs start: a small Debian as an installer leaves it.

It holds what makes a machine a machine (systemd, ssh, sudo, a network) and nothing that a role
installs, or the role would not be tested. It is built from distribution packages, and its tag is
a hash of its recipe, so that it is built once, and again when the recipe changes.
"""

import hashlib
import json
import tarfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from clup.lab import machine
from clup.lab.commands import as_root, run, succeeds
from clup.lab.docker import docker, docker_argv
from clup.lab.errors import LabError
from clup.lab.say import Say
from clup.lab.tree import Entry, add

PARTS = ("", "-updates", "-security")
REPOSITORY = "clup-lab"
SUITES = ("trixie", "bookworm")
OPERATOR = 1999
PACKAGES = (
    "systemd-sysv",
    "openssh-server",
    "sudo",
    "iproute2",
    "ca-certificates",
    "udev",
    "dbus",
    "dbus-user-session",
    "libpam-systemd",
    "e2fsprogs",
    "procps",
    "curl",
)
# What mmdebstrap runs in the new root: an account to log in with (Debian has a *group* operator
# already), no host keys that all labs would share, and apt as an installer leaves it.
HOOKS = (
    f'chroot "$1" groupadd --gid {OPERATOR} operators',
    f'chroot "$1" useradd --uid {OPERATOR} --gid {OPERATOR} -m --shell /bin/bash operator',
    'rm "$1"/etc/ssh/ssh_host_*',
    'rm "$1"/etc/apt/apt.conf.d/99mmdebstrap',
)
# Its service manager stays: begun anew for a login, that took an emulated machine 4 s of 5.
ACCOUNT = (
    Entry("etc/sudoers.d/operator", 0o440, b"operator ALL=(ALL:ALL) NOPASSWD: ALL\n"),
    Entry("var/lib/systemd/linger", 0o755),
    Entry("var/lib/systemd/linger/operator", 0o644, b""),
)
BUILD_SECONDS = 600
KEPT = timedelta(days=1)
"""So long an image stays that another one has replaced."""
APT_CURE = "check apt's own sources with `apt-get update`"
INSIDE = Path(__file__).parent / "inside"


@dataclass(frozen=True)
class Recipe:
    """All that decides what is in an image."""

    suite: str
    sources: tuple[str, ...]
    proxy: str
    packages: tuple[str, ...]
    hooks: tuple[str, ...]
    tree: tuple[Entry, ...]


def sources(targets: str, suite: str) -> tuple[str, ...]:
    """Given apt's own index targets as `SITE|RELEASE|COMPONENT|ORIGIN`, return sources for `suite`.

    The operator's machine knows a mirror that it reaches; a lab uses the same one, whichever
    release of Debian that machine runs. On another distribution there is none to take: nothing is
    returned, and mmdebstrap takes its own.
    """
    lines: dict[str, str] = {}
    for line in targets.splitlines():
        site, release, component, origin = line.split("|")
        part = next((end for end in PARTS[1:] if release.endswith(end)), PARTS[0])
        if origin == "Debian" and component == "main" and release.count("-") == bool(part):
            lines.setdefault(part, f"deb {site} {suite}{part} main")
    return tuple(lines[part] for part in PARTS if part in lines) if "" in lines else ()


def tree() -> tuple[Entry, ...]:
    """Return the files that turn a Debian root into a container's."""
    unit = "etc/systemd/system/lab-disks.service"
    wants = "etc/systemd/system/local-fs.target.wants"
    return (
        *ACCOUNT,
        # A lab is thrown away: nothing is gained by waiting for its disk at each package.
        Entry("etc/dpkg/dpkg.cfg.d/lab", 0o644, b"force-unsafe-io\n"),
        Entry("usr/local/lib/lab", 0o755),
        Entry("usr/local/lib/lab/init", 0o755, (INSIDE / "init").read_bytes()),
        Entry("usr/local/lib/lab/disks", 0o755, (INSIDE / "lab-disks").read_bytes()),
        Entry(unit, 0o644, (INSIDE / "lab-disks.service").read_bytes()),
        Entry(wants, 0o755),
        Entry(f"{wants}/lab-disks.service", 0o777, link=f"/{unit}"),
        Entry("etc/lab", 0o755),
    )


def recipe(
    suite: str, packages: tuple[str, ...], hooks: tuple[str, ...], tree: tuple[Entry, ...]
) -> Recipe:
    """Given a suite and what shall be in it, return the recipe on this machine. Raise LabError."""
    if suite not in SUITES:
        raise LabError(
            f"{suite!r} is no suite for a lab", "the lab's suite", f"use one of {SUITES}"
        )
    proxy = run(["apt-config", "dump", "Acquire::http::Proxy"], cure=APT_CURE)
    return Recipe(suite, sources(targets(), suite), proxy.strip(), packages, hooks, tree)


def targets() -> str:
    """Return apt's own index targets, a line for each, as `SITE|RELEASE|COMPONENT|ORIGIN`."""
    fields = "$(SITE)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)"
    argv = ["apt-get", "indextargets", "--format", fields, "Created-By: Packages"]
    return run(argv, cure=APT_CURE)


def tag(recipe: Recipe, repository: str = REPOSITORY) -> str:
    """Given a recipe, return the name of its image: equal recipes have one image."""
    text = json.dumps(asdict(recipe), default=lambda content: content.decode(), sort_keys=True)
    return f"{repository}:{recipe.suite}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def mmdebstrap_argv(recipe: Recipe, target: Path) -> list[str]:
    """Given a recipe and the tar or folder to write, return the command that builds its root.

    It works beside that, where the rest of a cut build is found again.
    """
    unneeded = ("doc", "man", "locale", "info")
    return as_root(
        [
            "env",
            f"TMPDIR={target.parent}",
            "mmdebstrap",
            "--mode=root",
            "--variant=minbase",
            "--aptopt=APT::Install-Recommends false",
            *([f"--aptopt={recipe.proxy}"] if recipe.proxy else []),
            *(f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in unneeded),
            # Java's packages link manual pages in there, also where there are none.
            '--essential-hook=mkdir -p "$1"/usr/share/man/man1',
            f"--include={','.join(recipe.packages)}",
            *(f"--customize-hook={hook}" for hook in recipe.hooks),
            recipe.suite,
            str(target),
            *recipe.sources,
        ]
    )


def ensure(suite: str, packages: tuple[str, ...], say: Say) -> str:
    """Given a suite and packages beside PACKAGES, build the image unless Docker has it, and return
    its name."""
    wanted = recipe(suite, (*PACKAGES, *packages), HOOKS, tree())
    name = tag(wanted)
    if succeeds(docker_argv("image", "inspect", name)):
        return name
    say(f"Building the lab's image {name} from distribution packages (about half a minute).")
    import_root(wanted, name, scratch(), "ENV container=docker")
    discard_others(name)
    return name


def import_root(wanted: Recipe, name: str, folder: Path, *changes: str) -> None:
    """Given a recipe, the name of its image, a folder to work in, which is discarded, and
    Dockerfile instructions, build it in Docker."""
    discard(folder)
    folder.mkdir(mode=0o700, parents=True)
    root = folder / "root.tar"
    root.touch()
    build(wanted, root)
    with tarfile.open(root, "a") as archive:
        add(archive, wanted.tree)
    words = [word for change in changes for word in ("--change", change)]
    docker("import", *words, str(root), name, seconds=BUILD_SECONDS)
    discard(folder)


def build(recipe: Recipe, target: Path) -> None:
    """Given a recipe and the tar or folder to write, build the root."""
    cure = "check that the package mirror is reachable (`apt-get update`), then run this again"
    run(mmdebstrap_argv(recipe, target), seconds=BUILD_SECONDS, cure=cure)


def scratch() -> Path:
    """Return the folder in which an image is built."""
    return machine.FOLDER / ".image"


def discard_scratch() -> None:
    """Remove what builds have left, also those that were cut."""
    discard(scratch())


def discard(folder: Path) -> None:
    """Remove a folder in which an image was built, if it is there.

    Builders mount /proc, /sys and what is below /dev in it; one that was killed leaves them.
    """
    if folder.exists():
        cure = f"remove {folder} by hand"
        mounted = run(["findmnt", "--list", "--noheadings", "--output", "TARGET"], cure=cure)
        below = [line for line in mounted.splitlines() if line.startswith(f"{folder}/")]
        for point in sorted(below, reverse=True):
            run(as_root(["umount", point]), cure=cure)
        run(as_root(["rm", "-r", "-f", "--one-file-system", str(folder)]), cure=cure)


def discard_others(name: str) -> None:
    """Given an image just built, remove those of its kind that it replaces: Docker keeps what a
    container or another image is made of, and this what is younger than a day, as another checkout
    may be about to use it."""
    form = "{{.Repository}}:{{.Tag}} {{.CreatedAt}}"
    listed = docker("image", "ls", "--format", form, f"{name.rpartition('-')[0]}-*")
    for other in replaced(listed, name, datetime.now(UTC)):
        succeeds(docker_argv("image", "rm", other))


def replaced(listed: str, name: str, now: datetime) -> list[str]:
    """Given Docker's list of images, as name and time of making a line, an image and the time now,
    return the others that are older than a day."""
    found = []
    for line in listed.splitlines():
        other, day, time, zone = line.split()[:4]
        made = datetime.strptime(f"{day} {time} {zone}", "%Y-%m-%d %H:%M:%S %z")
        if other != name and now - made > KEPT:
            found.append(other)
    return found
