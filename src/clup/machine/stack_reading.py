"""What a machine has of compose stacks: their files, images and containers, and how they stand.

Docker is asked over its socket, and only while its service is active: a question would start it.
Nothing is changed by it.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import re
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

FOLDER = Path("/var/lib/clup/stacks")
"""Root's own: a folder for each stack that clup has brought up, and the key of their digests."""

SOCKET = "/run/docker.sock"
SECONDS = 20.0
"""How long Docker may take for one answer."""

TASKS = Path("/run/containerd/io.containerd.runtime.v2.task/moby")
"""Where containerd keeps what it runs for Docker: a folder for each container, by its id."""

ENDING_SECONDS = 3
"""How long containerd may still keep the task of a container that Docker has removed."""

LABEL = "com.docker.compose."

Standing = Literal["ready", "waiting", "failed"]


class Docker(http.client.HTTPConnection):
    """Docker's API by its socket. It may take `timeout` seconds for each part of an answer."""

    def __init__(self, timeout: float = SECONDS):
        super().__init__("docker", timeout=timeout)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(SOCKET)


def ask(path: str) -> Any:
    """Given a path of Docker's API, return its answer; None for what is not there.

    Raise OSError when Docker does not answer, or answers with an error.
    """
    connection = Docker()
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    except http.client.HTTPException as error:
        raise OSError(f"Docker broke off its answer to {path}: {error!r}") from error
    finally:
        connection.close()
    if answer.status == 404:
        return None
    if answer.status != 200:
        raise OSError(f"Docker answered {answer.status} to {path}: {body[:200]!r}")
    return json.loads(body)


def is_active() -> bool:
    """Whether Docker runs; asking does not start it."""
    words = ["systemctl", "is-active", "--quiet", "docker.service"]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return done.returncode == 0


def containers() -> list[dict[str, Any]]:
    """Return all containers, running or not, in a few words each."""
    return [summary(each) for each in ask("/containers/json?all=1")]


def summary(listed: Mapping[str, Any]) -> dict[str, Any]:
    """Given a container as Docker lists it, return what is needed of it.

    `health` is "", "starting", "healthy" or "unhealthy"; `code` is the exit code of one that ended;
    `ports` are those of the machine that it holds, `networks` the names of those that it is in.
    """
    labels = listed.get("Labels") or {}
    ports = listed.get("Ports") or []
    networks = (listed.get("NetworkSettings") or {}).get("Networks") or {}
    status = listed.get("Status") or ""
    health = re.search(r"\((?:health: )?(starting|healthy|unhealthy)\)", status)
    code = re.match(r"(?:Exited|Restarting) \((\d+)\)", status)
    return {
        "id": listed["Id"],
        "name": (listed.get("Names") or ["/"])[0].removeprefix("/"),
        "project": labels.get(f"{LABEL}project", ""),
        "service": labels.get(f"{LABEL}service", ""),
        "one_off": labels.get(f"{LABEL}oneoff") == "True",
        "hash": labels.get(f"{LABEL}config-hash", ""),
        "image": listed.get("ImageID", ""),
        "state": listed.get("State", ""),
        "health": health[1] if health else "",
        "code": int(code[1]) if code else None,
        "ports": sorted({each["PublicPort"] for each in ports if each.get("PublicPort")}),
        "networks": sorted(networks),
    }


def standing(container: Mapping[str, Any], kind: str) -> tuple[Standing, str]:
    """Given a container's summary and whether it is a "service" or a "job", say how it stands."""
    state, health, code = container["state"], container["health"], container["code"]
    if state == "running" and kind == "job":
        return "waiting", "is still at work"
    if state == "running" and health in ("", "healthy"):
        return "ready", "runs"
    if state == "running" and health == "starting":
        return "waiting", "is not healthy yet"
    if state == "running":
        return "failed", "is unhealthy"
    if state == "exited" and kind == "job" and code == 0:
        return "ready", "has ended well"
    if state == "exited":
        return "failed", f"ended with {code}"
    if state in ("created", "restarting"):
        words = {"created": "has not started yet", "restarting": f"ended with {code}, restarts"}
        return "waiting", words[state]
    return "failed", f"is {state}"


def of_project(found: Iterable[dict[str, Any]], project: str) -> dict[str, list[dict[str, Any]]]:
    """Given all containers, return those of a project by their service; `run` ones do not count."""
    services: dict[str, list[dict[str, Any]]] = {}
    for each in found:
        if each["project"] == project and not each["one_off"]:
            services.setdefault(each["service"], []).append(each)
    return services


