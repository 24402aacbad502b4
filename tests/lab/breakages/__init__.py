"""One thing at a time that people break by hand, role by role, and who must notice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.lab.command import Answer


@dataclass(frozen=True)
class Breakage:
    """`shell` breaks one thing as root on the machine.

    `changes` are the names of the operations that plan must then show, and apply must change,
    no more and no fewer; `checks` are texts of which each must be in a failed check.
    """

    name: str
    shell: str
    changes: tuple[str, ...]
    checks: tuple[str, ...]


def mended(
    broken: Sequence[tuple[str, Breakage]],
    run: Callable[[str], Answer],
    there: Callable[[str], object],
) -> None:
    """Given breakages with their roles, and how to run a clup command and a script on the machine,
    break all; verify names each, plan shows them, apply mends them and nothing else.

    What it did not mend would be in the next plan, or in what is verified after it.
    """
    changes = {f"{role}: {name}" for role, breakage in broken for name in breakage.changes}
    for _, breakage in broken:
        there(breakage.shell)
    verified = run("verify")
    failed = verified.checks("failed")
    assert verified.exit == 2
    for role, breakage in broken:
        others = [it for one, it in broken if one == role and it is not breakage]
        for text in breakage.checks:
            named = [line for line in failed if line.startswith(f"{role}: ") and text in line]
            assert named, (text, failed)
            # A line that names two breakages would do for one that nobody noticed.
            also = [it for other in others for it in other.checks if any(it in n for n in named)]
            assert also == [], (text, also)
    planned = run("plan")
    assert planned.exit == 2
    assert planned.operations("would change") == changes
    applied = run("apply")
    assert applied.exit == 0, applied.stderr
    assert applied.operations("changed") == changes
