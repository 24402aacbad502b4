"""A live container, as `docker inspect` prints it, in the words of the rules."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from clup.compose.problem import Path
from clup.compose.service import (
    KIND_LABEL,
    NOTHING,
    At,
    Entrusted,
    Kind,
    Log,
    Mount,
    Port,
    Service,
)
from clup.compose.value import (
    is_read_only,
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

_LABEL = "com.docker.compose."
_HOST: Path = ("HostConfig",)
_NAMESPACES = ("NetworkMode", "PidMode", "IpcMode", "UTSMode", "UsernsMode", "CgroupnsMode")
_DEVICES = ("Devices", "DeviceRequests", "DeviceCgroupRules")
_RUNC = ("", "runc", "io.containerd.runc.v2")


def container(
    inspected: object,
    guards: Collection[str] = (),
    volumes: Mapping[str, object] | None = None,
    entrusted: Entrusted = NOTHING,
) -> Service:
    """Given what `docker inspect` prints of a container, return it as a service.

    `guards` are the names of the containers that may hold Docker's socket, `volumes` what `docker
    volume inspect` prints, by name: a volume may stand for a folder of the host; `entrusted` is
    what containers are entrusted with.
    """
    root = mapping(inspected)
    config, host = mapping(root.get("Config")), mapping(root.get("HostConfig"))
    labels = mapping(config.get("Labels"))
    name = text(root.get("Name")).removeprefix("/")
    kind: Kind = "job" if labels.get(KIND_LABEL) == "job" else "service"
    mounted = tuple(_mounts(root, host, volumes or {}))

    def listed(key: str) -> tuple[At[str], ...]:
        return texts(host.get(key), (*_HOST, key))

    def limit(key: str, read: Any = number) -> At[float | None]:
        return At((*_HOST, key), read(host.get(key)))

    return Service(
        name=text(labels.get(f"{_LABEL}service")) or name,
        kind=kind,
        is_guard=name in guards,
        entrusted=entrusted.get(name, ()),
        project=_project(labels, kind, name),
        images=(
            At(("Config", "Image"), text(config.get("Image"))),
            *(At(where.path, where.value.source) for where, of in mounted if of == "image"),
        ),
        elsewhere=tuple(_elsewhere(host, labels)),
        users=(At(("Config", "User"), text(config.get("User"))),),
        groups=listed("GroupAdd"),
        privileged=(At((*_HOST, "Privileged"), host.get("Privileged")),),
        added=listed("CapAdd"),
        dropped=At((*_HOST, "CapDrop"), tuple(each.value for each in listed("CapDrop"))),
        devices=tuple(_devices(host)),
        namespaces=tuple(At((*_HOST, key), text(host.get(key))) for key in _NAMESPACES),
        security=At((*_HOST, "SecurityOpt"), tuple(_security(host))),
        read_only=At((*_HOST, "ReadonlyRootfs"), is_true(host.get("ReadonlyRootfs"))),
        memory=limit("Memory", size),
        swap=limit("MemorySwap", size),
        cpus=limit("NanoCpus" if not is_said(host.get("CpuQuota")) else "CpuQuota"),
        pids=limit("PidsLimit"),
        log=_log(host),
        health=_health(config),
        restart=At(
            (*_HOST, "RestartPolicy", "Name"),
            text(mapping(host.get("RestartPolicy")).get("Name")),
        ),
        mounts=tuple(where for where, of in mounted if of != "image"),
        api_socket=(),
        ports=tuple(_ports(host)),
        environment=tuple(
            At(where, (key, value or ""))
            for where, key, value in pairs(config.get("Env"), ("Config", "Env"))
        ),
        texts=tuple(strings(config, ("Config",))),
        interpolated=tuple(_interpolated(labels)),
    )


def _project(labels: Mapping[Any, Any], kind: Kind, name: str) -> At[str]:
    """Return the project. A job is started by a guard and not by Compose, and needs none."""
    label = f"{_LABEL}project"
    said = text(labels.get(label)) or (name if kind == "job" else "")
    return At(("Config", "Labels", label), said)


def _elsewhere(host: Mapping[Any, Any], labels: Mapping[Any, Any]) -> Iterator[At[str]]:
    for path, _ in items(host.get("VolumesFrom"), (*_HOST, "VolumesFrom")):
        yield At(path, "the mounts of another container")
    label = f"{_LABEL}project.config_files"
    if "," in text(labels.get(label)):
        yield At(("Config", "Labels", label), "further compose files")


def _interpolated(labels: Mapping[Any, Any]) -> Iterator[At[str]]:
    label = f"{_LABEL}project.environment_file"
    if said := text(labels.get(label)):
        yield At(("Config", "Labels", label), said)


def _devices(host: Mapping[Any, Any]) -> Iterator[At[object]]:
    for key in _DEVICES:
        yield from (At(where, item) for where, item in items(host.get(key), (*_HOST, key)))
    if text(host.get("Runtime")) not in _RUNC:
        yield At((*_HOST, "Runtime"), host["Runtime"])


def _security(host: Mapping[Any, Any]) -> Iterator[str]:
    """Yield the security options, and the one that clients turn into no masked paths at all."""
    for _, option in items(host.get("SecurityOpt"), ()):
        yield text(option)
    if [] in (host.get("MaskedPaths"), host.get("ReadonlyPaths")):
        yield "systempaths=unconfined"


def _log(host: Mapping[Any, Any]) -> At[Log]:
    log = mapping(host.get("LogConfig"))
    limit = mapping(log.get("Config")).get("max-size")
    return At((*_HOST, "LogConfig"), Log(text(log.get("Type")), size(limit)))


def _health(config: Mapping[Any, Any]) -> At[bool]:
    test = mapping(config.get("Healthcheck")).get("Test")
    is_on = isinstance(test, list) and bool(test) and test[0] not in ("", "NONE")
    return At(("Config", "Healthcheck"), is_on)


def _ports(host: Mapping[Any, Any]) -> Iterator[At[Port]]:
    path = (*_HOST, "PortBindings")
    for target, bindings in mapping(host.get("PortBindings")).items():
        for where, item in items(bindings, (*path, target)):
            address, published = (text(mapping(item).get(key)) for key in ("HostIp", "HostPort"))
            yield At(where, Port(address, published, text(target)))
    if is_said(host.get("PublishAllPorts")):
        yield At((*_HOST, "PublishAllPorts"), Port("", "", "all"))


def _mounts(
    root: Mapping[Any, Any], host: Mapping[Any, Any], volumes: Mapping[str, object]
) -> Iterator[tuple[At[Mount], str]]:
    """Yield the mounts that were asked for, each with its type, then others that there are."""
    asked: set[str] = set()
    for path, item in items(host.get("Binds"), (*_HOST, "Binds")):
        source, _, rest = text(item).partition(":")
        is_host = source.startswith("/")
        target, _, options = rest.partition(":")
        mount = Mount(source, target, is_host, is_host, is_host, is_read_only(options))
        asked.add(mount.target)
        yield At(path, mount), "bind" if is_host else "volume"
        yield from _device(path, mount, volumes)
    for path, item in items(host.get("Mounts"), (*_HOST, "Mounts")):
        mount, kind = _mount(mapping(item))
        asked.add(mount.target)
        yield At(path, mount), kind
        yield from _device(path, mount, volumes)
    for path, item in items(root.get("Mounts"), ("Mounts",)):
        mount, kind = _mount(mapping(item))
        if mount.target not in asked:
            yield At(path, mount), kind
            yield from _device(path, mount, volumes)


def _mount(said: Mapping[Any, Any]) -> tuple[Mount, str]:
    """Read an entry of HostConfig.Mounts, or of the Mounts that there are."""
    kind = text(said.get("Type"))
    source = text(said.get("Name") if kind == "volume" and said.get("Name") else said.get("Source"))
    target = text(said.get("Target") or said.get("Destination"))
    is_host = kind not in ("volume", "tmpfs", "image")
    creates = is_said(mapping(said.get("BindOptions")).get("CreateMountpoint"))
    read_only = is_true(said.get("ReadOnly")) or said.get("RW") is False
    return Mount(source, target, is_host, creates=creates, read_only=read_only), kind


def _device(
    path: Path, mount: Mount, volumes: Mapping[str, object]
) -> Iterator[tuple[At[Mount], str]]:
    options = mapping(mapping(volumes.get(mount.source)).get("Options"))
    device = text(options.get("device"))
    if device.startswith("/"):
        made_of = Mount(device, mount.target, is_host=True, read_only=mount.read_only)
        yield At(path, made_of), "bind"
