"""The operator's Python files, loaded as pyinfra would: an inventory with its settings, or a line
that says what is wrong with them."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.host import Host
from pyinfra.api.inventory import Inventory
from pyinfra.context import state as current_state
from pyinfra_cli.exceptions import CliError, UnexpectedExternalError
from pyinfra_cli.inventory import make_inventory


class DeploymentError(Exception):
    """A run cannot go on. The message is one line: what, where, what to do."""


class BrokenFileError(DeploymentError):
    """A file of the operator's is no Python that runs, or says no hosts."""


def load(inventory: str, root: str, override: dict[str, Any]) -> Inventory:
    """Given an inventory as pyinfra takes it and data above all layers, return it, with its hosts.

    Raise DeploymentError when there is no such inventory, or none that can be read.
    """
    is_path = inventory.endswith(".py") or "/" in inventory or not inventory
    if is_path and not inventory.startswith("@") and not Path(inventory).is_file():
        raise _no_such(inventory)
    if root not in sys.path:
        sys.path.insert(0, root)
    with one_line(inventory):
        loaded: Inventory = make_inventory(inventory, cwd=root, override_data=override)
    if not len(loaded):
        if not Path(inventory).is_file():
            raise _no_such(inventory)
        raise BrokenFileError(f"{inventory}: no hosts in this inventory; add one as a list item")
    return loaded


def _no_such(inventory: str) -> DeploymentError:
    known = ", ".join(sorted(str(path) for path in Path("inventories").glob("*.py")))
    return DeploymentError(f"{inventory}: no such inventory; known: {known}")


def limited(inventory: Inventory, limit: Sequence[str]) -> list[Host]:
    """Given what --limit names, each a group, a host or a pattern of hosts, return those hosts.

    Raise DeploymentError when any of them names none.
    """
    found: dict[Host, None] = {}
    for wanted in limit:
        hosts = inventory.groups.get(wanted) or [
            host for host in inventory if fnmatch(host.name, wanted)
        ]
        if not hosts:
            known = ", ".join(names(inventory))
            raise DeploymentError(f"--limit {wanted}: no such host or group; known: {known}")
        found |= dict.fromkeys(hosts)
    return list(found)


def names(inventory: Inventory) -> list[str]:
    """Return what --limit may name: the hosts and groups, sorted."""
    groups = [name for name, hosts in inventory.groups.items() if hosts]
    return sorted({*groups, *(host.name for host in inventory)})


@contextmanager
def one_line(what: str) -> Iterator[None]:
    """Turn what a file of the operator's raises into a DeploymentError that names the file, a
    BrokenFileError where it is the file's own fault."""
    try:
        yield
    except UnexpectedExternalError as error:
        where = f"{error.filename}, line {_line_in(error.filename, error.exception)}"
        cure = "correct that line"
        raise BrokenFileError(f"{where}: {_first_line(error.exception)}; {cure}") from error
    except SyntaxError as error:
        where = f"{error.filename}, line {error.lineno}"
        raise BrokenFileError(f"{where}: {error.msg}; correct that line") from error
    except (OSError, UnicodeError) as error:
        where = current_state.current_exec_filename or what
        raise BrokenFileError(f"{where}: cannot be read ({_first_line(error)})") from error
    except SystemExit as error:
        where = current_state.current_exec_filename or what
        raise BrokenFileError(f"{where}: ends the program ({error.code}); take that out") from error
    except (CliError, PyinfraError) as error:
        raise DeploymentError(f"{what}: {_first_line(error)}") from error
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        cure = 'write each host as "name" or as ("name", {...its data})'
        raise BrokenFileError(f"{what}: is no list of hosts ({error}); {cure}") from error


def _line_in(file: str, error: BaseException) -> int | str:
    """Return the last line of a file that an error came by."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((each.lineno for each in reversed(frames) if each.filename == file), None) or "?"


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    if isinstance(error, (NameError, SyntaxError, TypeError, KeyError, ImportError)):
        text = f"{type(error).__name__}: {text}"
    return text.splitlines()[0]
