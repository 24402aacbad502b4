"""What leaves the settings of a converged machine: listed, forgotten, removed; and drift.

The tests run in the order in which they stand: each begins where the one before it ended.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from clup import lab
from tests.lab.command import ROOT, Answer, clup, on_machine
from tests.lab.machines import DISKS, FURNISHED, inventory, machine

NAME = "leaving"
WITH_OLD = (*DISKS, lab.Disk("virtio-LABOLD", 64 << 20))
OLD = "/srv/data/openclaw/old"
BOB = {"uid": 2101, "linger": True}
BEFORE: dict[str, dict[str, Any]] = {
    "storage": {"filesystems": {"old": {"by_id": "virtio-LABOLD"}}},
    "accounts": {"users": {"bob": BOB}, "groups": {"crew": 2102}},
    "layout": {"folders": {OLD: {}, f"{OLD}/sub": {}}},
}
LEFT = {
    "account bob",
    "group bob",
    "group crew",
    "mount /srv/old",
    f"folder {OLD}",
    f"folder {OLD}/sub",
}


@pytest.fixture(scope="module")
def box() -> Iterator[lab.Lab]:
    with machine(NAME, WITH_OLD, packages=FURNISHED) as box:
        applied = clup(NAME, "apply", inventory(box, BEFORE))
        assert applied.exit == 0, applied.stderr
        yield box


def after(box: lab.Lab, *words: str) -> Answer:
    """Run a command with settings that no longer have what was applied before."""
    return clup(NAME, *words, inventory(box, {}))


def unmanaged(answer: Answer) -> set[str]:
    [host] = answer.document["hosts"].values()
    return set(host["unmanaged"])


def removed(box: lab.Lab, name: str) -> Answer:
    answer = after(box, "remove", name, "--yes")
    assert answer.exit == 0, answer.stderr
    return answer


def refused(box: lab.Lab, name: str) -> str:
    answer = after(box, "remove", name, "--yes")
    assert answer.exit == 1
    [line] = [line for line in answer.stderr.splitlines() if line.startswith(f"{NAME}: ")]
    return line


def test_what_is_recorded_is_there_and_nothing_is_unmanaged(box: lab.Lab) -> None:
    recorded = on_machine(box, "cat /var/lib/clup/managed").splitlines()
    assert set(recorded) >= LEFT
    for path in [line.split(" ")[1] for line in recorded if line.startswith(("file", "folder"))]:
        on_machine(box, f"test -e {path}")
    drift = clup(NAME, "drift", inventory(box, BEFORE))
    assert (drift.exit, unmanaged(drift)) == (0, set())
    [host] = drift.document["hosts"].values()
    assert host["state"] == "in order"


def test_what_left_the_settings_stays_and_is_listed(box: lab.Lab) -> None:
    for command in ("plan", "verify", "apply", "drift"):
        answer = after(box, command)
        assert (command, answer.exit) == (command, 0)
        assert unmanaged(answer) == LEFT
    assert clup(NAME, "plan", inventory(box, BEFORE)).operations("would change") == set()


def test_what_is_in_the_settings_or_unknown_is_refused(box: lab.Lab) -> None:
    for command in (["remove", "--yes"], ["forget"]):
        declared = after(box, *command, "psy")
        assert declared.exit == 1
        assert "account psy is in the settings; take it out of group_data" in declared.stderr
        unknown = after(box, *command, "bobb")
        assert unknown.exit == 1
        assert "bobb: nothing that clup made" in unknown.stderr
        assert "did you mean bob?" in unknown.stderr
    assert after(box, "remove", "bob").exit == 64
    assert unmanaged(after(box, "plan")) == LEFT


def test_a_folder_goes_only_when_it_is_empty(box: lab.Lab) -> None:
    assert f"folder {OLD}: holds sub; move away what is in it" in refused(box, OLD)
    on_machine(box, f"echo kept >{OLD}/sub/note")
    assert "holds note" in refused(box, f"{OLD}/sub")
    on_machine(box, f"rm {OLD}/sub/note")
    removed(box, f"{OLD}/sub")
    on_machine(box, f"mount -t tmpfs none {OLD}")
    assert "busy; mend that on the machine, then try again" in refused(box, OLD)
    on_machine(box, f"umount {OLD}")
    removed(box, OLD)
    on_machine(box, f"test ! -e {OLD}")


def test_an_account_goes_only_when_nothing_of_it_runs(box: lab.Lab) -> None:
    on_machine(box, "echo kept >/home/bob/note; gpasswd -a bob crew >/dev/null")
    assert "account bob: runs the processes" in (line := refused(box, "bob"))
    assert "systemd" in line
    assert "group crew: has the members bob; take them out (gpasswd -d" in refused(box, "crew")
    on_machine(box, "loginctl disable-linger bob; loginctl terminate-user bob; sleep 1")
    answer = removed(box, "bob")
    [host] = answer.document["hosts"].values()
    assert host["done"] == ["account bob", "group bob"]
    removed(box, "crew")
    assert on_machine(box, "getent passwd bob || true; getent group bob crew || true") == ""
    assert on_machine(box, "cat /home/bob/note") == "kept\n"


def test_a_mount_goes_only_when_nothing_uses_it(box: lab.Lab) -> None:
    on_machine(
        box,
        """
        echo kept >/srv/old/note
        cd /srv/old; sleep 300 >/dev/null 2>&1 &
        """,
    )
    assert "mount /srv/old: is in use by the processes" in (line := refused(box, "/srv/old"))
    assert "(sleep)" in line
    on_machine(
        box,
        """
        for folder in /proc/[0-9]*/cwd; do
          [ "$(readlink "$folder")" != /srv/old ] || kill "$(echo "$folder" | cut -d / -f 3)"
        done
        sleep 0.3
        systemd-run -q --unit=held -p TemporaryFileSystem=/mnt -p BindPaths=/srv/old:/mnt/x \\
          sleep 300
        """,
    )
    assert "in use by the processes" in refused(box, "/srv/old")
    on_machine(box, "systemctl stop held; grep -c /srv/old /etc/fstab")
    removed(box, "/srv/old")
    assert on_machine(box, "grep -c /srv/old /etc/fstab || true") == "0\n"
    assert on_machine(box, "cat /etc/fstab.bak.* | grep -c /srv/old") != "0\n"
    on_machine(box, "! mountpoint -q /srv/old; test ! -e /srv/old; mount LABEL=CLAW_OLD /mnt")
    assert on_machine(box, "cat /mnt/note; umount /mnt") == "kept\n"


def test_a_file_is_kept_beside_and_a_name_is_forgotten(box: lab.Lab) -> None:
    drop_in = "/etc/systemd/system/containerd.service.d/clup.conf"
    on_machine(
        box, "cp -a /etc/hostname /etc/clup-old; echo file /etc/clup-old >>/var/lib/clup/managed"
    )
    assert unmanaged(after(box, "plan")) == {"file /etc/clup-old"}
    removed(box, "/etc/clup-old")
    on_machine(box, f"test ! -e /etc/clup-old; test -e {drop_in}; ls /etc/clup-old.bak.*")
    on_machine(box, "echo package curl-old >>/var/lib/clup/managed; touch /etc/x")
    on_machine(box, "echo file /etc/x >>/var/lib/clup/managed")
    assert unmanaged(after(box, "plan")) == {"file /etc/x"}
    assert after(box, "forget", "/etc/x").exit == 0
    on_machine(box, "test -e /etc/x")
    assert unmanaged(after(box, "plan")) == set()


def test_a_unit_no_longer_runs_nor_listens(box: lab.Lab) -> None:
    on_machine(
        box,
        """
        cd /etc/systemd/system
        printf '[Service]\\nExecStart=sleep 600\\n' >clup-old.service
        printf '[Socket]\\nListenStream=/run/clup-old.sock\\n' >clup-old.socket
        printf '[Install]\\nWantedBy=sockets.target\\n' >>clup-old.socket
        for kind in socket service; do
          echo "file $PWD/clup-old.$kind" >>/var/lib/clup/managed
        done
        systemctl daemon-reload
        systemctl -q enable --now clup-old.socket
        systemctl start clup-old.service
        test -S /run/clup-old.sock
        """,
    )
    removed(box, "/etc/systemd/system/clup-old.socket")
    on_machine(
        box,
        """
        test ! -e /run/clup-old.sock
        test ! -e /etc/systemd/system/sockets.target.wants/clup-old.socket
        systemctl is-active clup-old.service
        """,
    )
    removed(box, "/etc/systemd/system/clup-old.service")
    left = on_machine(box, "systemctl is-active clup-old.socket clup-old.service || true")
    assert left == "inactive\ninactive\n"


def test_the_journal_says_who_removed_what_and_an_apply_goes_on(box: lab.Lab) -> None:
    text = on_machine(box, "cat /var/lib/clup/journal.jsonl")
    actions = [json.loads(line).get("action") for line in text.splitlines()]
    assert {None, "remove account bob", "remove mount /srv/old", "forget file /etc/x"} <= set(
        actions
    )
    applied = after(box, "apply")
    assert (applied.exit, applied.operations("changed")) == (0, set())


def test_drift_tells_what_moved(box: lab.Lab) -> None:
    on_machine(box, "chmod 0777 /srv/data/openclaw; usermod -s /bin/sh psy")
    drift = after(box, "drift")
    assert drift.exit == 2
    [host] = drift.document["hosts"].values()
    assert host["state"] == "drifted"
    assert len(drift.operations("would change")) == 2
    assert len(drift.checks("failed")) >= 2
    words = [sys.executable, "-P", "-m", "clup", "drift", inventory(box, {})]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 2
    assert said.stdout.startswith(f"{NAME}: drifted: 2 changes pending, ")
    assert said.stdout.count("\n") == 1
    assert after(box, "apply").exit == 0
    assert after(box, "drift").exit == 0


def test_drift_of_a_machine_that_cannot_be_read(box: lab.Lab) -> None:
    path = inventory(box, {"ssh_port": 1})
    drift = clup(NAME, "drift", path)
    assert drift.exit == 1
    [host] = drift.document["hosts"].values()
    assert host["state"] == "unreachable"
    assert drift.stderr.count("refuses") == 0
