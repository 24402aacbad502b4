"""Accounts and folders on a machine that somebody set up by hand, or whose users are hostile.

The tests run in the order in which they stand: each begins where the one before it ended.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from clup import lab
from clup.operations.accounts import _WRITE_KEYS
from tests.lab.command import Answer, on_machine
from tests.lab.machines import machine, run

KEYS = "/home/psy/.ssh/authorized_keys"
SHADOW = "sha256sum /etc/shadow /etc/passwd /etc/group"


@pytest.fixture(scope="module")
def box() -> Iterator[lab.Lab]:
    with machine("people") as box:
        yield box


def people(box: lab.Lab, command: str, settings: dict[str, Any] | None = None) -> Answer:
    """Run a command for the role accounts; psy may log in with the lab's key too."""
    own_key = box.key_file.with_name(f"{box.key_file.name}.pub").read_text().strip()
    given = {"users": {"psy": {"keys": [own_key]}}} | (settings or {})
    return run(box, command, "accounts", given)


def refused(box: lab.Lab, settings: dict[str, Any] | None = None) -> str:
    """Have plan and apply refuse, apply without a change; return all that apply said."""
    before = on_machine(box, SHADOW)
    planned = people(box, "plan", settings)
    applied = people(box, "apply", settings)
    assert (planned.exit, applied.exit) == (1, 1), (planned.stderr, applied.stderr)
    assert applied.operations("changed") == set()
    assert on_machine(box, SHADOW) == before
    assert json.dumps(planned.document).count("refused") >= 1
    return json.dumps(applied.document)


def test_other_ids_are_refused_and_nobody_is_renumbered(box: lab.Lab) -> None:
    on_machine(box, "groupadd -g 1500 psy; useradd -m -u 1500 -g psy psy; useradd -u 2010 bob")
    said = refused(box)
    assert "user psy: has the id 1500, not 2000; set accounts.users.psy.uid to 1500" in said
    assert "group psy: has the id 1500, not 2000" in said
    assert "user claw-runner: its id 2010 is that of bob" in said
    on_machine(box, "userdel -r psy 2>/dev/null; userdel bob")


def test_an_account_with_the_ids_is_taken_over_with_its_keys_and_password(box: lab.Lab) -> None:
    foreign = "# mine\nssh-ed25519 not-a-key\n"
    on_machine(
        box,
        "groupadd -g 2000 psy; useradd -m -u 2000 -g psy -G games -s /bin/bash psy\n"
        "echo psy:secret | chpasswd\n"
        "install -d -o psy -g psy -m 0700 /home/psy/.ssh\n"
        f"printf '{foreign}' >{KEYS}; echo kept >/home/psy/work",
    )
    hashed = on_machine(box, "getent shadow psy")
    applied = people(box, "apply")
    assert applied.exit == 0, applied.stderr
    assert on_machine(box, "getent shadow psy") == hashed
    assert on_machine(box, f"cat {KEYS}").startswith(foreign)
    assert on_machine(box, f"cat {KEYS}.bak.*") == foreign
    assert on_machine(box, "cat /home/psy/work; id -nG psy") == "kept\npsy games\n"
    assert people(box, "verify").checks("failed") == []
    assert people(box, "plan").exit == 0


def test_a_new_account_without_a_password_logs_in_with_its_key(box: lab.Lab) -> None:
    on_machine(box, "systemctl stop user@2000; userdel -r psy 2>/dev/null")
    applied = people(box, "apply")
    assert applied.exit == 0, applied.stderr
    assert on_machine(box, "getent shadow psy").split(":")[1] == "*"
    psy = replace(box, user="psy")
    argv = lab.ssh_argv(psy, ["test -f .bashrc && systemctl --user is-system-running"])
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.stdout == "running\n", done.stderr


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        ("mv .ssh old; ln -s /root/.ssh .ssh", "/home/psy/.ssh: is a link, not a directory"),
        (
            "mv .ssh/authorized_keys old; ln -s /etc/shadow .ssh/authorized_keys",
            f"{KEYS}: is a link, not a file",
        ),
        (
            "mv .ssh/authorized_keys old; mkfifo .ssh/authorized_keys",
            f"{KEYS}: is a fifo, not a file",
        ),
        # Root left these two in the home; whoever owns a folder may rename what is in it.
        (
            "mv .ssh/authorized_keys old; mv .env .ssh/authorized_keys",
            f"{KEYS}: has more than 1 MB, or psy itself cannot read it",
        ),
        ("mv .ssh old; mv roots .ssh", "/home/psy/.ssh: belongs to root, not to psy"),
    ],
)
def test_what_a_user_plants_is_neither_followed_nor_shown(
    box: lab.Lab, plant: str, said: str
) -> None:
    on_machine(
        box,
        "umask 077; cd /home/psy; echo TOKEN=root: >.env; mkdir -p roots; echo root: >roots/file\n"
        f"cp -a .ssh /root/kept; su psy -c 'cd && {plant}'",
    )
    root = on_machine(box, "mkdir -p -m 0755 /root/.ssh; ls -laR /root/.ssh")
    answer = refused(box)
    assert said in answer
    assert "root:" not in answer
    assert on_machine(box, "ls -laR /root/.ssh") == root
    roots = "cd /home/psy; find . -user root -exec cat {} + 2>/dev/null | sort"
    assert on_machine(box, roots) == "TOKEN=root:\nroot:\n"
    on_machine(box, "cd /home/psy; rm -rf .ssh .env roots old; mv /root/kept .ssh")


