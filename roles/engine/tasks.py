"""Docker Engine and Compose: configured first, then installed, then judged by what they say."""

from __future__ import annotations

from pyinfra.context import host

from clup.command import script
from clup.daemon_files import CONTAINERD_TOML, DAEMON_JSON
from clup.facts.docker import Engine, Wanted
from clup.operations import docker, files, firewall
from clup.operations.packages import installed
from roles.engine.adoption import adoptable
from roles.engine.files import (
    FOLDERS,
    RIVALS,
    SOURCES,
    daemon_keys,
    drop_ins,
    packages,
    repository_files,
)
from roles.engine.neighbours import (
    FAMILY,
    FOLDER,
    LINES,
    RULES,
    TABLE,
    UNIT,
    UNIT_FILE,
    closes,
    rule_files,
)
from roles.engine.settings import Settings

_PENDING = "engine-repository"
_NEIGHBOURS = "engine-neighbours"

# Only this source is read, so that what is said is about it. $1 is its file, $2 the words to say.
_READ_SOURCE = """said=$(LC_ALL=C timeout 300 apt-get -q -o DPkg::Lock::Timeout=300 \\
  -o Dir::Etc::sourcelist="$1" -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0 \\
  -o APT::Update::Error-Mode=any update 2>&1) && exit
why=$(echo "$said" | grep -E '^[EW]: ' | head -n 2 | paste -sd ' ')
echo "$2: apt cannot use it: ${why:-no end after 300 s};" \\
  "check url, suite and key in engine.repository" >&2
exit 1
"""


def converge(settings: Settings) -> None:
    """Converge the engine: nothing left behind, data on its own disk, then packages and daemons."""
    # A distribution stays what it is during a run, so its name may be read here.
    wanted_packages = packages(settings, host.get_fact(Engine).os)
    wanted = wanted_of(settings)
    adoptable(
        name="Take over the engine that is there, if any",
        packages=wanted_packages,
        rivals=RIVALS[settings.source],
        wanted=wanted,
        repository=settings.repository.url if settings.repository else "",
    )
    among = _paths(settings)
    for folder in FOLDERS:
        files.directory(
            name=f"Make {folder}", path=folder, user="root", group="root", mode="0755", among=among
        )
    docker.configured(
        name="Configure Docker and containerd",
        daemon=daemon_keys(settings),
        wanted=wanted,
        beside=drop_ins(settings),
        among=among,
    )
    if settings.repository is not None:
        place = f"{settings.repository.url} {settings.repository.suite}"
        files.configured(
            name="Pin Docker's own repository",
            files=repository_files(settings.repository),
            then=[script(_READ_SOURCE, SOURCES, f"Docker's repository {place}")],
            pending=_PENDING,
            among=among,
        )
    if closes(settings):
        _close(among)
    docker.running(
        name="Install Docker and Compose, and run them",
        packages=wanted_packages,
        mount=settings.requires_mount,
        wanted=wanted,
        refresh=settings.repository is not None,
    )


def _close(among: tuple[str, ...]) -> None:
    """Keep neighbours out before Docker runs, and also where somebody has flushed the rules."""
    installed(name="Install nftables", packages=["nftables"])
    files.directory(
        name=f"Make {FOLDER}", path=FOLDER, user="root", group="root", mode="0755", among=among
    )
    firewall.loaded(
        name="Keep neighbours from what is published on this machine alone",
        family=FAMILY,
        table=TABLE,
        rules=LINES,
        files=rule_files(),
        unit=UNIT,
        pending=_NEIGHBOURS,
        among=among,
    )


def _paths(settings: Settings) -> tuple[str, ...]:
    """Return all paths that the role converges, so that their states are read together."""
    texts = [*drop_ins(settings)]
    others = [DAEMON_JSON, CONTAINERD_TOML, files.marker(docker.PENDING)]
    if settings.repository is not None:
        texts += repository_files(settings.repository)
        others.append(files.marker(_PENDING))
    if closes(settings):
        others += [FOLDER, RULES, UNIT_FILE, files.marker(_NEIGHBOURS)]
    return (*FOLDERS, *others, *(file.path for file in texts))


def wanted_of(settings: Settings) -> Wanted:
    """Given the settings, return what the running daemons must say of themselves."""
    return Wanted(
        data_root=settings.data_root,
        containerd_root=settings.containerd_root,
        live_restore=settings.live_restore,
        log_driver=settings.log.driver,
    )
