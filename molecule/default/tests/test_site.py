"""Molecule's verification: the checks of every role over testinfra's own ssh.

`clup verify` runs the same checks over pyinfra's connection; here they pass without it.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import testinfra
from testinfra.host import Host

from clup import checks, lab
from clup.deployment import Deployment
from clup.layers import settings_of_all
from roles import ROLES, Role, Settings

ROOT = Path(__file__).resolve().parents[3]
NAME = "molecule"


@pytest.fixture(scope="module")
def settings() -> Settings:
    inventory = Deployment(ROOT, "inventories/lab.py").inventory
    return settings_of_all(inventory, Settings)[f"lab-{NAME}"]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Host:
    box = lab.find(NAME)
    config = tmp_path_factory.mktemp("ssh") / "config"
    config.write_text(
        f"""Host {NAME}
  HostName {box.address}
  Port {box.port}
  User {box.user}
  IdentityFile "{box.key_file}"
  IdentitiesOnly yes
  UserKnownHostsFile "{box.known_hosts_file}"
  StrictHostKeyChecking yes
"""
    )
    return testinfra.get_host(f"ssh://{NAME}", ssh_config=str(config), sudo=True)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_role_holds(role: Role, machine: Host, settings: Settings) -> None:
    results = checks.run(role.name, role.checks(machine, settings))
    assert [str(result) for result in results if result.status == "failed"] == []
    is_off = role.name == "runner" and not settings.runner.enabled
    assert is_off or any(result.status == "passed" for result in results)
