"""The engine that somebody installed on the machine, as settings would say it."""

from __future__ import annotations

import base64
import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from clup.checks import lines, read
from clup.daemon_files import CONTAINERD_TOML, DAEMON_JSON, UnreadableError, keys_in_json
from clup.facts.docker import Engine, EngineState, Stored
from clup.found import Found, Note
from clup.masking import masked
from roles.engine.adoption import roots
from roles.engine.files import SOURCES
from roles.engine.settings import OWNED_KEYS, PACKAGES, Settings

if TYPE_CHECKING:
    from testinfra.host import Host

# Docker's own packages, each with its version or the one that would be installed; where the first
# comes from; and which files of apt name that place, with their keys. The arguments are packages.
_SOURCE = r"""LC_ALL=C; export LC_ALL
[ "$(dpkg-query -W -f '${db:Status-Status}' -- "$1" 2>/dev/null)" = installed ] || exit 0
for package; do
  version=$(apt-cache policy -- "$package" |
    sed -n 's/^  Installed: \([0-9].*\)/\1/p; s/^  Candidate: \([0-9].*\)/\1/p' | head -n 1)
  echo "version $package ${version:-none}"
done
apt-cache policy -- "$1" |
  sed -nE 's#^ *[0-9]+ ((https?|file):[^ ]*) ([^ ]+)/([^ /]+) [^ ]+ Packages$#\1 \3 \4#p' |
  sort -u | while read -r url suite component; do
    echo "origin $url $suite $component"
    grep -rlF -- "$url" /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null |
      while read -r file; do
        echo "file $file"
        key=$(grep -oiE 'signed-by[:=] *[^] ]+' -- "$file" | head -n 1 | sed 's/^[^:=]*[:=] *//')
        if [ -f "$key" ]; then echo "key $(base64 -w0 -- "$key")"; fi
      done
  done
"""


def found(host: Host, settings: Settings) -> Iterator[Found | Note]:
    """Yield what the settings of this role would say of the machine."""
    state = read(host, Engine)
    data, containerd = roots(state)
    stored = read(host, Stored, data, settings.data_root, containerd, settings.containerd_root)
    there = lines(host, "findmnt -n -o TARGET -T %s || true", data)
    yield from places(state, stored, (there or ["/"])[0], settings)
    yield from daemon(state)
    words = "sh -c %s sh" + " %s" * len(PACKAGES)
    yield from source(lines(host, words, _SOURCE, *PACKAGES))


def places(
    state: EngineState, stored: Mapping[str, int], mount: str, settings: Settings
) -> Iterator[Found | Note]:
    """Given the engine, what it stores elsewhere than the settings say, and the mount point of
    Docker's root, yield where its data is."""
    data, containerd = roots(state)
    in_containerd = {"containerd blobs", "running containers"} & set(stored)
    if set(stored) - in_containerd and data != settings.data_root:
        if mount == "/":
            yield Note(
                f"Docker's data is at {data} on the root disk: `clup plan` says how to move it."
            )
        else:
            yield Found(("data_root",), data, "Docker keeps its data there.")
            yield Found(("requires_mount",), mount)
    if in_containerd:
        why = "Containers run from there, and moving it would stop them."
        yield Found(("containerd_root",), containerd, why)


def daemon(state: EngineState) -> Iterator[Found | Note]:
    """Given the engine, yield what its daemon.json says."""
    try:
        keys = keys_in_json(state.files.get(DAEMON_JSON))
    except UnreadableError as error:
        yield Note(f"{error}: nothing of it is said here.")
        return
    if state.is_in_swarm:
        yield Found(("live_restore",), False, "A swarm does not go with live restore.")
    yield from _log(keys)
    for key, value in sorted(keys.items()):
        if key in OWNED_KEYS or key in ("graph", "hosts"):
            continue
        text = json.dumps({key: value})
        if masked(text) == text:
            yield Found(("daemon", key), value)
        else:
            yield Note(f"{DAEMON_JSON} has {key}, which may hold a secret: it stays as it is.")
    if CONTAINERD_TOML in state.files:
        yield Note(f"{CONTAINERD_TOML} keeps what it says; only its root is clup's.")


def _log(keys: Mapping[str, Any]) -> Iterator[Found | Note]:
    driver, options = keys.get("log-driver", "json-file"), keys.get("log-opts") or {}
    if driver not in ("json-file", "local"):
        yield Note(f"New containers log to {driver}; apply sets engine.log.driver instead.")
        return
    yield Found(("log", "driver"), driver)
    if re.fullmatch(r"[1-9][0-9]*[kmg]", str(options.get("max-size", ""))):
        yield Found(("log", "max_size"), options["max-size"])
    if str(options.get("max-file", "")).isdigit():
        yield Found(("log", "max_file"), int(options["max-file"]))


def source(said: Iterable[str]) -> Iterator[Found | Note]:
    """Given the lines about Docker's own packages, if there are any, yield their source."""
    versions: dict[str, str] = {}
    origins: list[list[str]] = []
    files: list[str] = []
    keys: list[bytes] = []
    for kind, _, rest in (line.partition(" ") for line in said):
        if kind == "version":
            name, version = rest.split(" ", 1)
            versions[name] = version
        elif kind == "origin":
            origins.append(rest.split(" "))
        elif kind == "file":
            files.append(rest)
        elif kind == "key":
            keys.append(base64.b64decode(rest))
    if not versions:
        return
    secret = [url for url, *_ in origins if masked(url) != url]
    if len(origins) != 1 or not keys or secret or "none" in versions.values():
        yield Note("Docker's own packages are installed; say where from in engine.repository.")
        return
    [(url, suite, component)] = origins
    for file in files:
        if file != SOURCES:
            yield Note(f"Before the first plan type `mv {file} {file}.away`: clup enters its own.")
    yield Found(("source",), "docker", "Docker's own packages are installed.")
    for key, value in (("url", url), ("suite", suite), ("component", component)):
        yield Found(("repository", key), value)
    yield Found(("repository", "key"), armored(keys[0]))
    for name, version in versions.items():
        yield Found(("repository", "versions", name), version)


def armored(key: bytes) -> str:
    """Given a public key as apt takes it, return it as text (RFC 9580, 6.2)."""
    if key.startswith(b"-----BEGIN"):
        return key.decode(errors="replace")
    body = textwrap.fill(base64.b64encode(key).decode(), 64)
    return f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{body}\n-----END PGP PUBLIC KEY BLOCK-----\n"
