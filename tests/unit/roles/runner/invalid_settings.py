"""Settings of the runner that must be refused: the mapping, the path, a part of the reason."""

from typing import Any

ID = f"sha256:{'1' * 64}"
BOTH = {"guard": ID, "runner": ID}

INVALID: list[tuple[dict[str, Any], str, str]] = [
    ({"enabled": True}, "images.guard", "is needed"),
    ({"enabled": True, "images": {"guard": ID}}, "images.runner", "is needed"),
    (
        {"enabled": True, "images": BOTH, "proxy": "tecnativa"},
        "images.tecnativa",
        "is needed",
    ),
    ({"images": {"guard": "clup-guard:latest"}}, "images.guard", "pattern"),
    ({"images": {"guard": f"clup-guard:1@{ID}x"}}, "images.guard", "pattern"),
    ({"images": {"Guard": ID}}, "images.Guard.[key]", "pattern"),
    ({"proxy": "none"}, "proxy", "'guard' or 'tecnativa'"),
    ({"jobs": ""}, "jobs", "at least 1"),
    ({"callers": {"gw": {}}}, "callers.gw.jobs", "is required"),
    ({"callers": {"gw": {"jobs": ["x"], "parallel": 0}}}, "callers.gw.parallel", "or equal to 1"),
    ({"callers": {"../gw": {"jobs": ["x"]}}}, "callers.../gw.[key]", "pattern"),
    ({"callers": {"gw": {"jobs": ["x"], "token": "abc"}}}, "callers.gw.token", "not a known"),
    ({"ids": {"guard": 0}}, "ids.guard", "or equal to 100"),
    ({"ids": {"untrusted": 2010}}, "ids.untrusted", "is the id of claw-runner too"),
    ({"reports_days": 0}, "reports_days", "or equal to 1"),
    ({"parallel": 65}, "parallel", "or equal to 64"),
]
