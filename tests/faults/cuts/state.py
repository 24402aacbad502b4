"""What must hold of a machine after runs were cut: nothing lost, nothing owed, nothing to do."""

from __future__ import annotations

from clup import lab
from tests.lab.command import clup, on_machine

MARKERS = "/var/lib/clup/pending/"
"""The folder of empty files that say what is owed."""

PLANT = """
for root in "$@"; do
  mkdir -p "$root/canary/deep"
  head -c 300000 /dev/urandom >"$root/canary/deep/blob"
  echo kept >"$root/canary/note"; chmod 0640 "$root/canary/note"
done
grep -q canary /etc/hosts || echo '10.9.8.7 canary' >>/etc/hosts
grep -q canary /etc/fstab || echo '# canary: by the operator' >>/etc/fstab
sync
"""
SHOW = """
for root in "$@"; do
  find "$root/canary" -type f -printf '%p %m %U %s\\n' | sort
  find "$root/canary" -type f -exec sha256sum {} + | sort
done
grep canary /etc/hosts /etc/fstab
"""
BARE = ("/srv/data", "/root")
_USED = """
mkfs.ext4 -q -L CLAW_DATA /dev/disk/by-id/virtio-LABDATA
mkdir -p /mnt/data; mount LABEL=CLAW_DATA /mnt/data
"""
OWED = """
ls -A /var/lib/clup/pending 2>/dev/null || true
ls -A /var/lib/clup/storage 2>/dev/null | grep -v '[.]uuid$' || true
ls -A /var/lib/clup/sshd | grep -vx -e change -e lock || true
"""
LITTER = """
find /etc /home /root /opt /srv -xdev -name '.clup.*' -o -xdev -name '.authorized_keys.??????' \
  -o -xdev -name '10-clup.conf.??????'
"""


def bare(box: lab.Lab) -> str:
    """Given a bare machine, give it a disk of data that somebody has used, under our label, while
    the other one is blank; return what `kept` shall show of `BARE` when it is converged."""
    on_machine(box, _USED)
    before = planted(box, "/mnt/data", "/root")
    on_machine(box, "umount /mnt/data")
    return before.replace("/mnt/data", "/srv/data")


def planted(box: lab.Lab, *roots: str) -> str:
    """Write files of an operator's below each folder, and lines in files that clup edits; return
    what `kept` shows of them."""
    on_machine(box, f"set -- {' '.join(roots)}\n{PLANT}")
    return kept(box, *roots)


def kept(box: lab.Lab, *roots: str) -> str:
    """Return the operator's files below each folder, with their hashes, and his lines."""
    return on_machine(box, f"set -- {' '.join(roots)}\n{SHOW}")


def owed(box: lab.Lab) -> str:
    """Return the marks of what a run that was cut still has to do, and of what it left."""
    return on_machine(box, OWED + LITTER)


def converges(box: lab.Lab, *arguments: str) -> None:
    """One run does all that is left: then there is nothing to do, and nothing is owed."""
    applied = clup(box.name, "apply", *arguments)
    assert applied.exit == 0, applied.stderr
    planned = clup(box.name, "plan", *arguments)
    assert planned.exit == 0, planned.operations("would change")
    assert owed(box) == ""


def verifies(box: lab.Lab, *arguments: str) -> None:
    """All checks of the running machine hold, such as that its daemons run with their files."""
    verified = clup(box.name, "verify", *arguments)
    assert verified.checks("failed") == []
    assert verified.exit == 0, verified.stderr
