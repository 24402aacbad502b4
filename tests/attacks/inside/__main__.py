"""Plays attacks on the lab machine: python3 -m tests.attacks.inside <cases.json >results.json."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
import traceback
from http.client import HTTPException
from pathlib import Path
from typing import Any

from tests.attacks.inside import engine, look
from tests.attacks.inside.callers import POSITIONS, CallersPlay, Victims
from tests.attacks.inside.play import Play

FAULTS = (OSError, ValueError, RuntimeError, HTTPException, subprocess.SubprocessError)
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


def played(case: dict[str, Any], play: Play, listener: Listener) -> dict[str, Any]:
    """Play one attack and return what it achieved, and how long it took."""
    look.OURS = look.STANDING | {case.get("foreign", "")}
    look.RESTARTED = bool(case.get("restarts"))
    play.prepare()
    if "setup" in case:
        as_root(play.filled(case["setup"]))
    kept = look.before()
    begun, called = time.time(), len(listener.calls)
    play.run()
    achieved = look.after(kept, begun, play.loot, play.jobs)
    if len(listener.calls) > called:
        achieved.append("network: it reached the host")
    achieved += play.flags()
    if "escaped" in case:
        achieved += asked(play, case["escaped"])
    result = {"name": case["name"], "achieved": sorted(set(achieved)),
              "seconds": round(time.time() - begun, 2), "loot": len(play.loot),
              "said": play.loot[-300:].decode(errors="replace")}  # fmt: skip
    if "shows" in case:
        result["container"] = engine.ask("GET", f"/containers/clup-job-{play.id}/json")
    play.tidy()
    if "cleanup" in case:
        as_root(play.filled(case["cleanup"]))
    return result


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


def main() -> None:
    """Read the cases, play them one after the other, write what they achieved."""
    image = engine.ask("GET", "/images/hello/json")["Id"]
    listener = Listener()
    results = []
    cases = json.load(sys.stdin)
    victims = Victims(image) if cases[0]["position"] in POSITIONS else None
    for case in cases:
        play = CallersPlay(case, image, victims) if victims else Play(case, image)
        try:
            results.append(played(case, play, listener))
        except (*FAULTS, AssertionError, KeyError):
            # The others are played all the same, and the test of this one fails.
            error = traceback.format_exc()
            results.append({"name": case["name"], "error": error, "said": error, "seconds": 0})
            play.tidy()
        sys.stderr.write(f"{results[-1]['seconds']:6.2f} s  {case['name']}\n")
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
