"""What the settings of the machine itself accept, and how they refuse the rest."""

from __future__ import annotations

from typing import Any

import pytest

from roles.base.settings import KERNEL, Settings


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"hostname": "claw-vm", "timezone": "America/Argentina/Buenos_Aires"},
        {"locale": "ca_ES.UTF-8@valencia", "packages": ["g++", "libstdc++6"]},
        {"clock": {"servers": ["192.0.2.1", "2001:db8::1", "time.example.org"]}},
        {"apt": {"reboot_at": "04:30"}, "ssh": {"ports": [22, 2222]}},
        {"sysctl": {"net.ipv4.tcp_rmem": "4096 131072 6291456"}},
    ],
)
def test_what_is_right_is_accepted(given: dict[str, Any]) -> None:
    Settings.model_validate(given)


def test_a_kernel_setting_adds_to_the_default_ones_and_none_takes_one_away() -> None:
    settings = Settings.model_validate({"sysctl": {"vm.swappiness": None, "kernel.panic": 10}})
    assert settings.sysctl == {
        name: value
        for name, value in (KERNEL | {"kernel.panic": 10}).items()
        if name != "vm.swappiness"
    }
