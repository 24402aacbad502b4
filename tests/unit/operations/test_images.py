"""The operation that brings images to a machine: its steps and what it tells, from given facts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
from pyinfra.context import ctx_host

from clup import bundles, report
from clup.bundles.lacking import ImagesState, lacking
from clup.facts.images import Images
from clup.operations.images import loaded, order_of, send
from clup.transport import stream
from clup.transport.raw import Answer
from tests.unit.bundles.saved import bundle, image_id
from tests.unit.operations.planning import Machine, evaluate


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return bundle(tmp_path, monkeypatch)


def steps(path: Path, state: ImagesState, *names: str) -> tuple[list[str], Any]:
    return evaluate(loaded, {Images: state}, bundle=str(path), images=names)


def test_a_machine_that_has_the_images_is_left_alone(path: Path) -> None:
    there = ImagesState(True, frozenset([image_id("guard"), image_id("runner")]))
    assert steps(path, there)[0] == []
    assert steps(path, ImagesState(True, frozenset([image_id("guard")])), "guard")[0] == []


def test_what_is_lacking_is_sent_and_seen_there(path: Path) -> None:
    done, notes = steps(path, ImagesState(True, frozenset([image_id("guard")]), (), "amd64"))
    assert done == ["check", "check"]
    assert notes.evidence == [
        "image runner: under 1 MB to send (clup-runner:trixie-2)",
        "under 1 MB in all",
    ]
    assert not notes.refusals


def test_a_bare_machine_gets_all_of_it(path: Path) -> None:
    done, notes = steps(path, ImagesState())
    assert (len(done), len(notes.evidence), notes.refusals) == (2, 3, [])


@pytest.mark.parametrize(
    ("state", "names", "words"),
    [
        (ImagesState(True, architecture="arm64"), (), "is for amd64, the machine is arm64; build"),
        (ImagesState(), ("maven",), "has no image maven; it has guard, runner"),
    ],
)
def test_what_would_be_of_no_use_is_refused(
    path: Path, state: ImagesState, names: tuple[str, ...], words: str
) -> None:
    done, notes = steps(path, state, *names)
    assert done == ["check"]
    assert words in notes.refusals[0]


def test_the_order_says_what_comes_and_how_docker_finds_the_rest(path: Path) -> None:
    opened = bundles.open(path)
    guard, runner = lacking(opened.contents, ImagesState())
    order = json.loads(json.dumps(order_of([guard, runner])))
    assert order["needed"] == guard.unpacked + runner.unpacked + guard.size
    second = order["images"][1]
    assert len(second["blobs"]) == 2
    assert len(second["manifest"]["Layers"]) == 2
    assert second["id"] == image_id("runner")


class Sent:
    """In the place of a connection: what was sent over it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answer: Answer):
        self.bytes: bytes | None = None
        self._answer = answer
        monkeypatch.setattr(stream, "run", self._run)

    def _run(self, _host: Any, _what: str, _words: Any, chunks: Any, *_: Any) -> Answer:
        self.bytes = b"".join(chunks)
        return self._answer


def test_what_is_sent_is_the_program_the_order_and_each_blob_once(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = Sent(monkeypatch, Answer(0, b"", b""))
    opened = bundles.open(path)
    todo = lacking(opened.contents, ImagesState())
    assert send(cast("Any", None), opened, todo, print) is None
    assert sent.bytes is not None
    _program, order, blobs = sent.bytes.split(b"\n", 2)
    assert json.loads(order) == json.loads(json.dumps(order_of(todo)))
    named = [blob for each in todo for blob, _ in each.blobs]
    assert blobs == b"".join(chunk for blob in named for chunk in opened.read(blob))
    assert len(set(named)) == len(named)


def test_a_machine_that_takes_no_image_says_why(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Sent(monkeypatch, Answer(3, b"", b"noise\nno room; make some\n"))
    opened = bundles.open(path)
    todo = lacking(opened.contents, ImagesState())
    assert send(cast("Any", None), opened, todo, print) == "no room; make some"


def test_nothing_of_a_damaged_bundle_is_sent(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = Sent(monkeypatch, Answer(0, b"", b""))
    opened = bundles.open(path)
    todo = lacking(opened.contents, ImagesState())
    content = bytearray(path.read_bytes())
    content[opened.places[todo[-1].layers[-1].blob][0] + 20] ^= 1
    path.write_bytes(content)
    line = send(cast("Any", None), opened, todo, print)
    assert line is not None
    assert "is damaged" in line
    assert sent.bytes is None


@pytest.mark.parametrize(
    ("answer", "expected", "told"),
    [
        (Answer(0, b"", b""), True, ""),
        (Answer(1, b"", b"image guard: cut off\n"), False, "image guard: cut off"),
        (ConnectionError("the connection ended"), False, "the connection ended"),
    ],
)
def test_the_step_that_sends_fails_its_host_alone(
    answer: Any, expected: bool, told: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_: Any) -> Answer:
        if isinstance(answer, Exception):
            raise answer
        return cast("Answer", answer)

    monkeypatch.setattr(stream, "run", run)
    machine = Machine({Images: ImagesState()})
    with ctx_host.use(machine):
        step = next(iter(loaded._inner(bundle=str(path), images=())))
        assert step.execute(None, machine, {}) is expected
    said = report.notes(machine, machine.current_op_hash).refusals  # type: ignore[arg-type]
    assert bool(said) is not expected
    assert all(told in line for line in said)
