"""The lab machines: `clup lab up` gives them their disks, under these names."""

_sudo = True

base = {
    "hostname": "claw-lab",
}

storage = {
    "filesystems": {
        "data": {"by_id": "virtio-LABDATA"},
        "cache": {"by_id": "virtio-LABCACHE"},
    },
}
