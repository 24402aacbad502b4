"""What a page says of a setting and of a command, from their own declarations."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal

import click
import pytest
from pydantic import Field, create_model

from clup.documentation import command_page, model_page
from clup.fields import AbsolutePath, Id, Mode, Name
from clup.settings import Model


class Part(Model):
    """A part of the whole."""

    size_mib: int = Field(default=64, ge=1, le=1 << 10)
    """Its size, in MiB."""


@pytest.mark.parametrize(
    ("kind", "default", "value", "shown"),
    [
        (bool, False, "`True` or `False`", "`False`"),
        (int, ..., "whole number", "required"),
        (Annotated[int, Field(gt=3)], 4, "whole number, more than 3", "`4`"),
        (Annotated[str, Field(min_length=10)], ..., "text, at least 10 long", "required"),
        (Annotated[str, Field(pattern="^a|b$")], "a", "text, `^a\\|b$`", "`'a'`"),
        (
            Annotated[str, Field(examples=["x", "y"])],
            ...,
            "text, such as `'x'` or `'y'`",
            "required",
        ),
        (str | None, None, "text or `None`", "`None`"),
        (Literal["a", 1], "a", "`'a'` or `1`", "`'a'`"),
        (datetime.date, ..., "date, such as `'2027-01-31'`", "required"),
        (Name, "root", "user or group", "`'root'`"),
        (Mode, ..., "mode, such as `'0750'`", "required"),
        (tuple[Id, ...], (), "list; each: whole number, 100 to 59999", "`[]`"),
        (AbsolutePath | None, None, "absolute path or `None`", "`None`"),
        (dict[str, Any], {}, "mapping of text to anything", "`{}`"),
        (Part, Part(), "[role.key](#rolekey)", "see there"),
        (dict[Name, Part], {}, "mapping of user or group to [role.key.NAME](#rolekeyname)", "`{}`"),
        (tuple[str, ...], ("x" * 50,), "list; each: text", "see below"),
    ],
)
def test_a_setting_is_a_row(kind: Any, default: Any, value: str, shown: str) -> None:
    fields: dict[str, Any] = {"key": (kind, Field(default, description="What\nit is."))}
    page = list(model_page("role", create_model("Role", **fields), level=2))
    assert f"| `key` | What it is. | {value} | {shown} |" in page


def test_what_another_validator_fills_in_is_not_required() -> None:
    fields: dict[str, Any] = {"key": (str, Field(json_schema_extra={"left_out": "its name"}))}
    page = list(model_page("role", create_model("Role", **fields), level=2))
    assert "| `key` |  | text | its name |" in page


def test_a_model_within_has_a_section_of_its_own() -> None:
    fields: dict[str, Any] = {"parts": (dict[str, Part], {})}
    page = list(model_page("role", create_model("Role", **fields), level=2))
    section = page[page.index("### role.parts.NAME") :]
    assert section[2] == "A part of the whole."
    assert "| `size_mib` | Its size, in MiB. | whole number, 1 to 1024 | `64` |" in section


def test_a_long_default_stands_below_the_table() -> None:
    fields: dict[str, Any] = {"names": (dict[str, str], Field({"key": "x" * 50}))}
    page = list(model_page("role", create_model("Role", **fields), level=2))
    assert page[page.index("By default `role.names` is") + 3] == repr({"key": "x" * 50})


def test_a_command_is_shown_with_those_below_it() -> None:
    @click.group(context_settings={"help_option_names": ["-h", "--help"]})
    def outer() -> None:
        """Do this or that."""

    @outer.command()
    @click.argument("where")
    def inner(where: str) -> None:
        """Do that."""

    page = "\n".join(command_page("tool", outer))
    assert "## tool\n\n```\nUsage: tool [OPTIONS] COMMAND" in page
    assert "### tool inner\n\n```\nUsage: tool inner [OPTIONS] WHERE" in page
    assert page.count("-h, --help") == 2
