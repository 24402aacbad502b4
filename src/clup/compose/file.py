"""The services of a rendered compose file (https://docs.docker.com/reference/compose-file/)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from clup.compose.document import Document
from clup.compose.file_mounts import config_texts, mounts
from clup.compose.file_ports import ports
from clup.compose.problem import Path
from clup.compose.service import KIND_LABEL, NOTHING, At, Entrusted, Log, Port, Service
from clup.compose.value import (
    is_said,
    is_true,
    items,
    mapping,
    number,
    pairs,
    size,
    strings,
    text,
    texts,
)

_ELSEWHERE = {
    "build": "an image that is built on the way",
    "extends": "a service of another place",
    "label_file": "labels from a file",
    "models": "a model that Docker runs",
    "pre_start": "further containers",
    "provider": "a program on the host",
    "volumes_from": "the mounts of another container",
}
_ELSEWHERE_IN_FILE = {
    "include": "further compose files",
    "jobs": "containers that start on a schedule",
    "models": "models that Docker runs",
}
_NAMESPACES = ("network_mode", "pid", "ipc", "uts", "userns_mode", "cgroup")
_OUTSIDE = ("secrets", "configs")
# Of com.docker.network.bridge.gateway_mode_ipv4 and _ipv6.
_OPEN_MODES = ("nat-unprotected", "routed")


def services(
    document: Document, guards: Collection[str] = (), entrusted: Entrusted = NOTHING
) -> list[Service]:
    """Given a document, the container names of the guards, and what containers are entrusted with,
    return its services.

    What concerns the file as a whole is found in each of them.
    """
    found = mapping(document.data.get("services"))
    return [
        _service(document.data, str(name), said, guards, entrusted) for name, said in found.items()
    ]


def _service(
    data: Mapping[str, Any],
    name: str,
    said: object,
    guards: Collection[str],
    entrusted: Entrusted,
) -> Service:
    at: Path = ("services", name)
    service = mapping(said)
    hooks = [
        (where, mapping(hook))
        for when in ("post_start", "pre_stop")
        for where, hook in items(service.get(when), (*at, when))
    ]
    labels = {key: value for _, key, value in pairs(service.get("labels"), ())}

    def listed(key: str) -> tuple[At[str], ...]:
        return texts(service.get(key), (*at, key))

    mounted = tuple(mounts(data, service, at))
    container = text(service.get("container_name"))
    return Service(
        name=name,
        kind="job" if labels.get(KIND_LABEL) == "job" else "service",
        is_guard=container in guards,
        entrusted=entrusted.get(container, ()),
        project=At(("name",), text(data.get("name"))),
        images=(
            At((*at, "image"), text(service.get("image"))),
            *(At(where.path, where.value.source) for where, kind in mounted if kind == "image"),
        ),
        elsewhere=tuple(_elsewhere(data, service, at)),
        users=(
            At((*at, "user"), text(service.get("user"))),
            *(At((*path, "user"), text(hook["user"])) for path, hook in hooks if "user" in hook),
        ),
        groups=listed("group_add"),
        privileged=tuple(
            At((*path, "privileged"), part.get("privileged"))
            for path, part in [(at, service), *hooks]
        ),
        added=listed("cap_add"),
        dropped=At((*at, "cap_drop"), tuple(each.value for each in listed("cap_drop"))),
        devices=tuple(_devices(service, at)),
        namespaces=tuple(_namespaces(data, service, at)),
        security=At((*at, "security_opt"), tuple(each.value for each in listed("security_opt"))),
        read_only=At((*at, "read_only"), is_true(service.get("read_only"))),
        memory=_limit(service, at, "mem_limit", "memory", size),
        swap=At((*at, "memswap_limit"), size(service.get("memswap_limit"))),
        cpus=_limit(service, at, "cpus", "cpus", number),
        pids=_limit(service, at, "pids_limit", "pids", number),
        log=_log(service, at),
        health=_health(service, at),
        restart=_restart(service, at),
        mounts=tuple(where for where, kind in mounted if kind != "image"),
        api_socket=(At((*at, "use_api_socket"), service.get("use_api_socket")),),
        ports=(*ports(service.get("ports"), (*at, "ports")), *_opened(data, service)),
        environment=tuple(
            At(where, (key, value or ""))
            for path, part in [(at, service), *hooks]
            for where, key, value in pairs(part.get("environment"), (*path, "environment"))
        ),
        texts=(*strings(service, at), *config_texts(data, service)),
        interpolated=tuple(_interpolated(data, service, at, hooks)),
    )


def _elsewhere(data: Mapping[str, Any], service: Mapping[Any, Any], at: Path) -> Iterator[At[str]]:
    yield from (At((key,), what) for key, what in _ELSEWHERE_IN_FILE.items() if data.get(key))
    yield from (At((*at, key), what) for key, what in _ELSEWHERE.items() if service.get(key))


def _devices(service: Mapping[Any, Any], at: Path) -> Iterator[At[object]]:
    for key in ("devices", "device_cgroup_rules", "gpus", "runtime", "credential_spec"):
        yield from (At(where, item) for where, item in items(service.get(key), (*at, key)))
    below = ("deploy", "resources", "reservations")
    reserved: Any = service
    for step in below:
        reserved = mapping(reserved.get(step))
    for key in ("devices", "generic_resources"):
        path = (*at, *below, key)
        yield from (At(where, item) for where, item in items(reserved.get(key), path))


def _namespaces(data: Mapping[str, Any], service: Mapping[Any, Any], at: Path) -> Iterator[At[str]]:
    yield from (At((*at, key), text(service.get(key))) for key in _NAMESPACES)
    for name, network in _networks(data, service):
        yield At(("networks", name, "driver"), text(network.get("driver")))
        # Of a network's name only that of the host's own network means anything.
        if _name(name, network) == "host":
            yield At(("networks", name), "host")


def _networks(
    data: Mapping[str, Any], service: Mapping[Any, Any]
) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    """Yield the networks that a service joins, as far as the file says what they are."""
    networks = mapping(data.get("networks"))
    joined = service.get("networks") or ["default"]
    for name in joined if isinstance(joined, list | Mapping) else []:
        yield text(name), mapping(networks.get(text(name)))


def _opened(data: Mapping[str, Any], service: Mapping[Any, Any]) -> Iterator[At[Port]]:
    """Yield the networks of which other hosts reach every port, published or not."""
    for name, network in _networks(data, service):
        for key, said in mapping(network.get("driver_opts")).items():
            if text(said) in _OPEN_MODES:
                yield At(("networks", name, "driver_opts", key), Port("", "", text(said)))


def _name(key: object, network: Mapping[Any, Any]) -> str:
    """Return by what name Docker knows a network, as far as the file says it."""
    external = network.get("external")
    named = text(network.get("name") or mapping(external).get("name"))
    return named or (text(key) if is_said(external) else "")


def _limit(service: Mapping[Any, Any], at: Path, key: str, deployed: str, read: Any) -> At[Any]:
    """Return a limit from where it was said: Compose refuses two that differ."""
    if service.get(key) is None:
        limits = mapping(mapping(mapping(service.get("deploy")).get("resources")).get("limits"))
        if limits.get(deployed) is not None:
            return At((*at, "deploy", "resources", "limits", deployed), read(limits[deployed]))
    return At((*at, key), read(service.get(key)))


def _log(service: Mapping[Any, Any], at: Path) -> At[Log]:
    logging = mapping(service.get("logging"))
    limit = mapping(logging.get("options")).get("max-size")
    return At((*at, "logging"), Log(text(logging.get("driver")), size(limit)))


def _health(service: Mapping[Any, Any], at: Path) -> At[bool]:
    check = mapping(service.get("healthcheck"))
    test = check.get("test")
    words = test if isinstance(test, list) else [test]
    is_on = bool(test) and words[0] != "NONE" and not is_said(check.get("disable"))
    return At((*at, "healthcheck"), is_on)


def _restart(service: Mapping[Any, Any], at: Path) -> At[str]:
    """Return the restart policy; that of `deploy` wins, as it does in Compose."""
    policy = mapping(service.get("deploy")).get("restart_policy")
    if policy is not None:
        said = text(mapping(policy).get("condition"))
        path = (*at, "deploy", "restart_policy", "condition")
        return At(path, "always" if said == "any" else said)
    return At((*at, "restart"), text(service.get("restart")))


def _interpolated(
    data: Mapping[str, Any],
    service: Mapping[Any, Any],
    at: Path,
    hooks: list[tuple[Path, Mapping[Any, Any]]],
) -> Iterator[At[str]]:
    """Yield what Compose would take from its own environment or from a file beside."""
    outside = {key: value for key, value in data.items() if key != "services"}
    for each in (*strings(service, at), *strings(outside, ())):
        if "$" in each.value.replace("$$", ""):
            yield each
    yield from texts(service.get("env_file"), (*at, "env_file"))
    for path, part in [(at, service), *hooks]:
        for where, key, value in pairs(part.get("environment"), (*path, "environment")):
            if value is None:
                yield At(where, key)
    for kind in _OUTSIDE:
        for name, said in mapping(data.get(kind)).items():
            if variable := mapping(said).get("environment"):
                yield At((kind, name, "environment"), text(variable))
