"""A machine that somebody set up by hand is taken over: refused first, described, then converged.

The tests run in the order in which they stand: each begins where the one before it ended.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clup import lab
from tests.lab.command import ROOT, Answer, clup, on_machine
from tests.lab.machines import FURNISHED, inventory, machine

NAME = "adoption"
CONTAINERS = (
    "docker ps -aq | xargs docker inspect -f '{{.Name}} {{.State.StartedAt}} {{.State.Pid}}'"
)

# Each file of the user's: which one it is, whose, when it was written, what is in it.
DATA = """
find /srv/data /srv/cache/openclaw /srv/cache/docker/volumes/pgdata /home/psy -xdev -type f \\
  -printf '%i %U:%G %m %T@ %p ' -exec sha256sum {} \\;
"""
DESIRED = "/srv/data/openclaw/clup"
"""The folder of desired state, an empty one of the user's before: there clup writes."""
FILES = "find /etc /root -xdev -type f -exec sha256sum {} + | sort -k 2"

# What useradd, dpkg and their like write; they keep a copy where that matters.
NOT_CLUPS = re.compile(
    r"/etc/((passwd|group|shadow|gshadow|subuid|subgid)-?|ld\.so\.cache|mailcap|\.pwd\.lock|mtab)"
)
# What is not there when clup comes, in the words of its settings: enough for them to be valid.
FIRST_TRY: dict[str, Any] = {"storage": {"filesystems": {"data": {}, "cache": {}}}}


@pytest.fixture(scope="module")
def box() -> Iterator[lab.Lab]:
    with machine(NAME, packages=FURNISHED) as box:
        on_machine(box, Path(__file__).with_name("by_hand.sh").read_text())
        yield box


@pytest.fixture(scope="module")
def before(box: lab.Lab) -> dict[str, list[str]]:
    return seen(box)


def seen(box: lab.Lab) -> dict[str, list[str]]:
    """Return what must not change, and the files that may if a copy is kept."""
    looks = {"containers": CONTAINERS, "data": DATA, "files": FILES}
    return {name: on_machine(box, look).splitlines() for name, look in looks.items()}


def hashes(files: list[str]) -> dict[str, str]:
    """Given lines of sha256sum, return the hashes by path."""
    return {path: digest for digest, path in (line.split("  ", 1) for line in files)}


def command(box: lab.Lab, word: str, settings: dict[str, Any] | None = None) -> Answer:
    """Run a command on the machine, which is in no group that has settings."""
    data = {"_sudo": True, **(settings or {})}
    return clup(NAME, word, inventory(box, data, "by_hand"))


def described(box: lab.Lab) -> Path:
    """Return the file of settings beside the inventory, as an operator would name it."""
    return box.folder / "group_data" / "by_hand.py"


def undescribed(box: lab.Lab) -> Path:
    """Return the file that keeps what a plan without the settings of adopt would change."""
    return box.folder / "undescribed.json"


def test_an_id_that_differs_is_refused_with_its_cure(
    box: lab.Lab, before: dict[str, list[str]]
) -> None:
    planned = command(box, "plan", FIRST_TRY)
    applied = command(box, "apply", FIRST_TRY)
    assert (planned.exit, applied.exit) == (1, 1)
    assert planned.operations("refused") == {
        "accounts: Make the group psy",
        "accounts: Make the user psy",
        "engine: Take over the engine that is there, if any",
    }
    assert seen(box) == before
    [uid] = re.findall(r"set accounts\.users\.psy\.uid to (\d+)", applied.stderr)
    [root] = re.findall(r"engine\.containerd_root='([^']+)'", applied.stderr)
    cured = FIRST_TRY | {
        "accounts": {"users": {"psy": {"uid": int(uid)}}},
        "engine": {"containerd_root": root},
    }
    again = command(box, "plan", cured)
    assert (again.exit, again.operations("refused")) == (2, set())
    undescribed(box).write_text(json.dumps(sorted(again.operations("would change"))))


def test_adopt_prints_settings_that_describe_it(box: lab.Lab, before: dict[str, list[str]]) -> None:
    argv = [sys.executable, "-P", "-m", "clup", "adopt", inventory(box, {"_sudo": True}, "by_hand")]
    environment = os.environ | {"CLUP_LAB": NAME}
    done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert seen(box) == before
    described(box).parent.mkdir()
    described(box).write_text(done.stdout)
    assert "hunter2" not in done.stdout
    assert "proxies, which may hold a secret" in done.stdout
    assert "# psy has the id 1100 on this machine." in done.stdout
    ruff = Path(sys.executable).with_name("ruff")
    subprocess.run([ruff, "format", "--check", described(box)], check=True)
    document = command(box, "adopt").document["hosts"][NAME]
    assert document["settings"] == {}, "what was found is what the settings say by now"


def test_with_them_the_plan_is_short_and_nothing_is_refused(box: lab.Lab) -> None:
    checked = command(box, "check")
    assert checked.exit == 0, checked.stderr
    planned = command(box, "plan")
    assert (planned.exit, planned.operations("refused")) == (2, set())
    changes = planned.operations("would change")
    assert not [name for name in changes if "/srv/data/openclaw/runner" in name]
    without = set(json.loads(undescribed(box).read_text()))
    assert len(without - changes) >= 20, "what adopt described is no change any more"
    assert changes - without <= {"base: Name the machine"}


def test_it_is_taken_over_without_a_stop_or_a_lost_file(
    box: lab.Lab, before: dict[str, list[str]]
) -> None:
    applied = command(box, "apply")
    assert applied.exit == 0, applied.stderr
    now = seen(box)
    assert now["containers"] == before["containers"]
    former = [line for line in now["data"] if f" {DESIRED}/" not in line]
    assert former == before["data"]
    on_machine(
        box,
        """
        docker exec dkr-gw-admin /bin/busybox touch /config/devices/pending.json
        docker exec dkr-postgres /bin/busybox grep rows /var/lib/db/table
        """,
    )
    published = "/root/image/bin/busybox wget -q -O - http://127.0.0.1:18888/health"
    assert on_machine(box, published) == "ready\n"


def test_each_file_that_was_replaced_has_a_copy(box: lab.Lab, before: dict[str, list[str]]) -> None:
    former, now = hashes(before["files"]), hashes(seen(box)["files"])
    assert former.keys() - now.keys() == set(), "a file is gone"
    changed = {path for path in former if now[path] != former[path]}
    ours = {path for path in changed if not NOT_CLUPS.fullmatch(path)}
    assert {"/etc/fstab", "/etc/docker/daemon.json", "/etc/containerd/config.toml"} <= ours
    for path in ours:
        copies = [now[each] for each in now if each.startswith(f"{path}.bak.")]
        assert former[path] in copies, f"{path} was replaced without a copy"


def test_a_second_apply_changes_nothing_and_all_checks_hold(box: lab.Lab) -> None:
    applied = command(box, "apply")
    assert (applied.exit, applied.operations("changed")) == (0, set())
    verified = command(box, "verify")
    assert verified.checks("failed") == []
    assert verified.exit == 0


def test_it_boots_with_its_disks_and_its_containers(box: lab.Lab) -> None:
    lab.reboot(NAME)
    verified = command(box, "verify")
    assert (verified.exit, verified.checks("failed")) == (0, [])
    running = on_machine(box, "docker ps --format '{{.Names}}'").split()
    assert {"dkr-postgres", "dkr-gw-admin", "dkr-claw-runner"} <= set(running)
    assert (
        on_machine(box, "docker exec dkr-postgres /bin/busybox cat /var/lib/db/table") == "rows\n"
    )
