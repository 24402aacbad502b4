"""What is built for a bundle, and when nothing is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from clup import bundles
from clup.images import build, pack
from clup.images import bundle as made
from tests.unit.bundles.saved import TAGS, bundle


class Builder:
    """In the place of Docker: what it was asked to build and to pack."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.built: list[str] = []
        self.packed: list[dict[str, str]] = []
        self.said: list[str] = []
        monkeypatch.setattr(made, "recipe", lambda name, _: _Recipe(name, TAGS[name]))
        monkeypatch.setattr(build, "make", self._make)
        monkeypatch.setattr(made, "pack", self._pack)

    def make(self, target: Path, *names: str) -> tuple[Any, bool]:
        return made.make(names, target, "", self.said.append)

    def _make(self, recipes: list[_Recipe], _say: Any) -> None:
        self.built += [each.service for each in recipes]

    def _pack(self, tags: dict[str, str], target: Path, say: Any) -> Any:
        self.packed.append(tags)
        return pack.pack(tags, target, say)


@dataclass(frozen=True)
class _Recipe:
    service: str
    tag: str


def test_a_second_build_of_the_same_recipes_does_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bundle(tmp_path, monkeypatch)
    builder = Builder(monkeypatch)
    before = path.stat()
    images, anew = builder.make(path, "guard", "runner")
    assert ([each.name for each in images], anew) == (["guard", "runner"], False)
    assert (builder.built, builder.packed, path.stat()) == ([], [], before)


@pytest.mark.parametrize("what", ["absent", "damaged", "of another recipe", "of other images"])
def test_what_is_not_there_or_not_sound_is_made(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bundle(tmp_path, monkeypatch)
    builder = Builder(monkeypatch)
    names = ["guard", "runner"]
    if what == "absent":
        path.unlink()
    elif what == "damaged":
        layer = bundles.open(path).contents[0].layers[0]
        content = bytearray(path.read_bytes())
        content[bundles.open(path).places[layer.blob][0] + 20] ^= 1
        path.write_bytes(content)
    elif what == "of another recipe":
        monkeypatch.setitem(TAGS, "guard", "clup-guard:trixie-1")
        monkeypatch.setattr(made, "recipe", lambda name, _: _Recipe(name, f"{TAGS[name]}3"))
        monkeypatch.setattr(made, "pack", lambda tags, *_: builder.packed.append(tags))
    else:
        names = ["guard"]
    _, anew = builder.make(path, *names)
    assert anew
    assert builder.built == names
    assert len(builder.packed) == 1
    if what == "damaged":
        assert "is damaged" in builder.said[0]
        bundles.open(path).verify(bundles.open(path).places)
