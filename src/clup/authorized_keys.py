"""Public keys of OpenSSH and the file `authorized_keys`, as sshd(8) describes it."""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass

KINDS = (
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
)
"""The kinds of key that today's sshd accepts."""

LEAST_RSA_BITS = 2048

# Options hold spaces and commas only between double quotes, in which \" is a quote.
_OPTIONS = re.compile(r'(?:[^\s"]|"(?:\\"|[^"])*")+')


class BadKeyError(ValueError):
    """A line is no public key that sshd would accept. `reason` and `cure` say why."""

    def __init__(self, reason: str, cure: str, secret: bool = False):
        self.reason, self.cure, self.secret = reason, cure, secret
        super().__init__(f"{reason}; {cure}")


@dataclass(frozen=True)
class Key:
    """One line: what the key may do, its kind, the key itself as base64, and whose it is."""

    options: str
    kind: str
    blob: str
    comment: str

    def __str__(self) -> str:
        return " ".join(part for part in (self.options, self.kind, self.blob, self.comment) if part)

    def same_as(self, other: Key | None) -> bool:
        """Whether both lines give the same key the same powers. Comments do not count."""
        return other is not None and self._powers == other._powers

    @property
    def label(self) -> str:
        """What tells it from other keys in a report: its comment, or the end of the key."""
        return f"{self.kind} {self.comment or '...' + self.blob[-12:]}"

    @property
    def _powers(self) -> tuple[str, str, str]:
        return self.options, self.kind, self.blob


def parse(line: str) -> Key:
    """Given a line of `authorized_keys`, return its parts. Raise BadKeyError if it is no key."""
    if "PRIVATE KEY" in line:
        raise BadKeyError("is a private key", "give the public one, and make a new pair", True)
    if "\n" in line.strip():
        raise BadKeyError("is more than one line", "write each key as an item of its own")
    options, rest = "", line.strip()
    if rest.split(" ", 1)[0] not in KINDS and (found := _OPTIONS.match(rest)):
        options, rest = found.group(), rest[found.end() :].strip()
    kind, _, rest = rest.partition(" ")
    if kind not in KINDS:
        known = ", ".join(KINDS)
        raise BadKeyError("is no public key that sshd accepts", f"its kind must be one of {known}")
    blob, _, comment = rest.strip().partition(" ")
    _check(kind, blob)
    return Key(options, kind, blob, comment.strip())


def keys_in(text: str) -> list[Key]:
    """Given the text of `authorized_keys`, return its keys; sshd skips all other lines too."""
    return [key for line in text.split("\n") if (key := _key_of(line))]


def merged(text: str | None, keys: Sequence[Key], exclusive: bool) -> str:
    """Given what the file holds (None if it is absent), return what it should hold.

    Each key is there once with exactly its options. A line for the same key with other options
    is replaced, as sshd would go by whichever comes first. All other lines stay as they are,
    byte for byte, unless `exclusive`: then the file holds the keys alone.
    """
    kept: list[str] = []
    missing = list(keys)
    # Only \n ends a line here: str.splitlines knows more ends, which others' lines may hold.
    for line in text.removesuffix("\n").split("\n") if text and not exclusive else []:
        found = _key_of(line)
        ours = next((key for key in keys if found and key.blob == found.blob), None)
        if ours is None:
            kept.append(line)
        elif ours in missing:
            missing.remove(ours)
            kept.append(line if ours.same_as(found) else str(ours))
    wanted = "".join(f"{line}\n" for line in [*kept, *map(str, missing)])
    return text if text is not None and wanted == f"{text}\n" else wanted


def _key_of(line: str) -> Key | None:
    try:
        return parse(line)
    except BadKeyError:
        return None


def _check(kind: str, blob: str) -> None:
    """Raise BadKeyError unless the base64 holds a key of that kind (RFC 4253, section 6.6)."""
    damaged = BadKeyError("is a damaged key", "copy the whole line of the .pub file again")
    try:
        fields = _fields(base64.b64decode(blob, validate=True))
    except (binascii.Error, struct.error) as error:
        raise damaged from error
    if not fields or fields[0] != kind.encode() or len(fields) < 2:
        raise damaged
    if kind == "ssh-rsa":
        bits = int.from_bytes(fields[-1], "big").bit_length()
        if bits < LEAST_RSA_BITS:
            raise BadKeyError(
                f"is an RSA key of {bits} bits", "make one with ssh-keygen -t ed25519"
            )


def _fields(data: bytes) -> list[bytes]:
    """Split a key into its fields, each of which follows its length. Raise struct.error if torn."""
    fields = []
    while data:
        (length,) = struct.unpack_from(">I", data)
        (field,) = struct.unpack_from(f"{length}s", data, 4)
        fields.append(field)
        data = data[4 + length :]
    return fields
