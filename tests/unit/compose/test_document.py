from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from clup.compose.document import parse
from clup.compose.problem import ComposeError

READ = {
    "plain words": ("a: b c\nd: 12m\ne: 1.5.2", {"a": "b c", "d": "12m", "e": "1.5.2"}),
    "numbers": (
        "[1, -2, 0x1F, 0o17, 0.5, 1e3]",
        [1, -2, 31, 15, 0.5, 1000.0],
    ),
    "null": ("[~, null, Null, NULL, ]", [None, None, None, None]),
    "nothing": ("b:\nc: ~", {"b": None, "c": None}),
    "bool": ("[true, True, FALSE, '']", [True, True, False, ""]),
    "quoted words": ("['on', \"0440\", '1', 'null']", ["on", "0440", "1", "null"]),
    "an anchor": ("[&x {b: 1}, *x]", [{"b": 1}, {"b": 1}]),
    "a merge": ("[&x {b: 1, c: 1}, {<<: *x, b: 2}]", [{"b": 1, "c": 1}, {"b": 2, "c": 1}]),
    "merges": ("[&x {b: 1}, &y {b: 2, c: 2}, {<<: [*x, *y]}]",
               [{"b": 1}, {"b": 2, "c": 2}, {"b": 1, "c": 2}]),
    "blocks": ("|\n  a\n  b\n", "a\nb\n"),
}  # fmt: skip

REFUSED = {
    "a key twice": ("a: 1\nb: 2\na: 3\n", "line 3): 'a' is there twice"),
    "a key twice below": ("a:\n  b: 1\n  b: 1\n", "At a (x, line 3): 'b' is there twice"),
    "a key twice, quoted": ("a: 1\n'a': 2\n", "line 2): 'a' is there twice"),
    "two merges": ("a: &x {b: 1}\nc:\n  <<: *x\n  <<: *x\n", "line 4): '<<' is there twice"),
    "a second document": ("a: 1\n---\nb: 2\n", "line 2): holds a second document"),
    "an empty second document": ("a: 1\n---\n", "line 2): holds a second document"),
    "a tag": ("a: !!int '5'\n", "is a tag"),
    "a tag of Compose's": ("a:\n  b: !reset null\n", "line 2): '!reset' is a tag"),
    "a Python object": ("a: !!python/object/apply:os.system [id]", "is a tag"),
    "a merge of no mapping": ("a: &x 1\nb: {<<: *x}", "At b (x, line 1): merges no mapping"),
    "an anchor in itself": ("a: &a [*a]", "is nested in itself"),
    "a billion laughs": (
        "a0: &a0 [x]\n"
        + "".join(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]\n" for n in range(9)),
        "or holds too much",
    ),
    "depth": ("a: " + "[" * 5000 + "]" * 5000, "nested too deep"),
    "a number as key": ("80: x", "1): 80 is no text; put the key in quotes"),
    "null as key": ("~: x", "None is no text"),
    "a list as key": ("? [a]\n: b", "None is no text"),
    "an unknown anchor": ("a:\n  *b", "line 2): is no valid YAML: found undefined alias 'b'"),
    "an open bracket": ("a: [", "line 1): is no valid YAML: expected the node content"),
    "a tab": ("a:\n\tb: 1", "line 2): is no valid YAML: found character '\\t'"),
    "a zero byte": ("a: \x00", "(x): is no valid YAML: unacceptable character #x0000"),
    "nothing": ("", "At the file (x): is no mapping; begin it with name: and services:"),
    "a list": ("- 1", "At the file (x): is no mapping"),
    "a word": ("a", "At the file (x): is no mapping"),
}

AMBIGUOUS = ("yes", "No", "on", "OFF", "y", "0440", "1_000", "22:22", "1:30:00", "2026-11-21",
             ".inf", ".NaN", "0b11", "0O7", "99999999999999999999", "=", "-.Inf",
             "007", "1e999", "0.5_5",
             "2026-11-21 10:00:00")  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), READ.values(), ids=READ)
def test_what_is_read(text: str, expected: object) -> None:
    assert parse("a: " + text if text.startswith(("[", "|")) else text, "x").data == (
        {"a": expected} if text.startswith(("[", "|")) else expected
    )


@pytest.mark.parametrize(("text", "expected"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(text: str, expected: str) -> None:
    with pytest.raises(ComposeError) as raised:
        parse(text, "x")
    assert expected in str(raised.value)


@pytest.mark.parametrize("word", AMBIGUOUS)
def test_a_word_that_readers_read_differently_is_to_be_quoted(word: str) -> None:
    with pytest.raises(ComposeError, match="means different things"):
        parse(f"a: {word}", "x")
    with pytest.raises(ComposeError, match="means different things"):
        parse(f"{word}: a", "x")


def test_each_value_has_its_line_and_what_is_not_there_that_of_its_parent() -> None:
    document = parse("a: 1\nb:\n  - c: 1\n    d: 2\n  - e\n", "x")
    places = {
        path: document.place(path) for path in [("a",), ("b", 0, "d"), ("b", 1), ("b", 0, "z")]
    }
    assert list(places.values()) == ["x, line 1", "x, line 4", "x, line 5", "x, line 3"]


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert isinstance(parse(text, "x").data, dict)
    except ComposeError:
        return


@given(st.from_regex(r"[-+.0-9_:eExoabtnul~]{1,12}|[a-zA-Z]{1,5}", fullmatch=True))
def test_a_plain_word_that_is_no_text_is_what_python_reads_too(word: str) -> None:
    """What Python takes for a text may be more to Compose: 0o17, 1e3."""
    try:
        ours = parse(f"a: {word}", "x").data["a"]
        theirs = yaml.safe_load(f"a: {word}")["a"]
    except (ComposeError, yaml.YAMLError, ValueError):
        return
    if not isinstance(theirs, str):
        assert (ours, type(ours)) == (theirs, type(theirs))
