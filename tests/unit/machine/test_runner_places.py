"""Where the runner is, from what `docker inspect` says of its container."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from clup.machine.process import RefusedError
from clup.machine.runner_places import on_host, published, variables

CONTAINER: dict[str, Any] = {
    "Name": "/dkr-claw-runner",
    "Config": {"Env": ["DOCKER_HOST=tcp://claw-socket-proxy:2375", "EMPTY=", "TWO=a=b"]},
    "HostConfig": {"PortBindings": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "18888"}]}},
    "Mounts": [
        {"Type": "bind", "Source": "/srv/data/openclaw/runner", "Destination": "/runner-data"},
        {"Type": "bind", "Source": "/etc/clup/tokens", "Destination": "/runner-data/tokens"},
        {"Type": "tmpfs", "Source": "", "Destination": "/runner-data/audit"},
    ],
}


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ("/runner-data/state", "/srv/data/openclaw/runner/state"),
        ("/runner-data/tokens/operator", "/etc/clup/tokens/operator"),
        ("/runner-data/tokens", "/etc/clup/tokens"),
        ("/runner-data", "/srv/data/openclaw/runner"),
    ],
)
def test_a_path_inside_is_one_of_the_machine(inside: str, outside: str) -> None:
    assert on_host(CONTAINER, inside) == Path(outside)


def test_a_path_in_no_mount_is_refused() -> None:
    with pytest.raises(RefusedError, match="dkr-claw-runner: /runner-database/x lies in no mount"):
        on_host(CONTAINER, "/runner-database/x")


@pytest.mark.parametrize(
    ("bindings", "port"),
    [
        ([{"HostIp": "127.0.0.1", "HostPort": "18888"}], 18888),
        ([{"HostIp": "100.64.0.1", "HostPort": "1"}, {"HostIp": "127.0.0.1", "HostPort": "2"}], 2),
        ([{"HostIp": "", "HostPort": "18888"}], None),
        ([{"HostIp": "0.0.0.0", "HostPort": "18888"}], None),
        ([{"HostIp": "127.0.0.1", "HostPort": ""}], None),
        (None, None),
    ],
)
def test_the_port_is_that_of_loopback(bindings: object, port: int | None) -> None:
    container = copy.deepcopy(CONTAINER)
    container["HostConfig"]["PortBindings"] = {"8080/tcp": bindings}
    if port is not None:
        assert published(container) == port
        return
    with pytest.raises(RefusedError, match=r"its port 8080 is not published on 127\.0\.0\.1"):
        published(container)


def test_variables_may_hold_an_equals_sign() -> None:
    assert variables(CONTAINER)["TWO"] == "a=b"
    assert variables(CONTAINER)["EMPTY"] == ""
