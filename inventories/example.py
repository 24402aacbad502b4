"""A machine of one's own: copy this file and `group_data/example.py` under a new name.

The file's name is the name of its group, and so of the `group_data` that it gets.
"""

hosts = [
    (
        "claw-vm",
        {
            "ssh_hostname": "192.0.2.10",
            "ssh_user": "admin1",
            "ssh_strict_host_key_checking": "yes",
        },
    ),
]
