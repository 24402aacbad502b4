"""Attacks that go through the runner: by the holder of a token, by the writer of a repository.

The attacker is the caller `gateway`. `operator` and `neighbour` are others; of the operator's, one
job has left a secret and another one runs on. Both must stay as they are.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.attacks.inside import engine, look
from tests.attacks.inside.kept import kept_wrong, ran_wrong
from tests.attacks.inside.look import STAND
from tests.attacks.inside.play import LOCAL, Play, exchanged, job, write_jobs

POSITIONS = ("holder of a token", "writer of a repository")
MAY_RUN = {"greets", "naps", "runs", "build", "test", "audit"}
"""The jobs that the token allows; a job of another name must not run."""
EVIL = STAND / "repo/evil"
"""The repository that the attacker writes."""
PORT = 8080
_ACCEPTED = re.compile(rb" 202 Accepted\r\n.*\"id\":\"([0-9a-f]{32})\"", re.DOTALL)
_RUNS = {"seconds": 20, "memory_mb": 64, "pids": 64, "disk_mb": 16, "files": 2000, "output_mb": 4,
         "artifacts_mb": 4}  # fmt: skip
_TOOLS = _RUNS | {"memory_mb": 256, "disk_mb": 64}


def jobs(image: str, toolbox: str) -> dict[str, dict[str, Any]]:
    """Return what root's files of jobs say."""

    def shell(script: str, **changes: Any) -> dict[str, Any]:
        return job(["/bin/sh", "-c", script], image) | changes

    def tool(name: str) -> dict[str, Any]:
        said = job(["python3", "-m", f"services.toolbox.{name}"], toolbox)
        level = {"kind": "enum", "values": ["low", "high"], "default": "high"}
        return said | {"limits": _TOOLS, "parameters": said["parameters"] | {"level": level}}

    long = {"limits": {"seconds": 3600, "memory_mb": 16, "disk_mb": 16, "artifacts_mb": 4}}
    return {
        "greets": shell("echo hello $PARAM_REF; cat $PARAM_REPOSITORY/*; date >/work/artifacts/a"),
        "naps": shell("echo $PARAM_REF; sleep 20", **long),
        "secret": shell("echo $PARAM_REF; echo $PARAM_REF >/work/artifacts/secret"),
        "keeps": shell("echo $PARAM_REF; sleep 3600", **long),
        "runs": shell("cd $PARAM_REPOSITORY && exec sh ./run", limits=_RUNS),
        **{name: tool(name) for name in ("build", "test", "audit")},
    }  # fmt: skip


class Runner:
    """The runner as the callers reach it."""

    def __init__(self) -> None:
        networks = engine.ask("GET", "/containers/runner/json")["NetworkSettings"]["Networks"]
        self.address = str(networks["inside"]["IPAddress"])

    def ask(
        self, line: str, caller: str = "operator", headers: dict[str, str] | None = None
    ) -> bytes:
        """Ask METHOD TARGET [BODY] as a caller, properly, and return the body of the answer."""
        method, target, *body = line.split(" ", 2)
        link = http.client.HTTPConnection(self.address, PORT, timeout=90)
        token = (STAND / "tokens" / caller).read_text()
        sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/json",
                "Accept": "application/json, text/event-stream"}  # fmt: skip
        link.request(method, target, body[0] if body else None, sent | (headers or {}))
        with link.getresponse() as answer:
            return answer.read()

    def ran(self, caller: str, job: str, **parameters: str) -> str:
        """Run a job to its end, and return its id."""
        wanted = json.dumps({"job": job, "parameters": parameters})
        accepted = json.loads(self.ask(f"POST /v1/jobs/run {wanted}", caller))
        assert "id" in accepted, accepted
        job_id = str(accepted["id"])
        while not json.loads(self.ask(f"GET /v1/jobs/{job_id}?wait=30", caller))["finished"]:
            pass
        return job_id

    def quiet(self) -> None:
        """End all that was begun, but for what belongs to the stand."""
        said = json.loads(self.ask("GET /v1/jobs?limit=200"))["jobs"]
        for each in said:
            if not each["finished"] and f"clup-job-{each['id']}" not in look.STANDING:
                self.ask(f"POST /v1/jobs/{each['id']}/cancel")
        until = time.monotonic() + 20
        while time.monotonic() < until and any(
            each["Name"][1:] not in look.STANDING for each in engine.containers()
        ):
            time.sleep(0.2)


class Victims:
    """What the operator has run: `secret` has ended, `keeps` runs on."""

    def __init__(self, image: str):
        write_jobs(jobs(image, engine.ask("GET", "/images/toolbox/json")["Id"]))
        runner = Runner()
        self.secret = runner.ran("operator", "secret", ref="canaryofacaller")
        wanted = json.dumps({"job": "keeps", "parameters": {"ref": "canaryofacaller"}})
        self.keeps = str(json.loads(runner.ask(f"POST /v1/jobs/run {wanted}"))["id"])
        until = time.monotonic() + 30
        while not any(self.keeps in each["Name"] for each in engine.containers()):
            assert time.monotonic() < until, "the operator's job does not begin"
            time.sleep(0.1)
        time.sleep(0.5)
        look.STANDING.add(f"clup-job-{self.keeps}")


