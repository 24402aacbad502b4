"""What is a secret by its form alone, wherever it stands.

Only forms that nothing else has: a branch, a path or an image of a job must never look like one.
"""

from __future__ import annotations

import re

_FORMS = {
    "a private key": r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY",
    # An image's digest stands where a host would.
    "a password in an address": r"\b[a-z][a-z0-9+.-]*://[^\s/:@]*:[^\s/@]+@(?!sha256:)",
    "a token of GitHub's": r"\b(gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,})",
    "a token of GitLab's": r"\bglpat-[\w-]{20,}",
    "a token of Slack's": r"\bxox[abposr]-[0-9][\w-]{9,}",
    "a token of Telegram's": r"\b[0-9]{8,10}:[A-Za-z0-9_-]{35}\b",
    "a key of Tailscale's": r"\btskey-[a-z]+-(?=[A-Za-z]*[0-9])\w{8,}",
    # Where nothing else tells, with a digit and a capital letter, or unbroken: sk is Slovak, too.
    "a key of a model's provider": r"\bsk-(ant-(api|admin|oat)[0-9]{2}-[\w-]{20,}"
    r"|or-v1-[0-9a-f]{32,}|(?=[\w-]*[0-9])(?=[\w-]*[A-Z])[\w-]{20,})"
    r"|(?<![\w-])sk-((proj|svcacct|admin)-)?(?=[a-z]*[0-9])[a-z0-9]{20,}",
    "a key of a cloud's": r"\b(AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[\w-]{35}",
    "a signed token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.",
}
_PATTERNS = {what: re.compile(form) for what, form in _FORMS.items()}


def known_secret(text: str) -> str | None:
    """Return which secret a text holds, in words; None if it holds none of a known form."""
    return next((what for what, pattern in _PATTERNS.items() if pattern.search(text)), None)
