"""Every file that the example's settings render, as it lies on the machine: tests/golden/claw-vm.

A change of a rendered file shows in the diff of a commit. To render them again:

    GOLDEN=write .venv/bin/pytest tests/golden
"""

from __future__ import annotations

import os
from pathlib import Path

from clup import daemon_files
from clup.deployment import Deployment
from clup.facts.machine import MachineState
from clup.layers import settings_of_all
from clup.operations import kernel, sshd
from clup.stacks.judged import judged
from roles import Settings
from roles.base import config
from roles.engine import files, neighbours
from roles.runner import files as runner_files
from roles.runner.settings import Settings as Runner
from roles.runner.stacks import stacks

HERE = Path(__file__).parent / "claw-vm"
ROOT = Path(__file__).resolve().parents[2]
MACHINE = MachineState("ubuntu", "24.04", "noble", container="none", hypervisor="microsoft")
# The example's own machine has none: its images are built first.
RUNNER = Runner(
    enabled=True, images={"guard": f"sha256:{'1' * 64}", "runner": f"sha256:{'2' * 64}"}
)


def rendered() -> dict[str, str]:
    """Return the content of each file by its path on the machine."""
    inventory = Deployment(ROOT, "inventories/example.py").inventory
    settings = settings_of_all(inventory, Settings)["claw-vm"]
    base = settings.base
    texts = [
        config.apt(base.apt, MACHINE),
        config.cloud_init(),
        config.needrestart(),
        config.chrony(base.clock, MACHINE),
        config.journald(base.journal),
        *files.drop_ins(settings.engine),
        *neighbours.rule_files(),
        runner_files.socket_file(),
        runner_files.cache_file(),
        *(runner_files.rights(name, caller) for name, caller in RUNNER.callers.items()),
    ]
    return {
        **{file.live: file.content for spec in stacks(RUNNER) for file in judged(spec).files},
        **{file.path: file.content for file in texts},
        config.SYSCTL: kernel.rendered(config.kernel(base)),
        sshd.DROPIN: sshd.rendered(config.sshd(base.ssh)),
        daemon_files.DAEMON_JSON: daemon_files.daemon_json(
            None, files.daemon_keys(settings.engine)
        ),
        daemon_files.CONTAINERD_TOML: daemon_files.containerd_toml(
            None, settings.engine.containerd_root
        ),
    }


def test_rendered_files_are_those_that_were_reviewed() -> None:
    now = rendered()
    if os.environ.get("GOLDEN") == "write":
        for path, content in now.items():
            golden = HERE / path.lstrip("/")
            golden.parent.mkdir(parents=True, exist_ok=True)
            golden.write_text(content, encoding="utf-8")
    reviewed = {
        f"/{file.relative_to(HERE)}": file.read_text(encoding="utf-8")
        for file in HERE.rglob("*")
        if file.is_file()
    }
    assert now == reviewed
