"""The documents agree with the code: made pages, links, and every command that they show."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from clup.cli import evidence, group
from clup.cli.documentation import PAGES
from clup.cli.target import ROOT
from clup.documentation import anchor
from clup.evidence import section_of

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("path", PAGES)
def test_a_made_page_is_current(path: str) -> None:
    made = PAGES[path]()
    assert (ROOT / path).read_text(encoding="utf-8") == made, (
        f"{path} is out of date; make it again with `.venv/bin/python -m clup.cli.documentation`"
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_each_link_leads_somewhere(document: Path) -> None:
    lost = [link for link in _links(document) if not _is_there(document, link)]
    assert not lost, f"{document.name} links to what is not there"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_each_command_is_one_that_clup_has(document: Path) -> None:
    wrong = {line: said for line in _commands(document) if (said := _misused(line))}
    assert not wrong, f"{document.name} shows commands that clup would not take"


def test_the_example_is_valid() -> None:
    words = [sys.executable, "-P", "-m", "clup", "check", "inventories/example.py"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "claw-vm: settings are valid\n"), done.stderr


def test_each_message_is_one_that_clup_has() -> None:
    """Of a message in bold, each part between dots and punctuation is found in the source."""
    text = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    source = _said_in_source()
    messages = re.findall(r"\*\*`([^`]+)`\*\*", text)
    parts = {part.strip() for each in messages for part in re.split(r"\.\.\.|[;:(),]", each)}
    assert len(messages) > 50
    assert [part for part in sorted(parts) if len(part) > 2 and part not in source] == []


def _said_in_source() -> str:
    """Return the text of all sources, literals that continue on the next line joined."""
    folders = ("src", "roles", "deploys", "services")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.[ps][yh]")]
    text = "".join(path.read_text(encoding="utf-8") for path in [ROOT / "clup", *files])
    return re.sub(r"""["']\s*(\\\s*)?\n\s*f?["']""", "", text)


def _links(document: Path) -> list[str]:
    text = re.sub(r"(?ms)^```.*?^```|`[^`\n]*`", "", document.read_text(encoding="utf-8"))
    return [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]


def _is_there(document: Path, link: str) -> bool:
    path, _, heading = link.partition("#")
    target = document.parent / path if path else document
    if not target.exists():
        return False
    headings = re.findall(r"(?m)^#+ (.+)$", target.read_text(encoding="utf-8")) if heading else []
    return not heading or f"#{heading}" in map(anchor, headings)


def _commands(document: Path) -> Iterator[str]:
    """Yield what follows `./clup` in a document: a line of a block, or words in backticks."""
    for found in re.finditer(r"(?m)^\$? *(?:sudo )?\./clup (.+)$", text := document.read_text()):
        yield found[1]
    for found in re.finditer(r"`(?:sudo )?\./clup ([^`\n]+)`", text):
        yield found[1]


def _misused(line: str) -> str | None:
    """Given the words after `./clup`, return what click says against them, or None."""
    words = shlex.split(line.split("   ")[0], comments=True)
    command: click.Command = group
    name = "clup"
    context = click.Context(group, info_name=name)
    try:
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            name, *words = words
            if name.isupper():  # any command
                return None
            below = command.get_command(context, name)
            if below is None:
                return f"no command {name}"
            command, context = below, click.Context(below, context, info_name=name)
        command.make_parser(context).parse_args(words)
    except click.UsageError as error:
        return error.message
    return None


def test_the_bugs_of_the_evidence_are_those_that_are_written_down() -> None:
    """Its figures are those of the last campaign; what is kept by hand is current."""
    shown = evidence.PAGE.read_text(encoding="utf-8")
    assert shown.endswith("\n".join(section_of(evidence.bugs())) + "\n"), (
        "write the page again with `.venv/bin/python -m clup.cli.evidence`"
    )
