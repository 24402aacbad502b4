"""The program that brings up a stack, with a Docker that is played: what fails, and what is cut."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clup.machine import stack as program
from clup.machine import stack_compose, stack_files, stack_reading, stack_remove
from clup.machine.process import FailedError, RefusedError
from clup.machine.stack import Stack

IMAGE = "sha256:1"


class CutError(BaseException):
    """The machine is gone: nothing after it happens."""


class World:
    """A machine on which a compose file is JSON: each service's name with how it comes up."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.tree, self.live = folder / "tree/web.json", folder / "live/web.json"
        (folder / "tree/.git").mkdir(parents=True)
        self.state = folder / "state"
        self.containers: dict[str, dict[str, Any]] = {}
        self.commits: list[str] = []
        self.commands: list[str] = []
        self.left: int | None = None
        """How many more steps there are before the machine is cut; None for ever."""

    def step(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise CutError

    def order(self, services: dict[str, str], **other: Any) -> dict[str, Any]:
        """Return the order for a compose file with these services."""
        file = {
            "live": str(self.live),
            "tree": str(self.tree),
            "content": json.dumps(services),
            "mode": "0644",
            "placed": "link",
        }
        return {
            "name": "web",
            "tree": str(self.folder / "tree"),
            "compose": str(self.tree),
            "files": [file],
            "secrets": [],
            "images": [IMAGE],
            "names": [],
            "expected": {name: "job" if how == "job" else "service"
                         for name, how in services.items()},
            "up": True,
            "recreate": [],
            "seconds": 0.05,
            "who": "psy@desk",
            "revision": "1a2b3c",
            "run": "1",
            **other,
        }  # fmt: skip

    def up(self, services: dict[str, str], **other: Any) -> None:
        Stack(self.order(services, **other)).up()

    def runs(self) -> dict[str, str]:
        """Return what runs: each service with how it stands."""
        return {each["service"]: each["how"] for each in self.containers.values()}

    def run(self, *words: str, **_: Any) -> subprocess.CompletedProcess[str]:
        """Play docker."""
        self.step()
        said = ""
        self.commands.append(" ".join(words))
        if "up" in words:
            text = Path(words[words.index("--file") + 1]).read_text()
            anew = (
                words[words.index("--force-recreate") + 1 :] if "--force-recreate" in words else ()
            )
            for service, how in json.loads(text).items():
                self.start(service, how, text, anew=service in anew)
        elif words[1] == "logs":
            said = "listening\npassword=swordfish refused\n"
        elif words[1] == "rm":
            del self.containers[words[-1]]
        return subprocess.CompletedProcess(words, 0, said, "")

    def start(self, service: str, how: str, text: str, anew: bool = False) -> None:
        made = hashlib.sha256(f"{service}{how}".encode()).hexdigest()
        there = self.containers.get(service)
        if there and there["hash"] == made and not anew:
            return
        self.containers[service] = {
            "id": service,
            "name": f"web-{service}-1",
            "project": "web",
            "service": service,
            "one_off": False,
            "hash": made,
            "how": how,
            "state": "exited" if how == "job" else "running",
            "code": 0 if how == "job" else None,
            "health": {"slow": "starting", "bad": "unhealthy", "job": ""}.get(how, "healthy"),
            "starts": (there["starts"] if there else 0) + 1,
        }

    def seen(self) -> tuple[str, dict[str, str]]:
        """Return the live file's text and what runs."""
        return self.live.read_text() if self.live.exists() else "", self.runs()

    def seen_of(self, services: dict[str, str]) -> tuple[str, dict[str, str]]:
        """Return what is seen where a version is in place and runs."""
        return json.dumps(services), services

    def is_settled(self, services: dict[str, str]) -> bool:
        """Whether files, containers, record and commit are of one version, and nothing is owed."""
        record = json.loads((self.state / "web/record.json").read_text())
        return (
            self.runs() == services
            and json.loads(self.live.read_text()) == services
            and self.live.readlink() == self.tree
            and set(record["services"]) == set(services)
            and self.commits[-1] == json.dumps(services)
            and sorted(each.name for each in (self.state / "web").iterdir())
            == ["good.json", "record.json"]
        )


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(tmp_path)

    def commit(_tree: str, paths: list[str], *_: str) -> str:
        world.step()
        world.commits.append(Path(paths[0]).read_text())
        return ""

    def stepping(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            world.step()
            return original(*arguments)

        return call

    monkeypatch.setattr(stack_reading, "FOLDER", world.state)
    monkeypatch.setattr(stack_reading, "is_active", lambda: True)
    monkeypatch.setattr(stack_reading, "image", lambda name: name)
    monkeypatch.setattr(stack_reading, "ask", lambda _: {"RestartCount": 0})
    monkeypatch.setattr(
        stack_reading, "containers", lambda: [dict(each) for each in world.containers.values()]
    )
    for module in (program, stack_compose, stack_remove):
        monkeypatch.setattr(module, "run", world.run)
    monkeypatch.setattr(program, "commit", commit)
    monkeypatch.setattr(program, "PAUSE", 0.001)
    monkeypatch.setattr(program, "write", stepping(stack_files.write))
    monkeypatch.setattr(stack_files, "write", stepping(stack_files.write))
    return world


def test_it_comes_up_and_is_written_down(world: World) -> None:
    world.up({"web": "good", "migrate": "job"})
    assert world.is_settled({"web": "good", "migrate": "job"})
    world.up({"web": "good", "migrate": "job"}, recreate=["web"])
    assert world.containers["web"]["starts"] == 2
    world.up({"web": "better"})
    assert world.is_settled({"web": "better"}), "a service that left the file goes"


@pytest.mark.parametrize(
    ("how", "words"),
    [("bad", "service web is unhealthy"), ("slow", "not well after 0 s: service web is not")],
)
def test_a_version_that_fails_gives_way_to_the_one_that_ran(
    world: World, how: str, words: str
) -> None:
    world.up({"web": "good"})
    with pytest.raises(FailedError) as raised:
        world.up({"web": how, "more": "good"})
    line = str(raised.value)
    assert words in line
    assert "web said last: listening | password=*** refused" in line
    assert line.endswith("the version that ran before is back and well")
    assert world.is_settled({"web": "good"})


def test_a_first_version_that_fails_stays_to_be_looked_at(world: World) -> None:
    with pytest.raises(FailedError, match="it never ran before"):
        world.up({"web": "bad"})
    assert world.runs() == {"web": "bad"}
    world.up({"web": "good"})
    assert world.is_settled({"web": "good"})


def test_a_stack_that_was_brought_up_by_hand_is_put_back_too(world: World) -> None:
    by_hand = {"web": "by hand", "once": "job"}
    world.live.parent.mkdir()
    world.live.write_text(json.dumps(by_hand))
    for service, how in by_hand.items():
        world.start(service, how, "")
    with pytest.raises(FailedError, match="back and well"):
        world.up({"web": "bad"})
    assert world.runs() == by_hand
    assert f"--project-directory {world.live.parent}" in world.commands[-1]
    world.up({"web": "good"})
    # What clup did not bring up stays, though the file no longer has it.
    assert world.runs() == {"web": "good", "once": "job"}
    [kept] = world.live.parent.glob("*.bak.*")
    assert json.loads(kept.read_text()) == by_hand


@pytest.mark.parametrize("former", [None, {"web": "good", "old": "good"}])
def test_cut_anywhere_it_is_made_good_by_the_next_run(
    world: World, former: dict[str, str] | None
) -> None:
    """After each step of a change the machine is cut; some of the versions fail, too."""
    cuts = 0
    for version in ({"web": "better", "more": "good"}, {"web": "bad"}):
        for number in range(100):
            if former:
                world.up(former)
            before = world.seen()
            world.left = number
            try:
                world.up(version)
                world.left = None
                break
            except CutError:
                cuts += 1
                world.left = None
                owed = (world.state / "web/pending").exists()
                assert owed or world.seen() in (before, world.seen_of(version))
            except FailedError:
                world.left = None
                break
            world.up({"web": "better", "more": "good"})
            assert world.is_settled({"web": "better", "more": "good"})
    assert cuts >= 15


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"secrets": ["/nonexistent/key"]}, "the secret /nonexistent/key is not there"),
        ({"tree": "/nonexistent"}, "is no repository"),
        ({"names": ["web-web-1"], "name": "other"}, "belongs to the project web"),
    ],
)
def test_what_is_refused_changes_nothing(world: World, change: dict[str, Any], words: str) -> None:
    world.up({"web": "good"})
    with pytest.raises(RefusedError, match=words):
        world.up({"web": "better"}, **change)
    assert world.is_settled({"web": "good"})


def test_a_stack_that_is_removed_leaves_its_files_in_the_history(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.up({"web": "good"})
    told: list[list[str]] = []

    def commit(_tree: str, paths: list[str], *_: str) -> str:
        told.append(paths)
        return ""

    monkeypatch.setattr(stack_remove, "commit", commit)
    stack_remove.remove(world.order({}))
    assert world.commands[-1].endswith("down")
    assert told == [[str(world.tree)]]
    assert not world.live.is_symlink()
    assert not world.tree.exists()
    assert (world.folder / "tree/.git").is_dir()
    assert not (world.state / "web").exists()
