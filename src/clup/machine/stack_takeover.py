"""A stack that takes the place of containers which somebody brought up by hand.

They go on, under other names, until the stack was seen well beside them without its ports. Then
whoever holds one of the ports is stopped, and once the stack is well with them, so are the rest.
They are kept, stopped. What fails before that end gives them back names and ports. What is under
way is written down before it is done, so that a run that was cut is made good by the next one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clup.machine import stack_reading as reading
from clup.machine.process import FailedError, RefusedError, run, say
from clup.machine.stack_compose import compose, reason
from clup.machine.stack_files import place, write
from clup.machine.stack_others import Container, cure, described, in_the_way

if TYPE_CHECKING:
    from clup.machine.stack import Stack

_SECONDS = 120
"""How long Docker may take for one command: one that stops a container waits for its end."""


@dataclass(frozen=True)
class Other:
    """A container that gives way: its id, its name and the one that it is kept under, whether it
    ran, and its restart policy."""

    id: str
    name: str
    kept: str
    ran: bool
    policy: str


class Takeover:
    """The containers whose place a stack takes; `folder` has what clup knows of the stack."""

    def __init__(self, order: Mapping[str, Any], folder: Path):
        """Find them. Raise RefusedError where nobody said that they shall give way."""
        self._stack: str = order["name"]
        self._ports = {port for ports in order["ports"].values() for port in ports}
        self._ledger = folder / "taken.json"
        found = in_the_way(reading.containers(), self._stack, order["names"], self._ports)
        is_new = reading.record(self._stack) is None
        if found and not (order["takeover"] and is_new):
            setting = order["takeover_setting"] if is_new else ""
            what = f"{described(found[0])}; {cure(found[0], setting)}"
            raise RefusedError(f"stack {self._stack}: {what}")
        known = self._known()
        time = f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
        there = {each.id for each in known}
        more = [self._other(each, time) for each in found if each["id"] not in there]
        # Of a stack that was well once, nobody is left to give way.
        self.others = [*known, *more] if is_new else []

    def _known(self) -> list[Other]:
        """Return those of a run that was cut which are still there."""
        with suppress(FileNotFoundError, ValueError):
            known = [Other(**each) for each in json.loads(self._ledger.read_text())]
            return [each for each in known if _inspected(each.id)]
        return []

    def _other(self, container: Container, time: str) -> Other:
        inspected = _inspected(container["id"]) or {}
        config = inspected.get("HostConfig", {})
        name = container["name"]
        if config.get("AutoRemove"):
            raise RefusedError(
                f"stack {self._stack}: the container {name} was started with --rm, and would be"
                f" gone once it is stopped; stop it yourself, then apply again"
            )
        policy = config.get("RestartPolicy") or {}
        word = policy.get("Name") or "no"
        if word == "on-failure" and policy.get("MaximumRetryCount"):
            word += f":{policy['MaximumRetryCount']}"
        return Other(container["id"], name, f"{name}.bak.{time}", _runs(inspected), word)

    def rename(self) -> None:
        """Free the stack's names. Who loses one goes on."""
        write(self._ledger, json.dumps([asdict(each) for each in self.others]).encode(), 0o600)
        for each in self.others:
            if _name(each.id) != each.kept:
                say(f"stack {self._stack}: {each.name} is {each.kept} from now on, and goes on")
                _docker("rename", each.id, each.kept)

    def free(self) -> None:
        """Stop those that hold one of the stack's ports."""
        holding = {c["id"] for c in reading.containers() if self._ports.intersection(c["ports"])}
        for each in self.others:
            if each.id in holding:
                say(f"stack {self._stack}: stopping {each.kept}, which holds its port")
                _docker("stop", each.id)

    def retire(self) -> None:
        """Stop the rest, and have none of them start by itself."""
        for each in self.others:
            _docker("update", "--restart", "no", each.id)
            if _runs(_inspected(each.id)):
                _docker("stop", each.id)
            say(f"stack {self._stack}: kept {each.name}, stopped, as {each.kept}")

    def undo(self) -> None:
        """Give all back their names and restart policies, and start what ran. Raise FailedError."""
        for each in self.others:
            if _name(each.id) == each.kept:
                _docker("rename", each.id, each.name)
            _docker("update", "--restart", each.policy, each.id)
        for each in self.others:
            if each.ran and not _runs(_inspected(each.id)):
                _docker("start", each.id)

    def forget(self) -> None:
        """Nothing is under way any more."""
        self._ledger.unlink(missing_ok=True)


def take_over(stack: Stack, takeover: Takeover) -> None:
    """Have a stack run in place of containers that somebody brought up by hand.

    Raise FailedError, after those were given back what they had.
    """
    files, compose_file = stack.order["files"], Path(stack.compose)
    former = compose_file.read_bytes() if compose_file.is_file() else None
    try:
        takeover.rename()
        place([file for file in files if file["tree"] != stack.compose])
        say(f"stack {stack.name}: first without ports, beside what runs")
        # At the same path: Compose notes in its containers which files they were made from.
        write(compose_file, stack.order["portless"].encode(), 0o644)
        stack.bring_up(stack.expected)
        takeover.free()
        write(compose_file, stack.content(), 0o644)
        stack.bring_up(stack.expected)
        takeover.retire()
    except FailedError as error:
        back = _give_back(stack, takeover, former)
        raise FailedError(f"stack {stack.name}: {error}; {back}") from error
    # Not before: what runs by hand was made from what is at the live path.
    place(files)


def _give_back(stack: Stack, takeover: Takeover, former: bytes | None) -> str:
    """Have all run again as before the stack, and return what came of it, in words."""
    say(f"stack {stack.name}: giving way to the containers that ran before")
    try:
        done = compose(stack.name, stack.project, stack.compose, "down", seconds=240)
        if done.returncode != 0:
            raise FailedError(f"the new ones did not go: {reason(done.stderr)}")
        takeover.undo()
    except FailedError as error:
        return f"the containers that ran before are not as they were: {error}; see `docker ps -a`"
    if former is None:
        Path(stack.compose).unlink()
    else:
        write(Path(stack.compose), former, 0o644)
    takeover.forget()
    (stack.folder / "pending").unlink()
    return "the containers that ran before have their names again, and run"


def _inspected(container: str) -> Any:
    return reading.ask(f"/containers/{container}/json")


def _runs(inspected: Any) -> bool:
    return bool(inspected and inspected.get("State", {}).get("Running"))


def _name(container: str) -> str:
    return str((_inspected(container) or {}).get("Name", "")).removeprefix("/")


def _docker(*words: str) -> None:
    done = run("docker", *words, seconds=_SECONDS)
    if done.returncode != 0:
        raise FailedError(f"`docker {' '.join(words)}` failed: {reason(done.stderr)}")
