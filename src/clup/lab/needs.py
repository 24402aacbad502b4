"""What labs need on the operator's machine, and how it gets there."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from clup.lab import backports
from clup.lab.backports import Backports
from clup.lab.commands import as_root, output, run, succeeds, there
from clup.lab.errors import LabError
from clup.lab.say import Confirm, Say

INSTALL_SECONDS = 600


@dataclass(frozen=True)
class Need:
    """A command, or the path of a file, that must be there; what packages may bring it, and why.

    The best package is the first. `least` is the first major version that will do, 0 for any.
    """

    command: str
    packages: tuple[str, ...]
    reason: str
    least: int = 0


ROOTS = (
    Need("mmdebstrap", ("mmdebstrap",), "builds the machine's image from distribution packages"),
    # On Ubuntu it is not there, and mmdebstrap could not tell whether the packages are Debian's.
    Need(
        "/usr/share/keyrings/debian-archive-keyring.gpg",
        ("debian-archive-keyring",),
        "holds Debian's keys, by which the image's packages are judged",
    ),
)
DOCKER = (
    Need("dockerd", ("docker.io",), "runs containers and keeps their images"),
    Need("docker", ("docker-cli", "docker.io"), "talks to Docker"),
)
BOTH = (
    *ROOTS,
    Need("ssh", ("openssh-client",), "reaches the machine"),
    Need("ssh-keygen", ("openssh-client",), "makes the machine's keys"),
)
CONTAINER = (
    *DOCKER,
    *BOTH,
    Need("losetup", ("mount",), "puts the machine's disks, which are files, behind devices"),
)
VM = (
    # QEMU 7 panics Debian's kernel when it emulates.
    Need("qemu-system-x86_64", ("qemu-system-x86",), "is the lab's machine", least=8),
    Need("qemu-img", ("qemu-utils",), "makes the machine's root disk"),
    *BOTH,
    Need("mke2fs", ("e2fsprogs",), "makes the image's filesystem"),
)


def missing(needs: Iterable[Need], met: Callable[[Need], bool]) -> list[Need]:
    """Given needs and what tells whether one is met, return those that are not."""
    return [need for need in needs if not met(need)]


def met(need: Need) -> bool:
    """Given a need, return whether this machine has its command, in a version that will do."""
    if not there(need.command):
        return False
    return not need.least or major(output([need.command, "--version"])) >= need.least


def major(text: str) -> int:
    """Given what a program or apt says of a version, return its first number, 0 if it has none.

    An epoch, as in Debian's 1:7.2, does not count.
    """
    found = re.search(r"(?:\d+:)?(\d+)\.\d", text)
    return int(found[1]) if found else 0


def packages(needs: Iterable[Need], known: Callable[[str], bool]) -> dict[str, tuple[str, int]]:
    """Given unmet needs and what tells whether apt knows a package, return what to install.

    Of each package the reasons, and the first major version that will do. Raise LabError when apt
    knows none of those that bring a command.
    """
    chosen: dict[str, list[Need]] = {}
    for need in needs:
        package = next((name for name in need.packages if known(name)), None)
        if package is None:
            raise LabError(
                f"{need.command} is missing and apt knows no {' or '.join(need.packages)}",
                "this machine",
                f"install {need.command} yourself: it {need.reason}",
            )
        chosen.setdefault(package, []).append(need)
    return {
        package: (", ".join(need.reason for need in needs), max(need.least for need in needs))
        for package, needs in chosen.items()
    }


def ensure(needs: Iterable[Need], say: Say, confirm: Confirm) -> None:
    """Given needs, install what is missing once it is confirmed. Raise LabError if it is not.

    Where nobody is there to be asked, packages are installed, and no source is added to apt: it
    would outlast them.
    """
    unmet = missing(needs, met)
    if not unmet:
        return
    cure = "install by hand what is named above, then run this again"
    run(as_root(["apt-get", "update", "-q"]), seconds=INSTALL_SECONDS, cure=cure)
    wanted = packages(unmet, known)
    newer = [name for name, (_reason, least) in wanted.items() if candidate(name) < least]
    source = backports.here() if newer else None
    say("This needs packages that this machine lacks:")
    for package, (reason, _least) in wanted.items():
        say(f"  {package}{f' of {source.suite}' if source and package in newer else ''}: {reason}")
    if source and not source.there:
        say(f"and to know {source.mirror} {source.suite} (in {backports.FILE}).")
    answer = confirm("Install them?")
    if answer is None and source and not source.there:
        new = f"{source.mirror} {source.suite} as a source of apt"
        what = f"nobody is at a terminal to agree to {new}"
        raise LabError(what, str(backports.FILE), "say --yes")
    if answer is False:
        raise LabError("not installed, as you said", "this machine", cure)
    install([name for name in wanted if name not in newer], cure)
    if source:
        install_newer(newer, source, cure)
    if still := missing(needs, met):
        names = ", ".join(need.command for need in still)
        raise LabError(f"installed {', '.join(wanted)}, yet no {names}", "this machine", cure)


def install(packages: list[str], cure: str, *options: str) -> None:
    """Given packages and options for apt-get, install them. Raise LabError."""
    if packages:
        argv = ["apt-get", "install", "-q", "-y", "--no-install-recommends", *options, *packages]
        noninteractive = as_root(["env", "DEBIAN_FRONTEND=noninteractive", *argv])
        run(noninteractive, seconds=INSTALL_SECONDS, cure=cure)


def install_newer(packages: list[str], source: Backports, cure: str) -> None:
    """Given packages and the backports that have them, install them from there. Raise LabError."""
    if not source.there:
        backports.add(source)
        run(as_root(["apt-get", "update", "-q"]), seconds=INSTALL_SECONDS, cure=cure)
    install(packages, cure, f"--target-release={source.suite}")


def candidate(package: str) -> int:
    """Given a package, return the major version that apt would install."""
    lines = output(["apt-cache", "policy", package]).splitlines()
    return major(next((line for line in lines if "Candidate:" in line), ""))


def known(package: str) -> bool:
    """Given a package, return whether apt knows it."""
    return succeeds(["apt-cache", "show", "--quiet", package])
