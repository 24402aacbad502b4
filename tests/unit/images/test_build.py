"""What is built of recipes whose images are not there, and in which order."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Barrier
from typing import Any

import pytest

from clup.images import build
from clup.images.build import Recipe
from clup.images.dockerfile import Dockerfile
from clup.lab.errors import LabError

EMPTY = Dockerfile((), {}, ())


def recipe(service: str, base: str, pinned: bool = False) -> Recipe:
    return Recipe(service, EMPTY, {service: b""}, base, pinned)


@contextmanager
def unlocked(_say: Any, _name: str = "") -> Iterator[None]:
    yield


class Docker:
    """In the place of what builds: what it was asked to, and what is there already."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *there: Recipe):
        self.bases: list[str] = []
        self.done: list[str] = []
        self.replacing: list[str] = []
        self.answers = False
        self.tags = {each.tag for each in there}
        monkeypatch.setattr(build, "locked", unlocked)
        monkeypatch.setattr("clup.images.build.dockerd.ensure", self._ensure)
        monkeypatch.setattr("clup.images.build.image.discard", lambda _folder: None)
        monkeypatch.setattr("clup.images.build.image.discard_others", self.replacing.append)
        monkeypatch.setattr(build, "_is_there", self._is_there)
        monkeypatch.setattr(build, "_base", lambda each, _: self.bases.append(each.base))
        monkeypatch.setattr(build, "_commit", self._commit)
        monkeypatch.setattr(build, "_build", lambda each, _: self.done.append(each.service))

    def _ensure(self, _say: Any) -> None:
        self.answers = True

    def _is_there(self, tag: str) -> bool:
        assert self.answers, "Docker is asked before it is seen to that it answers"
        return tag in self.tags

    def _commit(self, each: Recipe, _say: Any) -> None:
        assert each.base in self.bases
        self.done.append(each.service)


def test_only_what_is_not_there_is_built_over_each_base_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipes = [recipe("guard", "one"), recipe("runner", "two"), recipe("toolbox", "two")]
    docker = Docker(monkeypatch, recipes[0])
    build.make([*recipes, recipe("maven", "x@sha256:1", pinned=True)], print)
    assert docker.bases == ["two"]
    assert sorted(docker.done) == ["maven", "runner", "toolbox"]
    assert docker.replacing[-1] == "two", "a base goes after the images that are made of it"
    assert len(docker.replacing) == 4


def test_bases_are_built_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    docker = Docker(monkeypatch)
    both = Barrier(2, timeout=10)

    def base(each: Recipe, _say: Any) -> None:
        both.wait()
        docker.bases.append(each.base)

    monkeypatch.setattr(build, "_base", base)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    build.make([recipe("guard", "one"), recipe("runner", "two")], print)
    assert sorted(docker.bases) == ["one", "two"]


def test_a_base_that_cannot_be_built_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    docker = Docker(monkeypatch)

    def base(_each: Recipe, _say: Any) -> None:
        raise LabError("no mirror", "mmdebstrap", "check it")

    monkeypatch.setattr(build, "_base", base)
    with pytest.raises(LabError, match="no mirror"):
        build.make([recipe("guard", "one")], print)
    assert docker.done == []


def test_a_machine_gets_one_base_for_guard_and_runner() -> None:
    assert build.recipe("guard").base == build.recipe("runner").base
