"""The stacks that these settings ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from clup.stacks.spec import Config, Spec
from roles.stacks.settings import Settings

PROJECT = Path(__file__).resolve().parents[2]
"""The folder that a relative path in the settings is taken from."""


def stacks(settings: Settings) -> Iterator[Spec]:
    """Yield the operator's own stacks."""
    folder = PROJECT / Path(settings.templates).expanduser()
    for name, own in settings.own.items():
        yield Spec(
            name=name,
            folder=own.folder or name,
            template=own.template,
            folders=(folder,),
            at=f"stacks.own.{name}",
            values=own.values,
            configs=tuple(
                Config(path, template=template) for path, template in own.configs.items()
            ),
            secrets=own.secrets,
            waivers=own.waivers,
            seconds=own.seconds,
            placed=own.placed,
        )
