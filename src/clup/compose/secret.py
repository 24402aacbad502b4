"""What looks like a secret: by the name that it is given, or by how it is made."""

from __future__ import annotations

import re

from services.jobs.secret import known_secret

_NAME = re.compile(
    r"(?i)password|passwd|passphrase|secret|credential|token(?!s|i)|requirepass|(^|_)pass(_|$)"
    r"|(api|access|private|secret|signing|encryption|master|auth|ssh)_?key"
)
# What follows such a word when the value only leads to the secret, or describes it.
_ABOUT = re.compile(
    r"(?i).*_(file|path|dir|folder|name|id|url|length|min|max|ttl|expiry|expires|timeout|enabled"
    r"|policy|type|method|required|authentication)"
)
_HARMLESS = re.compile(r"(?i)|true|false|yes|no|on|off|none|null|0|1|/run/secrets/.*")

_ARGUMENT = re.compile(r"(?i)(^|\s)--?[\w-]*(password|secret|token|key)=[^\s/]")


def named_secret(name: str, value: str) -> bool:
    """Whether the name says that the value is a secret, and the value may be one."""
    if not _NAME.search(name) or _ABOUT.fullmatch(name):
        return False
    return not _HARMLESS.fullmatch(value)


def secret_in(text: str) -> str | None:
    """Return what a text holds that is made like a secret, in words; None if nothing is."""
    return known_secret(text) or ("a password among arguments" if _ARGUMENT.search(text) else None)
