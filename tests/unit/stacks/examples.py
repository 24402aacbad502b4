"""A stack as a role says it, and a machine on which it runs, to be changed by tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clup.facts.stacks import StacksState, StackState
from clup.stacks.judged import Judged, judged
from clup.stacks.spec import LIVE, Config, Spec, in_tree

IMAGE = f"sha256:{'1' * 64}"
PAGE = f"{LIVE}/web/index.html"
KEY = f"{LIVE}/web/key"

TEMPLATE = """
{% from "hardened.j2" import hardened %}
name: {{ name }}
services:
  web:
{{ hardened("10001:10001", "64m", 0.5, 50) }}
    image: {{ image | quoted }}
    container_name: web
    restart: unless-stopped
    healthcheck: {test: [CMD, /check]}
{% if port is defined %}
    ports: ["127.0.0.1:{{ port }}:8080"]
{% endif %}
    volumes:
      - {type: bind, source: /srv/data/openclaw/web, target: /www, read_only: true,
         bind: {create_host_path: false}}
  migrate:
{{ hardened("10001:10001", "64m", 0.5, 50) }}
    image: {{ image | quoted }}
    labels: {clup.class: job}
  idle:
{{ hardened("10001:10001", "64m", 0.5, 50) }}
    image: {{ image | quoted }}
    profiles: [never]
    labels: {clup.class: job}
"""


def spec(folder: Path, **other: Any) -> Spec:
    """Given a folder for its template and what differs, return the stack web."""
    (folder / "web.j2").write_text(TEMPLATE)
    said: dict[str, Any] = {
        "name": "web",
        "folder": "web",
        "template": "web.j2",
        "folders": (folder,),
        "at": "stacks.own.web",
        "values": {"name": "web", "image": IMAGE},
        "configs": (Config(PAGE, "<p>hello</p>\n"),),
        "secrets": (KEY,),
        **other,
    }
    return Spec(**said)


def container(service: str, **other: Any) -> dict[str, Any]:
    """Return the summary of a container of the stack that is as it should be, but for `other`."""
    ended = service == "migrate"
    return {
        "id": service,
        "name": f"web-{service}-1",
        "project": "web",
        "service": service,
        "one_off": False,
        "hash": f"hash of {service}",
        "image": IMAGE,
        "state": "exited" if ended else "running",
        "health": "" if ended else "healthy",
        "code": 0 if ended else None,
        "ports": [],
        **other,
    }


def file(content_hash: str, mode: str = "0644") -> dict[str, Any]:
    """Return what the machine says of a file of root's."""
    return {"kind": "file", "sha256": content_hash, "mode": mode, "owner": [0, 0]}


def well(stack: Judged) -> StackState:
    """Return the state in which nothing is to be done about the stack."""
    compose, page = stack.files
    return StackState(
        record={
            "parts": {
                f"file {compose.live}": compose.sha256,
                f"file {page.live}": page.sha256,
                f"image {IMAGE}": IMAGE,
                f"secret {KEY}": "keyed",
            },
            "services": {"web": ["hash of web"], "migrate": ["hash of migrate"]},
        },
        pending=False,
        files={
            compose.tree: file(compose.sha256),
            compose.live: {"kind": "link", "target": compose.tree},
            page.tree: file(page.sha256),
            page.live: file(page.sha256),
        },
        secrets={KEY: "keyed"},
        images={IMAGE: IMAGE},
    )


def machine(stack: StackState, *containers: Mapping[str, Any], **other: Any) -> StacksState:
    """Return a machine with a stack's state and containers."""
    said = {"uncommitted": (), **other}
    return StacksState(docker=True, containers=containers, stacks={"web": stack}, **said)


__all__ = ["IMAGE", "KEY", "PAGE", "container", "file", "in_tree", "judged", "machine", "spec"]
