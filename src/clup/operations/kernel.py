"""Settings of the kernel: in force now, and again after a reboot."""

from __future__ import annotations

from collections.abc import Mapping

from pyinfra.api.operation import operation
from pyinfra.context import host

from clup import report
from clup.command import sh
from clup.facts.kernel import Sysctls
from clup.operations.files import File, configured
from clup.operations.steps import Steps, ensure, refuse


@operation()
def tuned(
    path: str, values: Mapping[str, str], live: bool = True, among: tuple[str, ...] = ()
) -> Steps:
    """Given dotted names with their values, write them to the file at `path` and set them.

    `live` is False in a container, whose kernel is another machine's: the file is all there is.
    """
    found = host.get_fact(Sysctls, names=tuple(values)) if live else {}
    if absent := [name for name in values if live and found[name] is None]:
        cure = "check its spelling, or load its module"
        yield refuse(", ".join(absent), "this kernel has no such setting", cure)
        return
    wrong = drift(values, found) if live else []
    for name in wrong:
        report.evidence(f"{name}: {found[name]} -> {values[name]}")
    yield from configured._inner([File(path, rendered(values))], among=among)
    if wrong:
        yield sh("sysctl", "-q", "-p", path)
        yield ensure("kernel settings", lambda: _still_wrong(values))


def rendered(values: Mapping[str, str]) -> str:
    """Given dotted names with their values, return the text of a file below /etc/sysctl.d."""
    return "".join(f"{name} = {values[name]}\n" for name in sorted(values))


def drift(wanted: Mapping[str, str], found: Mapping[str, str | None]) -> list[str]:
    """Return the names whose value in force is another than the wanted one."""
    return [name for name in wanted if found[name] != wanted[name]]


def _still_wrong(values: Mapping[str, str]) -> str | None:
    found = host.get_fact(Sysctls, names=tuple(values))
    wrong = drift(values, found)
    return f"still not as set: {', '.join(wrong)}" if wrong else None
