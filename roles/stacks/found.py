"""The stacks that somebody brought up by hand: no settings would describe them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from clup.found import Found, Note
from roles.stacks.settings import Settings

if TYPE_CHECKING:
    from testinfra.host import Host

_PROJECTS = """[ "$(systemctl is-active docker.service 2>/dev/null)" = active ] || exit 0
docker ps -a --filter label=com.docker.compose.project \\
  --format '{{.Label "com.docker.compose.project"}}' | sort -u
"""


def found(host: Host, settings: Settings) -> Iterator[Found | Note]:
    """Yield a remark on each compose project that no setting names."""
    for name in host.run("sh -c %s", _PROJECTS).stdout.split():
        if name not in settings.own:
            yield Note(
                f"The compose project {name} was brought up by hand: its file would be a template"
                " below stacks/, named in stacks.own."
            )
