"""How sshd stands, from outputs recorded on machines."""

from __future__ import annotations

import base64

import pytest

from clup.facts.sshd import Sshd, newer_than_read

TEXT = "X11Forwarding no\n"
HEAD = ["root:root 644", base64.b64encode(TEXT.encode()).decode(), "", "active 1700000100"]
NEWEST = "1700000099.5 /etc/ssh/sshd_config"


def test_options_keep_all_their_values() -> None:
    found = Sshd().process(
        [*HEAD, NEWEST, "port 22", "port 2222", "banner none", "x11forwarding no"]
    )
    assert found.options == {
        "port": ("22", "2222"),
        "banner": ("none",),
        "x11forwarding": ("no",),
    }
    assert (found.content, found.owner) == (TEXT, "root:root 644")
    assert (found.armed, found.newer, found.error) == (False, None, "")


def test_files_that_sshd_refuses_are_an_error_and_no_options() -> None:
    lines = ["/etc/ssh/sshd_config line 3: no argument after keyword", "failed 255"]
    found = Sshd().process([*HEAD, NEWEST, *lines])
    assert found.options == {}
    assert found.error == "/etc/ssh/sshd_config line 3: no argument after keyword"


def test_without_the_drop_in_there_is_no_content() -> None:
    found = Sshd().process(["", "", "armed", "inactive ", NEWEST, "port 22"])
    assert (found.content, found.armed, found.newer) == (None, True, None)


@pytest.mark.parametrize(
    ("running", "newest", "expected"),
    [
        ("active 100", "99.9 /etc/ssh/sshd_config", None),
        ("active 100", "100.9 /etc/ssh/sshd_config", None),
        ("active 100", "101.0 /etc/ssh/sshd_config", "/etc/ssh/sshd_config"),
        ("active 100", "101.0 /etc/ssh/a b.conf", "/etc/ssh/a b.conf"),
        # With socket activation it may not have run yet: it reads the files when it does.
        ("inactive ", "101.0 /etc/ssh/sshd_config", None),
        ("active ", "101.0 /etc/ssh/sshd_config", None),
    ],
)
def test_a_file_newer_than_the_last_reading_is_named(
    running: str, newest: str, expected: str | None
) -> None:
    assert newer_than_read(running, newest) == expected
