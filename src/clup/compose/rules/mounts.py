"""What of the host a container sees: its folders, and above all Docker's socket."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from clup.compose.problem import shown
from clup.compose.rule import Fault, Rule
from clup.compose.service import Mount, Service
from clup.compose.value import is_said

_CIS = "CIS Docker Benchmark 1.6.0"

_SOCKET = re.compile(
    r"(?i)(.*/)?(docker|containerd|podman|crio|cri-dockerd|buildkitd)[^/]*\.sock"
    r"|/(var/)?run/([^/]*docker[^/]*|containerd|podman|buildkit)(/.*)?"
)
_SDK = re.compile(r"(?i)(.*/)?(android[-_.]?sdk[^/]*|android/sdk|sdk/android)(/.*)?")
_SENSITIVE = (
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/root", "/run", "/sbin",
    "/srv/cache/containerd", "/srv/cache/docker", "/srv/data/openclaw/clup",
    "/srv/data/openclaw/runner/keys", "/srv/data/openclaw/runner/ledger",
    "/srv/data/openclaw/runner/state", "/srv/data/openclaw/runner/tokens",
    "/sys", "/usr", "/var/lib/clup", "/var/lib/containerd", "/var/lib/docker", "/var/run",
    "/var/spool",
)  # fmt: skip
# What the runner and its guard write, and others may read: jobs are run from it, and an audit that
# others could write tells nothing.
_KEPT = (
    "/srv/cache/openclaw/runner", "/srv/data/openclaw/runner/audit",
    "/srv/data/openclaw/runner/compose", "/srv/data/openclaw/runner/jobs",
    "/srv/data/openclaw/runner/reports",
)  # fmt: skip
_SENSITIVE_NAMES = {
    ".android", ".aws", ".azure", ".config", ".docker", ".gnupg", ".kube", ".netrc", ".ssh",
}  # fmt: skip
_ABOVE_SOCKETS = ("/", "/run", "/var/run")
_HOME = re.compile(r"/home(/[^/]+)?")


def _socket(service: Service) -> Iterator[Fault]:
    cure = "remove it: jobs are asked for by name, and the guard starts them"
    for at in service.mounts:
        if _is_socket(at.value) and not service.is_guard:
            reason = "is the container engine's socket, which is root on the host"
            yield Fault(at.path, shown(at.value.source), reason, cure)
    for each in service.api_socket:
        if is_said(each.value):
            reason = "has Compose mount the engine's socket, and the operator's credentials"
            yield Fault(each.path, shown(each.value), reason, cure)


def shows_sockets(service: Service) -> Iterator[Fault]:
    """Yield each mount that the engine's sockets lie in. Where all rules hold, `host-paths` has it;
    this is for containers of which too little is known for that."""
    cure = "mount a folder of its own"
    for at in service.mounts:
        if at.value.is_host and _plain(at.value.source) in _ABOVE_SOCKETS:
            yield Fault(at.path, shown(at.value.source), "shows it Docker's socket", cure)


def _host_paths(service: Service) -> Iterator[Fault]:
    for at in service.mounts:
        mount = at.value
        if not mount.is_host or _is_socket(mount) or _is_sdk(mount):
            continue
        if _plain(mount.source) in service.entrusted:
            continue
        if not mount.source.startswith("/"):
            reason = "is relative to a folder that the file does not name"
            yield Fault(at.path, shown(mount.source), reason, "write an absolute path")
        elif found := _sensitive(_plain(mount.source)):
            reason = f"shows the container {found}"
            cure = "mount a folder of its own, such as one below /srv/data/openclaw"
            yield Fault(at.path, shown(mount.source), reason, cure)
        elif not mount.read_only and (found := _of(_KEPT, _plain(mount.source))):
            reason = f"lets the container write {found}, which the job runner relies on"
            yield Fault(at.path, shown(mount.source), reason, "set read_only: true")


def _sdk(service: Service) -> Iterator[Fault]:
    for at in service.mounts:
        if _is_sdk(at.value):
            reason = "is an Android SDK that others share"
            yield Fault(at.path, shown(at.value.source), reason, "put the SDK into the job's image")


def _syntax(service: Service) -> Iterator[Fault]:
    cure = "write type, source and target, and bind: {create_host_path: false}"
    for at in service.mounts:
        if at.value.is_short:
            reason = "is in the short form, which makes a folder where a file is missing"
            yield Fault(at.path, shown(at.value.source or at.value.target), reason, cure)
        elif at.value.creates:
            reason = "makes an empty folder of root's where the source is missing"
            yield Fault(at.path, shown(at.value.source), reason, cure)


def _is_socket(mount: Mount) -> bool:
    return mount.is_host and bool(_SOCKET.fullmatch(_plain(mount.source)))


def _is_sdk(mount: Mount) -> bool:
    return any(_SDK.fullmatch(_plain(path)) for path in (mount.source, mount.target))


def _sensitive(path: str) -> str:
    """Return what of the host a path shows that no container may see, or nothing."""
    if path == "/":
        return "the whole host"
    if kept := _of(_SENSITIVE, path):
        return kept
    if _HOME.fullmatch(path):
        return "somebody's home, keys and all"
    names = _SENSITIVE_NAMES.intersection(path.split("/"))
    return f"somebody's {min(names)}" if names else ""


def _of(folders: tuple[str, ...], path: str) -> str:
    """Return the folder that a path is, is in or is above, or nothing."""
    return next(
        (
            each
            for each in folders
            if f"{path}/".startswith(f"{each}/") or each.startswith(f"{path}/")
        ),
        "",
    )


def _plain(path: str) -> str:
    """Return a path without //, . and .., which Docker resolves too."""
    plain = posixpath.normpath(path) if path else ""
    return f"/{plain.lstrip('/')}" if plain.startswith("/") else plain


RULES = (
    Rule(
        "docker-socket",
        "No container but the guard holds Docker's socket",
        "Whoever can write to it is root on the host, and read-only mounts do not change that.",
        f"{_CIS}, 5.32; seed 003, section 1.2; trap 1",
        _socket,
    ),
    Rule(
        "host-paths",
        "No sensitive path of the host is mounted",
        "System folders, sockets, homes and keys are the host's own, and so are Docker's data, the"
        " desired-state folder, and the job runner's keys, tokens, state and ledger; a mount of"
        " what is above them shows them too. The runner's jobs, audit, reports and caches may be"
        " mounted to be read, and not to be written. A relative path depends on where the file is"
        " linked to.",
        f"{_CIS}, 5.6; trap 5",
        _host_paths,
    ),
    Rule(
        "android-sdk",
        "No Android SDK is shared",
        "One job would change the tools of the next, and licences and keys lie beside them.",
        "seed 003, section 5.1",
        _sdk,
    ),
    Rule(
        "mount-syntax",
        "Mounts are in the long form, and none creates its source",
        "A missing .env becomes an empty folder, and the container starts without its settings.",
        "trap 2",
        _syntax,
    ),
)
