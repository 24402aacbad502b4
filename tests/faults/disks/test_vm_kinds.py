"""Disks in the hands of a kernel: each is refused in its own words, and not a byte changes.

One plan and one apply judge all of them, in use and again at rest. `pytest -s` prints the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from clup import lab
from tests.faults.disks.vm_kinds import BY_ID, KINDS, VmKind
from tests.faults.disks.vm_machine import JUDGED, about, hashes, storage, told
from tests.lab.command import Answer, on_machine

DISKS = tuple(kind.disk for kind in KINDS)
IN_USE = [kind for kind in KINDS if kind.in_use is not None]
AT_REST = [kind for kind in KINDS if kind.at_rest is not None]


@dataclass(frozen=True)
class Judged:
    """What plan and apply said of all disks, and what was on those before and after."""

    plan: Answer
    apply: Answer
    before: dict[str, str]
    after: dict[str, str]


def judge(box: lab.Lab, filesystems: Mapping[str, Mapping[str, Any]]) -> Judged:
    before = hashes(box, DISKS)
    plan, apply = (storage(box, command, filesystems) for command in ("plan", "apply"))
    return Judged(plan, apply, before, hashes(box, DISKS))


def on_disks(box: lab.Lab, scripts: Mapping[str, str]) -> None:
    """Run a script for each disk, given by its id, one after the other."""
    each = [f"set -- {BY_ID}/{disk}\n{script}\n" for disk, script in scripts.items()]
    on_machine(box, "".join(each) + "udevadm settle; sync")


@pytest.fixture(scope="module")
def in_use(box: lab.Lab) -> Judged:
    on_disks(box, {kind.disk.id: kind.make for kind in KINDS})
    return judge(box, {kind.name: kind.settings for kind in IN_USE})


@pytest.fixture(scope="module")
def at_rest(box: lab.Lab, in_use: Judged) -> Judged:
    on_disks(box, {kind.disk.id: kind.release for kind in KINDS})
    return judge(box, {kind.name: kind.rests_as or kind.settings for kind in AT_REST})


def refused(judged: Judged, kind: VmKind, says: str) -> None:
    for answer in (judged.plan, judged.apply):
        line = about(told(answer, JUDGED), kind.name)
        assert line.startswith(f"{kind.name}: {kind.verdict}: ")
        assert says in line
        # One reason is told once, whatever else would refuse for it.
        (host,) = answer.document["hosts"].values()
        assert str(host["operations"]).count(line) <= 1
    print(f"| {kind.title} | {line.removeprefix(kind.name + ': ')} |")  # noqa: T201
    assert judged.after[kind.disk.id] == judged.before[kind.disk.id]


@pytest.mark.parametrize("kind", IN_USE, ids=lambda kind: kind.title)
def test_a_disk_in_use_is_refused_and_left_alone(kind: VmKind, in_use: Judged) -> None:
    refused(in_use, kind, str(kind.in_use))


@pytest.mark.parametrize("kind", AT_REST, ids=lambda kind: kind.title)
def test_a_disk_at_rest_is_refused_and_left_alone(kind: VmKind, at_rest: Judged) -> None:
    refused(at_rest, kind, str(kind.at_rest))


def test_each_disk_in_use_has_a_message_of_its_own() -> None:
    says = [kind.in_use for kind in IN_USE]
    assert len(set(says)) == len(says) >= 20


@pytest.mark.parametrize("phase", ["in_use", "at_rest"])
def test_nothing_is_begun_where_a_disk_is_refused(
    phase: str, box: lab.Lab, request: pytest.FixtureRequest
) -> None:
    judged: Judged = request.getfixturevalue(phase)
    assert (judged.plan.exit, judged.apply.exit) == (1, 1)
    assert judged.apply.operations("changed") == set()
    assert judged.after == judged.before
    assert on_machine(box, "ls -A /srv /var/lib/clup/storage 2>/dev/null || true") == "/srv:\n"
