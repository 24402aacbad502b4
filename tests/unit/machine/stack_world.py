"""A machine with a Docker that is played, on which the program of stacks is tried."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clup.machine import stack as program
from clup.machine import (
    stack_compose,
    stack_files,
    stack_reading,
    stack_remove,
    stack_takeover,
)
from clup.machine.stack import Stack

IMAGE = "sha256:1"


class CutError(BaseException):
    """The machine is gone: nothing after it happens."""


class World:
    """A machine on which a compose file is JSON: each service's name with how it comes up.

    Among the words for that are "job", "slow" (it stays unready), "bad" (it is unhealthy) and "shy"
    (it is unhealthy once it has its ports); any other one is a service that is well.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.tree, self.live = folder / "tree/web.json", folder / "live/web.json"
        (folder / "tree/.git").mkdir(parents=True)
        self.state = folder / "state"
        self.containers: dict[str, dict[str, Any]] = {}
        self.names: dict[str, str] = {}
        """The names that the file gives to containers, with their services."""
        self.ports: dict[str, list[int]] = {}
        """What services publish."""
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
            "names": self.names,
            "ports": {name: self.ports.get(name, []) for name in services},
            "portless": json.dumps({**services, "portless": ""}),
            "takeover": False,
            "takeover_setting": "web.takeover to True",
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
        """Return what runs of the stack: each service with how it stands."""
        there = self.containers.values()
        return {each["service"]: each["how"] for each in there if each["project"] == "web"}

    def by_hand(self, key: str, *ports: int, **other: Any) -> None:
        """Bring up a container that is nobody's stack."""
        self.containers[key] = {
            "id": key, "name": key, "project": "compose", "service": key, "one_off": False,
            "hash": "", "how": "good", "state": "running", "code": None, "health": "",
            "starts": 1, "ports": list(ports), "binds": list(ports), "policy": "unless-stopped",
            "is_brief": False, **other,
        }  # fmt: skip

    def run(self, *words: str, **_: Any) -> subprocess.CompletedProcess[str]:
        """Play docker."""
        self.step()
        self.commands.append(" ".join(words))
        verb, last = words[1], words[-1]
        if "up" in words:
            return self._compose_up(words)
        if last == "down":
            self.containers = {k: v for k, v in self.containers.items() if v["project"] != "web"}
        elif verb == "logs":
            said = "listening\npassword=swordfish refused\n"
            return subprocess.CompletedProcess(words, 0, said, "")
        elif verb == "rm":
            del self.containers[last]
        elif verb == "rename":
            self.containers[words[2]]["name"] = last
        elif verb == "update":
            self.containers[last]["policy"] = words[3]
        elif verb == "stop":
            self.containers[last] |= {"state": "exited", "code": 0, "ports": []}
        elif verb == "start":
            there = self.containers[last]
            there |= {"state": "running", "ports": there["binds"], "starts": there["starts"] + 1}
        return subprocess.CompletedProcess(words, 0, "", "")

    def _compose_up(self, words: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        said = json.loads(Path(words[words.index("--file") + 1]).read_text())
        is_portless = said.pop("portless", None) is not None
        anew = words[words.index("--force-recreate") + 1 :] if "--force-recreate" in words else ()
        for service, how in said.items():
            ports = [] if is_portless else self.ports.get(service, [])
            if taken := self._taken(service, ports):
                return subprocess.CompletedProcess(words, 1, "", f"{taken} is already in use")
            self.start(service, how, ports, anew=service in anew)
        return subprocess.CompletedProcess(words, 0, "", "")

    def _name(self, service: str) -> str:
        return {own: name for name, own in self.names.items()}.get(service, f"web-{service}-1")

    def _taken(self, service: str, ports: list[int]) -> str:
        for each in self.containers.values():
            if each["id"] != service:
                if each["name"] == self._name(service):
                    return "the name"
                if set(ports) & set(each["ports"]):
                    return "the port"
        return ""

    def start(self, service: str, how: str, ports: list[int], anew: bool = False) -> None:
        made = hashlib.sha256(f"{service}{how}{ports}".encode()).hexdigest()
        there = self.containers.get(service)
        if there and there["hash"] == made and not anew:
            return
        health = {"slow": "starting", "bad": "unhealthy", "job": ""}.get(how, "healthy")
        self.containers[service] = {
            "id": service,
            "name": self._name(service),
            "project": "web",
            "service": service,
            "one_off": False,
            "hash": made,
            "how": how,
            "state": "exited" if how == "job" else "running",
            "code": 0 if how == "job" else None,
            "health": "unhealthy" if how == "shy" and ports else health,
            "starts": (there["starts"] if there else 0) + 1,
            "ports": ports,
        }

    def ask(self, path: str) -> Any:
        """Play Docker's API, of which only single containers are asked for."""
        there = self.containers.get(path.split("/")[2])
        return there and {
            "Name": f"/{there['name']}",
            "RestartCount": 0,
            "State": {"Running": there["state"] == "running"},
            "HostConfig": {
                "AutoRemove": there.get("is_brief", False),
                "RestartPolicy": {"Name": there.get("policy", "")},
            },
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


def played(folder: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Given an empty folder, return a machine in it that the program takes for its own."""
    world = World(folder)

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
    monkeypatch.setattr(stack_reading, "ask", world.ask)
    monkeypatch.setattr(
        stack_reading, "containers", lambda: [dict(each) for each in world.containers.values()]
    )
    for module in (program, stack_compose, stack_remove, stack_takeover):
        monkeypatch.setattr(module, "run", world.run)
    monkeypatch.setattr(program, "commit", commit)
    monkeypatch.setattr(program, "PAUSE", 0.001)
    write = stepping(stack_files.write)
    for module in (program, stack_files, stack_takeover):
        monkeypatch.setattr(module, "write", write)
    return world
