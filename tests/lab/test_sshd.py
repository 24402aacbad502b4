"""A change to sshd on a lab machine: kept with a proof, taken back without one.

The tests run in the order in which they stand; each leaves sshd as the site has it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from clup import lab
from tests.lab.command import Answer, on_machine
from tests.lab.machines import machine, run
from tests.lab.sshd import LOCKED_OUT, TAKEN_BACK_WITHIN, change, locked_out_and_back, logs_in

NAME = "sshd"
OPERATION = "base: Let only keys in through sshd"
DROPIN = "/etc/ssh/sshd_config.d/10-clup.conf"


@pytest.fixture(scope="module")
def box() -> Iterator[lab.Lab]:
    with machine(NAME) as box:
        first = apply(box, {})
        assert first.exit == 0, first.stderr
        yield box


def apply(box: lab.Lab, ssh: dict[str, Any], command: str = "apply") -> Answer:
    """Run a command for the role base, with these settings of sshd."""
    return run(box, command, "base", {"ssh": ssh})


def effective(box: lab.Lab) -> set[str]:
    """The lines of `sshd -T`, which is what all of its files amount to."""
    return set(on_machine(box, "sshd -T").splitlines())


def nothing_is_armed(box: lab.Lab) -> bool:
    """Whether neither the marker nor the timer nor its units are left."""
    seen = on_machine(
        box,
        "ls /var/lib/clup/sshd /etc/systemd/system /etc/systemd/system/timers.target.wants;"
        " systemctl list-units --all --no-legend 'clup-sshd*'",
    )
    return "armed" not in seen and "takeback" not in seen


def test_passwords_are_off_once_a_second_login_succeeded(box: lab.Lab) -> None:
    assert {"passwordauthentication no", "x11forwarding no"} <= effective(box)
    assert nothing_is_armed(box)


def test_a_lock_out_fails_in_one_line_and_is_taken_back(box: lab.Lab) -> None:
    before = on_machine(box, f"cat {DROPIN}")
    began = time.monotonic()
    answer = apply(box, {"allow_users": ["nobody"]})
    assert time.monotonic() - began < TAKEN_BACK_WITHIN
    assert answer.exit == 1
    assert "sshd: a second login failed after the change" in answer.stderr
    assert "the former settings are back; check base.ssh" in answer.stderr
    assert logs_in(box)
    assert on_machine(box, f"cat {DROPIN}") == before
    assert nothing_is_armed(box)
    assert apply(box, {}, "plan").exit == 0


def test_a_port_is_added_and_a_move_to_one_out_of_reach_is_taken_back(box: lab.Lab) -> None:
    assert apply(box, {"ports": [22, 2222]}).operations("changed") == {OPERATION}
    assert {"port 22", "port 2222"} <= effective(box)
    assert on_machine(box, "ss -Hltn 'sport = :2222'") != ""
    assert apply(box, {"ports": [2222]}).exit == 1
    assert {"port 22", "port 2222"} <= effective(box)
    assert apply(box, {}).operations("changed") == {OPERATION}
    assert on_machine(box, "ss -Hltn 'sport = :2222'") == ""


def test_the_machine_takes_back_what_a_killed_run_left(box: lab.Lab) -> None:
    """The run that armed and put this is gone: only the machine's timer is left to mend it."""
    locked_out_and_back(box)
    assert "allowusers nobody" not in effective(box)
    assert nothing_is_armed(box)


def test_a_reboot_in_between_does_not_lock_out_for_good(box: lab.Lab) -> None:
    on_machine(box, change("arm 20") + change("put", LOCKED_OUT))
    lab.reboot(NAME)
    assert logs_in(box)
    assert "allowusers nobody" not in effective(box)


def test_the_next_run_proves_what_a_killed_run_left(box: lab.Lab) -> None:
    """What was put is right, but would be taken back, as no login has proven it."""
    right = on_machine(box, f"cat {DROPIN}")
    on_machine(box, change("arm 45") + change("put", right))
    planned = apply(box, {}, "plan")
    assert planned.operations("would change") == {OPERATION}
    applied = apply(box, {})
    assert (applied.exit, applied.operations("changed")) == (0, {OPERATION})
    assert nothing_is_armed(box)


def test_files_that_sshd_refuses_are_never_loaded(box: lab.Lab) -> None:
    before = on_machine(box, f"cat {DROPIN}")
    said = on_machine(
        box, change("arm 45") + "! " + change("put", "Nonsense yes\n").rstrip() + " 2>&1"
    )
    assert "sshd: its files would be refused" in said
    assert "Nonsense" in said
    assert on_machine(box, f"cat {DROPIN}") == before
    assert nothing_is_armed(box)


def test_a_file_that_overrules_ours_is_named_and_left_alone(box: lab.Lab) -> None:
    other = "/etc/ssh/sshd_config.d/01-admin.conf"
    on_machine(box, f"echo 'X11Forwarding yes' >{other}; systemctl reload ssh")
    planned = apply(box, {}, "plan")
    assert planned.operations("refused") == {OPERATION}
    assert "x11forwarding is yes, not no" in str(planned.document)
    on_machine(box, f"rm {other}; systemctl reload ssh")
    assert apply(box, {}, "plan").exit == 0


def test_a_file_that_the_running_sshd_has_not_read_is_noticed(box: lab.Lab) -> None:
    on_machine(box, "sleep 1.1; touch /etc/ssh/sshd_config")
    assert apply(box, {}, "plan").operations("would change") == {OPERATION}
    assert apply(box, {}).exit == 0
    assert apply(box, {}, "plan").exit == 0


def test_a_machine_whose_systemd_listens_for_sshd(box: lab.Lab) -> None:
    """As Ubuntu has it: sshd runs only from the first connection on."""
    on_machine(
        box, "systemctl -q disable ssh; systemctl stop ssh; systemctl -q enable --now ssh.socket"
    )
    assert apply(box, {"allow_users": ["operator"]}).exit == 0
    assert "allowusers operator" in effective(box)
    assert apply(box, {"allow_users": ["nobody"]}).exit == 1
    assert logs_in(box)
    assert apply(box, {}).operations("changed") == {OPERATION}
    assert on_machine(box, "systemctl is-active ssh.socket") == "active\n"
    assert nothing_is_armed(box)
