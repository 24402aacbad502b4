"""What no linter knows about the tracked files: locks, templates, names of other people's hosts."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import jinja2
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUNTIME: list[str] = PROJECT["project"]["dependencies"]
GROUPS: dict[str, list[str]] = PROJECT["dependency-groups"]
TEST = [text for text in GROUPS["test"] if isinstance(text, str)]
RUNNER = "services/runner/requirements.txt"

# In two parts, so that this file does not name them either.
REGISTRIES = [
    re.compile(re.escape(f"{name}.{end}"), re.IGNORECASE)
    for name, end in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("deb.debian", "org"),
        ("security.debian", "org"),
        ("archive.ubuntu", "com"),
        ("security.ubuntu", "com"),
        ("hub.docker", "com"),
        ("index.docker", "io"),
        ("registry-1.docker", "io"),
    )
]


def tracked(pattern: str = "**") -> list[Path]:
    """Return the tracked files that match, as far as they are text."""
    words = ["git", "ls-files", "-z", "--", f":(glob){pattern}"]
    listed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def locked(name: str) -> dict[str, str]:
    """Return the pins of a lock, by package."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", text, re.MULTILINE))


def unmet(wanted: list[str], pins: dict[str, str]) -> list[str]:
    """Return what is wanted and not pinned to a version that satisfies it."""
    return [
        text
        for text in wanted
        if not (requirement := Requirement(text)).specifier.contains(
            pins.get(requirement.name, "0")
        )
    ]


def test_locks_hold_what_pyproject_wants() -> None:
    runtime, test = locked("requirements.txt"), locked("requirements-test.txt")
    runner = locked(RUNNER)
    assert unmet(RUNTIME, runtime) == []
    assert unmet(TEST, test) == []
    assert unmet(GROUPS["runner"], runner) == []
    assert runtime.items() | runner.items() <= test.items()


def test_every_pin_has_a_hash() -> None:
    for name in ("requirements.txt", "requirements-test.txt", RUNNER):
        entries = re.split(
            r"^(?=\S)", (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE
        )
        assert [entry for entry in entries if entry and "--hash=sha256:" not in entry] == []


def test_templates_are_valid() -> None:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    for path in tracked("**/*.j2"):
        environment.parse(path.read_text(encoding="utf-8"), filename=str(path))


def test_no_file_names_a_registry() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked()
        for pattern in REGISTRIES
        for match in pattern.finditer(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []
