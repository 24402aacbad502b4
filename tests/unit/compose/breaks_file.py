"""For each rule, changes of the clean file, each of which breaks just that rule.

A place that does not begin with / is in the service `web`.
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


def bind(source: str, target: str = "/x", create: bool | None = False) -> dict[str, Any]:
    bind = {} if create is None else {"bind": {"create_host_path": create}}
    return {"type": "bind", "source": source, "target": target, **bind}


GATEWAY = "com.docker.network.bridge.gateway_mode_ipv4"
_MADE_OF_HOST = {"driver": "local", "driver_opts": {"type": "none", "o": "bind", "device": "/etc"}}
IN_FILE: dict[str, list[Change]] = {
    "docker-socket": [
        *(("volumes", [bind(path)]) for path in SOCKETS),
        ("use_api_socket", True),
        ("/volumes.state", {"driver_opts": {"o": "bind", "device": "/run/docker.sock"}}),
        ("/secrets.key.file", "/var/run/docker.sock"),
    ],
    "host-paths": [
        *(("volumes", [bind(path)]) for path in (*HOSTS_PATHS, *READABLE)),
        ("volumes", [bind("../jobs")]),
        ("volumes", [bind("~/jobs")]),
        ("volumes", [{"type": "volume", "source": "/etc", "target": "/x"}]),
        ("/volumes.state", _MADE_OF_HOST),
        ("/volumes.state", {"driver_opts": {"o": "bind", "device": READABLE[0]}}),
        ("/secrets.key.file", "/etc/shadow"),
        ("/secrets.key.file", "./key"),
    ],
    "android-sdk": [
        *(("volumes", [bind(path)]) for path in SDKS),
        ("volumes", [{"type": "volume", "source": "state", "target": "/opt/android-sdk"}]),
    ],
    "mount-syntax": [
        ("volumes", ["/srv/data/x:/x"]),
        ("volumes", ["/srv/data/x:/x:ro"]),
        ("volumes", ["state:/state"]),
        ("volumes", ["/state"]),
        ("volumes", [bind("/srv/x", create=True)]),
        ("volumes", [bind("/srv/x", create=None)]),
    ],
    "published-ports": [
        *(("ports", [f"{address}:80:80"]) for address in ADDRESSES),
        *(("ports", [{"target": 80, "host_ip": address}]) for address in ADDRESSES),
        ("ports", [80]),
        ("ports", ["80"]),
        ("ports", ["8080:80"]),
        ("ports", ["8000-8010:80-90/udp"]),
        ("ports", [":8080:80"]),
        ("ports", ["[::]:8080:80"]),
        ("ports", ["[2001:db8::1]:8080:80"]),
        ("ports", [{"target": 80, "published": "8080"}]),
        ("/networks.published", {"driver_opts": {GATEWAY: "nat-unprotected"}}),
        ("/networks.published", {"driver_opts": {GATEWAY: "routed"}}),
    ],
    "privileged": [
        ("privileged", True),
        ("privileged", "true"),
        ("privileged", "yes"),
        ("post_start", [{"command": "x", "privileged": True}]),
        ("pre_stop", [{"command": "x", "privileged": True}]),
    ],
    "added-capabilities": [("cap_add", ["NET_ADMIN"]), ("cap_add", ["ALL", "CHOWN"])],
    "dropped-capabilities": [("cap_drop", GONE), ("cap_drop", []), ("cap_drop", ["NET_RAW"])],
    "devices": [
        ("devices", ["/dev/kvm"]),
        ("devices", [{"source": "/dev/sda"}]),
        ("device_cgroup_rules", ["c 1:3 mr"]),
        ("gpus", "all"),
        ("credential_spec", {"file": "x"}),
        (
            "deploy.resources.reservations.generic_resources",
            [{"discrete_resource_spec": {"kind": "gpu", "value": 1}}],
        ),
        ("runtime", "nvidia"),
        ("deploy.resources.reservations.devices", [{"capabilities": ["gpu"]}]),
    ],
    "namespaces": [
        *(
            ("/services.migrate.network_mode", mode)
            for mode in ("host", "container:x", "service:web")
        ),
        ("pid", "host"),
        ("pid", "service:guard"),
        ("ipc", "host"),
        ("ipc", "container:x"),
        ("uts", "host"),
        ("userns_mode", "host"),
        ("cgroup", "host"),
        ("/networks.published", {"name": "host", "external": True}),
        ("/networks.published", {"driver": "host"}),
        ("/networks.published", {"driver": "macvlan"}),
        ("/networks.published", {"driver": "ipvlan"}),
        ("/networks.published", {"external": {"name": "host"}}),
    ],
    "confinement": [("security_opt", [NNP, option]) for option in CONFINED],
    "user": [
        ("user", GONE),
        *(("user", user) for user in ROOTS),
        ("group_add", ["0"]),
        ("group_add", ["root"]),
        ("post_start", [{"command": "x", "user": "root"}]),
    ],
    "no-new-privileges": [
        ("security_opt", GONE),
        ("security_opt", ["label:type:x"]),
        ("security_opt", ["no-new-privileges:false"]),
        ("security_opt", [NNP, "no-new-privileges=false"]),
    ],
    "read-only-root": [("read_only", GONE), ("read_only", False), ("read_only", "no")],
    "memory-limit": [
        *(("mem_limit", limit) for limit in (GONE, 0, "0", -1, "-1", "lots")),
        ("memswap_limit", -1),
        ("memswap_limit", "-1"),
    ],
    "cpu-limit": [("cpus", GONE), ("cpus", 0), ("cpus", "0.0"), ("cpus", -1), ("cpus", "many")],
    "pids-limit": [("pids_limit", GONE), ("pids_limit", 0), ("pids_limit", -1)],
    "log-limit": [
        ("logging", GONE),
        ("logging", {"options": {"max-size": "5m"}}),
        ("logging", {"driver": "json-file"}),
        ("logging", {"driver": "json-file", "options": {"max-size": "0"}}),
        ("logging", {"driver": "json-file", "options": {"max-size": "-1"}}),
        ("logging", {"driver": "journald"}),
    ],
    "health-check": [
        ("healthcheck", GONE),
        ("healthcheck", {"interval": "5s"}),
        ("healthcheck", {"test": ["NONE"]}),
        ("healthcheck", {"test": ["CMD", "x"], "disable": True}),
    ],
    "restart-policy": [
        ("restart", GONE),
        ("restart", "no"),
        ("deploy", {"restart_policy": {"condition": "none"}}),
        ("deploy", {"restart_policy": {}}),
    ],
    "pinned-image": [
        ("image", GONE),
        *(("image", tag) for tag in TAGS),
        ("volumes", [{"type": "image", "source": "model:1", "target": "/model"}]),
    ],
    "project-name": [("/name", GONE)],
    "self-contained": [
        ("build", "."),
        ("extends", {"service": "guard"}),
        ("volumes_from", ["guard"]),
        ("provider", {"type": "x"}),
        ("pre_start", [{"command": "x"}]),
        ("label_file", "labels"),
        ("models", ["mine"]),
        ("/models", {"mine": {"model": "x"}}),
        ("/include", ["other.yaml"]),
        ("/jobs", {"nightly": {"image": "x", "triggers": {"manual": True}}}),
    ],
    "secrets": [
        *(("environment", {name: value}) for name, value in SECRETS.items()),
        *(("environment", [f"{name}={value}"]) for name, value in SECRETS.items()),
        ("command", ["x", "--db-password=hunter2"]),
        ("labels", {"x": "https://me:hunter2@git.example/x"}),
        ("post_start", [{"command": "x", "environment": {"DB_PASSWORD": "hunter2"}}]),
    ],
    "interpolation": [
        ("environment", {"LEVEL": "${LEVEL}"}),
        ("environment", {"LEVEL": "$LEVEL"}),
        ("environment", {"LEVEL": None}),
        ("environment", ["LEVEL"]),
        ("environment", ["DB_PASSWORD"]),
        ("env_file", ".env"),
        ("env_file", [{"path": "/srv/x.env"}]),
        ("command", ["echo", "${HOME:-x}"]),
        ("/networks.published", {"name": "$NET"}),
        ("/configs", {"c": {"environment": "LEVEL"}}),
        ("/secrets.key", {"environment": "KEY"}),
    ],
}
