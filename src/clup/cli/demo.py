"""`clup demo`: a lab machine, the whole site converged on it, verified, and shown."""

from __future__ import annotations

import os

import click
from testinfra.host import Host

from clup import lab
from clup.cli import demo_jobs
from clup.cli.apply import converge
from clup.cli.ask import asker
from clup.cli.lab_options import names
from clup.cli.screen import Screen
from clup.cli.session import Session, run
from clup.cli.target import Target
from clup.cli.verify import check_all
from clup.lab.driver import KINDS
from clup.transport.raw import testinfra_host

_SHOWN = (
    ("Filesystems", "findmnt -o TARGET,SOURCE,LABEL,FSTYPE,SIZE,USED -t ext4 | grep -v -w /etc"),
    ("Docker", "docker info --format '{{.ServerVersion}} in {{.DockerRootDir}}, {{.Driver}}'"),
    ("Accounts", "getent passwd | awk -F: '$3 >= 1000 && $3 < 60000'"),
    (
        "Folders",
        "find /srv/*/openclaw -xdev -maxdepth 2 -type d -printf '%M %u:%g %p\\n' | sort -k 3",
    ),
    ("Containers", "docker ps --format 'table {{.Names}}\\t{{.Status}}\\t{{.Ports}}'"),
)


@click.command()
@click.option(
    "--name",
    default="default",
    show_default=True,
    shell_complete=names,
    help="The lab machine's name.",
)
@click.option(
    "--kind",
    type=click.Choice(list(KINDS)),
    help="What the machine is; by default a virtual one if KVM runs it, else a container, else "
    "an emulated one.",
)
@click.option(
    "--runner/--no-runner",
    default=None,
    help="Whether it gets the job runner and runs the example jobs; by default unless the machine "
    "is emulated: a gigabyte of images and a build by Maven are too slow there.",
)
@click.option("--yes", is_flag=True, help="Install what a lab needs without asking.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
def command(name: str, kind: str | None, runner: bool | None, yes: bool, as_json: bool) -> None:
    """Build a lab machine, converge the whole site on it, verify it, run jobs on it and show it.

    \b
    Example:
      clup demo --yes

    The images of the job runner are built from distribution packages, once. The jobs audit, build,
    test and verify then run on the repository examples/hello, after the job fill.

    The machine stays up: look at it with `clup lab ssh`, remove it with `clup lab down`.
    """
    os.environ["CLUP_LAB"] = name

    def work(session: Session) -> None:
        session.connect(changes=True)
        converge(session, older=True)
        if session.deployment.active:
            check_all(session, everything=False)
        box = lab.find(name)
        for host in session.deployment.active:
            has_runner = session.settings[host.name].runner.enabled
            if has_runner:
                demo_jobs.run(session, host, box)
            _show(session.screen, testinfra_host(host), name, has_runner)

    def machine(screen: Screen) -> None:
        say, confirm = screen.step, asker(yes)
        chosen = kind or lab.fitting_kind(name, say, confirm)
        box = lab.up(name, chosen, say=say, confirm=confirm)
        too_slow = runner is None and lab.is_emulated(chosen, say, confirm)
        if too_slow:
            say("Without the job runner, as the machine is emulated; `--runner` has it there, too.")
        wanted = not too_slow if runner is None else runner
        if wanted:
            demo_jobs.enable(box, say, confirm)
        elif runner is False:
            lab.say_of(box, {})

    run("demo", Target("inventories/lab.py", (), None, as_json), work, machine)


def _show(screen: Screen, machine: Host, name: str, has_runner: bool) -> None:
    for title, look in _SHOWN:
        screen.lines(["", title, *(f"  {line}" for line in machine.run(look).stdout.splitlines())])
    screen.lines(["", "What now:", *hints(name, _up(), has_runner)])


def _up() -> list[str]:
    return [box.name for box in lab.running()]


def hints(name: str, up: list[str], has_runner: bool) -> list[str]:
    """Given the lab's name, those of all that are up and whether it runs jobs, return the lines
    that say what next."""
    which = f"CLUP_LAB={name} " if up != [name] else ""
    job = f"{which}./clup job run audit repository={demo_jobs.REPOSITORY}"
    now = {
        f"./clup lab ssh --name {name}": "look around in it",
        f"{which}./clup plan": "nothing to do, until you break something in there",
        **({job: "a job again; `clup job list` lists them"} if has_runner else {}),
        f"./clup lab down --name {name}": "remove it",
    }
    width = max(map(len, now))
    return [f"  {command:{width}}   {what}" for command, what in now.items()]
