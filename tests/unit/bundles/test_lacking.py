from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from clup.bundles.lacking import ImagesState, lacking, megabytes, objection
from clup.bundles.manifest import Image, Layer, chains

BASE = Layer("b" * 64, 90_000_000, "sha256:base", 250_000_000)
FILES = Layer("f" * 64, 1_000, "sha256:files", 4_000)
MORE = Layer("a" * 64, 2_000_000, "sha256:more", 5_000_000)
GUARD = Image("guard", "clup-guard:1", f"sha256:{'1' * 64}", "amd64", 700, (BASE, FILES))
RUNNER = Image("runner", "clup-runner:1", f"sha256:{'2' * 64}", "amd64", 800, (BASE, MORE))
BOTH = (GUARD, RUNNER)


def state(*there: Image, layers: tuple[tuple[str, ...], ...] = ()) -> ImagesState:
    """Return a machine with these images, and others that have these layers."""
    known = tuple(tuple(layer.diff for layer in each.layers) for each in there)
    ids = frozenset(each.id for each in there)
    return ImagesState(True, ids, (*known, *layers), "amd64")


@pytest.mark.parametrize(
    ("machine", "sent"),
    [
        (ImagesState(), {"guard": [BASE, FILES], "runner": [MORE]}),
        (state(), {"guard": [BASE, FILES], "runner": [MORE]}),
        (state(GUARD), {"runner": [MORE]}),
        (state(RUNNER), {"guard": [FILES]}),
        (state(*BOTH), {}),
        # The image itself is gone, what it was made of is not.
        (state(layers=(("sha256:base", "sha256:files"),)), {"guard": [], "runner": [MORE]}),
        # The same layer over another one is another stack, which Docker does not reuse.
        (state(GUARD, layers=(("sha256:else", "sha256:more"),)), {"runner": [MORE]}),
    ],
)
def test_only_what_is_not_there_is_sent(machine: ImagesState, sent: dict[str, list[Layer]]) -> None:
    found = lacking(BOTH, machine)
    assert {each.image.name: list(each.layers) for each in found} == sent


def test_what_is_sent_of_an_image_is_counted_and_said() -> None:
    [guard, runner] = lacking(BOTH, state())
    assert guard.blobs == (("1" * 64, 700), ("b" * 64, 90_000_000), ("f" * 64, 1_000))
    assert (guard.size, guard.unpacked) == (90_001_700, 250_004_000)
    assert str(guard) == "image guard: 90 MB to send (clup-guard:1)"
    said = "image runner: 2 MB to send, 1 of its 2 layers are there (clup-runner:1)"
    assert str(runner) == said
    assert megabytes(10) == "under 1 MB"


def test_a_stack_of_layers_is_named_as_docker_names_it() -> None:
    second = "sha256:" + hashlib.sha256(b"sha256:a sha256:b").hexdigest()
    third = "sha256:" + hashlib.sha256(f"{second} sha256:c".encode()).hexdigest()
    assert list(chains(["sha256:a", "sha256:b", "sha256:c"])) == ["sha256:a", second, third]


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        (state(), None),
        (ImagesState(), None),
        (replace(state(), architecture="arm64"), "is for amd64, the machine is arm64"),
        (replace(state(), has_containerd_store=True), "containerd's store"),
    ],
)
def test_images_that_would_be_of_no_use_are_refused(
    machine: ImagesState, words: str | None
) -> None:
    reason = objection(lacking(BOTH, machine), machine)
    assert reason is None if words is None else reason and words in reason[0]
