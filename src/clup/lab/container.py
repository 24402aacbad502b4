"""The kind "container": a lab whose machine is a systemd container with its own sshd and disks."""

import hashlib
from pathlib import Path

from clup.lab import disks, dockerd, image, needs
from clup.lab.commands import output, there
from clup.lab.docker import docker, docker_argv
from clup.lab.keys import public
from clup.lab.machine import Lab
from clup.lab.say import Say
from clup.lab.tree import Entry, packed

LABEL = "clup.lab"
STOP_SECONDS = 30

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


def belongings(lab: Lab) -> tuple[Entry, ...]:
    """Given a lab with its keys, return the files that make the image this one machine."""
    home = f"home/{lab.user}/.ssh"
    authorized = public(lab.key_file).encode()
    host_key = "etc/ssh/ssh_host_ed25519_key"
    return (
        Entry(host_key, 0o600, lab.host_key_file.read_bytes()),
        Entry(f"{host_key}.pub", 0o644, public(lab.host_key_file).encode()),
        Entry(home, 0o700, owner=image.OPERATOR),
        Entry(f"{home}/authorized_keys", 0o600, authorized, owner=image.OPERATOR),
    )


def needed() -> tuple[needs.Need, ...]:
    """Return what must be on the operator's machine."""
    return needs.CONTAINER


def prepare(say: Say) -> None:
    """See to a Docker daemon that answers."""
    dockerd.ensure(say)


def make(lab: Lab, say: Say) -> None:
    """Given a lab with keys and no container, make the container and boot it."""
    name = image.ensure(lab.suite, say)
    bounding = bounding_set(Path("/proc/self/status").read_text())
    docker(*create_words(lab, name, bounding))
    docker("cp", "-", f"{container(lab)}:/", stdin=packed(belongings(lab)))
    start(lab)


def start(lab: Lab) -> None:
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


def gone(lab: Lab) -> str:
    """Given a lab that is written down as made, return the cure for a failing container."""
    return f"should its container be gone, remove the rest: `clup lab down --name {lab.name}`"


def remove(folder: Path, say: Say) -> None:
    """Given a lab's folder, remove its container and free its loop devices, if there are any.

    Where something needed is missing, `up` has not come far enough to make a container.
    """
    image.discard_scratch()
    if not needs.missing(needed(), there):
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
    """Given a lab that does not answer, return what its machine said last."""
    return output(docker_argv("logs", "--tail", "5", container(lab)))
