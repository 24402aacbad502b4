"""A Hyper-V guest of one's own: copy this file and `inventories/example.py` under a new name.

The disks are named as the machine names them: `ls -l /dev/disk/by-id/` there. Hyper-V gives each
VHDX a name that begins with wwn-0x6002248. A device such as /dev/sdb is refused, as it changes
from one boot to the next.
"""

_sudo = True

# A name that begins with _ is your own; any other one has to be a setting.
_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1Zt1Qb9mVxQ2R9cGq4m8oV5m0kqv6w0m1jz8Qm7sY2 psy@desk"

base = {
    "hostname": "claw-vm",
    "timezone": "Europe/Berlin",
}

storage = {
    "filesystems": {
        "data": {"by_id": "wwn-0x60022480aaaaaaaaaaaaaaaaaaaaaaaa"},
        "cache": {"by_id": "wwn-0x60022480bbbbbbbbbbbbbbbbbbbbbbbb"},
    },
}

engine = {
    "expect": {"data_root": "/srv/cache/docker"},
}

accounts = {
    "users": {
        "psy": {"keys": [_KEY]},
    },
}
