"""Images of a bundle, brought into a machine's Docker: what it lacks of them, and no more."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pyinfra.api import output
from pyinfra.api.command import FunctionCommand
from pyinfra.api.host import Host
from pyinfra.api.operation import operation
from pyinfra.api.state import State
from pyinfra.context import host

from clup import bundles, report
from clup.bundles.bundle import Bundle, BundleError
from clup.bundles.lacking import Lacking, lacking, megabytes, objection
from clup.bundles.manifest import BLOBS
from clup.facts.images import Images
from clup.operations import programs
from clup.operations.steps import Steps, ensure, fail, refuse
from clup.transport import stream

SILENCE = 600
"""Seconds in which the machine takes nothing and says nothing: Docker writes layers to its disk."""

Say = Callable[[str], None]


@operation()
def loaded(bundle: str, images: Sequence[str] = ()) -> Steps:
    """Converge images: those of these names in a bundle, or all of it, are in the machine's Docker.

    `bundle` is the path of a file on the operator's machine.
    """
    try:
        opened = bundles.open(bundle, "bundle")
        wanted = opened.chosen(images)
    except BundleError as error:
        yield _refused(error)
        return
    ids = tuple(each.id for each in wanted)
    state = host.get_fact(Images, ids=ids)
    todo = lacking(wanted, state)
    if not todo:
        return
    for each in todo:
        report.evidence(str(each))
    report.evidence(f"{megabytes(sum(each.size for each in todo))} in all")
    if reason := objection(todo, state):
        yield refuse(f"bundle {bundle}", *reason)
        return
    yield FunctionCommand(_sent, (opened, todo), {})
    yield ensure(f"bundle {bundle}", lambda: _missing(ids))


def send(machine: Host, bundle: Bundle, todo: Sequence[Lacking], say: Say) -> str | None:
    """Send a machine the images that it lacks; its lock is held. Return None when it has them
    all, else why not, in a line.

    Raise ConnectionError when the connection ends, TimeoutError when the machine falls silent.
    """
    try:
        bundle.verify(blob for each in todo for blob, _ in each.blobs)
    except BundleError as error:
        return str(error)
    words = programs.words("images")
    chunks = _input(bundle, todo)
    answer = stream.run(machine, "images of a bundle", words, chunks, say, SILENCE)
    return answer.error if answer.status else None


def order_of(todo: Sequence[Lacking]) -> dict[str, Any]:
    """Given what a machine lacks, return the order for `clup.machine.images`.

    `needed` is the most that it will take on the machine's disk, in bytes.
    """
    return {
        "needed": sum(each.unpacked for each in todo) + max(each.size for each in todo),
        "images": [
            {
                "name": each.image.name,
                "id": each.image.id,
                "blobs": each.blobs,
                "manifest": {
                    "Config": BLOBS + each.image.config,
                    "RepoTags": [each.image.tag],
                    "Layers": [BLOBS + layer.blob for layer in each.image.layers],
                },
            }
            for each in todo
        ],
    }


def _input(bundle: Bundle, todo: Sequence[Lacking]) -> Iterator[bytes]:
    yield f"{programs.packed()}{json.dumps(order_of(todo))}\n".encode()
    for each in todo:
        for blob, _ in each.blobs:
            yield from bundle.read(blob)


def _sent(state: State, host: Host, bundle: Bundle, todo: Sequence[Lacking]) -> bool:
    def say(line: str) -> None:
        output.echo(f"[{host.name}] {line}")

    try:
        wrong = send(host, bundle, todo, say)
    except OSError as error:
        wrong = str(error)
    return True if wrong is None else fail(host, f"bundle {bundle.path}: {wrong}")


def _missing(ids: Sequence[str]) -> str | None:
    state = host.get_fact(Images, ids=ids)
    missing = [each for each in ids if each not in state.there]
    return (
        f"{', '.join(missing)} is not there after all; see `docker image ls`" if missing else None
    )


def _refused(error: BundleError) -> FunctionCommand:
    [first, *more] = error.problems
    rest = f" (and {len(more)} more)" if more else ""
    return refuse(f"bundle {first.value}", f"{first.reason}{rest}", first.cure)
