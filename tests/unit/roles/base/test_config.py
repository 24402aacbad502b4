"""Which packages and which text the settings become, also on machines that no lab is."""

from __future__ import annotations

import pytest

from clup.facts.machine import MachineState
from roles.base import config
from roles.base.checks import apt_values, followed, last_values
from roles.base.settings import Apt, Clock, Journal, Settings, Ssh

LAB = MachineState("debian", "13", "trixie", "docker", "none")
DEBIAN = MachineState("debian", "13", "trixie", "none", "kvm")
HYPERV = MachineState("ubuntu", "24.04", "noble", "none", "microsoft")
HYPERV_DEBIAN = MachineState("debian", "13", "trixie", "none", "microsoft")


@pytest.mark.parametrize(
    ("machine", "settings", "expected"),
    [
        (LAB, {}, ("python3", "tzdata", "unattended-upgrades")),
        (DEBIAN, {}, ("python3", "tzdata", "unattended-upgrades", "chrony")),
        (LAB, {"apt": {"security_upgrades": False}}, ("python3", "tzdata")),
        (LAB, {"locale": "de_DE.UTF-8"}, ("python3", "tzdata", "unattended-upgrades", "locales")),
        (
            HYPERV,
            {"packages": ["curl"]},
            (
                "python3",
                "tzdata",
                "unattended-upgrades",
                "chrony",
                "linux-cloud-tools-virtual",
                "curl",
            ),
        ),
        (
            HYPERV_DEBIAN,
            {},
            ("python3", "tzdata", "unattended-upgrades", "chrony", "hyperv-daemons"),
        ),
    ],
)
def test_packages(
    machine: MachineState, settings: dict[str, object], expected: tuple[str, ...]
) -> None:
    assert config.packages(Settings.model_validate(settings), machine) == expected


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        (DEBIAN, "server 192.0.2.1 iburst\nmakestep 1 -1\n"),
        (
            HYPERV,
            "server 192.0.2.1 iburst\n"
            "refclock PHC /dev/ptp_hyperv poll 3 dpoll -2 offset 0\n"
            "makestep 1 -1\n",
        ),
    ],
)
def test_chrony_asks_the_hyperv_host_only_on_hyperv(machine: MachineState, expected: str) -> None:
    assert config.chrony(Clock(servers=("192.0.2.1",)), machine).content == expected


def test_apt_installs_only_what_the_distribution_calls_security() -> None:
    for machine in (DEBIAN, HYPERV):
        text = config.apt(Apt(), machine).content
        origins = apt_values(text.splitlines(), "Unattended-Upgrade::Origins-Pattern::")
        assert origins == list(config.SECURITY[machine.system])
        assert all("ecurity" in origin for origin in origins)
        assert text.index("#clear") < text.index(origins[0])


def test_a_reboot_is_asked_for_only_with_a_time() -> None:
    assert 'Automatic-Reboot "false"' in config.apt(Apt(), DEBIAN).content
    text = config.apt(Apt(reboot_at="04:30"), DEBIAN).content
    assert 'Automatic-Reboot "true"' in text
    assert 'Automatic-Reboot-Time "04:30"' in text


def test_the_journals_limits_carry_their_units() -> None:
    limits = config.journal_limits(Journal(max_use_mib=512, keep_free_mib=100, max_days=7))
    assert limits == {
        "Storage": "persistent",
        "SystemMaxUse": "512M",
        "SystemKeepFree": "100M",
        "MaxRetentionSec": "7day",
    }


def test_sshd_lists_ports_and_accounts_only_when_they_are_given() -> None:
    assert {"Port", "AllowUsers"}.isdisjoint(config.sshd(Ssh()))
    options = config.sshd(Ssh(ports=(22, 2222), allow_users=("psy",), password_login=True))
    assert options["Port"] == ("22", "2222")
    assert options["AllowUsers"] == ("psy",)
    assert options["PasswordAuthentication"] == ("yes",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (["[Journal]", "Storage=auto", "Storage=persistent"], {"Storage": "persistent"}),
        (["# vm.swappiness = 1", "; x = 1", "vm.swappiness = 60"], {"vm.swappiness": "60"}),
        (
            ["-net.core.somaxconn=1", "net/ipv4 = a = b"],
            {"net.core.somaxconn": "1", "net/ipv4": "a = b"},
        ),
        ([], {}),
    ],
)
def test_the_last_file_wins(text: list[str], expected: dict[str, str]) -> None:
    assert last_values(text) == expected


@pytest.mark.parametrize(
    ("age", "tracking", "status"),
    [
        (
            900,
            "A1B2C3D4,192.0.2.1,3,1700000000.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,64.2,Normal",
            "passed",
        ),
        (900, "50484330,PHC0,1,1700000000.0,0,0,0,0,0,0,0,0,8.0,Insert second", "passed"),
        (900, "00000000,,0,0.0,0,0,0,0,0,0,1,1,0.0,Not synchronised", "failed"),
        (20, "00000000,,0,0.0,0,0,0,0,0,0,1,1,0.0,Not synchronised", "untestable"),
        (20, "506 Cannot talk to daemon", "failed"),
    ],
)
def test_a_clock_that_follows_nothing_fails_once_chrony_had_its_time(
    age: int, tracking: str, status: str
) -> None:
    assert followed("clock", age, tracking).status == status
