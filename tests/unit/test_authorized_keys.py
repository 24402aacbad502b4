"""Lines of authorized_keys: what is a key, and what a file with other people's lines becomes."""

from __future__ import annotations

import base64
import struct

import pytest

from clup.authorized_keys import BadKeyError, keys_in, merged, parse

BLOB = "AAAAC3NzaC1lZDI1NTE5AAAAIPeuEOn+xUJDJvlFYELNtyNqPR+nTSUzDeTgZ5gRNW1C"
OTHER = "AAAAC3NzaC1lZDI1NTE5AAAAIJ1Zt1Qb9mVxQ2R9cGq4m8oV5m0kqv6w0m1jz8Qm7sY2"
KEY = f"ssh-ed25519 {BLOB} psy@desk"
GUEST = f"ssh-ed25519 {OTHER} guest"


@pytest.mark.parametrize(
    ("line", "options", "comment"),
    [
        (KEY, "", "psy@desk"),
        (f"  ssh-ed25519  {BLOB}  two words \n", "", "two words"),
        (f"ssh-ed25519 {BLOB}", "", ""),
        (f"restrict,pty {KEY}", "restrict,pty", "psy@desk"),
        (
            f'command="echo \\"a b\\", c",no-pty {KEY}',
            'command="echo \\"a b\\", c",no-pty',
            "psy@desk",
        ),
    ],
)
def test_parts_of_a_line(line: str, options: str, comment: str) -> None:
    key = parse(line)
    assert (key.options, key.kind, key.blob, key.comment) == (
        options, "ssh-ed25519", BLOB, comment,
    )  # fmt: skip


@pytest.mark.parametrize("line", ["", "# psy", "ssh-ed25519", "ssh-ed25519 AAAA", f"x {BLOB}"])
def test_not_a_key(line: str) -> None:
    with pytest.raises(BadKeyError):
        parse(line)


@pytest.mark.parametrize(
    ("text", "exclusive", "wanted"),
    [
        (None, False, f"{KEY}\n"),
        ("", False, f"{KEY}\n"),
        (f"{KEY}\n", False, f"{KEY}\n"),
        (KEY, False, KEY),
        (f"ssh-ed25519 {BLOB} elsewhere", False, f"ssh-ed25519 {BLOB} elsewhere"),
        (f"# mine\n\n{GUEST}", False, f"# mine\n\n{GUEST}\n{KEY}\n"),
        (f"# mine\n{GUEST}\n", True, f"{KEY}\n"),
        (f"restrict {KEY}\n{GUEST}\n", False, f"{KEY}\n{GUEST}\n"),
        (f"{KEY}\nrestrict {KEY}\n", False, f"{KEY}\n"),
        (f"# a\x0bb\x85c\r\n{KEY}\n", False, f"# a\x0bb\x85c\r\n{KEY}\n"),
        (f"# \udcff\n{KEY}\n", False, f"# \udcff\n{KEY}\n"),
    ],
)
def test_a_file_gains_the_key_and_keeps_the_rest(
    text: str | None, exclusive: bool, wanted: str
) -> None:
    assert merged(text, [parse(KEY)], exclusive) == wanted
    assert merged(wanted, [parse(KEY)], exclusive) == wanted


@pytest.mark.parametrize("bits", [1024, 2047])
def test_a_short_rsa_key(bits: int) -> None:
    fields = (b"ssh-rsa", b"\x01\x00\x01", (1 << (bits - 1)).to_bytes(257, "big"))
    data = b"".join(struct.pack(">I", len(field)) + field for field in fields)
    with pytest.raises(BadKeyError, match=f"RSA key of {bits} bits"):
        parse(f"ssh-rsa {base64.b64encode(data).decode()}")


def test_keys_of_a_file() -> None:
    assert keys_in(f"# no\n{KEY}\nbroken\n{GUEST}") == [parse(KEY), parse(GUEST)]
