from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.jobs.pattern import PatternError, pattern

REFUSED = {
    "nothing": ("", "has 0 characters"),
    "a star": ("a*", "repeats without a bound; instead of * write {0,40}"),
    "a plus": ("[a-z]+", "instead of + write"),
    "an anchor": ("^a$", "it matches as a whole anyway"),
    "a dot": (".{1,3}", "name characters as [...]"),
    "a class by a letter": (r"\d{1,3}", r"has \d: name characters"),
    "a back reference": (r"(a)\1", r"has \1: name characters"),
    "a class of what not": ("[^a]", "name what is"),
    "a lookahead": ("(?=a)a", "where it has no meaning"),
    "a flag": ("(?i)a", "where it has no meaning"),
    "an open group": ("(a", "has a group that is not closed"),
    "an open class": ("[a", "has a class that is not closed"),
    "a closing bracket too many": ("a)", "closes a group that is not open"),
    "an empty class": ("[]", "has an empty class"),
    "an empty group": ("()", "has nothing where something must stand"),
    "an empty choice": ("a|", "has nothing where something must stand"),
    "a range backwards": ("[z-a]", "has the range z-a, which is empty"),
    "no number": ("a{,3}", "has a { that is no {3} and no {1,40}"),
    "numbers backwards": ("a{3,1}", "repeats {3,1} times"),
    "none": ("a{0}", "that is empty"),
    "twice": ("a{1,2}{1,2}", "repeats what is repeated already"),
    "lazy": ("a{1,2}?", "repeats what is repeated already"),
    "possessive": ("a?+", "repeats what is repeated already"),
    "a repetition of nothing": ("{3}", "where it has no meaning"),
    "too long a value": ("[a-z]{200}[a-z]{57}", "matches up to 257 characters; at most 256"),
    "too many steps": ("|".join(["a" * 90] * 4) + "|(" + "(a|b|c|d|e){1,200})", "at most 1024"),
    "too long a text": ("a" * 401, "has 401 characters"),
    "depth": ("(" * 9 + "a" + ")" * 9, "nests groups too deep"),
    "another alphabet": ("\u00e4", "not printable ASCII"),
    "a line's end": ("a\n", "not printable ASCII"),
}


@pytest.mark.parametrize(("text", "expected"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_pattern(text: str, expected: str) -> None:
    with pytest.raises(PatternError) as raised:
        pattern(text)
    assert expected in str(raised.value)


_CHARS = st.sampled_from(["a", "b", "[ab]", "[a-c]", r"\.", r"[\]b-]", "[b-]"])
_PATTERNS = st.recursive(
    _CHARS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({'|'.join(parts)})"),
        st.tuples(inner, st.sampled_from(["?", "{2}", "{0,2}", "{1,3}"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=6,
)


@given(_PATTERNS, st.lists(st.text("abc.]-", max_size=8), min_size=1, max_size=20))
def test_it_matches_what_python_matches(text: str, values: list[str]) -> None:
    try:
        ours = pattern(text)
    except PatternError:
        return
    assert [ours.matches(value) for value in values] == [
        re.fullmatch(text, value) is not None for value in values
    ]


@pytest.mark.parametrize(
    "text",
    ["(a|a){1,200}b", "((a?){1,15}){1,15}b", "a{0,80}a{0,80}a{0,80}b", "(a{1,2}|a){1,120}b"],
)
def test_no_value_takes_long(text: str) -> None:
    started = time.process_time()
    assert not pattern(text).matches("a" * 200)
    assert time.process_time() - started < 0.5
