"""What people do to accounts by hand."""

from tests.lab.breakages import Breakage

KEYS = "/home/psy/.ssh/authorized_keys"

BREAKAGES = [
    Breakage(
        "another shell",
        "usermod -s /bin/sh psy",
        changes=("Make the user psy",),
        checks=("user psy has the shell /bin/bash",),
    ),
    Breakage(
        "a service's account made to log in",
        "usermod -s /bin/bash -c Somebody claw-runner",
        changes=("Make the user claw-runner",),
        checks=("user claw-runner has the shell", "user claw-runner is called"),
    ),
    Breakage(
        "a password emptied to get in",
        "passwd -q -d psy",
        changes=("Make the user psy",),
        checks=("user psy does not log in with an empty password",),
    ),
    Breakage(
        "an account deleted and made again, its home kept",
        "systemctl stop user@2000.service && userdel psy 2>/dev/null"
        " && groupadd -g 2000 psy && useradd -u 2000 -g psy -d /home/psy -s /bin/dash psy",
        changes=("Make the user psy", "Run the user manager of psy"),
        checks=(
            "user psy has the shell /bin/bash",
            "user psy is called",
            "the user manager of psy answers",
        ),
    ),
    Breakage(
        "a home open to everybody",
        "chmod 0777 /home/psy",
        changes=("Give psy its home",),
        checks=("/home/psy is 0750 psy:psy",),
    ),
    Breakage(
        "a home given to root",
        "chown root:root /home/psy",
        changes=("Give psy its home",),
        checks=("/home/psy is 0750 psy:psy",),
    ),
    Breakage(
        "a key removed",
        f"sed -i /nobody@lab/d {KEYS}",
        changes=("Let psy in by its keys",),
        checks=("psy may log in with ssh-ed25519 nobody@lab",),
    ),
    Breakage(
        "a key restricted",
        f"sed -i 's/^ssh-ed25519/restrict,command=\"true\" &/' {KEYS}",
        changes=("Let psy in by its keys",),
        checks=("psy may log in with ssh-ed25519 nobody@lab",),
    ),
    Breakage(
        "keys copied in place by root",
        f"chown root:root {KEYS} && chmod 0644 {KEYS}",
        changes=("Let psy in by its keys",),
        checks=(f"{KEYS} is 0600 psy:psy",),
    ),
    Breakage(
        "the folder of the keys open",
        "chmod 0775 /home/psy/.ssh",
        changes=("Let psy in by its keys",),
        checks=("/home/psy/.ssh is 0700 psy:psy",),
    ),
    Breakage(
        "all keys lost",
        "rm -r /home/psy/.ssh",
        changes=("Let psy in by its keys",),
        checks=("/home/psy/.ssh is 0700 psy:psy", "psy may log in with"),
    ),
    Breakage(
        "no linger",
        "loginctl disable-linger psy",
        changes=("Run the user manager of psy",),
        checks=("psy lingers",),
    ),
    Breakage(
        "a user manager stopped",
        "systemctl stop user@2000.service",
        changes=("Run the user manager of psy",),
        checks=("the user manager of psy answers",),
    ),
    Breakage(
        "the human in the group docker",
        "gpasswd -a psy docker >/dev/null",
        changes=("Keep the group docker to those with a waiver",),
        checks=("nobody is in the group docker without a waiver",),
    ),
]