def file(path: str) -> dict[str, Any] | None:
    """Return what is at a path: its kind, hash, mode and owners, or where a link leads."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISLNK(found.st_mode):
        return {"kind": "link", "target": str(Path(path).readlink())}
    if not stat.S_ISREG(found.st_mode):
        return {"kind": "directory" if stat.S_ISDIR(found.st_mode) else "other"}
    return {
        "kind": "file",
        "sha256": hashlib.sha256(Path(path).read_bytes()).hexdigest(),
        "mode": f"{stat.S_IMODE(found.st_mode):04o}",
        "owner": [found.st_uid, found.st_gid],
    }


def keyed(path: str) -> str | None:
    """Return a digest of a secret, a file or a folder of files, that says nothing without the key.

    None where it is not there, or nothing was ever brought up and so there is no key.
    """
    key = FOLDER / "key"
    if not key.exists() or not Path(path).exists():
        return None
    digest = hmac.new(key.read_bytes(), digestmod="sha256")
    below = [Path(path)] if Path(path).is_file() else sorted(Path(path).rglob("*"))
    for each in below:
        if each.is_file():
            data = each.read_bytes()
            digest.update(f"{each.relative_to(path)}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()


def of_host(inspected: Mapping[str, Any]) -> dict[str, Any]:
    """Given what Docker says in full of a container, return what of the host it has, in Docker's
    words; a folder by the path that it leads to, whatever link it was mounted by."""
    mounts = inspected.get("Mounts") or []
    return {
        "Name": inspected["Name"],
        "HostConfig": {"Privileged": inspected["HostConfig"].get("Privileged")},
        "Mounts": [
            each | {"Source": os.path.realpath(each["Source"])} if each["Type"] == "bind" else each
            for each in mounts
        ],
    }


def tasks() -> set[str]:
    """Return the ids of what containerd runs for Docker."""
    there = TASKS.iterdir() if TASKS.is_dir() else ()
    # A name of its own with a dot is what containerd was about to remove.
    return {each.name for each in there if not each.name.startswith(".")}


def volume(said: Mapping[str, Any]) -> dict[str, Any]:
    """Given what Docker says of a volume, return it with the path that its device leads to."""
    options = said.get("Options") or {}
    if not str(options.get("device", "")).startswith("/"):
        return dict(said)
    return {**said, "Options": {**options, "device": os.path.realpath(options["device"])}}


def record(name: str) -> Any:
    """Return what was written down when a stack was last found as it should be; None for never."""
    try:
        return json.loads((FOLDER / name / "record.json").read_text())
    except (FileNotFoundError, ValueError):
        return None


def image(reference: str) -> str | None:
    """Return the id of an image, None where it is not on the machine."""
    found = ask(f"/images/{quote(reference, safe='/:@')}/json")
    return found["Id"] if found else None


def uncommitted(tree: str) -> list[str] | None:
    """Return the paths in the desired-state folder that differ from its last commit, absolute.

    None where it is no repository. Its index is not even refreshed.
    """
    if not Path(tree, ".git").is_dir():
        return None
    words = ["git", "--no-optional-locks", "-C", tree, "status", "--porcelain=v1", "-z"]
    words += ["--untracked-files=all", "--no-renames"]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    rows = done.stdout.decode(errors="surrogateescape").split("\0")
    return [f"{tree}/{row[3:]}" for row in rows if row]


def read(question: Mapping[str, Any]) -> dict[str, Any]:
    """Given `tree`, and by a stack's name its `files`, `secrets` and `images`, return how all that
    is. With `whole`, also what Docker says in full of those stacks' containers and all volumes.
    With `beside`, all stacks' names, also what the containers have that run and belong to none."""
    docker = is_active()
    before = tasks()
    there = containers() if docker else []
    answer: dict[str, Any] = {
        "docker": docker,
        "containers": there,
        "uncommitted": uncommitted(question["tree"]),
        "stacks": {},
    }
    for name, asked in question["stacks"].items():
        answer["stacks"][name] = {
            "record": record(name),
            "pending": (FOLDER / name / "pending").exists(),
            "files": {path: file(path) for path in asked["files"]},
            "secrets": {path: keyed(path) for path in asked["secrets"]},
            "images": {each: image(each) if docker else None for each in asked["images"]},
        }
    if question.get("whole") and docker:
        ids = [each["id"] for each in there if each["project"] in question["stacks"]]
        answer["inspected"] = [
            found for each in ids if (found := ask(f"/containers/{each}/json")) is not None
        ]
        volumes = ask("/volumes").get("Volumes") or []
        answer["volumes"] = {each["Name"]: volume(each) for each in volumes}
    if (stacks := question.get("beside")) is not None and docker:
        answer["others"] = [
            of_host(found)
            for each in there
            if each["project"] not in stacks
            and each["state"] in ("running", "paused", "restarting")
            if (found := ask(f"/containers/{each['id']}/json")) is not None
        ]
        # What Docker begins or ends meanwhile is a task at one of both looks only, and what it has
        # just removed is one for some seconds more.
        strays = (before & tasks()) - {each["id"] for each in there}
        if strays:
            time.sleep(ENDING_SECONDS)
            strays &= tasks()
        answer["strays"] = sorted(strays)
    return answer


def main() -> None:
    """Answer the question that is given as JSON."""
    sys.stdout.write(json.dumps(read(json.loads(sys.argv[1]))) + "\n")


if __name__ == "__main__":
    main()
