"""Settings of the role layout that are refused: the settings, where, and part of the reason."""

from __future__ import annotations

from typing import Any

BASE = "/srv/data/openclaw"


def nested(**above: Any) -> dict[str, Any]:
    """Return settings with a folder in one that has these fields."""
    return {"folders": {f"{BASE}/x": above, f"{BASE}/x/y": {}}}


def folder(path: str, **fields: Any) -> dict[str, Any]:
    """Return settings with one more folder."""
    return {"folders": {path: fields}}


INVALID: list[tuple[dict[str, Any], str, str]] = [
    ({"folder": {}}, "folder", "is not a known setting"),
    ({"folders": ["/srv/data/x"]}, "folders", "valid dictionary"),
    (folder(f"{BASE}/x", owner="psy"), f"folders.{BASE}/x.owner", "is not a known setting"),
    (folder("srv/data/x"), "folders.srv/data/x.[key]", "is no absolute path"),
    (folder("/srv/data/../etc"), "folders./srv/data/../etc.[key]", "not in its plainest form"),
    (folder("/srv/data/a b"), "folders./srv/data/a b.[key]", "has a character"),
    (folder("/etc/openclaw"), "folders./etc/openclaw", "below no mounted filesystem"),
    (folder("/srv/data"), "folders./srv/data", "below no mounted filesystem"),
    (folder("/srv/database"), "folders./srv/database", "below no mounted filesystem"),
    (folder(f"{BASE}/a/b"), f"folders.{BASE}/a/b", "in a folder that is not declared"),
    ({"folders": {BASE: None}}, f"folders.{BASE}/repo", "in a folder that is not declared"),
    (folder(f"{BASE}/repo/x"), f"folders.{BASE}/repo/x", "who could exchange it"),
    (nested(group="psy", mode="0770"), f"folders.{BASE}/x/y", "whose group could exchange it"),
    (nested(group="psy", mode="2775"), f"folders.{BASE}/x/y", "whose group could exchange it"),
    (folder(f"{BASE}/x", mode="755"), f"folders.{BASE}/x.mode", "is no mode"),
    (folder(f"{BASE}/x", mode=0o755), f"folders.{BASE}/x.mode", "valid string"),
    (folder(f"{BASE}/x", mode="0777"), f"folders.{BASE}/x.mode", "lets everybody exchange"),
    (folder(f"{BASE}/x", user="Psy!"), f"folders.{BASE}/x.user", "is no name of a user"),
    ({"roots": []}, f"folders.{BASE}", "below no mounted filesystem"),
    ({"roots": ["srv"]}, "roots.0", "is no absolute path"),
]
