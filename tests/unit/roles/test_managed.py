"""What the settings of the whole site have clup manage."""

from __future__ import annotations

from typing import Any

import pytest

from roles import ROLES, Settings

ID = f"sha256:{'1' * 64}"
TOOLS = ("toolbox", "maven")
"""The images of the example jobs, which are read here as they are."""


def managed(role: str, given: dict[str, Any]) -> set[str]:
    """Given a role and what is said about it, return what it manages, as the record has it."""
    settings = Settings.model_validate({name: {} for name in Settings.model_fields} | {role: given})
    [one] = [each for each in ROLES if each.name == role]
    return {str(thing) for thing in one.managed(settings)}


@pytest.mark.parametrize(
    ("role", "given", "among"),
    [
        ("base", {"packages": ["htop"]}, {"package htop", "file /etc/sysctl.d/zz-clup.conf"}),
        ("storage", {"filesystems": {"old": {}}}, {"mount /srv/old"}),
        ("engine", {}, {"file /etc/systemd/system/containerd.service.d/clup.conf"}),
        ("accounts", {"users": {"bob": {"uid": 2101}}}, {"account bob", "group bob"}),
        ("accounts", {"groups": {"crew": 2102}}, {"group crew", "account psy"}),
        ("layout", {}, {"folder /srv/data/openclaw"}),
        ("stacks", {"own": {"web": {"template": "web.yaml.j2"}}}, {"stack web"}),
        (
            "runner",
            {"enabled": True, "images": dict.fromkeys(("guard", "runner", *TOOLS), ID)},
            {
                "stack runner",
                "file /etc/systemd/system/clup-docker-guard.socket",
                "file /srv/data/openclaw/runner/jobs/audit.yaml",
                "file /srv/data/openclaw/runner/tokens/operator",
            },
        ),
    ],
)
def test_a_role_manages_what_it_names(role: str, given: dict[str, Any], among: set[str]) -> None:
    assert managed(role, given) >= among


def test_what_leaves_the_settings_is_managed_no_more() -> None:
    stays = {"containerd_root": "/var/lib/containerd"}
    assert managed("engine", {}) - managed("engine", stays) == {
        "file /etc/systemd/system/containerd.service.d/clup.conf"
    }


def test_a_runner_that_is_not_enabled_has_nothing() -> None:
    assert managed("runner", {}) == set()
