"""Plays the steps of an attack and keeps what the attacker got: its loot."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.attacks.inside import engine, look
from tests.attacks.inside.look import LIMIT_MB, STAND

LOCAL = 12345
"""The user id of a local account that is in no group."""
_MOST = 64 << 20
_SECONDS = 40.0


class Play:
    """One attack on the guard. `self.loot` is every byte that came back; `self.id` the id that it
    may use."""

    port = 2375

    def __init__(self, case: dict[str, Any], image: str):
        self.case = case
        self.id = os.urandom(16).hex()
        self.loot = b""
        self.jobs = {"quiet": job(["/bin/true"], image), "sh": job(["/bin/sleep", "5"], image)}
        script = next((step["job"] for step in case["steps"] if "job" in step), case.get("script"))
        if script is not None:
            self.jobs["attack"] = job(["/bin/sh", "-c", script], image) | case.get("file", {})
        guard = engine.ask("GET", "/containers/guard/json")
        self.address = guard["NetworkSettings"]["Networks"]["inside"]["IPAddress"]
        self.gateway = guard["NetworkSettings"]["Networks"]["inside"]["Gateway"]
        self.key = (STAND / "key/key").read_text()
        self.words = self._words(image)

    def prepare(self) -> None:
        """Do what is done before the attack begins: root writes the files of the jobs."""
        write_jobs(self.jobs)

    def flags(self) -> list[str]:
        """Return the flags that a job planted among its artifacts: each stands for something that
        it could do and should not. The host reads them from the volume."""
        found = []
        for container in engine.containers():
            if container["Name"] == f"/clup-job-{self.id}":
                folder = Path(engine.folder(container, "/work"))
                found += [f"flag: {path.name}" for path in folder.glob("artifacts/FLAG-*")]
                owners = {path.lstat().st_uid for path in folder.glob("*/*")}
                found += [f"flag: a file of user {uid}" for uid in owners - {7001, 7002}]
        return found

    def tidy(self) -> None:
        """Remove what the attack has left."""
        for container in engine.containers():
            if container["Name"][1:] not in look.STANDING:
                engine.remove(container["Id"])

    def run(self) -> None:
        """Play all steps."""
        for step in self.case["steps"]:
            for kind, said in step.items():
                getattr(self, f"_{kind}")(said)

    def _words(self, image: str) -> dict[str, str]:
        bot = engine.ask("GET", "/containers/bot/json")
        labels = {
            "clup.job": "quiet", "clup.job.id": self.id, "clup.job.parameters": "{}",
            "clup.audit.head": "ab" * 32,
        }  # fmt: skip
        return {
            "ID": self.id, "OTHER": os.urandom(16).hex(), "KEY": self.key, "GUARD": self.address,
            "HOST": self.gateway, "BOT": bot["Id"], "BOT12": bot["Id"][:12], "IMAGE": image,
            "LABELS": json.dumps(labels), "LABELS_INSIDE": json.dumps(labels)[1:-1],
        }  # fmt: skip

    def filled(self, text: str) -> str:
        """Return a text with the words for %WORD%."""
        for word, value in self.words.items():
            text = text.replace(f"%{word}%", value)
        return text

    def _raw(self, text: str) -> None:
        """Send a text as it is, with the line ends of HTTP; \\xNN is a byte."""
        head, _, body = self.filled(text).partition("\n\n")
        head = head.replace("%LENGTH%", str(len(body.encode())))
        data = head.replace("\n", "\r\n") + "\r\n\r\n" + body
        self._send(data.encode("utf-8"))

    def _crlf(self, text: str) -> None:
        """Send a text of which every line end is HTTP's, with an empty line at its end."""
        text = self.filled(text).rstrip("\n") + "\n\n"
        self._send(text.replace("\n", "\r\n").encode())

    def _request(self, line: str) -> None:
        """Send METHOD TARGET [BODY], with the key."""
        self._sent(line, f"Authorization: Bearer {self.key}\r\n")

    def _keyless(self, line: str) -> None:
        """Send METHOD TARGET [BODY], without the key."""
        self._sent(line, "")

    def _sent(self, line: str, headers: str) -> None:
        self._send(self._http(line, headers))

    def _http(self, line: str, headers: str) -> bytes:
        """Return METHOD TARGET [BODY] as a request."""
        method, target, *body = self.filled(line).split(" ", 2)
        content = (body[0] if body else "").encode()
        head = f"{method} {target} HTTP/1.1\r\nHost: docker\r\n{headers}"
        if content:
            head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
        return f"{head}\r\n".encode() + content

    def _create(self, job_name: str) -> None:
        """Ask for a job properly, and start it."""
        labels = json.loads(self.words["LABELS"]) | {"clup.job": job_name}
        self._request(f"POST /containers/create?name={self.id} {json.dumps({'Labels': labels})}")

    def _job(self, script: str) -> None:
        """Have a script run as a job, to its end, and take its output and its artifacts."""
        self._create("attack")
        self._request(f"POST /containers/{self.id}/start")
        if not self.case.get("stays"):
            self._request(f"POST /containers/{self.id}/wait")
        self._take()

    def _act(self, said: object) -> None:
        """Start whatever container the attack has made, and take what there is to take."""
        self._request(f"POST /containers/{self.id}/start")
        time.sleep(0.3)
        self._take()

    def _take(self) -> None:
        self._request(f"GET /containers/{self.id}/logs?follow=0&tail=all")
        self._request(f"GET /containers/{self.id}/archive")

    def _shell(self, script: str) -> None:
        """Run a script on the host as the local account, or inside the stranger."""
        if self.case["position"] == "other container":
            argv = ["docker", "exec", "stranger", "/bin/sh", "-c", self.filled(script)]
        else:
            argv = ["setpriv", f"--reuid={LOCAL}", f"--regid={LOCAL}", "--clear-groups",
                    "sh", "-c", self.filled(script)]  # fmt: skip
        self._ran(argv)

    def _host(self, script: str) -> None:
        """Run a script as root: what happens on the machine meanwhile."""
        self._ran(["sh", "-c", self.filled(script)], is_loot=False)

    def _sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def _ran(self, argv: list[str], is_loot: bool = True) -> None:
        done = subprocess.run(argv, capture_output=True, timeout=60, check=False)
        if is_loot:
            self.loot += done.stdout + done.stderr

    def _send(self, data: bytes) -> None:
        """Send bytes and take all that comes back, for so long and so much."""
        self.loot += exchanged((self.address, self.port), data, self.case.get("seconds", _SECONDS))


