from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.jobs.document import parse
from services.jobs.problem import JobError

READ = {
    "words": ("a: b c\nd: yes\ne: 1:30\nf: 0440\ng: 0x1f\nh: 2026-11-21\ni: '1'",
              {"a": "b c", "d": "yes", "e": "1:30", "f": "0440", "g": "0x1f", "h": "2026-11-21",
               "i": "1"}),
    "numbers": ("a: [1, -2, 0.5, 1e3, .5]", {"a": [1, -2, 0.5, "1e3", ".5"]}),
    "null and booleans": ("a: [~, null, true, false, True]",
                          {"a": [None, None, True, False, "True"]}),
    "a merge is a word like others": ("a: {<<: b}", {"a": {"<<": "b"}}),
}  # fmt: skip

REFUSED = {
    "a key twice": ("a: 1\nb: 1\na: 2", "At the file (x, line 3): has the key 'a' twice; remove"),
    "a key twice below": ("a:\n  b: 1\n  'b': 1", "At a (x, line 3): has the key 'b' twice"),
    "a second document": ("a: 1\n---\nb: 2", "(x, line 2): holds a second document"),
    "an alias": ("a: &x 1\nb: *x", "(x, line 1): has an anchor or an alias"),
    "a billion laughs": ("a: &a [x]\nb: &b [*a, *a]", "has an anchor"),
    "a tag": ("a: !!python/object/apply:os.system [id]", "has a tag"),
    "depth": ("a: " + "[" * 4000 + "]" * 4000, "is nested too deep"),
    "a number as a key": ("80: x", "has the key 80, which is no text"),
    "a list as a key": ("? [a]\n: b", "which is no text"),
    "an open bracket": ("a: [", "is no valid YAML"),
    "a zero byte": ("a: \0", "is no valid YAML: unacceptable character"),
    "a list": ("- a", "is no mapping; begin it with job: NAME"),
    "nothing": ("", "is no mapping"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), READ.values(), ids=READ)
def test_what_is_read(text: str, expected: object) -> None:
    assert parse(text, "x").data == expected


@pytest.mark.parametrize(("text", "expected"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(text: str, expected: str) -> None:
    with pytest.raises(JobError) as raised:
        parse(text, "x")
    assert expected in str(raised.value)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert isinstance(parse(text, "x").data, dict)
    except JobError:
        return
