"""The job runner of the demo's machine: its images, a repository to try, and how each job ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyinfra.api.host import Host

from clup import lab
from clup.cli.job_session import tell
from clup.cli.session import FAILED, Session
from clup.cli.target import ROOT
from clup.jobs import client
from clup.jobs.client import FaultError, Following
from clup.jobs.ends import summary
from clup.jobs.harmless import plain
from clup.lab.commands import run as run_here
from clup.lab.say import Confirm, Say
from clup.lab.tree import Entry, packed
from roles.runner.files import REPOSITORIES

REPOSITORY = "hello"
_SOURCE = ROOT / "examples" / REPOSITORY

# Beside the labs, and not where an operator keeps the bundle of a machine of their own.
_BUNDLE = ROOT / ".lab" / ".bundle.tar"

_JOBS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("audit", {"repository": REPOSITORY}),
    ("build", {"repository": REPOSITORY}),
    ("test", {"repository": REPOSITORY}),
    # A trusted job, which fills the cache that the next one reads.
    ("fill", {}),
    ("verify", {"repository": REPOSITORY}),
)


@dataclass(frozen=True)
class Ended:
    """A job that has ended: as the runner shows it, the last it printed, the files that it left."""

    job: Mapping[str, Any]
    said: Sequence[str]
    files: Sequence[str]

    @property
    def succeeded(self) -> bool:
        return bool(self.job["state"] == "succeeded")

    @property
    def line(self) -> str:
        """The line about it: which, how it ended, how long it took, what it said and left."""
        result = self.job["result"] or {}
        took = f"{result.get('seconds') or 0:.1f} s"
        last = self.said[-1].strip(" =") if self.said else ""
        words = f"{self.job['job']:<7} {self.job['state']:<10} {took:>7}  {last[:48]:<48}"
        return plain(f"{words}  {', '.join(self.files)}").rstrip()


def enable(box: lab.Lab, say: Say, confirm: Confirm) -> None:
    """Build the bundle of images, unless it is there, and have the settings of a lab name it.

    Raise LabError.
    """
    from clup.images import bundle
    from clup.lab import needs

    needs.ensure((*needs.DOCKER, *needs.ROOTS), say, confirm)
    bundle.make((), _BUNDLE, "", say)
    lab.say_of(box, {"runner": {"enabled": True, "bundle": str(_BUNDLE)}})


def run(session: Session, host: Host, box: lab.Lab) -> None:
    """Run the example jobs on a connected lab, one after the other, and show how they ended.

    One that does not succeed fails the command, and its last lines are shown.
    """
    ended: list[Ended] = []
    with session.deployment.alone(host):
        try:
            _bring(box)
            for name, parameters in _JOBS:
                session.screen.step(f"{host.name}: job {name}")
                ended.append(_run(host, name, parameters))
        except FaultError as error:
            session.deployment.fail(host, f"{host.name}: {error}")
    tell(session, host, jobs=[each.job for each in ended])
    lines = [f"  {each.line}" for each in ended]
    session.screen.lines(["", f"Jobs, run on {REPOSITORIES}/{REPOSITORY}", *lines])
    for each in ended:
        if not each.succeeded:
            session.exit = FAILED
            session.screen.error(plain(summary(each.job)))
            session.screen.lines([f"  {plain(line)}" for line in each.said[-20:]])


def entries(source: Path) -> list[Entry]:
    """Given a folder, return its files as they come to a machine, with the folders on the way."""
    found = [path for path in sorted(source.rglob("*")) if "__pycache__" not in path.parts]
    return [Entry(source.name, 0o755)] + [
        Entry(
            f"{source.name}/{path.relative_to(source)}",
            0o755 if path.is_dir() else path.stat().st_mode & 0o755,
            None if path.is_dir() else path.read_bytes(),
        )
        for path in found
    ]


def _bring(box: lab.Lab) -> None:
    """Put the repository where jobs find it, as the account that writes repositories."""
    words = ["sudo", "-u", "psy", "tar", "--extract", "--directory", REPOSITORIES]
    cure = f"see whether {REPOSITORIES} is there and is psy's (`clup verify`)"
    run_here(lab.ssh_argv(box, words), cure=cure, stdin=packed(entries(_SOURCE)))


def _run(host: Host, name: str, parameters: Mapping[str, str]) -> Ended:
    following = Following(client.order(name, parameters))
    output = bytearray()
    for event in client.follow(host, following):
        if event["event"] == "output":
            output += client.output(event)
    answer = client.ask(host, "GET", f"/v1/jobs/{following.job_id}/artifacts")
    said = [line for line in output.decode(errors="replace").splitlines() if line.strip()]
    return Ended(following.job, said, [each["name"] for each in answer["artifacts"]])
