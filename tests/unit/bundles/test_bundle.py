from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from clup import bundles
from tests.unit.bundles.saved import BASE, LAYERS, TAGS, bundle, config, image_id, rewritten, sha256


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return bundle(tmp_path, monkeypatch)


@pytest.mark.parametrize("is_oci", [True, False], ids=["docker 25", "docker 24"])
def test_a_bundle_has_its_images_and_each_layer_once(
    is_oci: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = bundles.open(bundle(tmp_path, monkeypatch, is_oci))
    assert opened.images == {name: image_id(name) for name in TAGS}
    assert len(opened.places) == 3 + len(TAGS)
    opened.verify(opened.places)
    for image in opened.contents:
        assert (image.tag, image.architecture) == (TAGS[image.name], "amd64")
        unpacked = [gzip.decompress(b"".join(opened.read(layer.blob))) for layer in image.layers]
        assert tuple(unpacked) == LAYERS[image.name]
        assert [layer.unpacked for layer in image.layers] == list(map(len, unpacked))
    assert [each.name for each in tmp_path.iterdir()] == ["bundle.tar"]


def test_equal_images_make_equal_bundles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other").mkdir()
    first = bundle(tmp_path, monkeypatch).read_bytes()
    assert bundle(tmp_path / "other", monkeypatch, is_oci=False).read_bytes() == first


def test_docker_can_read_the_manifest_itself(path: Path) -> None:
    import tarfile

    with tarfile.open(path) as archive:
        first = archive.next()
        assert first is not None
        assert first.name == "manifest.json"
        said = json.load(archive.extractfile(first))  # type: ignore[arg-type]
        names = set(archive.getnames())
    for each in said:
        assert each["RepoTags"] == [TAGS[each["Name"]]]
        assert {each["Config"], *each["Layers"]} <= names


def test_images_are_chosen_by_name(path: Path) -> None:
    opened = bundles.open(path, "runner.bundle")
    assert [each.name for each in opened.chosen(["runner"])] == ["runner"]
    assert [each.name for each in opened.chosen()] == ["guard", "runner"]
    with pytest.raises(bundles.BundleError) as error:
        opened.chosen(["maven", "guard"])
    [problem] = error.value.problems
    assert (problem.path, problem.reason) == ("runner.bundle", "has no image maven")
    assert "guard, runner" in problem.cure


def test_a_layer_that_was_altered_is_found(path: Path) -> None:
    layer = next(iter(bundles.open(path).contents)).layers[0]
    content = path.read_bytes()
    place = bundles.open(path).places[layer.blob][0]
    path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    opened = bundles.open(path)
    with pytest.raises(bundles.BundleError, match=f"is damaged: blobs/sha256/{layer.blob}"):
        opened.verify(opened.places)


CONFIG = f"blobs/sha256/{sha256(config('guard'))}"


def manifest(change: Any) -> bytes:
    """Return a manifest of one image, the guard, after a change of what it says."""
    said = {
        "Config": CONFIG,
        "RepoTags": [TAGS["guard"]],
        "Layers": [f"blobs/sha256/{sha256(BASE)}"],
        "Name": "guard",
        "Unpacked": [1],
    }
    return json.dumps([change(said)]).encode()


WRONG: dict[str, tuple[dict[str, bytes | None], str]] = {
    "no manifest": ({"manifest.json": None}, "has no place in one"),
    "a manifest that is no JSON": ({"manifest.json": b"{"}, "manifest that is none: the whole"),
    "no images": ({"manifest.json": b"[]"}, "at least 1 item"),
    "a key too many": ({"manifest.json": manifest(lambda it: it | {"X": 1})}, "0.X: Extra"),
    "a path elsewhere": (
        {"manifest.json": manifest(lambda it: it | {"Layers": ["../../etc/passwd"]})},
        "0.Layers.0: String should match",
    ),
    "a tag that is none": (
        {"manifest.json": manifest(lambda it: it | {"RepoTags": ["debian"]})},
        "0.RepoTags.0",
    ),
    "a blob that is missing": ({CONFIG: None}, f"lacks {CONFIG}, which its manifest names"),
    "a blob of no image": ({f"blobs/sha256/{'0' * 64}": b"x"}, "which no image of it has"),
    "a configuration of another": ({CONFIG: b"{}"}, "image guard: its configuration has not"),
    "another file": ({"run.sh": b"x"}, "'run.sh' has no place in one"),
}


@pytest.mark.parametrize(("changes", "words"), WRONG.values(), ids=WRONG)
def test_what_is_no_sound_bundle_is_refused(
    path: Path, changes: dict[str, bytes | None], words: str
) -> None:
    rewritten(path, changes)
    with pytest.raises(bundles.BundleError) as error:
        bundles.open(path, "runner.bundle")
    assert words in str(error.value)
    assert all(
        (each.path, each.value) == ("runner.bundle", repr(str(path)))
        for each in error.value.problems
    )


def test_a_bundle_that_is_cut_off_or_absent_is_refused(path: Path) -> None:
    content = path.read_bytes()
    for length in (0, 100, 600, len(content) // 2):
        path.write_bytes(content[:length])
        with pytest.raises(bundles.BundleError):
            bundles.open(path)
    path.unlink()
    with pytest.raises(bundles.BundleError, match="is not there; build it anew with `clup bundle"):
        bundles.open(path)
