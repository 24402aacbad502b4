import dataclasses
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
