"""Settings of the stacks that must be refused: the mapping, the path, a part of the reason."""

from typing import Any


def web(**said: Any) -> dict[str, Any]:
    """Given what is said of a stack besides its template, return the settings."""
    return {"own": {"web": {"template": "web.yaml.j2", **said}}}


INVALID: list[tuple[dict[str, Any], str, str]] = [
    ({"own": {"web": {}}}, "own.web.template", "is required"),
    ({"own": {"Web": {"template": "x"}}}, "own.Web.[key]", "pattern"),
    ({"own": {"web": {"template": "../x"}}}, "own.web.template", "leads out of its folder"),
    ({"own": {"web": {"template": "/x"}}}, "own.web.template", "leads out of its folder"),
    ({"templates": ""}, "templates", "at least 1"),
    (web(folder="../web"), "own.web.folder", "pattern"),
    (web(folder="web/"), "own.web.folder", "pattern"),
    (web(configs={"web.conf": "x.j2"}), "own.web.configs.web.conf.[key]", "no absolute path"),
    (web(secrets=["key"]), "own.web.secrets.0", "no absolute path"),
    (web(seconds=1), "own.web.seconds", "greater than or equal to 5"),
    (web(placed="rsync"), "own.web.placed", "'link' or 'copy'"),
    (web(ports=[80]), "own.web.ports", "not a known setting"),
    (web(waivers=[{"rule": "x", "service": "web"}]), "own.web.waivers.0.reason", "is required"),
]
