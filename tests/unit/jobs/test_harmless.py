"""What of a job's output reaches a terminal."""

from __future__ import annotations

import pytest

from clup.jobs.harmless import harmless, plain


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("plain ü\tline\r\n", "plain ü\tline\r\n"),
        ("\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m"),
        ("\x1b[38;5;8;48;2;8;8;8mgrey\x1b[m", "\x1b[38;5;8;48;2;8;8;8mgrey\x1b[m"),
        ("\x1b[8mhidden", r"\x1b[8mhidden"),
        ("\x1b[38;5;1;08;mhidden", r"\x1b[38;5;1;08;mhidden"),
        ("\x1b[38;5;48;5;8mhidden", r"\x1b[38;5;48;5;8mhidden"),
        ("\x1b[38;2;1;8mhidden", r"\x1b[38;2;1;8mhidden"),
        ("\x1b[58;5;8mhidden", r"\x1b[58;5;8mhidden"),
        ("\x1b]52;c;ZWNobw==\x07", r"\x1b]52;c;ZWNobw==\x07"),
        ("\x1b[2J\x1b[H", r"\x1b[2J\x1b[H"),
        ("\x9b2J", r"\x9b2J"),
        ("a\x08b\x00", r"a\x08b\x00"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\x1b[" + "1" * 40 + "m", r"\x1b[" + "1" * 40 + "m"),
    ],
)
def test_controls_are_written_out(given: str, shown: str) -> None:
    assert harmless(given) == shown


def test_a_word_in_a_line_of_ours_has_no_controls() -> None:
    assert plain("a\n\x1b[31mb ü") == r"a\n\x1b[31mb ü"
