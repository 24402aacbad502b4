"""Kinds of setting that several roles have: each says in words what is wrong with a value."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, Field

from clup.settings import fault


def _name(value: str) -> str:
    if not re.fullmatch(r"[a-z_][a-z0-9_-]{0,31}", value):
        raise fault(
            "is no name of a user or group",
            "use at most 32 lower-case letters, digits, - and _, and begin with a letter",
        )
    return value


def _path(value: str) -> str:
    if not value.startswith("/"):
        raise fault("is no absolute path", "begin it with /")
    if str(PurePosixPath(value)) != value or ".." in PurePosixPath(value).parts or value == "/":
        raise fault("is not in its plainest form", "write it without a final /, //, . or ..")
    if not re.fullmatch(r"[A-Za-z0-9/._@+-]+", value):
        raise fault("has a character that is not safe everywhere", "use letters, digits, ._@+-")
    return value


def _mode(value: str) -> str:
    if not re.fullmatch(r"[0-7]{4}", value):
        raise fault("is no mode", "write four octal digits in quotes, such as '0750'")
    if int(value, 8) & 0o1002 == 0o0002:
        raise fault("lets everybody exchange what is there", "write a last digit without the 2")
    return value


Name = Annotated[str, AfterValidator(_name), Field(title="user or group")]
"""A user or group, as useradd accepts it."""

Id = Annotated[int, Field(ge=100, le=59999)]
"""A user or group id: below are Debian's own, above systemd's and those of containers."""

AbsolutePath = Annotated[str, AfterValidator(_path), Field(title="absolute path")]
"""An absolute path of which no part is special."""

Mode = Annotated[str, AfterValidator(_mode), Field(title="mode, such as `'0750'`")]
"""A mode such as "0750", four octal digits; world-writable only with the sticky bit."""
