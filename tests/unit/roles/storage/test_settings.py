"""Which settings of the role storage are refused, and what the good ones come to."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from clup.disks.verdict import Wanted
from clup.settings import problems_of
from roles.storage.settings import Settings
from tests.unit.roles.storage.invalid_settings import INVALID


@pytest.mark.parametrize(("given", "path", "reason"), INVALID)
def test_refused(given: dict[str, Any], path: str, reason: str) -> None:
    with pytest.raises(ValidationError) as error:
        Settings.model_validate(given)
    problems = {problem.path: problem for problem in problems_of(error.value, Settings)}
    assert reason in problems[path].reason
    assert problems[path].cure


def test_label_and_mount_follow_from_the_name() -> None:
    settings = Settings.model_validate({"filesystems": {"data": {"by_id": "virtio-LABDATA"}}})
    one = settings.filesystems["data"]
    assert one.wanted("data") == Wanted(
        "data", "CLAW_DATA", "/srv/data", by_id="virtio-LABDATA", at_least=64 << 20
    )
    assert one.entry.line == (
        "LABEL=CLAW_DATA /srv/data ext4 noatime,nofail,x-systemd.device-timeout=10s 0 2"
    )


def test_a_mount_may_lie_below_an_earlier_one() -> None:
    given = {"data": {}, "postgres": {"mount": "/srv/data/postgres"}}
    assert Settings.model_validate({"filesystems": given})


@pytest.mark.parametrize(
    "selector",
    [
        {"by_id": "wwn-0x60022480aaaaaaaaaaaaaaaaaaaaaaaa"},
        {"by_id": "nvme-Samsung_SSD_990_PRO_S6Z1NJ0W-part2"},
        {"by_id": "dm-name-ubuntu--vg-data"},
        {"serial": "S6Z1NJ0W"},
        {"wwn": "0x60022480aaaaaaaaaaaaaaaaaaaaaaaa"},
        {"wwn": "eui.0025385b01412345"},
        {},
    ],
)
def test_disks_are_selected_by_what_stays(selector: dict[str, str]) -> None:
    assert Settings.model_validate({"filesystems": {"data": selector}})
