"""Settings of the engine that must be refused: the mapping, the path, a part of the reason."""

from typing import Any

KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ==\n-----END PGP PUBLIC KEY BLOCK-----\n"
VERSIONS = {
    "docker-ce": "5:29.0.1-1~debian.13~trixie",
    "docker-ce-cli": "5:29.0.1-1~debian.13~trixie",
    "containerd.io": "2.1.5-1~debian.13~trixie",
    "docker-buildx-plugin": "0.29.1-1~debian.13~trixie",
    "docker-compose-plugin": "5.0.0-1~debian.13~trixie",
}
REPOSITORY = {
    "url": "https://mirror.example/linux/debian",
    "suite": "trixie",
    "key": KEY,
    "versions": VERSIONS,
}


def repository(**other: Any) -> dict[str, Any]:
    """Given what differs from a good repository, return settings that use it."""
    return {"source": "docker", "repository": {**REPOSITORY, **other}}


INVALID: list[tuple[dict[str, Any], str, str]] = [
    ({"source": "snap"}, "source", "'distribution' or 'docker'"),
    ({"source": "docker"}, "", "no repository"),
    ({"repository": REPOSITORY}, "", "not used"),
    ({"data_roots": "/srv/cache/docker"}, "data_roots", "not a known setting"),
    ({"data_root": "srv/cache/docker"}, "data_root", "no absolute path"),
    ({"data_root": "/srv/cache/../docker"}, "data_root", "plainest form"),
    ({"data_root": "/srv/cache/docker/"}, "data_root", "plainest form"),
    ({"data_root": "/srv/cache/my docker"}, "data_root", "not safe everywhere"),
    ({"data_root": "/srv/data/docker"}, "", "not below its mount"),
    ({"data_root": "/srv/cachedocker"}, "", "not below its mount"),
    ({"data_root": "/srv/cache"}, "", "not below its mount"),
    ({"containerd_root": "/var/lib/elsewhere"}, "", "not below its mount"),
    ({"containerd_root": "/srv/cache/docker/containerd"}, "", "one root within the other"),
    ({"containerd_root": "/srv/cache/docker"}, "", "one root within the other"),
    ({"requires_mount": "/"}, "requires_mount", "plainest form"),
    ({"log": {"driver": "journald"}}, "log.driver", "'json-file' or 'local'"),
    ({"log": {"max_size": "10MB"}}, "log.max_size", "pattern"),
    ({"log": {"max_file": 1}}, "log.max_file", "greater than or equal to 2"),
    ({"live_restore": "perhaps"}, "live_restore", "boolean"),
    ({"daemon": {"data-root": "/srv/data"}}, "daemon", "a setting of its own"),
    ({"daemon": {"hosts": ["tcp://0.0.0.0:2375"]}}, "daemon", "opens the daemon to others"),
    ({"expect": {"os": "Ubuntu Noble"}}, "expect.os", "pattern"),
    ({"expect": {"engine": "latest"}}, "expect.engine", "pattern"),
    (repository(key="keys/absent.asc"), "repository.key", "No such file"),
    (repository(key=KEY.replace("PUBLIC", "PRIVATE")), "repository.key", "public key"),
    (repository(versions={}), "repository.versions", "no version for docker-ce"),
    (
        repository(versions={**VERSIONS, "docker-ce": "latest"}),
        "repository.versions",
        "docker-ce to 'latest'",
    ),
    (
        repository(versions={**VERSIONS, "containerd.io": "2.*"}),
        "repository.versions",
        "not one whole version",
    ),
    (
        repository(versions={**VERSIONS, "docker-scan": "1.0"}),
        "repository.versions",
        "'docker-scan'",
    ),
    (repository(suite="trixie stable"), "repository.suite", "pattern"),
    (repository(url="mirror.example"), "repository.url", "pattern"),
]
