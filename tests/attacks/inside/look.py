"""Whether an attack has succeeded, read from the host: what Docker runs and did, and the canaries.

Nothing here asks the guard. What the attacker got (its loot) is searched for the canaries' words.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.attacks.inside import engine

STAND = Path("/srv/stand")
SECRETS = {
    b"canary-of-the-host": "a file of the host",
    b"canary-of-the-bot": "a secret of another container",
    b"canaryofacaller": "what another caller's job was given or left",
}
TOKENS = ("operator", "neighbour")
"""The callers whose tokens the attacker does not have."""
NAME = re.compile(r"clup-job-[0-9a-f]{32}")
VOLUME = re.compile(rf"{NAME.pattern}-[0-9a-f]{{16}}")
STANDING = {"guard", "bot", "stranger", "runner"}
OURS = STANDING
"""Containers that are there before the attack and must be so after it."""
SOURCES = {str(STAND / "repo"): "/repo", str(STAND / "gradle"): "/cache"}
USERS = {"7001:7001", "7002:7002"}
VARIABLES = re.compile(r"(PARAM_[A-Z0-9_]+|HOME|CLUP_JOB|CLUP_JOB_ID|PATH)=.*", re.DOTALL)
OWN = ("exec_", "health_status")
RESTARTED = False
"""Whether root restarts the guard meanwhile."""
LIFE = {
    "create", "start", "die", "kill", "stop", "destroy", "archive-path", "extract-to-dir", "oom",
}  # fmt: skip
MOVING = "/moving"
"""The folder of a repository that its writer changes during the attack."""
LARGE = 1 << 20
LIMIT_MB = 4
"""Of output and of artifacts, for each job here."""


def before() -> dict[str, Any]:
    """Return what must be the same after the attack."""
    return {
        "containers": {
            each["Name"]: (each["Id"], each["State"]["StartedAt"], each["State"]["Running"])
            for each in engine.containers()
            if each["Name"][1:] in OURS and not (RESTARTED and each["Name"] == "/guard")
        },
        "images": sorted(each["Id"] for each in engine.ask("GET", "/images/json", all="1")),
        "networks": sorted(each["Name"] for each in engine.ask("GET", "/networks")),
        "files": {str(path): _content(path) for path in _watched()},
    }


def after(kept: dict[str, Any], since: float, loot: bytes, jobs: dict[str, Any]) -> list[str]:
    """Given what `before` returned, when that was, what the attacker got, and the jobs that root
    wrote, return what the attack has achieved: nothing, if the guard is sound."""
    return [
        *_changed(kept),
        *(f"loot: {what}" for secret, what in _secrets().items() if secret in loot),
        *_seen(engine.events(since)),
        *(fault for each in engine.containers() for fault in _wrong(each, jobs)),
    ]


def _secrets() -> dict[bytes, str]:
    tokens = [STAND / "tokens" / name for name in TOKENS]
    return {
        **SECRETS,
        (STAND / "key/key").read_bytes(): "the guard's key",
        **{path.read_bytes(): f"the token of {path.name}" for path in tokens if path.exists()},
    }


def _changed(kept: dict[str, Any]) -> Iterator[str]:
    now = before()
    for what in kept:
        if now[what] != kept[what]:
            yield f"{what} changed: {_difference(kept[what], now[what])}"


def _difference(old: Any, new: Any) -> str:
    if isinstance(old, dict):
        return ", ".join(key for key in {*old, *new} if old.get(key) != new.get(key))
    return ", ".join(sorted(set(old) ^ set(new)))


def _watched() -> list[Path]:
    """Return the files of the host that no attack may change, add or take away."""
    roots = [STAND / name for name in ("canary", "repo", "gradle", "jobs", "key", "tokens")]
    found = [Path(folder) / name for root in roots for folder, _, names in os.walk(root)
             for name in names if MOVING not in folder]  # fmt: skip
    return [*found, Path("/etc/passwd"), Path("/etc/shadow")]


def _content(path: Path) -> str:
    """Return what a file is and holds; of one that is no plain file, or a giant, only how it is."""
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        return str(path.readlink())
    if stat.S_ISREG(status.st_mode) and status.st_size <= LARGE:
        return path.read_bytes().hex()
    return f"{status.st_mode:o} {status.st_size} {status.st_mtime_ns}"


def _seen(events: list[Any]) -> Iterator[str]:
    """Yield what Docker did that neither a job's life nor the stand is."""
    starts: dict[str, int] = {}
    for event in events:
        kind, action = event["Type"], event["Action"].partition(":")[0]
        attributes = event["Actor"]["Attributes"]
        name = attributes.get("name", "")
        if kind == "container" and NAME.fullmatch(name) and name not in OURS:
            if action not in LIFE:
                yield f"event: {action} of a job"
            starts[name] = starts.get(name, 0) + (action == "start")
            if starts[name] == 2:
                yield "event: a job ran twice"
        elif not _is_stands(kind, action, event["Actor"]):
            yield f"event: {kind} {action} {name}"


