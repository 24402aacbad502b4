"""For each rule, changes of the clean container, each of which breaks just that rule.

A place that does not begin with / is in HostConfig.
"""

from __future__ import annotations

from typing import Any

from tests.unit.compose.bad import (
    ADDRESSES,
    CONFINED,
    GONE,
    HOSTS_PATHS,
    NNP,
    READABLE,
    ROOTS,
    SDKS,
    SECRETS,
    SOCKETS,
    TAGS,
    Change,
)


def mount(source: str, target: str = "/x", **options: Any) -> dict[str, Any]:
    return {"Type": "bind", "Source": source, "Target": target, "BindOptions": options}


LIVE: dict[str, list[Change]] = {
    "docker-socket": [
        *(("Mounts", [mount(path)]) for path in SOCKETS),
        ("/Mounts", [{"Type": "bind", "Source": "/run/docker.sock", "Destination": "/s"}]),
    ],
    "host-paths": [
        *(("Mounts", [mount(path)]) for path in (*HOSTS_PATHS, *READABLE)),
        ("/Mounts", [{"Type": "bind", "Source": "/etc", "Destination": "/e"}]),
        ("/Mounts", [{"Type": "bind", "Source": READABLE[0], "Destination": "/e", "RW": True}]),
    ],
    "android-sdk": [("Mounts", [mount(path)]) for path in SDKS],
    "mount-syntax": [
        ("Binds", ["/srv/data/x:/x:rw"]),
        ("Mounts", [mount("/srv/x", CreateMountpoint=True)]),
    ],
    "published-ports": [
        *(
            ("PortBindings", {"80/tcp": [{"HostIp": address, "HostPort": "80"}]})
            for address in ("", "::", *ADDRESSES)
        ),
        ("PublishAllPorts", True),
    ],
    "privileged": [("Privileged", True)],
    "added-capabilities": [("CapAdd", ["CAP_NET_ADMIN"])],
    "dropped-capabilities": [("CapDrop", None), ("CapDrop", ["CAP_NET_RAW"])],
    "devices": [
        ("Devices", [{"PathOnHost": "/dev/kvm"}]),
        ("DeviceRequests", [{"Count": -1}]),
        ("DeviceCgroupRules", ["c 1:3 mr"]),
        ("Runtime", "nvidia"),
    ],
    "namespaces": [
        ("NetworkMode", "host"),
        ("NetworkMode", "container:abc"),
        ("PidMode", "host"),
        ("PidMode", "container:abc"),
        ("IpcMode", "host"),
        ("UTSMode", "host"),
        ("UsernsMode", "host"),
        ("CgroupnsMode", "host"),
    ],
    "confinement": [
        *(("SecurityOpt", [NNP, option]) for option in CONFINED),
        ("SecurityOpt", [NNP, 'seccomp={"defaultAction":"SCMP_ACT_ALLOW"}']),
    ],
    "user": [*(("/Config.User", user) for user in ROOTS), ("GroupAdd", ["0"])],
    "no-new-privileges": [("SecurityOpt", None), ("SecurityOpt", ["no-new-privileges:false"])],
    "read-only-root": [("ReadonlyRootfs", False), ("ReadonlyRootfs", GONE)],
    "memory-limit": [("Memory", 0), ("Memory", GONE), ("MemorySwap", -1)],
    "cpu-limit": [("NanoCpus", 0), ("NanoCpus", GONE)],
    "pids-limit": [("PidsLimit", 0), ("PidsLimit", None), ("PidsLimit", -1)],
    "log-limit": [
        ("LogConfig", {"Type": "json-file", "Config": {}}),
        ("LogConfig", {"Type": "journald", "Config": {}}),
    ],
    "health-check": [("/Config.Healthcheck", GONE),
                     *(("/Config.Healthcheck", {"Test": test})
                       for test in (["NONE"], [], [""], "x", None))],
    "restart-policy": [("RestartPolicy", {"Name": "no"}), ("RestartPolicy", {"Name": ""})],
    "pinned-image": [
        *(("/Config.Image", tag) for tag in TAGS),
        ("Mounts", [{"Type": "image", "Source": "model:1", "Target": "/model"}]),
    ],
    "project-name": [("/Config.Labels", {})],
    "self-contained": [
        ("VolumesFrom", ["guard"]),
        ("/Config.Labels", {"com.docker.compose.project": "x",
                           "com.docker.compose.project.config_files": "/srv/a.yml,/srv/b.yml"}),
    ],
    "secrets": [
        *(("/Config.Env", [f"{name}={value}"]) for name, value in SECRETS.items()),
        ("/Config.Cmd", ["x", "--db-password=hunter2"]),
    ],
    "interpolation": [
        ("/Config.Labels", {"com.docker.compose.project": "x",
                           "com.docker.compose.project.environment_file": "/srv/x/.env"}),
    ],
}  # fmt: skip
