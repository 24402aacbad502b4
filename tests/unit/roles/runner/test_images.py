"""Images that come from a bundle: their ids, which of them are brought, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from clup.bundles.lacking import ImagesState
from clup.settings import Problem
from roles import Settings
from roles.runner import checks
from roles.runner.images import images, to_load
from roles.runner.jobs import read
from roles.runner.settings import Settings as Runner
from roles.runner.stacks import stacks, values
from tests.unit.bundles import saved
from tests.unit.bundles.saved import bundle, image_id
from tests.unit.roles.runner.test_settings import ID, job


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    folder = tmp_path / "jobs"
    folder.mkdir()
    return folder


@pytest.fixture
def packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a bundle of guard, runner and an image for jobs."""
    monkeypatch.setitem(saved.TAGS, "tools", "clup-tools:trixie-3")
    monkeypatch.setitem(saved.LAYERS, "tools", (saved.BASE, b"tools" * 4096))
    return bundle(tmp_path, monkeypatch)


def runner(packed: Path, jobs: Path, **said: object) -> Runner:
    given = {"enabled": True, "bundle": str(packed), "jobs": str(jobs), **said}
    return Runner.model_validate(given)


def problems(settings: Runner) -> list[Problem]:
    return Settings.relations({"runner": settings})


def test_a_bundle_names_the_images_of_the_stack_and_of_jobs(packed: Path, jobs: Path) -> None:
    job(jobs, "made", "{{ images['tools'] | quoted }}", ".yaml.j2")
    settings = runner(packed, jobs)
    assert problems(settings) == []
    said = values(settings)
    found = (said["proxy_image"], said["runner_image"])
    assert found == (image_id("guard"), image_id("runner"))
    by_name, _, wrong = read(settings)
    assert (by_name["made"].image, wrong) == (image_id("tools"), [])
    assert to_load(settings, by_name.values()) == ["guard", "runner", "tools"]


def test_only_images_that_something_runs_are_brought(packed: Path, jobs: Path) -> None:
    job(jobs, "plain", ID)
    settings = runner(packed, jobs)
    assert to_load(settings, read(settings)[0].values()) == ["guard", "runner"]


def test_an_image_by_its_id_is_over_the_bundle(packed: Path, jobs: Path) -> None:
    settings = runner(packed, jobs, images={"guard": ID, "own": ID})
    assert images(settings) == (
        {"guard": ID, "runner": image_id("runner"), "tools": image_id("tools"), "own": ID},
        [],
    )
    assert to_load(settings, ()) == ["runner"]
    by_id = Runner.model_validate({"images": {"guard": ID, "runner": ID}})
    assert (images(by_id), to_load(by_id, ())) == (({"guard": ID, "runner": ID}, []), [])


def test_a_relative_path_counts_from_the_project(packed: Path, jobs: Path) -> None:
    [found] = problems(runner(Path("no/such.tar"), jobs))
    assert str(Path(__file__).resolve().parents[4] / "no/such.tar") in found.value


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "is not there"),
        (b"not a bundle", "is no bundle: "),
        ("torn", "lacks blobs/sha256/"),
        ("other", "its configuration has not the hash that is its id"),
    ],
)
def test_a_bundle_that_is_none_is_the_one_thing_that_is_wrong(
    content: bytes | str | None, reason: str, packed: Path, jobs: Path
) -> None:
    job(jobs, "made", "{{ images['tools'] | quoted }}", ".yaml.j2")
    if content is None:
        packed.unlink()
    elif content == "torn":
        packed.write_bytes(packed.read_bytes()[:-4000])
    elif content == "other":
        config = f"blobs/sha256/{image_id('guard').removeprefix('sha256:')}"
        saved.rewritten(packed, {config: b"{}"})
    else:
        assert isinstance(content, bytes)
        packed.write_bytes(content)
    found = problems(runner(packed, jobs))
    assert found
    for each in found:
        assert str(each).startswith(f"At runner.bundle: {str(packed)!r} ")
        assert reason in each.reason
        assert "clup bundle build" in each.cure


def test_a_bundle_without_what_the_stack_needs(
    tmp_path: Path, jobs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(saved.TAGS, "runner")
    monkeypatch.delitem(saved.LAYERS, "runner")
    [found] = problems(runner(bundle(tmp_path, monkeypatch), jobs))
    assert found.path == "runner.images.runner"
    assert "is a bundle without it" in found.reason
    assert "it has guard" in found.reason


def test_a_job_whose_image_the_bundle_lacks_is_named(packed: Path, jobs: Path) -> None:
    job(jobs, "made", "{{ images['maven'] | quoted }}", ".yaml.j2")
    [found] = problems(runner(packed, jobs))
    assert "maven" in str(found)
    assert str(jobs / "made.yaml.j2") in found.origin


def test_a_bundle_is_not_read_for_a_runner_that_is_not_enabled(jobs: Path) -> None:
    absent = Runner.model_validate({"bundle": "no/such.tar", "jobs": str(jobs)})
    assert problems(absent) == []
    assert list(stacks(absent)) == []


def test_a_job_whose_image_is_not_on_the_machine_is_found(
    packed: Path, jobs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job(jobs, "made", "{{ images['tools'] | quoted }}", ".yaml.j2")
    job(jobs, "also", "{{ images['tools'] | quoted }}", ".yaml.j2")
    job(jobs, "plain", ID)
    there = ImagesState(True, frozenset([ID]))
    monkeypatch.setattr(checks, "read", lambda _host, _fact, asked: there if asked else None)
    found = checks.images(cast("Any", None), runner(packed, jobs))
    assert {each.what: each.status for each in found} == {
        "runner: the image of also, made is there": "failed",
        "runner: the image of plain is there": "passed",
    }
