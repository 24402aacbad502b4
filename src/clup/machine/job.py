"""`python -m clup.machine.job`: asks the job runner of this machine for what stdin says.

In: one JSON object; `do` says what it is.

    ask      method, path, body                 -> answer
    run      job, parameters, key, detach       -> job, then as follow
    follow   id, after                          -> output, truncated, state, broken, end, job
    output   id                                 -> output

Out: a JSON object a line, whose `event` is one of those, or `fault`, after which nothing comes.
Followed is through broken connections and restarts of the runner: each output has its `place`, and
the next connection goes on behind it.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from clup.machine import runner_places
from clup.machine.process import RefusedError
from clup.machine.runner_http import FaultError, Runner

PATIENCE = 300.0
"""Seconds for which the runner may be away while a job is followed."""
BRIEF = 10.0
"""Seconds for which it may be away when it is asked something."""
_PAUSES = (0.2, 0.5, 1.0, 2.0)
_WHOLE = re.compile(r"-?[0-9]{1,16}", re.ASCII)

Say = Callable[[dict[str, Any]], None]
Request = Mapping[str, Any]


def do(
    request: Request, runner: Runner, say: Say, brief: float = BRIEF, patience: float = PATIENCE
) -> None:
    """Do what a request says, and say its events. Raise FaultError."""
    asking, following = Persistent(say, brief), Persistent(say, patience)
    if request["do"] == "ask":
        path, body = request["path"], request.get("body")
        answer = asking.call(lambda: runner.ask(request["method"], path, body))
        say({"event": "answer", "body": answer})
    elif request["do"] == "output":
        asking.call(lambda: runner.ask("GET", f"/v1/jobs/{request['id']}"))
        for data in runner.output(request["id"]):
            say({"event": "output", "stream": "stdout", "base64": base64.b64encode(data).decode()})
    elif request["do"] == "follow":
        follow(runner, following, request["id"], request.get("after", 0), say)
    else:
        job = asking.call(lambda: accepted(runner, request))
        say({"event": "job", "job": job})
        if not request.get("detach"):
            follow(runner, following, job["id"], 0, say)


class Persistent:
    """Tries again what fails as the connection to the runner breaks, for so many seconds."""

    def __init__(self, say: Say, patience: float):
        self._say = say
        self._patience = patience
        self._since: float | None = None
        self._tries = 0

    def fine(self) -> None:
        """The runner answers."""
        self._since, self._tries = None, 0

    def call(self, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return what work returns, once it works. Raise FaultError."""
        while True:
            try:
                return work()
            except (OSError, http.client.HTTPException) as error:
                self.wait(error)

    def wait(self, error: Exception) -> None:
        """Say what broke, once, and wait a moment. Raise FaultError when it takes too long."""
        now = time.monotonic()
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        if self._since is None:
            self._since = now
            self._say({"event": "broken", "reason": reason})
        if now - self._since > self._patience:
            said = f"the runner has not answered for {self._patience:.0f} s ({reason})"
            raise unreachable(said) from None
        time.sleep(_PAUSES[min(self._tries, len(_PAUSES) - 1)])
        self._tries += 1


def unreachable(message: str) -> FaultError:
    """Return the fault of a runner that does not answer."""
    cure = "see `sudo docker logs dkr-claw-runner` there, and `clup verify`"
    return FaultError("unreachable", message, cure)


def accepted(runner: Runner, request: Request) -> dict[str, Any]:
    """Have a job queued and return it; its key makes it the same one however often it is asked for.

    Words that stand for numbers become numbers where the catalogue says so.
    """
    jobs = {each["name"]: each for each in runner.ask("GET", "/v1/catalogue")["jobs"]}
    entry = jobs.get(request["job"], {})
    given = typed(request["parameters"], entry.get("parameters", {}))
    body = {"job": request["job"], "parameters": given}
    try:
        return runner.ask("POST", "/v1/jobs/run", body, {"Idempotency-Key": request["key"]})
    except FaultError as error:
        if error.code not in ("unknown_job_name", "forbidden_job"):
            raise
        known = (f"there are {', '.join(sorted(jobs)) or 'none'}",)
        raise FaultError(error.code, str(error), error.cure, known, error.status) from None


def typed(parameters: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, str | int]:
    """Given parameters as words and the schema of a job's, return them with numbers as numbers.

    A word that is no number stays one: the runner says what it takes.
    """
    kinds = {name: each.get("type") for name, each in schema.get("properties", {}).items()}
    return {
        name: int(word) if kinds.get(name) == "integer" and _WHOLE.fullmatch(word) else word
        for name, word in parameters.items()
    }


def follow(runner: Runner, persistent: Persistent, job_id: str, after: int, say: Say) -> None:
    """Say what a job prints after a place, until it has ended, and then the job."""
    ended = False
    while not ended:
        try:
            for name, after, data in runner.events(job_id, after):  # noqa: B020  where to go on
                persistent.fine()
                if name == "still":
                    state = runner.ask("GET", f"/v1/jobs/{job_id}")["state"]
                    say({"event": "state", "state": state})
                else:
                    say({**data, "event": name, "place": after})
                ended = name == "end"
            if not ended:
                raise ConnectionError("the runner went away")
        except (OSError, http.client.HTTPException, ValueError) as error:
            persistent.wait(error)
        except FaultError as error:
            if error.status < 500 and error.code != "too_many_followers":
                raise
            persistent.wait(error)
    say({"event": "job", "job": persistent.call(lambda: runner.ask("GET", f"/v1/jobs/{job_id}"))})


def told(error: FaultError | RefusedError) -> dict[str, Any]:
    """Return the event of a fault."""
    if isinstance(error, RefusedError):
        return {"event": "fault", "code": "no_runner", "message": str(error), "problems": []}
    return {
        "event": "fault", "code": error.code, "message": str(error), "cure": error.cure,
        "problems": list(error.problems),
    }  # fmt: skip


def say_line(event: dict[str, Any]) -> None:
    """Write an event as a line. When nobody reads any more there is nothing left to do."""
    try:
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()
    except OSError:
        os._exit(1)


def main() -> None:
    """Do what stdin says."""
    request = json.loads(sys.stdin.readline())
    try:
        do(request, Runner(runner_places.door()), say_line)
    except (FaultError, RefusedError) as error:
        say_line(told(error))
    except (OSError, http.client.HTTPException) as error:
        say_line(told(unreachable(f"the connection to the runner broke ({error})")))


if __name__ == "__main__":
    main()
