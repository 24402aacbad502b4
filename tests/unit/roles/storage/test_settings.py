"""Which settings of the role storage are refused, and what the good ones come to."""

from __future__ import annotations

import datetime

import pytest

from clup.disks.verdict import Wanted
from roles.storage.settings import Settings

TODAY = datetime.date(2030, 1, 31)


def test_label_and_mount_follow_from_the_name() -> None:
    settings = Settings.model_validate({"filesystems": {"data": {"by_id": "virtio-LABDATA"}}})
    one = settings.filesystems["data"]
    assert one.wanted("data", TODAY) == Wanted(
        "data", "CLAW_DATA", "/srv/data", by_id="virtio-LABDATA", at_least=64 << 20
    )
    assert one.entry.line == (
        "LABEL=CLAW_DATA /srv/data ext4 noatime,nofail,x-systemd.device-timeout=90s 0 2"
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


def test_a_sample_is_enough_up_to_the_last_day_of_its_waiver() -> None:
    waiver = {"reason": "new from the shop", "owner": "ops", "expires": "2030-01-31"}
    given = {"filesystems": {"data": {"proof": "sample", "waiver": waiver}}}
    one = Settings.model_validate(given).filesystems["data"]
    assert one.wanted("data", TODAY).waiver == "new from the shop"
    assert one.wanted("data", TODAY + datetime.timedelta(1)).waiver == ""
