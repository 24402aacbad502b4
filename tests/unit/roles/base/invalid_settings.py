"""Settings of the machine itself that are refused: what was written, where, and a part of why."""

from __future__ import annotations

from typing import Any

INVALID: list[tuple[dict[str, Any], str, str]] = [
    ({"hostnam": "vm"}, "hostnam", "not a known setting"),
    ({"hostname": "claw_vm"}, "hostname", "is no host name"),
    ({"hostname": "vm.example.org"}, "hostname", "is no host name"),
    ({"hostname": "a" * 64}, "hostname", "is no host name"),
    ({"timezone": "Europe/Berln"}, "timezone", "no time zone of the IANA database"),
    ({"timezone": "../../etc/shadow"}, "timezone", "is no name of a time zone"),
    ({"locale": "german"}, "locale", "is no UTF-8 locale"),
    ({"locale": "de_DE.ISO-8859-1"}, "locale", "is no UTF-8 locale"),
    ({"packages": ["curl; reboot"]}, "packages.0", "should match pattern"),
    ({"packages": "curl"}, "packages", "valid tuple"),
    ({"apt": {"lock_timeout_s": 0}}, "apt.lock_timeout_s", "greater than or equal to 10"),
    ({"apt": {"security_upgrades": "often"}}, "apt.security_upgrades", "valid boolean"),
    ({"apt": {"reboot_at": "25:00"}}, "apt.reboot_at", "is no time of day"),
    ({"clock": {"servers": ["time.example.org iburst"]}}, "clock.servers.0", "match pattern"),
    ({"journal": {"max_use_mib": 1}}, "journal.max_use_mib", "greater than or equal to 64"),
    ({"journal": {"max_use": 1024}}, "journal.max_use", "not a known setting"),
    ({"sysctl": {"swappiness": 1}}, "sysctl.swappiness", "no kernel setting"),
    ({"sysctl": {"vm.swappiness": "1\n2"}}, "sysctl.vm.swappiness", "no value of a kernel"),
    ({"sysctl": {"net.ipv4.ip_forward": 0}}, "sysctl.net.ipv4.ip_forward", "cuts containers off"),
    (
        {"sysctl": {"kernel.apparmor_restrict_unprivileged_userns": 0}},
        "sysctl.kernel.apparmor_restrict_unprivileged_userns",
        "opens user namespaces",
    ),
    ({"ssh": {"ports": [0]}}, "ssh.ports.0", "greater than or equal to 1"),
    ({"ssh": {"ports": [22, 22]}}, "ssh.ports", "names one twice"),
    ({"ssh": {"root_login": "yes"}}, "ssh.root_login", "'no' or 'prohibit-password'"),
    ({"ssh": {"allow_users": ["psy *"]}}, "ssh.allow_users.0", "is no name of a user"),
    ({"ssh": {"allow_users": ["psy", "psy"]}}, "ssh.allow_users", "names one twice"),
]
