import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest

from clup.lab import image
from clup.lab.errors import LabError

HOST = """\
http://mirror.example/debian|bookworm|main|Debian
http://mirror.example/debian|bookworm|contrib|Debian
http://mirror.example/debian|bookworm-updates|main|Debian
http://mirror.example/debian|bookworm-backports|main|Debian Backports
http://mirror.example/security|bookworm-security|main|Debian
https://other.example|bookworm|main|Other
"""
RECIPE = image.Recipe("trixie", ("deb http://a b main",), "", ("sudo",), (), image.tree())


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (
            HOST,
            (
                "deb http://mirror.example/debian trixie main",
                "deb http://mirror.example/debian trixie-updates main",
                "deb http://mirror.example/security trixie-security main",
            ),
        ),
        (
            "http://m.example|stable|main|Debian\n",
            ("deb http://m.example trixie main",),
        ),
        ("http://u.example/ubuntu|noble|main|Ubuntu\n", ()),
        ("http://m.example|bookworm-security|main|Debian\n", ()),
        ("", ()),
    ],
    ids=["debian", "release by suite", "ubuntu", "only security", "no sources"],
)
def test_sources_take_the_machines_own_mirror(targets: str, expected: tuple[str, ...]) -> None:
    assert image.sources(targets, "trixie") == expected


@pytest.mark.parametrize(
    "change",
    [
        {"suite": "bookworm"},
        {"sources": ()},
        {"proxy": 'Acquire::http::Proxy "http://p";'},
        {"packages": ("sudo", "curl")},
        {"hooks": ("true",)},
        {"tree": image.tree()[:-1]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_recipe_is_another_image(change: dict[str, Any]) -> None:
    assert image.tag(dataclasses.replace(RECIPE, **change)) != image.tag(RECIPE)


def test_the_same_recipe_is_the_same_image() -> None:
    again = dataclasses.replace(RECIPE, tree=image.tree())
    assert image.tag(again) == image.tag(RECIPE)


def test_an_unknown_suite_is_refused() -> None:
    with pytest.raises(LabError, match="'noble' is no suite"):
        image.recipe("noble", (), (), ())


def test_the_image_holds_nothing_that_a_role_installs() -> None:
    roles = {"python3", "docker.io", "docker-cli", "docker-compose", "chrony", "locales"}
    assert not roles & set(image.PACKAGES)


def test_what_was_replaced_stays_for_a_day() -> None:
    now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    listed = (
        "clup-guard:trixie-new 2026-11-18 09:00:00 +0000 UTC\n"
        "clup-guard:trixie-today 2026-11-20 12:00:00 +0000 UTC\n"
        "clup-guard:trixie-old 2026-11-20 13:59:59 +0200 CEST\n"
    )
    assert image.replaced(listed, "clup-guard:trixie-new", now) == ["clup-guard:trixie-old"]


def test_what_is_replaced_is_of_the_same_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []
    listed = "clup-guard:trixie-0a 2020-01-01 00:00:00 +0000 UTC\n"

    def docker(*words: str) -> str:
        asked.append(words)
        return listed

    monkeypatch.setattr(image, "docker", docker)
    monkeypatch.setattr(image, "succeeds", lambda argv: asked.append(tuple(argv)))
    image.discard_others("clup-guard:trixie-1b")
    assert asked[0][-1] == "clup-guard:trixie-*"
    assert asked[1][-3:] == ("image", "rm", "clup-guard:trixie-0a")