def test_a_name_in_another_encoding_hides_nobody(box: lab.Lab) -> None:
    on_machine(
        box, "useradd -u 1400 mueller; sed -i 's/^mueller:x:1400:[0-9]*:/&M\\xfcller/' /etc/passwd"
    )
    assert people(box, "plan").exit == 0
    assert people(box, "verify").checks("failed") == []
    on_machine(box, "userdel mueller")


def test_a_link_planted_after_the_look_is_not_followed(box: lab.Lab) -> None:
    on_machine(
        box, "cp -a /home/psy/.ssh /root/kept; su psy -c 'rm -r ~/.ssh; ln -s /root/.ssh ~/.ssh'"
    )
    root = on_machine(box, "ls -laR /root/.ssh")
    argv = lab.ssh_argv(box, ["sudo", "sh", "-s", "psy", "psy", "/home/psy"])
    done = subprocess.run(argv, input=_WRITE_KEYS, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert on_machine(box, "ls -laR /root/.ssh") == root
    on_machine(box, "rm /home/psy/.ssh; mv /root/kept /home/psy/.ssh")


def test_no_home_is_taken_from_others_nor_made_where_others_could_exchange_it(box: lab.Lab) -> None:
    on_machine(box, "install -d -m 0700 /srv/secrets; install -d -o operator /srv/theirs")
    homes = {"bob": "/home/operator/bob", "eve": "/srv/secrets", "zoe": "/srv/theirs"}
    users = {name: {"uid": 2100 + i, "home": homes[name]} for i, name in enumerate(homes)}
    said = refused(box, {"users": users})
    assert "/home/operator/bob: is not safe: others than root may exchange what is in" in said
    assert "/srv/secrets: belongs to root, not to eve" in said
    assert "/srv/theirs: belongs to operator, not to zoe" in said
    assert on_machine(box, "stat -c '%U %a' /srv/secrets") == "root 700\n"
    on_machine(box, "rmdir /srv/secrets /srv/theirs")


def test_nobody_is_in_docker_without_a_waiver(box: lab.Lab) -> None:
    on_machine(box, "groupadd docker; gpasswd -a psy docker; gpasswd -a operator docker")
    assert "group docker: has operator; take it away by `gpasswd -d NAME docker`" in refused(box)
    failed = people(box, "verify").checks("failed")
    assert any("without a waiver: found 'operator', 'psy'" in line for line in failed)
    waiver = {"reason": "builds images by hand", "owner": "ops", "expires": "2999-12-31"}
    settings = {"docker": {"operator": waiver}}
    members = {"accounts: Keep the group docker to those with a waiver"}
    assert people(box, "apply", settings).operations("changed") == members
    assert on_machine(box, "getent group docker").strip().endswith(":operator")
    assert people(box, "verify", settings).checks("failed") == []
    waiver["expires"] = "2020-01-01"
    assert "has operator" in refused(box, settings)
    failed = people(box, "verify", settings).checks("failed")
    assert any(
        "the waiver of operator for docker holds until 2020-01-01" in line for line in failed
    )


def test_no_folder_is_made_while_its_disk_is_away(box: lab.Lab) -> None:
    on_machine(box, "mkdir -p /srv/data /srv/cache")
    applied = run(box, "apply", "layout", {})
    assert applied.exit == 1
    assert "/srv/cache is not mounted" in json.dumps(applied.document) + applied.stderr
    assert on_machine(box, "find /srv -mindepth 2") == ""


def test_a_folder_that_is_a_link_or_a_file_is_refused(box: lab.Lab) -> None:
    on_machine(
        box,
        "for name in data cache; do mount -t tmpfs none /srv/$name; done\n"
        "mkdir -p /srv/data/openclaw /root/elsewhere; chmod 0700 /root/elsewhere\n"
        "ln -s /root/elsewhere /srv/data/openclaw/repo; : >/srv/data/openclaw/infra",
    )
    applied = run(box, "apply", "layout", {})
    said = json.dumps(applied.document)
    assert applied.exit == 1
    assert applied.operations("changed") == set()
    assert "/srv/data/openclaw/repo: is a link, not a directory" in said
    assert "/srv/data/openclaw/infra: is a file, not a directory" in said
    on_machine(box, "rm /srv/data/openclaw/repo /srv/data/openclaw/infra")
    assert run(box, "apply", "layout", {}).exit == 0
    assert run(box, "plan", "layout", {}).exit == 0
    assert on_machine(box, "stat -c %a /root/elsewhere") == "700\n"
