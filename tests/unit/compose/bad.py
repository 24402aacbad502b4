"""Values that no service may have, in a file and live alike."""

from __future__ import annotations

from typing import Any

Change = tuple[str, Any]
"""A place and what is to stand there."""

GONE = object()
"""Instead of a value: the key is taken away."""

HOSTS_PATHS = (
    "/", "//", "/etc", "/etc/ssl/../shadow", "/root/x", "/var", "/var/run", "/run", "/proc", "/sys",
    "/dev/shm", "/boot", "/var/lib/docker", "/var/lib/docker/volumes", "/usr", "/var/lib/clup",
    "/bin", "/lib", "/lib32", "/lib64", "/sbin", "/var/lib/containerd", "/var/spool/cron",
    "/home", "/home/psy", "/home/psy/.ssh", "/srv/x/.android", "/home/psy/x/.aws/credentials",
    "/srv", "/srv/data", "/srv/cache", "/srv/cache/docker", "/srv/cache/docker/volumes/x/_data",
    "/srv/cache/containerd", "/srv/data/openclaw", "/srv/data/openclaw/clup",
    "/srv/data/openclaw/clup/web", "/srv/data/openclaw/runner", "/srv/data/openclaw/runner/keys",
    "/srv/data/openclaw/runner/keys/guard", "/srv/data/openclaw/runner/tokens",
    "/srv/data/openclaw/runner/ledger", "/srv/data/openclaw/runner/state", "/srv/cache/openclaw",
    *(f"/srv/x/{name}" for name in (".azure", ".config", ".docker", ".gnupg", ".kube", ".netrc")),
)  # fmt: skip
READABLE = (
    "/srv/data/openclaw/runner/jobs", "/srv/data/openclaw/runner/audit",
    "/srv/data/openclaw/runner/reports", "/srv/data/openclaw/runner/reports/1",
    "/srv/data/openclaw/runner/compose", "/srv/cache/openclaw/runner",
    "/srv/cache/openclaw/runner/gradle",
)  # fmt: skip
"""What may be mounted to be read, and not to be written."""
MOUNTABLE = (
    "/srv/x", "/srv/data/openclaw/repo", "/srv/data/openclaw/web", "/srv/data/openclaw/clup-old",
    "/srv/cache/dockerfiles", "/srv/cache/openclaw-old",
)  # fmt: skip
SOCKETS = (
    "/var/run/docker.sock", "/run/docker.sock", "/run//docker.sock", "/run/clup-docker/api",
    "/srv/x/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock",
)  # fmt: skip
SDKS = ("/usr/lib/android-sdk", "/opt/android-sdk", "/srv/Android/Sdk", "/srv/android_sdk-34/tools")
ADDRESSES = ("0.0.0.0", "192.168.1.5", "100.128.0.1", "10.0.0.1", "127.0.0.2", "localhost")
SECRETS = {
    "DB_PASSWORD": "hunter2", "GITHUB_TOKEN": "abcdefgh", "PGPASSWORD": "abcdefg",
    "api_key": "abcdef",
    "URL": "postgres://bot:hunter2@db/x", "X": "-----BEGIN OPENSSH PRIVATE KEY-----",
    "Y": "sk-" + "a1" * 12, "BOT": "123456789:" + "a1B-_" * 7, "Z": "ghp_" + "a1" * 18,
}  # fmt: skip
TAGS = ("postgres", "postgres:17", "postgres:latest", "x:latest@sha256:" + "4" * 64, "x@sha256:12")
ROOTS = ("", "0:0", "root", "node", "1000", "1000:0", "0:1000", "+0:1", "1000:root", "00:1")
CONFINED = (
    "seccomp:unconfined", "seccomp=unconfined", "apparmor:unconfined", "apparmor=unconfined",
    "label:disable", "systempaths=unconfined", "seccomp=/srv/x.json", "writable-cgroups=true",
)  # fmt: skip
NNP = "no-new-privileges:true"
