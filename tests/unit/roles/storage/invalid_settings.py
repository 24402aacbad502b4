"""Settings of the role storage that are refused: the settings, where, and part of the reason."""

from __future__ import annotations

from typing import Any


def data(**fields: Any) -> dict[str, Any]:
    """Return settings with one filesystem."""
    return {"filesystems": {"data": fields}}


def two(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return settings with two filesystems."""
    return {"filesystems": {"data": one, "cache": other}}


AT = "filesystems.data"
WAIVER = {"reason": "new from the shop", "owner": "ops", "expires": "2999-12-31"}

INVALID: list[tuple[dict[str, Any], str, str]] = [
    ({"filesystem": {}}, "filesystem", "is not a known setting"),
    ({"filesystems": ["data"]}, "filesystems", "valid dictionary"),
    ({"filesystems": {"data": "virtio-A"}}, AT, "valid dictionary"),
    (data(labl="X"), f"{AT}.labl", "is not a known setting"),
    (data(by_id="/dev/sdb"), f"{AT}.by_id", "is a kernel's name"),
    (data(by_id="sdb1"), f"{AT}.by_id", "is a kernel's name"),
    (data(by_id="nvme0n1"), f"{AT}.by_id", "is a kernel's name"),
    (data(by_id="/dev/disk/by-id/virtio-A"), f"{AT}.by_id", "is a path"),
    (data(by_id="/dev/disk/by-uuid/1234"), f"{AT}.by_id", "is not a name below"),
    (data(by_id="../../sda"), f"{AT}.by_id", "is not a name below"),
    (data(by_id=".."), f"{AT}.by_id", "is not a name below"),
    (data(by_id=""), f"{AT}.by_id", "is not a name below"),
    (data(by_id="a b"), f"{AT}.by_id", "is not a name below"),
    (data(by_id=5), f"{AT}.by_id", "valid string"),
    (data(by_id="virtio-A", wwn="0x60022480aaaa"), AT, "selects its disk by by_id and wwn"),
    (data(serial="$(reboot)"), f"{AT}.serial", "is not a serial number"),
    (data(wwn="data"), f"{AT}.wwn", "is not a world-wide name"),
    (data(label="CLAW_DATA_ARCHIVE"), f"{AT}.label", "is 17 bytes; an ext4 label has at most 16"),
    (data(label="ДАННЫЕ_ДИСК"), f"{AT}.label", "is 21 bytes"),
    (data(label="CLAW DATA"), f"{AT}.label", "has a character that fstab would escape"),
    (data(label=""), f"{AT}.label", "has a character"),
    (data(mount="srv/data"), f"{AT}.mount", "is no absolute path"),
    (data(mount="/srv/data/"), f"{AT}.mount", "is not in its plainest form"),
    (data(mount="/srv/../etc"), f"{AT}.mount", "is not in its plainest form"),
    (data(mount="/"), f"{AT}.mount", "is not in its plainest form"),
    (data(mount="/usr/data"), f"{AT}.mount", "is where the system itself lives"),
    (data(mount="/srv/my data"), f"{AT}.mount", "has a character that is not safe"),
    (data(options=["nofail"]), f"{AT}.options.0", "is clup's own business"),
    (data(options=["noatime", "ro"]), f"{AT}.options.1", "is no option of a mount"),
    (data(options=["noatime,ro"]), f"{AT}.options.0", "is no option of a mount"),
    (data(options="noatime"), f"{AT}.options", "valid tuple"),
    (data(mode="755"), f"{AT}.mode", "is no mode"),
    (data(mode="0777"), f"{AT}.mode", "lets everybody exchange what is there"),
    (data(mode=0o755), f"{AT}.mode", "valid string"),
    (data(reserved_percent=80), f"{AT}.reserved_percent", "less than or equal to 50"),
    (data(at_least_mib=1), f"{AT}.at_least_mib", "greater than or equal to 16"),
    (data(proof="none"), f"{AT}.proof", "'full' or 'sample'"),
    (data(proof="sample"), AT, "takes a sample for proof without a reason"),
    (data(proof="sample", waiver="a new disk"), f"{AT}.waiver", "valid dictionary"),
    (
        data(proof="sample", waiver=WAIVER | {"reason": "because"}),
        f"{AT}.waiver.reason",
        "at least 10 characters",
    ),
    (data(waiver=WAIVER), AT, "has a waiver but nothing to waive"),
    ({"filesystems": {"Data": {}}}, "settings", "has a filesystem named 'Data'"),
    ({"filesystems": {"../x": {"label": "X", "mount": "/srv/x"}}}, "settings", "named '../x'"),
    (
        two({"label": "A"}, {"label": "A"}),
        "settings",
        "has label 'A' twice: for data and for cache",
    ),
    (two({"mount": "/srv/a"}, {"mount": "/srv/a"}), "settings", "has mount '/srv/a' twice"),
    (two({"by_id": "virtio-A"}, {"by_id": "virtio-A"}), "settings", "has by_id 'virtio-A' twice"),
    (two({"mount": "/srv/a/b"}, {"mount": "/srv/a"}), "settings", "mounts /srv/a/b before /srv/a"),
]
