from __future__ import annotations

from pathlib import Path

import pydantic
import pytest

from roles.engine.settings import Settings
from tests.unit.roles.engine import invalid_settings as invalid


def test_the_defaults_are_valid() -> None:
    assert Settings.model_validate({}).data_root == "/srv/cache/docker"


def test_containerd_may_stay_where_it_is_by_itself() -> None:
    Settings.model_validate({"containerd_root": "/var/lib/containerd"})


def test_a_key_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "docker.asc"
    path.write_text(f"\n{invalid.KEY}\n")
    settings = Settings.model_validate(invalid.repository(key=str(path)))
    assert settings.repository is not None
    assert settings.repository.key == invalid.KEY


def test_a_binary_key_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "docker.gpg"
    path.write_bytes(b"\x99\x02\x0d\x04")
    with pytest.raises(pydantic.ValidationError, match="not armored"):
        Settings.model_validate(invalid.repository(key=str(path)))