def exchanged(target: tuple[str, int], data: bytes, seconds: float) -> bytes:
    """Given an address, send bytes there, and return what comes back within so many seconds."""
    end = time.monotonic() + seconds
    loot = b""
    try:
        with socket.create_connection(target, timeout=5) as link:
            link.sendall(data)
            while len(loot) < _MOST and (left := end - time.monotonic()) > 0:
                link.settimeout(left)
                piece = link.recv(1 << 16)
                if not piece:
                    break
                loot += piece
    except OSError as error:
        loot += f"<{error}>".encode()
    return loot


def write_jobs(jobs: dict[str, dict[str, Any]]) -> None:
    """Given jobs by name, write their files, and remove those of others."""
    for path in (STAND / "jobs").iterdir():
        path.unlink()
    for name, said in jobs.items():
        # JSON is YAML.
        (STAND / f"jobs/{name}.yaml").write_text(json.dumps({"job": name, **said}))


def job(command: list[str], image: str) -> dict[str, Any]:
    """Return what a job's file says, beside its name."""
    return {
        "description": "A job of the attacks",
        "image": image,
        "command": command,
        "trust": "untrusted",
        "parameters": {
            "ref": {"kind": "pattern", "pattern": "[a-z]{1,20}", "default": "main"},
            "repository": {"kind": "workspace", "default": "clup"},
        },
        "limits": {
            "seconds": 20, "memory_mb": 64, "pids": 64, "disk_mb": 16,
            "output_mb": LIMIT_MB, "artifacts_mb": LIMIT_MB,
        },
        "cache": "gradle",
    }  # fmt: skip
