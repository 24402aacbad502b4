"""What makes an image this one machine: its keys, and whose login they open."""

from clup.lab import image
from clup.lab.keys import public
from clup.lab.machine import Lab
from clup.lab.tree import Entry


def belongings(lab: Lab) -> tuple[Entry, ...]:
    """Given a lab with its keys, return the files that make the image this one machine."""
    home = f"home/{lab.user}/.ssh"
    authorized = public(lab.key_file).encode()
    host_key = "etc/ssh/ssh_host_ed25519_key"
    return (
        Entry(host_key, 0o600, lab.host_key_file.read_bytes()),
        Entry(f"{host_key}.pub", 0o644, public(lab.host_key_file).encode()),
        Entry(home, 0o700, owner=image.OPERATOR),
        Entry(f"{home}/authorized_keys", 0o600, authorized, owner=image.OPERATOR),
    )
