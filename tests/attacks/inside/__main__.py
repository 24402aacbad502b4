"""Plays attacks on the lab machine: python3 -m tests.attacks.inside <cases.json >results.json."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from tests.attacks.inside import engine, look
from tests.attacks.inside.play import Play

PORT = 7777
"""Where a listener of the host waits for whoever has a network and should have none."""


class Listener:
    """Counts who comes."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        server = socket.create_server(("0.0.0.0", PORT))
        threading.Thread(target=self._serve, args=(server,), daemon=True).start()

    def _serve(self, server: socket.socket) -> None:
        while True:
            link, peer = server.accept()
            self.calls.append(peer[0])
            link.close()


def played(case: dict[str, Any], image: str, listener: Listener) -> dict[str, Any]:
    """Play one attack and return what it achieved, and how long it took."""
    play = Play(case, image)
    look.OURS = look.STANDING | {case.get("foreign", "")}
    look.RESTARTED = bool(case.get("restarts"))
    play.write_jobs()
    if "setup" in case:
        as_root(play.filled(case["setup"]))
    kept = look.before()
    begun, called = time.time(), len(listener.calls)
    play.run()
    achieved = look.after(kept, begun, play.loot, play.jobs)
    if len(listener.calls) > called:
        achieved.append("network: it reached the host")
    achieved += flags(play)
    if "escaped" in case:
        achieved += asked(play, case["escaped"])
    result = {"name": case["name"], "achieved": sorted(set(achieved)),
              "seconds": round(time.time() - begun, 2), "loot": len(play.loot),
              "said": play.loot[-300:].decode(errors="replace")}  # fmt: skip
    if "shows" in case:
        result["container"] = engine.ask("GET", f"/containers/clup-job-{play.id}/json")
    tidy(play, case)
    return result


def flags(play: Play) -> list[str]:
    """Return the flags that a job planted among its artifacts: each stands for something that it
    could do and should not. The host reads them from the volume."""
    found = []
    for container in engine.containers():
        if container["Name"] == f"/clup-job-{play.id}":
            folder = Path(engine.folder(container, "/work"))
            found += [f"flag: {path.name}" for path in folder.glob("artifacts/FLAG-*")]
            owners = {path.lstat().st_uid for path in folder.glob("*/*")}
            found += [f"flag: a file of user {uid}" for uid in owners - {7001, 7002}]
    return found


def asked(play: Play, script: str) -> list[str]:
    """Return what a script of root's prints when it exits with 0: the attack has succeeded."""
    (Path("/root/loot")).write_bytes(play.loot)
    volume = next((engine.folder(each, "/work") for each in engine.containers()
                   if each["Name"] == f"/clup-job-{play.id}"), "/nowhere")  # fmt: skip
    text = play.filled(script).replace("%VOLUME%", volume)
    done = subprocess.run(["sh", "-c", text], capture_output=True, text=True, check=False)
    return [] if done.returncode else [f"host: {done.stdout.strip() or script.strip()}"]


def as_root(script: str) -> None:
    """Run a script of the stand's, which must succeed."""
    subprocess.run(["sh", "-euc", script], check=True, stdout=subprocess.DEVNULL)


def tidy(play: Play, case: dict[str, Any]) -> None:
    """Remove what the attack has left."""
    for container in engine.containers():
        if container["Name"][1:] not in look.STANDING:
            engine.remove(container["Id"])
    if "cleanup" in case:
        as_root(play.filled(case["cleanup"]))


def main() -> None:
    """Read the cases, play them one after the other, write what they achieved."""
    image = engine.ask("GET", "/images/hello/json")["Id"]
    listener = Listener()
    results = []
    for case in json.load(sys.stdin):
        results.append(played(case, image, listener))
        sys.stderr.write(f"{results[-1]['seconds']:6.2f} s  {case['name']}\n")
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
