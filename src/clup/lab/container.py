"""The kind "container": a lab whose machine is a systemd container with its own sshd and disks."""

import hashlib
from pathlib import Path

from clup.lab import disks, dockerd, image, needs
from clup.lab.belongings import belongings
from clup.lab.commands import attempt, output, there
from clup.lab.docker import docker, docker_argv
from clup.lab.errors import LabError
from clup.lab.machine import Disk, Lab
from clup.lab.say import Say
from clup.lab.tree import Entry, packed

LABEL = "clup.lab"
BOOT_SECONDS = 90.0
STOP_SECONDS = 30
ASK_SECONDS = 10.0

# What systemd and a Docker of its own need beyond Docker's defaults, with their bits. Not among
# them: SYS_TIME, SYS_MODULE, SYS_RAWIO and SYS_RESOURCE, as the clock, the kernel and the limits
# are those of the operator's machine.
CAPABILITIES = {
    "DAC_READ_SEARCH": 2,
    "LINUX_IMMUTABLE": 9,
    "NET_BROADCAST": 11,
    "NET_ADMIN": 12,
    "IPC_LOCK": 14,
    "IPC_OWNER": 15,
    "SYS_PTRACE": 19,
    "SYS_PACCT": 20,
    "SYS_ADMIN": 21,
    "SYS_BOOT": 22,
    "SYS_NICE": 23,
    "SYS_TTY_CONFIG": 26,
    "LEASE": 28,
    "AUDIT_CONTROL": 30,
    "SYSLOG": 34,
    "WAKE_ALARM": 35,
    "BLOCK_SUSPEND": 36,
    "AUDIT_READ": 37,
}
FLAGS = (
    "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined",
    "--device-cgroup-rule=a *:* rwm",
    "--cgroupns=private",
    # Docker in the lab wants to forward packets and cannot say so itself: /proc/sys is read-only.
    "--sysctl=net.ipv4.ip_forward=1",
    # systemd's signal for "halt": a stop is then a clean shutdown.
    "--stop-signal=SIGRTMIN+3",
)


def container(lab: Lab) -> str:
    """Given a lab, return its container's name: labs of several checkouts share one Docker."""
    return f"clup-lab-{lab.name}-{hashlib.sha256(str(lab.folder).encode()).hexdigest()[:8]}"


def bounding_set(status: str) -> int:
    """Given a process's /proc/PID/status, return the capabilities that it could ever have."""
    found = (line.split()[1] for line in status.splitlines() if line.startswith("CapBnd:"))
    return int(next(found), 16)


def grantable(bounding: int) -> list[str]:
    """Given this machine's capabilities, return those to add: Docker refuses what it lacks."""
    return [name for name, bit in CAPABILITIES.items() if bounding >> bit & 1]


def create_words(lab: Lab, image: str, bounding: int) -> list[str]:
    """Given a lab, its image and this machine's capabilities, return the docker command's words."""
    return [
        "create",
        f"--name={container(lab)}",
        f"--hostname=lab-{lab.name}",
        f"--label={LABEL}={lab.folder}",
        f"--publish={lab.address}:{lab.port}:22",
        *(f"--cap-add={name}" for name in grantable(bounding)),
        *FLAGS,
        image,
        "/usr/local/lib/lab/init",
    ]


def needed() -> tuple[needs.Need, ...]:
    """Return what must be on the operator's machine."""
    return needs.CONTAINER


def check(lab: Lab) -> None:
    """Given a lab that shall be made, raise LabError unless this kind can have its disks.

    Their names may be any: the links are made by a program of the image.
    """
    if any(disk.read_only or not disk.attached for disk in lab.disks):
        raise fixed()


def fixed() -> LabError:
    """Return the error to raise when a container's disks shall change, which no uevent tells it."""
    return LabError(
        "a container has its disks for good, and writes to all",
        "the lab's disks",
        "use a lab of `--kind vm`",
    )


def attach(lab: Lab, disk: Disk) -> None:
    """Raise LabError: there is no way."""
    raise fixed()


def detach(lab: Lab, disk: Disk) -> None:
    """Raise LabError: there is no way."""
    raise fixed()


def prepare(say: Say) -> None:
    """See to a Docker daemon that answers."""
    dockerd.ensure(say)


def make(lab: Lab, say: Say) -> None:
    """Given a lab with keys and no container, make the container and boot it."""
    name = image.ensure(lab.suite, lab.packages, say)
    bounding = bounding_set(Path("/proc/self/status").read_text())
    docker(*create_words(lab, name, bounding))
    docker("cp", "-", f"{container(lab)}:/", stdin=packed(belongings(lab)))
    start(lab, say)


def start(lab: Lab, say: Say) -> None:
    """Given a lab that is stopped, boot it with its disks, wherever these are by now."""
    table = disks.table(disks.attach(lab)).encode()
    numbers = packed([Entry("etc/lab/disks", 0o644, table)])
    docker("cp", "-", f"{container(lab)}:/", stdin=numbers, cure=gone(lab))
    docker("start", container(lab), cure=gone(lab))


def stop(lab: Lab) -> None:
    """Given a lab, shut its machine down."""
    docker(
        "stop", "-t", str(STOP_SECONDS), container(lab), seconds=STOP_SECONDS + 30, cure=gone(lab)
    )


def cut(lab: Lab) -> None:
    """Given a lab, end all its processes at once. What they wrote is not lost: its kernel is ours.

    Raise LabError.
    """
    docker("kill", "--signal=KILL", container(lab), cure=gone(lab))


def gone(lab: Lab) -> str:
    """Given a lab that is written down as made, return the cure for a failing container."""
    return f"should its container be gone, remove the rest: `clup lab down --name {lab.name}`"


def remove(folder: Path, say: Say) -> None:
    """Given a lab's folder, remove its container and free its loop devices, if there are any.

    Where something needed is missing, `up` has not come far enough to make a container.
    """
    image.discard_scratch()
    if not needs.missing(needed(), needs.met):
        dockerd.ensure(say)
        mine = docker("ps", "--all", "--quiet", f"--filter=label={LABEL}={folder}").split()
        if mine:
            docker("rm", "--force", "--volumes", *mine)
    if there("losetup"):
        disks.detach(folder)


def after_last(say: Say) -> None:
    """End the Docker daemon if it is ours. The image stays in its folder, for the next `up`."""
    dockerd.stop_if_ours(say)


def running() -> frozenset[Path]:
    """Return the folders of the labs whose machine runs."""
    words = docker_argv("ps", f"--filter=label={LABEL}", "--format", f'{{{{.Label "{LABEL}"}}}}')
    return frozenset(Path(line) for line in output(words).splitlines())


def last_words(lab: Lab) -> str:
    """Given a lab that does not answer, return what its machine said last, and what it waits for.

    systemd says little on a container's console, so it is asked as well, if it answers.
    """
    name = container(lab)
    asked = (
        ("inspect", "--format", "{{.State.Status}} {{.State.Error}}", name),
        ("logs", "--tail", "5", name),
        ("exec", name, "systemctl", "list-jobs", "--no-legend"),
        ("exec", name, "systemctl", "--failed", "--no-legend", "--plain"),
        ("exec", name, "journalctl", "--boot", "--no-pager", "--lines=8", "--output=cat"),
    )
    answers = (attempt(docker_argv(*words), ASK_SECONDS) for words in asked)
    said = (one.stdout + one.stderr for one in answers if one is not None)
    return "\n".join(text.decode(errors="replace").strip() for text in said if text.strip())
