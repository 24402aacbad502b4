"""What an inventory may say about the way to a machine: pyinfra's own keys, checked like ours.

pyinfra itself takes whatever it is given and fails while it connects, or asks a question.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, StrictBool, ValidationError

from clup.settings import Problem, fault, problems_of


def _port(value: int) -> int:
    if not 1 <= value <= 65535:
        raise fault("is no port", "write a number from 1 to 65535, such as 22")
    return value


def _secret(value: object) -> object:
    if value is not None and not isinstance(value, str):
        raise fault("is no string", "write a string in quotes", secret=True)
    return value


Secret = Annotated[str | None, BeforeValidator(_secret)]


class Connection(BaseModel):
    """The data of a host by which it is reached. What is not listed is left to pyinfra."""

    sudo: StrictBool = Field(default=False, alias="_sudo")
    ssh_hostname: str | None = None
    ssh_port: Annotated[int, AfterValidator(_port)] | None = None
    ssh_user: str | None = None
    ssh_password: Secret = None
    ssh_key: str | None = None
    ssh_key_password: Secret = None
    ssh_config_file: str | None = None
    ssh_known_hosts_file: str | None = None
    # pyinfra also knows "ask", which would wait for an answer in the middle of a run.
    ssh_strict_host_key_checking: Literal["yes", "accept-new", "no"] = "accept-new"


def problems(data: Mapping[str, Any]) -> list[Problem]:
    """Given a host's merged data, return what is wrong with the way to it."""
    try:
        Connection.model_validate({key: data[key] for key in data if isinstance(key, str)})
    except ValidationError as error:
        return problems_of(error, Connection)
    return []
