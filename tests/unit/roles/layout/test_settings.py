"""Which settings of the role layout are refused, and what the good ones come to."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from roles.layout.settings import Settings
from tests.unit.roles.layout.invalid_settings import BASE


def test_the_sticky_bit_keeps_a_group_from_exchanging_what_lies_in_its_folder() -> None:
    above = {"group": "psy", "mode": "3770"}
    Settings.model_validate({"folders": {f"{BASE}/x": above, f"{BASE}/x/y": {}}})


def test_folders_are_merged_over_those_of_the_site_and_come_after_the_one_above() -> None:
    given = {f"{BASE}/repo": {"mode": "0700"}, f"{BASE}/artifacts": None, "/srv/data/ops": {}}
    settings = Settings.model_validate({"folders": given})
    assert settings.folders[f"{BASE}/repo"].owners == ("psy", "psy")
    assert settings.folders[f"{BASE}/repo"].mode == "0700"
    assert f"{BASE}/artifacts" not in settings.folders
    paths = [path for path, _ in settings.ordered()]
    for index, path in enumerate(paths):
        parent = str(PurePosixPath(path).parent)
        assert parent in [*settings.roots, *paths[:index]]


@pytest.mark.parametrize(
    "name",
    [
        *("runner/jobs", "runner/compose", "runner/keys", "runner/tokens", "runner/ledger"),
        *("clup", "gw-admin"),
    ],
)
def test_only_root_can_exchange_what_root_trusts(name: str) -> None:
    folders = Settings().folders
    path = PurePosixPath(BASE, name)
    for above in [path, *path.parents]:
        if str(above) in folders:
            folder = folders[str(above)]
            assert folder.user == "root"
            assert int(folder.mode, 8) & 0o022 == 0


def test_the_innermost_root_counts() -> None:
    settings = Settings.model_validate({"roots": ["/srv/data", "/srv/cache", "/srv/data/big"]})
    assert settings.root_of("/srv/data/big/x") == "/srv/data/big"
    assert settings.root_of("/srv/data/x") == "/srv/data"
    assert settings.root_of("/srv/database") == ""
