"""What labs need on the operator's machine, and how it gets there."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from clup.lab.commands import as_root, run, succeeds, there
from clup.lab.errors import LabError
from clup.lab.say import Confirm, Say

INSTALL_SECONDS = 600


@dataclass(frozen=True)
class Need:
    """A command, or the path of a file, that must be there; what packages may bring it, and why.

    The best package is the first.
    """

    command: str
    packages: tuple[str, ...]
    reason: str


CONTAINER = (
    Need("dockerd", ("docker.io",), "runs the lab's machine as a container"),
    Need("docker", ("docker-cli", "docker.io"), "talks to Docker"),
    Need("mmdebstrap", ("mmdebstrap",), "builds the machine's image from distribution packages"),
    # On Ubuntu it is not there, and mmdebstrap could not tell whether the packages are Debian's.
    Need(
        "/usr/share/keyrings/debian-archive-keyring.gpg",
        ("debian-archive-keyring",),
        "holds Debian's keys, by which the image's packages are judged",
    ),
    Need("losetup", ("mount",), "puts the machine's disks, which are files, behind devices"),
    Need("ssh", ("openssh-client",), "reaches the machine"),
    Need("ssh-keygen", ("openssh-client",), "makes the machine's keys"),
)


def missing(needs: Iterable[Need], there: Callable[[str], bool]) -> list[Need]:
    """Given needs and what tells whether a command is there, return those that are not met."""
    return [need for need in needs if not there(need.command)]


def packages(needs: Iterable[Need], known: Callable[[str], bool]) -> dict[str, str]:
    """Given unmet needs and what tells whether apt knows a package, return package: reasons.

    Raise LabError when apt knows none of those that bring a command.
    """
    chosen: dict[str, list[str]] = {}
    for need in needs:
        package = next((name for name in need.packages if known(name)), None)
        if package is None:
            raise LabError(
                f"{need.command} is missing and apt knows no {' or '.join(need.packages)}",
                "this machine",
                f"install {need.command} yourself: it {need.reason}",
            )
        chosen.setdefault(package, []).append(need.reason)
    return {package: ", ".join(reasons) for package, reasons in chosen.items()}


def ensure(needs: Iterable[Need], say: Say, confirm: Confirm) -> None:
    """Given needs, install what is missing once it is confirmed. Raise LabError if it is not."""
    unmet = missing(needs, there)
    if not unmet:
        return
    cure = "install by hand what is named above, then run this again"
    run(as_root(["apt-get", "update", "-q"]), seconds=INSTALL_SECONDS, cure=cure)
    wanted = packages(unmet, known)
    say("A lab needs packages that this machine lacks:")
    for package, reason in wanted.items():
        say(f"  {package}: {reason}")
    if not confirm("Install them?"):
        raise LabError("not installed, as you said", "this machine", cure)
    install = ["apt-get", "install", "-q", "-y", "--no-install-recommends", *wanted]
    run(
        as_root(["env", "DEBIAN_FRONTEND=noninteractive", *install]),
        seconds=INSTALL_SECONDS,
        cure=cure,
    )
    if still := missing(needs, there):
        names = ", ".join(need.command for need in still)
        raise LabError(f"installed {', '.join(wanted)}, yet no {names}", "this machine", cure)


def known(package: str) -> bool:
    """Given a package, return whether apt knows it."""
    return succeeds(["apt-cache", "show", "--quiet", package])
