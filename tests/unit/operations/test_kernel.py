"""Kernel settings: the file for the next boot and the value in force are two things."""

from __future__ import annotations

import pytest

from clup.facts.kernel import Sysctls
from clup.facts.paths import Paths, PathState, Text
from clup.operations.files import File
from clup.operations.kernel import rendered, tuned
from tests.unit.operations.planning import evaluate

PATH = "/etc/sysctl.d/zz-clup.conf"
WANTED = {"vm.swappiness": "10", "fs.file-max": "100"}
RIGHT = PathState("file", "0644", "root", "root", sha256=File(PATH, rendered(WANTED)).sha256)


@pytest.mark.parametrize(
    ("state", "values", "live", "writes", "sets"),
    [
        (RIGHT, WANTED, True, False, False),
        (None, WANTED, True, True, False),
        (RIGHT, WANTED | {"vm.swappiness": "60"}, True, False, True),
        (None, WANTED | {"vm.swappiness": "60"}, True, True, True),
        # In a container the values are the host's.
        (RIGHT, WANTED | {"vm.swappiness": "60"}, False, False, False),
        (None, {}, False, True, False),
    ],
)
def test_the_file_and_the_running_kernel_converge_each_by_itself(
    state: PathState | None, values: dict[str, str], live: bool, writes: bool, sets: bool
) -> None:
    facts = {Sysctls: values, Paths: {PATH: state}, Text: ""}
    steps, _ = evaluate(tuned, facts, path=PATH, values=WANTED, live=live)
    assert any("base64 -d" in step for step in steps) is writes
    assert (f"sysctl -q -p {PATH}" in steps) is sets
    assert bool(steps) is (writes or sets)


def test_a_setting_that_this_kernel_lacks_is_refused_before_anything_is_written() -> None:
    facts = {Sysctls: WANTED | {"fs.file-max": None}, Paths: {PATH: None}}
    steps, notes = evaluate(tuned, facts, path=PATH, values=WANTED)
    assert steps == ["check"]
    assert notes.refusals == [
        "fs.file-max: this kernel has no such setting; check its spelling, or load its module"
    ]
