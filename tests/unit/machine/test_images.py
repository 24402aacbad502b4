"""The archive that Docker loads an image from, made of what comes: whole, or without a manifest."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from clup.machine import images
from clup.machine.images import archive
from clup.machine.process import FailedError, RefusedError

BLOBS = (b"configuration", b"layer" * 1000, b"")
NAMES = [hashlib.sha256(blob).hexdigest() for blob in BLOBS]
MANIFEST = {"Config": f"blobs/sha256/{NAMES[0]}", "RepoTags": ["a:1"], "Layers": ["blobs/x"]}


def image(**other: Any) -> dict[str, Any]:
    blobs = [[name, len(blob)] for name, blob in zip(NAMES, BLOBS, strict=True)]
    return {"name": "guard", "blobs": blobs, "manifest": MANIFEST, **other}


def test_an_archive_has_the_blobs_and_then_the_manifest() -> None:
    source = io.BytesIO(b"".join(BLOBS) + b"the next image")
    made = b"".join(archive(image(), source))
    with tarfile.open(fileobj=io.BytesIO(made)) as read:
        contents = {each.name: read.extractfile(each).read() for each in read}  # type: ignore[union-attr]
    assert list(contents) == [*(f"blobs/sha256/{name}" for name in NAMES), "manifest.json"]
    assert tuple(contents.values())[:-1] == BLOBS
    assert json.loads(contents["manifest.json"]) == [MANIFEST]
    assert source.read() == b"the next image"


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"configuration" + b"layer" * 999 + b"lair!", "damaged on its way"),
        (b"configuration" + b"layer" * 10, "4950 of 5000 bytes did not come"),
        (b"", "13 of 13 bytes did not come"),
    ],
)
def test_what_is_cut_off_or_damaged_has_no_manifest(sent: bytes, words: str) -> None:
    given: list[bytes] = []
    with pytest.raises(FailedError, match=f"image guard: .*{words}"):
        given.extend(archive(image(), io.BytesIO(sent)))
    assert not any(b"manifest.json" in chunk for chunk in given)


@pytest.mark.parametrize(
    ("is_active", "needed", "words"),
    [
        (True, 0, None),
        (True, 1 << 60, "MB are needed; make room"),
        (False, 0, "Docker does not run here"),
    ],
)
def test_a_machine_that_cannot_take_it_is_left_alone(
    is_active: bool,
    needed: int,
    words: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(images, "SPARE", 0)
    monkeypatch.setattr(images, "is_active", lambda: is_active)
    monkeypatch.setattr(images, "ask", lambda _path: {"DockerRootDir": str(tmp_path)})
    order = {"needed": needed, "images": []}
    if words is None:
        images.load(order, io.BytesIO())
        return
    with pytest.raises(RefusedError, match=words):
        images.load(order, io.BytesIO())


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b'{"status": "x", "progressDetail": {"current": 1, "total": 0}}\n\n', None),
        (b'{"stream": "Loaded image"}\r\n{"error": "no space left on device"}\n', "no space left"),
    ],
)
def test_an_error_in_dockers_answer_is_told(answer: bytes, words: str | None) -> None:
    if words is None:
        images._follow("guard", io.BytesIO(answer))
        return
    with pytest.raises(FailedError, match=f"image guard: Docker refuses it: {words}"):
        images._follow("guard", io.BytesIO(answer))
