"""The labs' own Docker daemon, started and ended in namespaces where no other daemon is."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# A network, processes, mounts and a /run of its own: nothing in it can harm this machine's Docker.
ALONE = ["unshare", "--net", "--pid", "--fork", "--mount", "--mount-proc"]
STORY = """
from clup.lab import dockerd, docker
from clup.lab.processes import processes

said = []
assert not docker.answers()
dockerd.ensure(said.append)
first = dockerd.ours(processes(), dockerd.data_root())
assert first and docker.answers()
dockerd.ensure(said.append)
assert dockerd.ours(processes(), dockerd.data_root()) == first, "a second daemon"
dockerd.stop_if_ours(said.append)
assert not dockerd.daemons(processes()) and not docker.answers()
dockerd.stop_if_ours(said.append)
print("|".join(said))
"""
STRANGER = """
import subprocess, time
from clup.lab import LabError, docker, dockerd

other = subprocess.Popen(["dockerd", "--host=unix:///run/other.sock", "--data-root=/run/other"])
time.sleep(1)
try:
    dockerd.ensure(print)
except LabError as error:
    print(error)
dockerd.stop_if_ours(print)
assert other.poll() is None, "somebody else's daemon was ended"
other.terminate()
other.wait()
"""


def alone(tmp_path: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Given Python code, run it where this machine's /run, network and processes are not."""
    folder = "from pathlib import Path; from clup.lab import machine; machine.FOLDER = {}"
    code = folder.format(f"Path({str(tmp_path)!r})") + "\n" + code
    run = 'mount -t tmpfs tmpfs /run && exec "$@"'
    return subprocess.run(
        [*ALONE, "sh", "-c", run, "sh", sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_our_daemon_is_started_once_and_ended(tmp_path: Path) -> None:
    done = alone(tmp_path, STORY)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().split("|") == [
        "No Docker daemon runs and no service manager is here: starting one for the labs.",
        "Ended the labs' own Docker daemon.",
    ]


def test_somebody_elses_daemon_is_neither_joined_by_a_second_nor_ended(tmp_path: Path) -> None:
    done = alone(tmp_path, STRANGER)
    assert done.returncode == 0, done.stderr
    assert "runs (process " in done.stdout
    assert "see to it that `docker version` works" in done.stdout
