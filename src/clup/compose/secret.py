"""What looks like a secret: by the name that it is given, or by how it is made."""

from __future__ import annotations

import re

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

_MADE = {
    "a private key": r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY",
    "a password in an address": r"\b[a-z][a-z0-9+.-]*://[^\s/:@]*:[^\s/@]+@",
    "a password among arguments": r"(?i)(^|\s)--?[\w-]*(password|secret|token|key)=[^\s/]",
    "a token of GitHub's": r"\b(gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,})",
    "a token of GitLab's": r"\bglpat-[\w-]{20,}",
    "a token of Slack's": r"\bxox[abposr]-[\w-]{10,}",
    "a token of Telegram's": r"\b[0-9]{8,10}:[A-Za-z0-9_-]{35}\b",
    "a key of Tailscale's": r"\btskey-[a-z]+-\w{8,}",
    "a key of a model's provider": r"\bsk-[A-Za-z0-9_-]{20,}",
    "a key of a cloud's": r"\b(AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[\w-]{35}",
    "a signed token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.",
}
_PATTERNS = {what: re.compile(pattern) for what, pattern in _MADE.items()}


def named_secret(name: str, value: str) -> bool:
    """Whether the name says that the value is a secret, and the value may be one."""
    if not _NAME.search(name) or _ABOUT.fullmatch(name):
        return False
    return not _HARMLESS.fullmatch(value)


def secret_in(text: str) -> str | None:
    """Return what a text holds that is made like a secret, in words; None if nothing is."""
    return next((what for what, pattern in _PATTERNS.items() if pattern.search(text)), None)
