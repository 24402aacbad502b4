"""A job file without a problem, and changes of it."""

from __future__ import annotations

import copy
from typing import Any

import yaml

IMAGE = "sha256:" + "4" * 64
CLEAN: dict[str, Any] = {
    "job": "audit",
    "description": "Audit a repository",
    "image": IMAGE,
    "command": ["/opt/jobs/audit", "--strict"],
    "trust": "untrusted",
    "parameters": {
        "level": {"kind": "enum", "values": ["low", "high"], "default": "low"},
        "depth": {"kind": "integer", "minimum": 1, "maximum": 50, "default": 5},
        "ref": {"kind": "pattern", "pattern": "[a-z0-9._-]{1,40}"},
        "repository": {"kind": "workspace", "description": "what to read"},
    },
    "limits": {"seconds": 60, "memory_mb": 128, "cpus": 0.5},
    "cache": "gradle",
}
GONE = object()
"""Instead of a value: the key is taken away."""


def written(changes: dict[str, Any] | None = None) -> str:
    """Return the clean file with other values at dotted paths, as YAML."""
    data = copy.deepcopy(CLEAN)
    for path, value in (changes or {}).items():
        *way, last = path.split(".")
        place = data
        for key in way:
            place = place[key]
        if value is GONE:
            del place[last]
        else:
            place[last] = value
    return yaml.safe_dump(data, sort_keys=False)
