"""The container of a job, as Docker's API is asked for it: from the job's file and constants."""

from __future__ import annotations

import io
import json
import os
import tarfile
from typing import Any

from services.guard.asked import Asked
from services.guard.settings import Settings
from services.jobs import Job, Limits, names

MB = 1 << 20
GRACE_SECONDS = 10
HOME = f"{names.WORK}/home"

LABEL_LIMITS = "clup.job.limits"
"""The limits that the guard holds a container to, whatever became of the job's file since."""


def user(job: Job, settings: Settings) -> str:
    """Return the UID:GID that a job runs as."""
    return settings.trusted_user if job.trust == "trusted" else settings.untrusted_user


def body(
    job: Job, asked: Asked, environment: dict[str, str], volume: str, settings: Settings
) -> dict[str, Any]:
    """Return the body of POST /containers/create, given the name of the volume to be made for it.
    Of `asked` only the ids go into it, as labels."""
    limits = job.limits
    memory = limits.memory_mb * MB
    return {
        "Image": job.image,
        # Both, so that nothing of the image's own command is left.
        "Entrypoint": [job.command[0]],
        "Cmd": list(job.command[1:]),
        "Env": sorted(
            [f"{name}={value}" for name, value in environment.items()]
            + [f"HOME={HOME}", f"CLUP_JOB={job.name}", f"CLUP_JOB_ID={asked.id}"]
        ),
        "User": user(job, settings),
        "WorkingDir": HOME,
        "Hostname": "job",
        "NetworkDisabled": True,
        "StopSignal": "SIGTERM",
        "StopTimeout": GRACE_SECONDS,
        "Healthcheck": {"Test": ["NONE"]},
        "Tty": False,
        "OpenStdin": False,
        "Labels": {
            names.LABEL_CLASS: "job",
            names.LABEL_JOB: job.name,
            names.LABEL_ID: asked.id,
            LABEL_LIMITS: limits_text(limits),
        },
        "HostConfig": {
            "NetworkMode": "none",
            "IpcMode": "private",
            "CgroupnsMode": "private",
            "CgroupParent": settings.cgroup_parent,
            "Privileged": False,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges:true"],
            "ReadonlyRootfs": True,
            "Init": True,
            "OomScoreAdj": 500,
            "Memory": memory,
            "MemorySwap": memory,
            # Docker refuses more than there are.
            "NanoCpus": int(min(limits.cpus, os.cpu_count() or 1) * 1e9),
            "PidsLimit": limits.pids,
            "ShmSize": min(64 * MB, memory),
            "Ulimits": [
                {"Name": "core", "Soft": 0, "Hard": 0},
                {"Name": "nofile", "Soft": 1024, "Hard": 4096},
                # The largest file: a single one is stopped by the kernel, at once.
                {"Name": "fsize", "Soft": limits.disk_mb * MB, "Hard": limits.disk_mb * MB},
            ],
            "Tmpfs": {"/tmp": f"rw,nosuid,nodev,mode=1777,size={memory}"},
            "Mounts": _mounts(job, volume, settings),
            "RestartPolicy": {"Name": "no"},
            "AutoRemove": False,
            "LogConfig": _log(limits),
        },
    }


def folders(job: Job, settings: Settings) -> bytes:
    """Return the tar archive that is unpacked into /work before the start: the job's own folders.

    /work itself stays root's, so that a job can put nothing else in the place of its artifacts.
    """
    uid, gid = map(int, user(job, settings).split(":"))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in (HOME, names.ARTIFACTS):
            entry = tarfile.TarInfo(path.removeprefix(f"{names.WORK}/"))
            entry.type, entry.mode, entry.uid, entry.gid = tarfile.DIRTYPE, 0o700, uid, gid
            archive.addfile(entry)
    return buffer.getvalue()


def limits_text(limits: Limits) -> str:
    """Return the limits that the guard itself holds a container to, as its label has them."""
    held = ("seconds", "disk_mb", "files", "output_mb", "artifacts_mb")
    return json.dumps({name: getattr(limits, name) for name in held})


def limits_of(text: str) -> Limits:
    """Return the limits in a label that `limits_text` made."""
    return Limits(**json.loads(text))


def _mounts(job: Job, volume: str, settings: Settings) -> list[dict[str, Any]]:
    work = {
        "Type": "volume",
        # By its name the watch knows one whose container is no more: Docker writes labels down
        # after it has made the volume, and may die in between.
        "Source": volume,
        "Target": names.WORK,
        "VolumeOptions": {"NoCopy": True},
    }
    mounts: list[dict[str, Any]] = [work]
    if job.has_workspace:
        mounts.append(_bind(settings.repositories, names.REPOSITORIES, is_read_only=True))
    if job.cache == "gradle":
        mounts.append(
            _bind(settings.cache_gradle, names.CACHE, is_read_only=job.trust != "trusted")
        )
    return mounts


def _bind(source: str, target: str, *, is_read_only: bool) -> dict[str, Any]:
    """Return a bind mount without what is mounted below its source: that might stay writable."""
    return {
        "Type": "bind",
        "Source": source,
        "Target": target,
        "ReadOnly": is_read_only,
        "BindOptions": {"Propagation": "rprivate", "NonRecursive": True},
    }


def _log(limits: Limits) -> dict[str, Any]:
    """Return the log's driver: one that keeps bytes as they are, which json-file does not.

    Docker goes on to a new file without regard to who reads the last one, and tells nobody what of
    the files between was passed over. So one file holds all that may be handed out, whatever its
    lines are: a line has up to 26 bytes beside it, and may be empty. A file that is removed stays
    whole for whoever reads it.
    """
    size = {"max-size": f"{limits.output_mb * 28}m", "max-file": "1", "compress": "false"}
    return {"Type": "local", "Config": size}
