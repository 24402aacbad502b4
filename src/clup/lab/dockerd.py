"""A Docker daemon for the labs, on machines where no service manager keeps one.

There is never a second daemon: it would delete the first one's docker0. Ours therefore uses
Docker's usual socket and pid file, so that any other daemon and ours exclude each other; only its
images and containers live in the labs' folder. That folder in its command line is how ours is
told from anybody else's, also after a crash.
"""

import os
import signal
import subprocess
import time
from pathlib import Path

from clup.lab import machine
from clup.lab.commands import as_root, environment, run
from clup.lab.docker import answers, docker
from clup.lab.errors import LabError
from clup.lab.processes import processes
from clup.lab.say import Say

START_SECONDS = 60.0
STOP_SECONDS = 60.0


def data_root() -> Path:
    """Return where our daemon keeps images and containers."""
    return machine.FOLDER / ".docker"


def log_file() -> Path:
    """Return the log of our daemon."""
    return machine.FOLDER / ".dockerd.log"


def daemons(processes: dict[int, list[str]]) -> dict[int, list[str]]:
    """Given the command line of each process, return those that are Docker daemons."""
    return {
        pid: argv for pid, argv in processes.items() if argv and Path(argv[0]).name == "dockerd"
    }


def ours(processes: dict[int, list[str]], root: Path) -> int | None:
    """Given the command line of each process and our data root, return our daemon's pid."""
    flag = f"--data-root={root}"
    return next((pid for pid, argv in daemons(processes).items() if flag in argv), None)


def ensure(say: Say) -> None:
    """See to it that a Docker daemon answers. Raise LabError with the way when none can."""
    if answers():
        return
    if "DOCKER_HOST" in os.environ:
        raise LabError(
            "no Docker daemon answers there",
            f"DOCKER_HOST={os.environ['DOCKER_HOST']}",
            "start it, or unset DOCKER_HOST to use this machine's own",
        )
    if Path("/run/systemd/system").is_dir():
        say("Starting Docker: systemctl start docker")
        cure = "`journalctl --unit docker` tells why"
        run(as_root(["systemctl", "start", "docker"]), seconds=START_SECONDS, cure=cure)
        wait_until_it_answers("unit docker", cure)
        return
    running = daemons(processes())
    if running and ours(running, data_root()) is None:
        raise LabError(
            f"a Docker daemon runs (process {next(iter(running))}) but does not answer",
            "this machine",
            "see to it that `docker version` works; a second daemon would harm its network",
        )
    if not running:
        start(say)
    wait_until_it_answers("the labs' own Docker daemon", f"{log_file()} tells why")


def mtu() -> int:
    """Return the largest packet that the way out of this machine takes, 1500 if there is none."""
    for line in Path("/proc/net/route").read_text().splitlines()[1:]:
        device, destination = line.split()[:2]
        if destination == "00000000":
            return int(Path(f"/sys/class/net/{device}/mtu").read_text())
    return 1500


def start(say: Say) -> None:
    """Start our daemon, detached from this process and from its terminal."""
    say("No Docker daemon runs and no service manager is here: starting one for the labs.")
    machine.FOLDER.mkdir(mode=0o700, exist_ok=True)
    argv = as_root(["dockerd", f"--data-root={data_root()}", f"--mtu={mtu()}"])
    with log_file().open("ab") as log:
        subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment(),
            start_new_session=True,
        )


def wait_until_it_answers(where: str, cure: str) -> None:
    """Wait for the daemon named by `where`. Raise LabError after START_SECONDS."""
    end = time.monotonic() + START_SECONDS
    while not answers():
        if time.monotonic() > end:
            raise LabError(f"Docker does not answer after {START_SECONDS:g} s", where, cure)
        time.sleep(0.2)


def stop_if_ours(say: Say) -> None:
    """End the daemon that we started, unless containers other than labs still run in it."""
    pid = ours(processes(), data_root())
    if pid is None:
        return
    if answers() and (others := docker("ps", "--format", "{{.Names}}").split()):
        say(f"The labs' Docker daemon goes on: {', '.join(others)} still runs in it.")
        return
    run(as_root(["kill", f"-{signal.SIGTERM:d}", str(pid)]), cure=f"see {log_file()}")
    end = time.monotonic() + STOP_SECONDS
    while ours(processes(), data_root()) is not None:
        if time.monotonic() > end:
            raise LabError(
                f"no end after {STOP_SECONDS:g} s",
                f"the labs' own Docker daemon (process {pid})",
                f"{log_file()} tells why",
            )
        time.sleep(0.1)
    log_file().unlink(missing_ok=True)
    say("Ended the labs' own Docker daemon.")
