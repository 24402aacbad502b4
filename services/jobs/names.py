"""How jobs, their containers and their labels are named, on both sides of the guard's door."""

from __future__ import annotations

import re
import secrets

JOB = re.compile(r"[a-z][a-z0-9_-]{0,40}", re.ASCII)
ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
PARAMETER = re.compile(r"[a-z][a-z0-9_]{0,30}", re.ASCII)
VOLUME = re.compile(r"clup-job-[0-9a-f]{32}-[0-9a-f]{16}", re.ASCII)
HEAD = re.compile(r"[0-9a-f]{64}", re.ASCII)

LABEL_JOB = "clup.job"
LABEL_ID = "clup.job.id"
LABEL_PARAMETERS = "clup.job.parameters"
LABEL_HEAD = "clup.audit.head"
"""The four labels of a request to create a job's container: all that the guard reads of it."""

LABEL_CLASS = "clup.class"
"""What a container of ours is; that of a job is labelled `job`."""

REPOSITORIES = "/repo"
CACHE = "/cache"
WORK = "/work"
ARTIFACTS = "/work/artifacts"
"""Folders that a job sees."""


def is_id(text: str) -> bool:
    """Whether a text is a job's id: 32 hexadecimal digits, in small letters."""
    return ID.fullmatch(text) is not None


def container(job_id: str) -> str:
    """Return the name of a job's container."""
    return f"clup-job-{job_id}"


def volume(job_id: str) -> str:
    """Return a name for the volume of a job's container, another one each time: none is met that
    has something in it already."""
    return f"{container(job_id)}-{secrets.token_hex(8)}"


def is_volume(name: str) -> bool:
    """Whether a name is that of a volume of a job's container."""
    return VOLUME.fullmatch(name) is not None


def variable(parameter: str) -> str:
    """Return the environment variable in which a job finds a parameter."""
    return f"PARAM_{parameter.upper()}"