class CallersPlay(Play):
    """An attack with the gateway's token. %SECRET% and %KEEPS% are the operator's jobs, %ID% the
    last one that the attacker has run, %THEIRS% the neighbour's."""

    port = PORT

    def __init__(self, case: dict[str, Any], image: str, victims: Victims):
        super().__init__(case, image)
        self.runner = Runner()
        self.address = self.runner.address
        self.key = (STAND / "tokens/gateway").read_text()
        self.jobs = jobs(image, engine.ask("GET", "/images/toolbox/json")["Id"])
        self.begun = time.time()
        self.words |= {
            "KEY": self.key, "SECRET": victims.secret, "KEEPS": victims.keeps, "THEIRS": "none",
            "KEY64": base64.b64encode(f"gateway:{self.key}".encode()).decode(),
            "LARGE": "x" * (1 << 20), "DEEP": "[" * 60_000,
        }  # fmt: skip

    def prepare(self) -> None:
        """Have the writer of the repository write it, as a local account."""
        if EVIL.exists():
            shutil.rmtree(EVIL)
        EVIL.mkdir()
        os.chown(EVIL, LOCAL, LOCAL)
        if "planted" in self.case:
            self._written(self.case["planted"]).wait()
        self.begun = time.time()

    def flags(self) -> list[str]:
        """Return what the runner let happen, by Docker's events, and what is wrong with what it
        keeps."""
        events = engine.events(self.begun)
        ran = ran_wrong(events, MAY_RUN, self.case.get("most"))
        return [*ran, *kept_wrong(STAND / "reports", self.begun)]

    def tidy(self) -> None:
        """End what the attack has begun."""
        self.runner.quiet()

    def _written(self, script: str) -> subprocess.Popen[bytes]:
        """Begin a script of the writer's, in its repository."""
        argv = ["setpriv", f"--reuid={LOCAL}", f"--regid={LOCAL}", "--clear-groups", "sh", "-c"]
        return subprocess.Popen([*argv, self.filled(script)], cwd=EVIL)

    def _run(self, said: str) -> None:
        """Run a job to its end, JOB [NAME=VALUE]..., and take all that there is to take of it."""
        name, *words = said.split()
        parameters = dict(word.split("=", 1) for word in words)
        if self.case["position"] == "writer of a repository":
            parameters = {"repository": "evil"} | parameters
        meanwhile = self._written(self.case["meanwhile"]) if "meanwhile" in self.case else None
        try:
            self.id = self.words["ID"] = self.runner.ran("gateway", name, **parameters)
        finally:
            if meanwhile:
                meanwhile.kill()
                meanwhile.wait()
        self._took(f"/v1/jobs/{self.id}/logs")
        self._took(f"/v1/jobs/{self.id}/artifacts")
        for path in sorted((STAND / "reports" / self.id).glob("artifacts/*"))[:50]:
            if re.fullmatch(r"[\w.-]+", path.name, re.ASCII):
                self._took(f"/v1/jobs/{self.id}/artifacts/{path.name}")

    def _took(self, target: str) -> None:
        self.loot += self.runner.ask(f"GET {target}", "gateway")

    def _other(self, said: dict[str, Any]) -> None:
        """Have the neighbour run a job to its end, and note its id."""
        answer = self.runner.ask(said["line"], "neighbour", said.get("headers"))
        self.words["THEIRS"] = str(json.loads(answer)["id"])
        self.runner.ask(f"GET /v1/jobs/{self.words['THEIRS']}?wait=30", "neighbour")

    def _request(self, line: str) -> None:
        self._asking({"line": line})

    def _keyless(self, line: str) -> None:
        self._asking({"line": line, "keyless": True})

    def _asking(self, said: dict[str, Any]) -> None:
        """Send a line METHOD TARGET [BODY] with other headers, `times` times at once. A list of
        lines is sent in turns."""
        headers = "Connection: close\r\n" + "".join(
            f"{name}: {self.filled(value)}\r\n" for name, value in said.get("headers", {}).items()
        )
        if not said.get("keyless"):
            headers += f"Authorization: Bearer {self.key}\r\n"
        lines = [said["line"]] if isinstance(said["line"], str) else said["line"]
        together = [lines[each % len(lines)] for each in range(said.get("times", len(lines)))]
        with ThreadPoolExecutor(len(together)) as pool:
            for loot in pool.map(lambda line: self._told(line, headers), together):
                self.loot += loot
                if accepted := _ACCEPTED.search(loot):
                    self.id = self.words["ID"] = accepted[1].decode()

    def _told(self, line: str, headers: str) -> bytes:
        target = (self.address, self.port)
        return exchanged(target, self._http(line, headers), self.case.get("seconds", 20.0))

    def _tool(self, said: dict[str, Any]) -> None:
        """Call tools of MCP: a name, or several, and the arguments for each."""
        for name in said["name"] if isinstance(said["name"], list) else [said["name"]]:
            call = {"name": name, "arguments": said.get("arguments", {})}
            wanted = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
            line = f"POST {said.get('path', '/mcp')} {self.filled(json.dumps(wanted))}"
            headers = {"Accept": "application/json, text/event-stream"} | said.get("headers", {})
            self._asking({"line": line, "headers": headers, "keyless": said.get("keyless")})
