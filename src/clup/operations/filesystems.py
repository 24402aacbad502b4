"""ext4 filesystems: made on disks that are proven blank, else taken as they are."""

from __future__ import annotations

from collections.abc import Sequence

from pyinfra.api.command import FunctionCommand, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from clup import report
from clup.command import script
from clup.disks.verdict import Verdict, Wanted, marker, record, verdict
from clup.facts.disks import Disks
from clup.operations.packages import installed
from clup.operations.programs import program
from clup.operations.steps import Steps, ensure, refuse

SLOWEST = 10e6
"""Bytes a second below which reading a disk counts as failed."""

WAIT = 600
"""Seconds for which a run waits for an earlier one that still works on the disk."""

# The UUID says that it is the filesystem that was judged. $1 device, $2 UUID, $3 label.
_RELABEL = 'set -e; test "$(blkid -p -s UUID -o value "$1")" = "$2"; e2label "$1" "$3"'

# $1 record, $2 UUID, $3 marker of a run that was cut after its work was done.
_REMEMBER = """set -eu
install -d -m 0700 -- "${1%/*}"
echo "$2" >"$1.new"
sync -- "$1.new"
mv -f -- "$1.new" "$1"
rm -f -- "$3"
"""


@operation()
def judged(filesystems: Sequence[Wanted]) -> Steps:
    """Refuse if any of the disks is not fit, before the first of them is touched."""
    machine = host.get_fact(Disks)
    verdicts = [verdict(machine, wanted) for wanted in filesystems]
    steps = []
    for wanted, found in zip(filesystems, verdicts, strict=True):
        if found.refused:
            steps.append(_refuse(wanted, found))
        else:
            report.evidence(f"{wanted.name}: {found}")
    yield from steps


@operation()
def ext4(wanted: Wanted, reserved_percent: float = 1.0) -> Steps:
    """Have the filesystem on its disk: make it if the disk is proven blank, else adopt it.

    A filesystem that lost its label, and is known by its UUID, gets the label back.
    """
    machine = host.get_fact(Disks)
    found = verdict(machine, wanted)
    if found.refused or found.device is None:
        yield _refuse(wanted, found)
        return
    device = found.device
    known = wanted.name in machine.records and wanted.name not in machine.markers
    if found.kind != "blank" and known and not found.relabel:
        return
    report.evidence(f"{wanted.name}: {found}")
    if found.kind == "blank":
        # Within this operation: the role that comes first has it in a run of the whole site, so
        # that an operation of its own would be planned but not needed.
        yield from installed._inner(packages=["python3"])
        yield _format(wanted, found, reserved_percent)
    if found.relabel:
        yield script(_RELABEL, device.node or "", device.uuid, wanted.label)
    if found.kind != "blank" and not known:
        yield script(_REMEMBER, record(wanted.name), device.uuid, marker(wanted.name))
    yield ensure(wanted.name, lambda: _still_wrong(wanted))


def _refuse(wanted: Wanted, found: Verdict) -> FunctionCommand:
    return refuse(f"{wanted.name}: {found.kind}: {found.what}", found.found, found.cure)


def _format(wanted: Wanted, found: Verdict, reserved: float) -> StringCommand:
    device, selector = found.device, wanted.selector
    # Without a selector a disk is known by its label, and so is not blank.
    assert device is not None
    assert selector is not None
    deadline = 600 + int(device.size / SLOWEST)
    options = {
        "path": device.node,
        "shown": host.get_fact(Disks).path(device),
        "number": device.number,
        "size": device.size,
        "selector": selector[0],
        "id": selector[1],
        "label": wanted.label,
        "reserved-percent": reserved,
        "proof": found.proof,
        "marker": marker(wanted.name),
        "record": record(wanted.name),
        "wait": WAIT,
        "deadline": deadline,
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return program("format_disk", *words, timeout=WAIT + 2 * deadline)


def _still_wrong(wanted: Wanted) -> str | None:
    machine = host.get_fact(Disks)
    found = verdict(machine, wanted)
    if found.kind in ("mounted", "adopt") and not found.relabel and wanted.name in machine.records:
        return None
    return f"is still {found}"
