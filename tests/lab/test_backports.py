"""A Debian 12 that lacks QEMU: the newer one is named, asked for, and installed from backports."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from clup import lab
from tests.lab.command import ROOT, on_machine

NAME = "backports"
ENTRY = "/etc/apt/sources.list.d/clup-backports.sources"
ENSURE = """
import sys
sys.path.insert(0, "/opt/clup/src")
from clup.lab import LabError, needs

def answer(question):
    print(question)
    return {agrees}

try:
    needs.ensure(needs.VM, print, answer)
except LabError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def box() -> Iterator[lab.Lab]:
    made = lab.up(NAME, "container", (), suite="bookworm")
    tar = subprocess.run(["tar", "-C", ROOT, "-c", "src"], capture_output=True, check=True).stdout
    argv = lab.ssh_argv(made, ["sudo mkdir -p /opt/clup && sudo tar -x -C /opt/clup"])
    subprocess.run(argv, input=tar, check=True)
    on_machine(made, "apt-get update -q; apt-get install -qy --no-install-recommends python3")
    yield made
    lab.down(NAME)


def ensured(box: lab.Lab, agrees: bool) -> str:
    """See to what virtual labs need, as `up` does, with this answer; return what was said."""
    return on_machine(box, f"python3 - <<'END'\n{ENSURE.format(agrees=agrees)}END\n")


def test_nothing_is_added_without_a_yes(box: lab.Lab) -> None:
    said = ensured(box, agrees=False)
    assert "qemu-system-x86 of bookworm-backports: is the lab's machine" in said
    assert f"bookworm-backports (in {ENTRY})." in said
    assert "not installed, as you said" in said
    on_machine(box, f'test ! -e {ENTRY}; test -z "$(command -v qemu-system-x86_64)"')


def test_with_a_yes_it_comes_from_the_machines_own_mirror_once(box: lab.Lab) -> None:
    ensured(box, agrees=True)
    version = on_machine(box, "qemu-system-x86_64 --version | head -n 1")
    assert int(version.split()[3].partition(".")[0]) >= 8
    entry = on_machine(box, f"cat {ENTRY}")
    mirror = entry.partition("URIs: ")[2].splitlines()[0]
    assert int(on_machine(box, f"grep -rl {mirror} /etc/apt | wc -l")) >= 2
    assert ensured(box, agrees=False) == ""
    on_machine(box, "apt-get purge -qqy qemu-system-x86 > /dev/null 2>&1")
    said = ensured(box, agrees=True)
    assert "qemu-system-x86 of bookworm-backports" in said
    assert ENTRY not in said
    assert on_machine(box, f"cat {ENTRY}") == entry
