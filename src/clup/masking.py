"""Secrets in texts that others wrote: recognised by their names, and not shown.

It is for the eye only: what may be a secret is masked, and more than that at times.
"""

from __future__ import annotations

import re

MASK = "***"

# A key such as "proxy-password", then its value: a string, a list or table, or the word's rest,
# since a comma may belong to a password (mount.cifs(8)).
_NAMED = re.compile(
    r"""(?ix)
    ( (?<![\w.-])
      [\w.-]* (?: pass | passwd | token | secret | cred | api[_-]?key | private[_-]?key ) [\w.-]*
      ["']? \s* [=:] \s*
    | (?<![\w.-]) [\w.-]* auth(?:orization)? ["']? \s* [=:] \s*
    | (?<![\w.-]) user(?:name)? = [^\s,%]* %
    )
    (?: \"{3} [\s\S]*? \"{3} | '{3} [\s\S]*? '{3}
      | "(?:\\.|[^"\\])*" | '[^']*' | \[[^\]]*\] | \{[^}]*\} | \S+ )
    """
)

# In user:password@host, with or without a scheme before it.
_IN_ADDRESS = re.compile(r"(?<![\w.%+-])([\w.%+-]*):(?!//)\S*@")


def masked(text: str) -> str:
    """Given a text, return it with the values of passwords, tokens and the like masked."""
    return _IN_ADDRESS.sub(rf"\1:{MASK}@", _NAMED.sub(rf"\1{MASK}", text))
