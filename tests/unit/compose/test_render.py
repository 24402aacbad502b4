from __future__ import annotations

from pathlib import Path

import pytest

from clup.compose.document import parse
from clup.compose.problem import ComposeError
from clup.compose.render import quoted, render


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "macros.j2").write_text(
        "{% macro limits(memory) %}\nmem_limit: {{ memory }}\n{% endmacro %}\n"
        "{% macro broken() %}\n\n{{ absent }}\n{% endmacro %}\n"
    )
    return tmp_path


def said(template: str, folder: Path, **values: object) -> str:
    """Render a template of that text, which must fail, and return what is said."""
    (folder / "web.j2").write_text(template)
    with pytest.raises(ComposeError) as raised:
        render("web.j2", [folder], values)
    return str(raised.value).replace(str(folder), "DIR")


def test_values_and_macros_are_rendered(folder: Path) -> None:
    (folder / "web.j2").write_text("{% from 'macros.j2' import limits %}\n{{ limits(size) }}")
    assert render("web.j2", [folder], {"size": "64m"}) == "mem_limit: 64m\n"


def test_the_first_folder_wins(folder: Path) -> None:
    for name in ("own", "shared"):
        (folder / name).mkdir()
        (folder / name / "web.j2").write_text(name)
    assert render("web.j2", [folder / "own", folder / "shared"], {}) == "own"


ERRORS = {
    "a name that is not given": (
        "a: 1\nb: {{ memry }}\n",
        "At web.j2 (DIR/web.j2, line 2): 'memry' is not defined ('memry' is undefined); "
        "did you mean 'memory'?",
    ),
    "a name that is not given, quoted": (
        "b: {{ memry | quoted }}\n",
        "At web.j2 (DIR/web.j2, line 1): 'memry' is not defined ('memry' is undefined); "
        "did you mean 'memory'?",
    ),
    "one like none": (
        "{{ zzz }}",
        "At web.j2 (DIR/web.j2, line 1): 'zzz' is not defined ('zzz' is undefined); "
        "given are: limits, memory",
    ),
    "a part that is not there": (
        "\n{{ limits.cpus }}",
        "At web.j2 (DIR/web.j2, line 2): 'cpus' is not defined ('dict object' has no attribute "
        "'cpus'); give it a value, or test it with `is defined`",
    ),
    "a macro's": (
        "{% from 'macros.j2' import broken %}\n{{ broken() }}",
        "At web.j2 (DIR/macros.j2, line 6): 'absent' is not defined ('absent' is undefined); "
        "given are: limits, memory",
    ),
    "no template": (
        "a: 1\n{{ b",
        "At web.j2 (DIR/web.j2, line 2): is no valid template: unexpected end of template, "
        "expected 'end of print statement'.; mend that line",
    ),
    "an error of the template's own": (
        "a: {{ 1 + 'b' }}",
        "At web.j2 (DIR/web.j2, line 1): cannot be rendered: TypeError: unsupported operand "
        "type(s) for +: 'int' and 'str'; mend that line",
    ),
    "a value that cannot be quoted": (
        "a: {{ limits | quoted }}",
        "At web.j2 (DIR/web.j2, line 1): cannot be rendered: TypeError: dict is neither a text "
        "nor a number: quote its parts; mend that line",
    ),
    "a template that it includes": (
        "{% include 'macro.j2' %}",
        "At macro.j2: is no template; did you mean 'macros.j2'?",
    ),
    "a path out of its folder": (
        "{% include '../secret' %}",
        "At ../secret: is no template; templates come from: DIR",
    ),
}


@pytest.mark.parametrize(("template", "expected"), ERRORS.values(), ids=ERRORS)
def test_an_error_names_file_line_name_and_cure(template: str, expected: str, folder: Path) -> None:
    assert said(template, folder, memory=1, limits={"memory": "64m"}) == expected


def test_a_link_out_of_the_folder_is_no_template(folder: Path) -> None:
    inside = folder / "templates"
    inside.mkdir()
    (folder / "secret").write_text("hunter2")
    (inside / "link.j2").symlink_to(folder / "secret")
    with pytest.raises(ComposeError, match=r"At link\.j2: is no template"):
        render("link.j2", [inside], {})


@pytest.mark.parametrize(
    "value", ["on", "a: b", "x\nprivileged: true", '"', "# x", "é\u2028", "1", "\\n", 5, 0.5, True]
)
def test_what_is_quoted_is_read_as_it_was(value: object) -> None:
    assert parse(f"a: {quoted(value)}\nb: 1", "x").data == {"a": value, "b": 1}


def test_a_quoted_dollar_is_no_variable() -> None:
    assert quoted("pa$$ ${X}") == '"pa$$$$ $${X}"'
