"""The `clup` command. Its commands are files of this package, imported only when they are used.

So `clup --help` answers at once: pyinfra and rich are loaded by the commands that need them.
"""

from __future__ import annotations

import difflib
import signal
import sys
from importlib import import_module
from typing import NoReturn

import click
from click.shell_completion import CompletionItem

from clup.cli import answer

COMMANDS = {
    "demo": "Build a lab machine, apply the whole site to it, verify it.",
    "check": "Judge the settings of all machines; contact nothing.",
    "adopt": "Print the settings that describe machines as they are.",
    "plan": "Show what would change on the machines.",
    "apply": "Converge the machines.",
    "verify": "Check the running machines against their settings.",
    "drift": "Tell in a line for each machine whether it is as its settings say.",
    "forget": "No longer list what left the settings.",
    "remove": "Remove from the machines what left the settings.",
    "stack": "List the compose stacks of machines, or take one down.",
    "bundle": "Build the images of services into one file, or bring them to machines.",
    "job": "Run jobs on a machine, follow them, and see what was run.",
    "audit": "Prove that the audit chain of a machine's jobs is whole.",
    "lab": "Make, reach and remove throwaway machines.",
    "test": "Run the project's tests.",
    "completion": "Print the completion script of a shell.",
}
"""Each command's name, which is its module's, and what it does in a line."""

WRONG_USAGE = 64
FAILED = 1


class Suggesting(click.Group):
    """A group that answers an unknown command with the nearest one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments name; for an unknown one, name the nearest."""
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-"):
            ctx.fail(unknown(args[0], known, ctx.command_path))
        return super().resolve_command(ctx, args)


class Commands(Suggesting):
    """A group that knows its commands by name and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which the help shows them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name, or None when there is none."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"clup.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands' lines without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands and options that begin so, without importing any command."""
        begun = [(name, line) for name, line in COMMANDS.items() if name.startswith(incomplete)]
        commands = [CompletionItem(name, help=line) for name, line in begun]
        return commands + click.Command.shell_complete(self, ctx, incomplete)


def unknown(name: str, known: list[str], group_path: str) -> str:
    """Given a word that is none of a group's commands, return what to say about it."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    cure = f"did you mean '{near[0]}'?" if near else f"{group_path} --help lists them"
    return f"there is no command '{name}'; {cure}"


def _print_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    import tomllib

    from clup import revision
    from clup.cli.target import ROOT

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    click.echo(f"clup {project['version']} ({revision.current(ROOT)})")
    ctx.exit()


@click.command(
    cls=Commands,
    name="clup",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="clup COMMAND --help tells more, with an example.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and the revision, and exit.",
)
def group() -> None:
    """Turn a bare Ubuntu or Debian VM into a running, verified home for gateways, jobs and bots.

    \b
    Example:
      clup demo --yes
      clup plan inventories/example.py
    """


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command that the arguments name (those of the process by default), and exit.

    Exit codes of wrong usage (64) and of an interrupt outside a command's own care (1) are set
    here; the others are the commands'.
    """
    words = sys.argv[1:] if arguments is None else arguments
    signal.signal(signal.SIGINT, _interrupt)
    sys.unraisablehook = _again
    try:
        code = group.main(words, prog_name="clup", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        _end(
            words,
            WRONG_USAGE if isinstance(error, click.UsageError) else FAILED,
            error.format_message(),
        )
    except (click.Abort, KeyboardInterrupt):
        click.echo("clup: interrupted", err=True)
        _end(words, FAILED, "interrupted")
    sys.exit(code if isinstance(code, int) else 0)


class Interrupted(KeyboardInterrupt):
    """Ctrl-C. Of a plain KeyboardInterrupt that passes through an exec of text, as a dataclass is
    made by, Python remembers that it was there, and ends by the signal instead of exit code 1."""


def _interrupt(_signal: int, _frame: object) -> None:
    """Raise where the command itself waits. Raised in another greenlet, such as the one that reads
    a connection, it would end that one alone, and the command would wait for ever."""
    gevent = sys.modules.get("gevent")
    if gevent is None or not hasattr(gevent, "getcurrent"):  # it is being imported
        raise Interrupted
    hub = gevent.get_hub()
    if gevent.getcurrent() is hub.parent:
        raise Interrupted
    hub.loop.run_callback(hub.parent.throw, Interrupted)


def _again(lost: sys.UnraisableHookArgs) -> None:
    """Raise once more an interrupt that came where nothing can be raised, such as the callback of
    a weak reference while modules are imported: Python would print it and go on."""
    if not isinstance(lost.exc_value, Interrupted):
        sys.__unraisablehook__(lost)
        return
    signal.signal(signal.SIGALRM, _interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.01)


def _end(words: list[str], code: int, line: str) -> NoReturn:
    """End with an exit code; whoever asked for a document gets one here, too."""
    if "--json" in words:
        answer.write(answer.document(answer.command_in(words), code, error=line))
    sys.exit(code)
