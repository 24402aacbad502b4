"""The folders of the settings, as somebody made them on the machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from clup.checks import read
from clup.facts.paths import Paths, PathState
from clup.found import Found, Note
from roles.layout.settings import Folder, Settings

if TYPE_CHECKING:
    from testinfra.host import Host

NO_ACCOUNT = "UNKNOWN"
"""What stat says where an id has no account."""


def found(host: Host, settings: Settings) -> Iterator[Found | Note]:
    """Yield what the settings of this role would say of the machine."""
    paths = tuple(settings.folders)
    states: dict[str, PathState | None] = read(host, Paths, paths) if paths else {}
    yield from described(states, settings)


def described(states: Mapping[str, PathState | None], settings: Settings) -> Iterator[Found | Note]:
    """Given what is at the folders' paths, yield what settings would say of it.

    What settings refuse, such as a folder of root's in one of psy's, is left out of them, and with
    it what lies below: the machine keeps it as it is.
    """
    taken: dict[str, Folder] = {}
    above_all = {str(PurePosixPath(path).parent) for path in settings.folders}
    for path, declared in settings.ordered():
        parent = str(PurePosixPath(path).parent)
        above = taken.get(parent)
        folder, notes = _as_found(path, states.get(path), declared, path in above_all)
        yield from notes
        if folder is None:
            yield Found(("folders", path), None, "Left out: see the remark about it.")
        elif parent in settings.folders and above is None:
            yield Found(("folders", path), None, f"Left out with {parent}.")
        elif above is not None and above.user not in ("root", folder.user):
            why = f"Left out: it lies in a folder of {above.user}, who could exchange it."
            yield Found(("folders", path), None, why)
        else:
            taken[path] = folder
            yield from _differing(path, folder, declared)


def _as_found(
    path: str, state: PathState | None, declared: Folder, has_folders: bool
) -> tuple[Folder | None, list[Note]]:
    """Return the folder as settings would have it, None if they cannot, and what to say of it."""
    if state is None:
        return declared, []
    if state.kind != "directory":
        return None, [Note(f"{path} is a {state.kind}, not a folder: it stays as it is.")]
    if NO_ACCOUNT in (state.user, state.group):
        return None, [Note(f"{path} belongs to an id without an account: it stays as it is.")]
    group = None if state.group == state.user else state.group
    folder = Folder.model_construct(user=state.user, group=group, mode=state.mode)
    if not (has_folders and folder.is_shared):
        return folder, []
    kept = Folder.model_construct(user=state.user, group=group, mode=declared.mode)
    why = f"its group {state.group} could exchange the folders in it"
    return kept, [Note(f"{path} has the mode {state.mode}, by which {why}; apply mends that.")]


def _differing(path: str, folder: Folder, declared: Folder) -> Iterator[Found]:
    for key in ("user", "group", "mode"):
        if (value := getattr(folder, key)) != getattr(declared, key):
            yield Found(("folders", path, key), value)
