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

# Nobody has the private half of this key: it is here so that labs have one to converge.
accounts = {
    "users": {
        "psy": {
            "keys": [
                "ssh-ed25519 "
                "AAAAC3NzaC1lZDI1NTE5AAAAIPeuEOn+xUJDJvlFYELNtyNqPR+nTSUzDeTgZ5gRNW1C nobody@lab"
            ],
        },
    },
}
