"""What is shown of a text that somebody else wrote."""

from __future__ import annotations

import pytest

from clup.masking import masked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("//nas /x cifs user=psy,password=a,,b,ro 0 0", "//nas /x cifs user=psy,password=*** 0 0"),
        ("//nas/x /mnt cifs username=psy%hunter2 0 0", "//nas/x /mnt cifs username=psy%*** 0 0"),
        ("//nas/x /mnt cifs credentials=/root/nas 0 0", "//nas/x /mnt cifs credentials=*** 0 0"),
        ("psy:hunter2@nas:/x /mnt fuse.sshfs ro 0 0", "psy:***@nas:/x /mnt fuse.sshfs ro 0 0"),
        ('  "https-proxy": "http://psy:hun@ter/2@proxy:3128",', '  "https-proxy": "http://psy:***@proxy:3128",'),
        ('"splunk-token": "hunter2",', '"splunk-token": ***,'),
        ('"tokens": [\n  "hunter2",\n  "hunter3"\n],', '"tokens": ***,'),
        ('{"a":1,"apiKey":"hun\\"ter2","b":2}', '{"a":1,"apiKey":***,"b":2}'),
        ('  password = """hunter2\nhunter3"""\nroot = "/x"', '  password = ***\nroot = "/x"'),
        ("  auth = 'hunter2'", "  auth = ***"),
        ("Authorization = ['Bearer hunter2']", "Authorization = ***"),
        # What is no secret is shown.
        ("LABEL=CLAW_DATA /srv/data ext4 noatime,nofail 0 2", None),
        ("# <file system> <mount point> <type> <options> <dump> <pass>", None),
        ('"data-root": "/srv/cache/docker",', None),
        ('[plugins."io.containerd.internal.v1.opt"]', None),
        ("psy@nas:/x /mnt fuse.sshfs ro 0 0", None),
    ],
)  # fmt: skip
def test_a_value_that_is_named_like_a_secret_is_masked(text: str, shown: str | None) -> None:
    assert masked(text) == (text if shown is None else shown)
