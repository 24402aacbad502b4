"""`clup bundle`: images in one file, and from there on machines without a registry."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from pyinfra.api.host import Host

from clup import journal, lab, revision
from clup.cli import FAILED, Suggesting, answer
from clup.cli.ask import asker
from clup.cli.lab_options import json_option, say
from clup.cli.session import DONE, Session, run
from clup.cli.target import ROOT, Target, machines
from clup.inventories import DeploymentError
from clup.transport import lock

if TYPE_CHECKING:
    from clup.bundles.bundle import Bundle
    from clup.bundles.lacking import Lacking
    from clup.bundles.manifest import Image

FILE = "bundle.tar"


@click.group(cls=Suggesting, name="bundle")
def command() -> None:
    """Build the images of services into one file, or bring them to machines.

    \b
    Example:
      clup bundle build
      clup bundle push inventories/example.py
    """


def _names(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    from clup.images.build import services

    return [name for name in services() if name.startswith(typed)]


def _known(
    _context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]
) -> tuple[str, ...]:
    from clup.images.build import services

    for name in given:
        if name not in services():
            raise click.BadParameter(f"{name!r} is no image; there are {', '.join(services())}")
    return tuple(dict.fromkeys(given))


@command.command()
@click.argument("names", metavar="[NAME...]", nargs=-1, shell_complete=_names, callback=_known)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"The file to make; {FILE} in the checkout unless you say otherwise.",
)
@click.option(
    "--base",
    "pinned",
    default="",
    metavar="NAME@sha256:DIGEST",
    help="Build over this image of a registry, such as Debian's trixie-slim.",
)
@click.option("--yes", is_flag=True, help="Install what this machine lacks without asking.")
@json_option
def build(
    names: tuple[str, ...], output: Path | None, pinned: str, yes: bool, as_json: bool
) -> None:
    """Build the images of the services NAME, or of all, and pack them into one file.

    \b
    Example:
      clup bundle build
      clup bundle build guard runner --output /tmp/claw.tar

    Without --base they are built from distribution packages, and no registry is needed. A file that
    holds these images already stays as it is. Docker keeps them, so that the next build makes only
    what changed.
    """
    target = (output or ROOT / FILE).absolute()
    try:
        images, made = _build(names, target, pinned, yes)
    except (lab.LabError, ValueError) as error:
        line = str(error)
    except KeyboardInterrupt:
        line = f"interrupted; {target} is as it was, build again to finish"
    else:
        _show(target, images, made, as_json)
        return
    click.echo(f"clup bundle: {line}", err=True)
    if as_json:
        answer.write(answer.document("bundle build", FAILED, error=line))
    sys.exit(FAILED)


def _build(names: Sequence[str], target: Path, pinned: str, yes: bool) -> tuple[list[Image], bool]:
    from clup.images import bundle
    from clup.lab import needs

    if pinned:
        bundle.refuse_unpinned(pinned)
    wanted = needs.DOCKER if pinned else (*needs.DOCKER, *needs.ROOTS)
    needs.ensure(wanted, say, asker(yes))
    return bundle.make(names, target, pinned, say)


def _show(target: Path, images: Sequence[Image], made: bool, as_json: bool) -> None:
    if as_json:
        listed = [asdict(each) for each in images]
        answer.write(
            answer.document("bundle build", DONE, file=str(target), made=made, images=listed)
        )
        return
    for each in images:
        unpacked = sum(layer.unpacked for layer in each.layers) / 1e6
        click.echo(f"{each.name:<10} {each.id}  {unpacked:5.0f} MB")
    size = target.stat().st_size / 1e6
    click.echo(f"{target}: {size:.0f} MB{'' if made else ', which was there already'}")


@command.command()
@click.option(
    "--bundle",
    "path",
    type=click.Path(dir_okay=False),
    help=f"The file; {FILE} in the checkout unless you say otherwise.",
)
@click.option("--image", "names", multiple=True, metavar="NAME", help="Only this image of it.")
@machines
def push(target: Target, path: str | None, names: tuple[str, ...]) -> None:
    """Bring the images of a bundle to the machines that lack them.

    \b
    Example:
      clup bundle push inventories/example.py

    Only layers that are not there yet are sent, and a bundle that is damaged is refused before
    anything is. What a cut run has brought stays; the next one brings the rest. Exit 1 when a
    machine cannot be reached or does not take an image.
    """
    file = Path(path or ROOT / FILE).absolute()
    run("bundle push", target, lambda session: _push(session, file, names))


def _push(session: Session, path: Path, names: Sequence[str]) -> None:
    from clup import bundles

    try:
        bundle = bundles.open(path)
        wanted = bundle.chosen(names)
    except bundles.BundleError as error:
        raise DeploymentError("\n".join(map(str, error.problems))) from error
    session.connect(changes=True)
    for host in session.deployment.active:
        with session.deployment.alone(host):
            line = lock.take(host, session.screen.step) or _push_one(session, host, bundle, wanted)
            if line:
                session.deployment.fail(host, line)


def _push_one(session: Session, host: Host, bundle: Bundle, wanted: Sequence[Image]) -> str | None:
    """Bring a host what it lacks; return why not, in a line."""
    from clup.bundles.lacking import lacking, objection
    from clup.checks import read
    from clup.facts.images import Images
    from clup.operations.images import send
    from clup.transport.raw import testinfra_host

    state = read(testinfra_host(host), Images, [each.id for each in wanted])
    todo = lacking(wanted, state)
    document = session.document["hosts"][host.name]
    document |= {"sent": [], "there": [each.name for each in wanted if each.id in state.there]}
    if not todo:
        session.screen.lines([f"{host.name}: has {_listed(wanted)} already"])
        return None
    if not state.docker:
        return f"{host.name}: Docker does not run there; `clup apply` first"
    if reason := objection(todo, state):
        return f"{host.name}: {'; '.join(reason)}"
    for each in todo:
        session.screen.step(f"{host.name}: {each}")
    session.state = f"what {host.name} was sent before stays; push again to bring the rest"
    line = send(host, bundle, todo, lambda said: session.screen.step(f"{host.name}: {said}"))
    action = f"push images {_listed([each.image for each in todo])}"
    result, count = ("failed", 0) if line else ("done", len(todo))
    now = revision.current(ROOT)
    journal.append(host, journal.entry(now, result, count, line or "", "all", action))
    if line:
        return f"{host.name}: {line}"
    document["sent"] = [_sent(each) for each in todo]
    session.screen.lines([f"{host.name}: took {_listed([each.image for each in todo])}"])
    return None


def _sent(each: Lacking) -> dict[str, Any]:
    return {"name": each.image.name, "id": each.image.id, "bytes": each.size}


def _listed(images: Sequence[Image]) -> str:
    return ", ".join(each.name for each in images)
