"""Where settings come from: the layers of `group_data` and the inventory, in a declared order.

From the most general to the most specific: `group_data/all.py`, the groups in the order in which
the inventory names them, the group of the inventory's file, the host's own data, `--data`.
pyinfra itself would let a later layer replace a whole top-level value; here they merge deeply.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from pyinfra.api.arguments import all_global_arguments
from pyinfra.api.exceptions import DeployError
from pyinfra.api.host import Host
from pyinfra.api.inventory import Inventory

from clup import connection
from clup.settings import (
    Model,
    Problem,
    SettingsError,
    lines_of,
    merge,
    nearest,
    problems_of,
    written,
)

ONLY = "only_roles"
"""The key by which a run is limited to some roles: a name, or several joined by commas."""

Settings = TypeVar("Settings", bound=Model)


def layers(host: Host) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Given a host, yield each layer with the name by which an operator finds it."""
    inventory = host.inventory
    yield "group_data/all.py", inventory.get_data()
    for group in host.groups:
        yield f"group_data/{group}.py", inventory.get_group_data(group)
    yield f"inventory, host {host.name}", inventory.get_host_data(host.name)
    yield "--data", inventory.get_override_data()


def validate(
    host: Host,
    model: type[Settings],
    whole: bool = True,
    above: Mapping[str, Any] | None = None,
) -> Settings | list[Problem]:
    """Given a host and the model of all settings, return them, or every problem they have.

    Unless they are judged as a `whole`, what their parts want of each other does not count. `above`
    is a further layer, over all others.
    """
    known = set(model.model_fields)
    permitted = set(host.connector_cls.data_meta) | {name for name, _ in all_global_arguments()}
    permitted |= {ONLY}
    given = [*layers(host), ("what was found", above or {})]
    problems = [
        _unknown(written(key), known, permitted, origin)
        for origin, data in given
        for key in data
        if key not in known | permitted and not str(key).startswith("_")
    ]
    merged = merge(*(data for _, data in given))
    given_to = {role: merged.get(role, {}) for role in known}
    found: list[Problem] = []
    try:
        settings = model.model_validate(given_to)
        valid = dict(settings)
    except ValidationError as error:
        found, valid = problems_of(error, model), _valid(given_to, model)
    found += model.relations(valid) if whole else []
    found += connection.problems(merged)
    found += [_no_role(name, known) for name in _asked(merged.get(ONLY)) if name not in known]
    problems += [
        problem
        if problem.origin
        else replace(problem, origin=_origin(problem.path, given) or _silent(host))
        for problem in found
    ]
    if problems:
        return sorted(set(problems))
    return settings


def settings_of_all(
    inventory: Inventory, model: type[Settings], whole: bool = True
) -> dict[str, Settings]:
    """Given an inventory, return the settings of each host by its name, judged as a `whole` or not.

    Raise SettingsError with all problems of all hosts.
    """
    results = {host.name: validate(host, model, whole) for host in inventory}
    problems = {name: found for name, found in results.items() if isinstance(found, list)}
    if problems:
        raise SettingsError(problems)
    return {name: found for name, found in results.items() if not isinstance(found, list)}


def settings_of(host: Host, model: type[Settings]) -> Settings:
    """Return one host's settings, from within a deploy.

    All hosts are judged first, before any remote command. Raise DeployError, which pyinfra shows
    as it is, with all problems.
    """
    inventory = host.inventory
    if not hasattr(inventory, "clup_settings"):
        try:
            inventory.clup_settings = settings_of_all(inventory, model)  # type: ignore[attr-defined]
        except SettingsError as error:
            raise DeployError("\n".join(["invalid settings", *lines_of(error.problems)])) from error
    settings: Settings = inventory.clup_settings[host.name]  # type: ignore[attr-defined]
    return settings


def selected(host: Host, names: tuple[str, ...]) -> tuple[str, ...]:
    """Given all roles' names, return those that this run is limited to, in the same order.

    The host's data is judged by now.
    """
    asked = _asked(host.data.get(ONLY))
    return tuple(name for name in names if name in asked) if asked else names


def _asked(wanted: object) -> list[str]:
    return str(wanted).split(",") if wanted else []


def _no_role(name: str, known: set[str]) -> Problem:
    guess = nearest(name, known)
    cure = f"did you mean {guess!r}?" if guess else f"known: {', '.join(sorted(known))}"
    return Problem(ONLY, repr(name), "is no role", cure)


def _valid(given: Mapping[str, Any], model: type[Model]) -> dict[str, Any]:
    """Return those fields of a model that are valid by themselves."""
    valid = {}
    for name, field in model.model_fields.items():
        with suppress(ValidationError):
            valid[name] = TypeAdapter(cast("Any", field.annotation)).validate_python(given[name])
    return valid


def _unknown(key: str, known: set[str], permitted: set[str], origin: str) -> Problem:
    guess = nearest(key, known | permitted)
    cure = f"did you mean {guess!r}?" if guess else f"known here: {', '.join(sorted(known))}"
    return Problem(key, "", "is not a known setting", cure, origin)


def _origin(path: str, given: list[tuple[str, Mapping[str, Any]]]) -> str:
    """Return the last layer that says anything at, or on the way to, a path."""
    best, depth = "", 0
    for origin, data in given:
        found = _depth(path.split("."), data)
        if found and found >= depth:
            best, depth = origin, found
    return best


def _silent(host: Host) -> str:
    """Return which file should have said something, where none of the host's groups has data."""
    if not host.groups or any(host.inventory.get_group_data(group) for group in host.groups):
        return ""
    return f"group_data/{host.groups[-1]}.py is not there, or says nothing"


def _depth(parts: list[str], data: Any) -> int:
    if parts and isinstance(data, Mapping) and parts[0] in data:
        return 1 + _depth(parts[1:], data[parts[0]])
    return 0
