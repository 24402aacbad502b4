"""What a service of a compose file mounts: volumes, secrets and configs, in each of their forms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from clup.compose.problem import Path
from clup.compose.service import At, Mount
from clup.compose.value import is_read_only, is_said, is_true, items, mapping, strings, text


def mounts(
    data: Mapping[str, Any], service: Mapping[Any, Any], at: Path
) -> Iterator[tuple[At[Mount], str]]:
    """Given a file's data and a service at a path, yield its mounts, each with its type."""
    for path, said in items(service.get("volumes"), (*at, "volumes")):
        mount, kind = _long(said) if isinstance(said, Mapping) else _short(text(said))
        yield At(path, mount), kind
        if kind == "volume":
            yield from _device(data, mount)
    for path, name, _, target in _granted(data, service, at):
        kept = mapping(mapping(data.get(path[0])).get(name))
        if "file" in kept:
            source = text(kept["file"])
            yield At((*path, "file"), Mount(source, target, is_host=True, read_only=True)), "bind"


def config_texts(data: Mapping[str, Any], service: Mapping[Any, Any]) -> Iterator[At[str]]:
    """Yield the texts of the configs that a service is given and that stand in the file itself."""
    for path, name, _, _ in _granted(data, service, ()):
        kept = mapping(mapping(data.get(path[0])).get(name))
        yield from strings(kept.get("content"), (*path, "content"))


def _granted(
    data: Mapping[str, Any], service: Mapping[Any, Any], at: Path
) -> Iterator[tuple[tuple[str, str], str, Path, str]]:
    """Yield the secrets and configs of a service: path in the file, name, path here, target."""
    for kind in ("secrets", "configs"):
        for path, said in items(service.get(kind), (*at, kind)):
            name = text(said.get("source") if isinstance(said, Mapping) else said)
            yield (kind, name), name, path, text(mapping(said).get("target"))


def _short(said: str) -> tuple[Mount, str]:
    """Read SOURCE:TARGET[:OPTIONS]; what has no source is an anonymous volume."""
    source, colon, rest = said.partition(":")
    if not colon:
        return Mount("", said, is_host=False, is_short=True), "volume"
    is_host = _is_path(source)
    target, _, options = rest.partition(":")
    kind = "bind" if is_host else "volume"
    mount = Mount(source, target, is_host, True, creates=is_host, read_only=is_read_only(options))
    return mount, kind


def _long(said: Mapping[Any, Any]) -> tuple[Mount, str]:
    kind, source, target = (text(said.get(key)) for key in ("type", "source", "target"))
    is_bound = kind not in ("volume", "tmpfs", "image")
    is_host = is_bound or (kind == "volume" and _is_path(source))
    # Compose makes the folder unless it is told not to.
    creates = is_bound and is_said(mapping(said.get("bind")).get("create_host_path", True))
    read_only = is_true(said.get("read_only"))
    return Mount(source, target, is_host, creates=creates, read_only=read_only), kind


def _device(data: Mapping[str, Any], mount: Mount) -> Iterator[tuple[At[Mount], str]]:
    """Yield the folder of the host that a named volume stands for, if it does."""
    volume = mapping(mapping(data.get("volumes")).get(mount.source))
    device = text(mapping(volume.get("driver_opts")).get("device"))
    if _is_path(device):
        path = ("volumes", mount.source, "driver_opts", "device")
        made_of = Mount(device, mount.target, is_host=True, read_only=mount.read_only)
        yield At(path, made_of), "bind"


def _is_path(source: str) -> bool:
    """Whether Compose takes it for a path of the host; a volume's name has none of these."""
    return "/" in source or source.startswith((".", "~"))