def _is_stands(kind: str, action: str, actor: dict[str, Any]) -> bool:
    """Whether an event is of the stand's own life: attacks from the stranger, the guard's health,
    the runner's, the volumes and the missing networks of jobs."""
    name = str(actor["Attributes"].get("name", ""))
    if RESTARTED and (name == "guard" or kind == "network"):
        return True
    if kind == "container":
        return name in {"stranger", "guard", "runner"} and action.startswith(OWN)
    if kind == "network":
        return str(actor["Attributes"].get("type")) == "null"
    return kind == "volume" and VOLUME.fullmatch(actor["ID"]) is not None


def _wrong(container: Any, jobs: dict[str, Any]) -> Iterator[str]:
    """Yield what a container has that no job's may have."""
    name = container["Name"][1:]
    if name in OURS:
        return
    if not NAME.fullmatch(name):
        yield f"container: {name} is none of the guard's"
        return
    host, config = container["HostConfig"], container["Config"]
    expected = {
        "Privileged": False, "CapAdd": None, "CapDrop": ["ALL"], "NetworkMode": "none",
        "PidMode": "", "UTSMode": "", "UsernsMode": "", "IpcMode": "private",
        "ReadonlyRootfs": True, "SecurityOpt": ["no-new-privileges:true"], "Binds": None,
        "GroupAdd": None, "Runtime": "runc", "VolumesFrom": None, "PublishAllPorts": False,
    }  # fmt: skip
    for key, value in expected.items():
        if host.get(key) != value:
            yield f"container: {key} is {host.get(key)!r}"
    for key in ("Devices", "DeviceRequests", "Sysctls", "PortBindings", "DeviceCgroupRules"):
        if host.get(key):
            yield f"container: {key} is {host[key]!r}"
    if config["User"] not in USERS:
        yield f"container: user {config['User']!r}"
    command = [*(config["Entrypoint"] or []), *(config["Cmd"] or [])]
    job = jobs.get(config["Labels"].get("clup.job", ""))
    if job is None or command != job["command"] or config["Image"] != job["image"]:
        yield "container: it runs what no job's file says"
    elif config["User"] == "7002:7002" and job["trust"] != "trusted":
        yield "container: it is trusted and its job is not"
    of_image = engine.ask("GET", f"/images/{container['Image']}/json")["Config"]["Env"] or []
    for variable in config["Env"]:
        if variable not in of_image and not VARIABLES.fullmatch(variable):
            yield f"container: variable {variable.partition('=')[0]}"
    for mount in container["Mounts"]:
        if mount["Type"] == "volume" and mount["Destination"] == "/work":
            if not mount["Name"].startswith(f"{name}-"):
                yield f"container: volume {mount['Name']}"
            continue
        place = SOURCES.get(mount["Source"])
        is_writable = mount["RW"] and not (place == "/cache" and job and job["trust"] == "trusted")
        if place != mount["Destination"] or is_writable:
            yield f"container: mount {mount['Source']} at {mount['Destination']}"
