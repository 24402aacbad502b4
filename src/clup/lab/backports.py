"""The entry for apt that brings a newer QEMU to Debian 12, whose own one panics a lab's kernel."""

from dataclasses import dataclass
from pathlib import Path

from clup.lab.commands import as_root, run
from clup.lab.errors import LabError
from clup.lab.image import APT_CURE, targets

FILE = Path("/etc/apt/sources.list.d/clup-backports.sources")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


@dataclass(frozen=True)
class Backports:
    """The backports of this machine's release: their suite and mirror, and if apt knows them."""

    suite: str
    mirror: str
    there: bool

    @property
    def entry(self) -> str:
        """The text of apt's file."""
        return (
            "# Added by clup: QEMU for virtual labs.\n"
            f"Types: deb\nURIs: {self.mirror}\nSuites: {self.suite}\nComponents: main\n"
            f"Signed-By: {KEYRING}\n"
        )


def backports(targets: str) -> Backports | None:
    """Given apt's index targets as image.targets returns them, return the backports to use.

    None where this is no Debian 12: other releases have them elsewhere, or need none.
    """
    rows = [line.split("|") for line in targets.splitlines()]
    for site, release, component, origin in rows:
        if (release, component, origin) == ("bookworm", "main", "Debian"):
            suite = f"{release}-backports"
            return Backports(suite, site, any(row[1] == suite for row in rows))
    return None


def here() -> Backports:
    """Return the backports of this machine. Raise LabError when it has none that help."""
    if (found := backports(targets())) is not None:
        return found
    raise LabError(
        "its QEMU is too old for a lab's kernel, and clup knows newer ones for Debian 12 only",
        "this machine",
        "install QEMU 8 or newer yourself, or use `--kind container`",
    )


def add(found: Backports) -> None:
    """Given backports that apt does not know, tell it."""
    run(as_root(["tee", str(FILE)]), stdin=found.entry.encode(), cure=APT_CURE)
