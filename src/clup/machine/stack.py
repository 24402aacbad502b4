"""`python -m clup.machine.stack up|remove`: brings up a stack on this machine, or takes it down.

The order comes as JSON on stdin. What is under way is written down before the first change, so that
a run that was cut is made good by the next one. Where the new version does not come up, the one
that ran before is put back.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from clup.machine import stack_reading as reading
from clup.machine.process import FailedError, RefusedError, explained, run, say
from clup.machine.stack_compose import compose, last_words, reason
from clup.machine.stack_files import make_folders, place, write
from clup.machine.stack_remove import remove
from clup.machine.stack_takeover import Takeover, take_over
from clup.machine.stack_tree import commit

PAUSE = 0.5
"""Seconds between two looks at containers that are waited for."""
RESTARTS = 3
"""So many restarts by itself are a service that does not come up."""


class Stack:
    """The stack of an order, on this machine."""

    def __init__(self, order: Mapping[str, Any]):
        self.order = order
        self.name: str = order["name"]
        self.expected: Mapping[str, str] = order["expected"]
        self.compose: str = order["compose"]
        self.tree: str = order["tree"]
        self.seconds: float = order["seconds"]
        self.folder = reading.FOLDER / self.name
        self.project = self.folder
        """The project's folder for Compose. Its own holds no .env, and is root's alone."""
        self.older: frozenset[str] = frozenset()
        """The containers that were there before all was brought up, by id."""

    def up(self) -> None:
        """Put the files in place, bring the stack up, see it healthy, write that down, commit."""
        self._judge()
        takeover = Takeover(self.order, self.folder)
        self._owe()
        if takeover.others:
            take_over(self, takeover)
        else:
            self._change()
        self._write_down()
        self._commit()
        takeover.forget()
        (self.folder / "pending").unlink()

    def _change(self) -> None:
        """Have this version run in place of the former one, if any."""
        former = self._former()
        place(self.order["files"])
        if self.order["up"]:
            try:
                self.bring_up(self.expected)
            except FailedError as error:
                raise FailedError(f"stack {self.name}: {error}; {self._restore(former)}") from error

    def _judge(self) -> None:
        """Have Compose judge the file, and see that nothing it needs is missing."""
        if not Path(self.tree, ".git").is_dir():
            cure = f"apply the role that makes it, then this one; {self.tree} is clup's"
            raise RefusedError(f"stack {self.name}: {self.tree} is no repository; {cure}")
        if not reading.is_active():
            raise RefusedError(f"stack {self.name}: Docker does not run; see `clup verify`")
        for path in self.order["secrets"]:
            if not Path(path).exists():
                raise RefusedError(f"stack {self.name}: the secret {path} is not there; make it")
        for reference in self.order["images"]:
            if "@" not in reference and reading.image(reference) is None:
                cure = "bring it with `clup bundle push`, or `docker load` it"
                raise RefusedError(f"stack {self.name}: no image {reference} here; {cure}")
        make_folders(reading.FOLDER)
        reading.FOLDER.chmod(0o700)
        make_folders(self.folder)
        draft = self.folder / "draft.yml"
        write(draft, self.content(), 0o600)
        try:
            said = compose(self.name, self.project, str(draft), "config", "--quiet")
        finally:
            draft.unlink()
        if said.returncode != 0:
            raise RefusedError(
                f"stack {self.name}: Compose refuses its file: {reason(said.stderr)};"
                " nothing was changed"
            )

    def content(self) -> bytes:
        """Return the compose file of this version."""
        [text] = [file["content"] for file in self.order["files"] if file["tree"] == self.compose]
        return str(text).encode()

    def _owe(self) -> None:
        key = reading.FOLDER / "key"
        if not key.exists():
            write(key, os.urandom(64), 0o600)
        write(self.folder / "pending", b"", 0o600)

    def _former(self) -> dict[str, Any] | None:
        """Return the version that ran last.

        It has its `files`, what is `expected` of its services, and the `project`'s folder. One
        that somebody brought up by hand, from a file at the live path, is one too: its paths may
        count from there.
        """
        with suppress(FileNotFoundError, ValueError):
            good: dict[str, Any] = json.loads((self.folder / "good.json").read_text())
            return good
        [file] = [each for each in self.order["files"] if each["tree"] == self.compose]
        live = Path(file["live"])
        there = reading.of_project(reading.containers(), self.name)
        if not there or live.is_symlink() or not live.is_file():
            return None
        return {
            "files": [{**file, "content": live.read_text()}],
            "expected": {name: _kind(found) for name, found in there.items()},
            "project": str(live.parent),
        }

    def bring_up(self, expected: Mapping[str, str]) -> None:
        """Have Compose bring all up, and wait until it is well. Raise FailedError."""
        end = time.monotonic() + self.seconds
        self.older = frozenset(each["id"] for each in reading.containers())
        say(f"stack {self.name}: bringing it up, for up to {self.seconds:.0f} s")
        self._compose_up(end, expected)
        anew = [service for service in self.order["recreate"] if service in expected]
        if anew:
            say(f"stack {self.name}: starting anew {', '.join(anew)}, which read what changed")
            # Not with --no-deps: Compose then leaves depends_on out of the hash by which it knows
            # its containers, and starts them anew once more at the next `up` (seen with 2.26.1).
            self._compose_up(end, expected, "--force-recreate", *anew)
        self._wait(end, expected)

    def _compose_up(self, end: float, expected: Mapping[str, str], *words: str) -> None:
        left = max(end - time.monotonic(), 1)
        up = ("up", "--detach", "--no-build", *words)
        said = compose(self.name, self.project, self.compose, *up, seconds=left)
        if said.returncode != 0:
            raise FailedError(f"it did not come up: {reason(said.stderr)}{self._logs(expected)}")

    def _wait(self, end: float, expected: Mapping[str, str]) -> None:
        told = ""
        while True:
            waiting, failed = self._stand(expected)
            if failed:
                raise FailedError(f"{'; '.join(failed)}{self._logs(expected)}")
            if not waiting:
                return
            if time.monotonic() > end:
                late = f"not well after {self.seconds:.0f} s: {'; '.join(waiting)}"
                raise FailedError(f"{late}{self._logs(expected)}")
            if (line := "; ".join(waiting)) != told:
                say(f"stack {self.name}: waiting: {line}")
                told = line
            time.sleep(PAUSE)

    def _stand(self, expected: Mapping[str, str]) -> tuple[list[str], list[str]]:
        """Return what is to be waited for, and what has failed, in words."""
        services = reading.of_project(reading.containers(), self.name)
        waiting, failed = [], []
        for service, kind in expected.items():
            found = services.get(service, [])
            if not found:
                failed.append(f"service {service} has no container")
            for each in found:
                state, words = reading.standing(each, kind)
                line = f"service {service} {words}"
                # What missed a service that was down says so until Docker asks it again, and may
                # come to say so only now.
                if each["health"] == "unhealthy" and each["id"] in self.older:
                    state = "waiting"
                if state == "failed" or (state == "waiting" and self._restarted(each)):
                    failed.append(line)
                elif state == "waiting":
                    waiting.append(line)
        return waiting, failed

    def _restarted(self, container: Mapping[str, Any]) -> bool:
        found = reading.ask(f"/containers/{container['id']}/json") or {}
        return int(found.get("RestartCount", 0)) >= RESTARTS

    def _logs(self, expected: Mapping[str, str]) -> str:
        """Return the last lines of the logs of what is not well, with what looks secret masked."""
        services = reading.of_project(reading.containers(), self.name)
        texts = []
        for service, kind in expected.items():
            for each in services.get(service, []):
                if reading.standing(each, kind)[0] != "ready" or self._restarted(each):
                    texts.append(f"; {service} said last: {last_words(each['id'])}")
        return "".join(texts)

    def _restore(self, former: dict[str, Any] | None) -> str:
        """Put back the version that ran, and return what came of it, in words."""
        if former is None:
            return "it never ran before, and its containers stay for you to look at"
        if former["files"] == self.order["files"]:
            return "its files are those that ran before"
        say(f"stack {self.name}: putting the version that ran back")
        place(former["files"])
        self._drop(set(self.expected) - set(former["expected"]))
        self.project = Path(former["project"])
        try:
            self.bring_up(former["expected"])
        except FailedError as error:
            return f"the version that ran before was put back and does not come up either: {error}"
        (self.folder / "pending").unlink()
        return "the version that ran before is back and well"

    def _drop(self, left: Collection[str]) -> None:
        """Remove the containers of services that the file no longer has."""
        services = reading.of_project(reading.containers(), self.name)
        for service in sorted(left):
            for each in services.get(service, []):
                say(f"stack {self.name}: removing {each['name']}, which left its file")
                run("docker", "rm", "--force", each["id"], seconds=60)

    def _write_down(self) -> None:
        """Write down what the stack depends on, as it is now that all is well."""
        order = self.order
        before = reading.record(self.name) or {"services": {}}
        self._drop(set(before["services"]) - set(self.expected))
        services = reading.of_project(reading.containers(), self.name)
        parts = {
            **{f"file {file['live']}": _sha256(file) for file in order["files"]},
            **{f"image {each}": reading.image(each) for each in order["images"]},
            **{f"secret {path}": reading.keyed(path) for path in order["secrets"]},
        }
        hashes = {
            service: sorted({each["hash"] for each in services.get(service, [])})
            for service in self.expected
        }
        good = {
            "files": order["files"],
            "expected": self.expected,
            "project": str(self.project),
        }
        write(self.folder / "good.json", json.dumps(good, indent=1).encode(), 0o600)
        record = {"parts": parts, "services": hashes}
        write(self.folder / "record.json", json.dumps(record, indent=1).encode(), 0o600)

    def _commit(self) -> None:
        order = self.order
        paths = [file["tree"] for file in order["files"]]
        if why := commit(self.tree, paths, order["who"], order["revision"], order["run"]):
            raise FailedError(f"stack {self.name} runs, but was not committed: {why}")


def _kind(containers: Sequence[Mapping[str, Any]]) -> str:
    """Return what a service of somebody else's is, going by how its containers are: one that has
    ended well is a job."""
    ended = all(each["state"] == "exited" and each["code"] == 0 for each in containers)
    return "job" if ended else "service"


def _sha256(file: Mapping[str, Any]) -> str:
    found = reading.file(file["tree"])
    assert found is not None, f"{file['tree']} was written just now"
    return str(found["sha256"])


def main() -> None:
    """Carry out the order, or end with one line that says why not."""
    order = json.load(sys.stdin)
    work: dict[str, Callable[[], None]] = {
        "up": lambda: Stack(order).up(),
        "remove": lambda: remove(order),
    }
    with explained():
        work[sys.argv[1]]()


if __name__ == "__main__":
    main()
