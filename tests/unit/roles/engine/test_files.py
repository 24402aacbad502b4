from __future__ import annotations

import pytest

from roles.engine.files import packages, repository_files
from roles.engine.settings import Settings
from tests.unit.roles.engine import invalid_settings as invalid

DEBIAN = ("docker.io", "docker-cli", "docker-compose")
UBUNTU = ("docker.io", "docker-compose-v2")


@pytest.mark.parametrize(
    ("system", "names"),
    [
        (("debian", "13"), DEBIAN),
        (("debian", "14"), DEBIAN),
        (("debian", "12"), ()),
        (("debian", ""), ()),  # testing and unstable have no number
        (("ubuntu", "24.04"), UBUNTU),
        (("ubuntu", "26.04"), UBUNTU),
        (("ubuntu", "22.04"), ()),
        (("fedora", "43"), ()),
    ],
)
def test_packages_of_the_distribution(system: tuple[str, str], names: tuple[str, ...]) -> None:
    assert packages(Settings(), system) == names


def test_packages_of_docker_are_pinned_on_every_distribution() -> None:
    settings = Settings.model_validate(invalid.repository())
    wanted = tuple(f"{name}={version}" for name, version in invalid.VERSIONS.items())
    assert packages(settings, ("debian", "12")) == wanted


def test_an_upgrade_never_comes_by_itself() -> None:
    settings = Settings.model_validate(invalid.repository())
    assert settings.repository is not None
    texts = {file.path: file.content for file in repository_files(settings.repository)}
    for name, version in invalid.VERSIONS.items():
        pinned = f"Package: {name}\nPin: version {version}\nPin-Priority: 1001\n"
        assert pinned in texts["/etc/apt/preferences.d/clup-docker"]
        held = f'"^{name.replace(".", "[.]")}$";'
        assert held in texts["/etc/apt/apt.conf.d/52clup-docker"]
    assert "Signed-By: /etc/apt/keyrings/clup-docker.asc" in "".join(texts.values())
