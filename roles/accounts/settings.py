"""Settings of the role accounts: who is on the machine, with which ids, keys and powers."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from clup.authorized_keys import BadKeyError, Key, parse
from clup.fields import AbsolutePath, Id, Mode, Name
from clup.settings import Model, fault, faults, over
from clup.waiver import Waiver

NO_HOME = "/nonexistent"
"""The home of an account that has none, by Debian's convention."""

NO_SHELL = "/usr/sbin/nologin"

HOMES = ("/home", "/srv", "/opt")
"""Where homes may lie: what is elsewhere belongs to the system."""

POWERFUL = {
    *("root", "sudo", "admin", "wheel", "lxd", "incus", "incus-admin", "libvirt"),
    *("disk", "docker", "kmem", "shadow", "staff"),
}
"""Groups whose members can become root. Only by a waiver may an account be in one."""

GUARD = "claw-guard"
"""The account of the guard. To its group belongs the socket by which the guard reaches Docker."""

_SERVICE = {"home": NO_HOME, "shell": NO_SHELL}

USERS: dict[str, dict[str, Any]] = {
    "psy": {"uid": 2000, "comment": "The human account", "linger": True},
    "claw-runner": {"uid": 2010, "comment": "The job runner", **_SERVICE},
    "claw-guard": {"uid": 2011, "comment": "The guard before Docker", **_SERVICE},
    "claw-job": {"uid": 2012, "comment": "Jobs that are not trusted", **_SERVICE},
    "claw-trusted": {"uid": 2013, "comment": "Jobs that write the cache", **_SERVICE},
    "gw-admin": {"uid": 2020, "comment": "The gateway gw-admin", **_SERVICE},
}
"""The accounts of the site. Their ids stay clear of 1000, the first user of an installer."""


def _key(line: str) -> str:
    try:
        return str(parse(line))
    except BadKeyError as error:
        raise fault(error.reason, error.cure, error.secret) from None


def _home_mode(mode: str) -> str:
    if int(mode, 8) & 0o022:
        raise fault("lets others write; sshd then ignores the keys in it", "write 0750 or 0700")
    return mode


def _comment(text: str) -> str:
    if re.search(r"[:\n\x00-\x1f]", text):
        raise fault("has a colon or a line break, which end a field of passwd", "leave them out")
    return text


def _powerful(group: str) -> str:
    if group not in POWERFUL:
        raise fault(
            "is no group that makes its members root", f"known: {', '.join(sorted(POWERFUL))}"
        )
    return group


PublicKey = Annotated[str, AfterValidator(_key), Field(title="public key")]
PowerfulGroup = Annotated[str, AfterValidator(_powerful), Field(title="group", examples=["sudo"])]


class User(Model):
    """One account. Nobody gets a password; one that a person set stays."""

    uid: Id
    """User id, the same on every machine and after every rebuild."""
    group: Name | None = None
    """Primary group; by default one of its own, of the same name and id."""
    groups: tuple[Name, ...] = ()
    """Further groups. Those of which it is a member besides stay."""
    shell: AbsolutePath = "/bin/bash"
    """Login shell."""
    home: AbsolutePath | None = None
    """Home folder below /home, /srv or /opt; by default /home/NAME, `/nonexistent` for none."""
    home_mode: Annotated[Mode, AfterValidator(_home_mode)] = "0750"
    """Mode of the home folder, octal."""
    comment: Annotated[str, AfterValidator(_comment)] | None = None
    """Full name or purpose (GECOS); what is there stays when this is left out."""
    keys: tuple[PublicKey, ...] = ()
    """Public keys that may log in, each a line as in `authorized_keys`."""
    exclusive_keys: bool = False
    """Whether keys that are not in `keys` are taken away; by default they stay."""
    linger: bool = False
    """Whether its systemd user manager runs from boot on, without a login."""


class Membership(Waiver):
    """Why an account may be a member of a group that makes it as strong as root."""

    groups: Annotated[tuple[PowerfulGroup, ...], Field(min_length=1)] = ("docker",)
    """The groups, such as docker and sudo. clup sees to it that the account is a member of docker;
    whoever wants it in another puts it there."""


class Settings(Model):
    """The groups and accounts of the machine."""

    groups: dict[Name, Id] = Field(default={})
    """Groups besides those that users have of their own, and their ids."""
    users: Annotated[dict[Name, User], over(USERS)] = Field(default=USERS, validate_default=True)
    """Accounts by name, merged over those of the site; None takes one of those away."""
    docker: dict[Name, Membership] = Field(default={})
    """Who may be a member of the group docker, or of another that is as strong as root, and why.
    Nobody else may be in docker, and no account of these settings in any other."""

    @property
    def gids(self) -> dict[str, int]:
        """All groups that are converged, with their ids."""
        own = {name: user.uid for name, user in self.users.items() if user.group is None}
        return own | self.groups

    def home(self, name: str) -> str:
        """Given a user of these settings, return its home folder."""
        return self.users[name].home or f"/home/{name}"

    @property
    def homes(self) -> tuple[tuple[str, str], ...]:
        """All users with their home folders."""
        return tuple((name, self.home(name)) for name in self.users)

    def waived(self, today: datetime.date, group: str = "docker") -> tuple[str, ...]:
        """Given a date, return who may be in a group that is as strong as root on that day."""
        return tuple(
            name
            for name, waiver in self.docker.items()
            if waiver.holds(today) and group in waiver.groups
        )

    def keys(self, name: str) -> tuple[Key, ...]:
        """Given a user of these settings, return its public keys."""
        return tuple(parse(line) for line in self.users[name].keys)

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        found = [*self._shared_ids(), *self._groups_of_users(), *self._homes()]
        if found:
            raise faults(found)
        return self

    def _shared_ids(self) -> Iterator[_Found]:
        uids = Counter(user.uid for user in self.users.values())
        gids = Counter(self.gids.values())
        for name, user in self.users.items():
            if uids[user.uid] > 1:
                error = fault("is the id of another user too", "give each user an id of its own")
                yield ("users", name, "uid"), user.uid, error
            elif user.group is None and name not in self.groups and gids[user.uid] > 1:
                error = fault("is the id of another group too", "choose an id free in both")
                yield ("users", name, "uid"), user.uid, error
        for name, gid in self.groups.items():
            if gids[gid] > 1:
                error = fault("is the id of another group too", "give each group its own")
                yield ("groups", name), gid, error

    def _groups_of_users(self) -> Iterator[_Found]:
        for name, user in self.users.items():
            if name in ("root", "nobody"):
                error = fault("belongs to the system", "choose another name")
                yield ("users", name), name, error
            if user.group is not None and user.group not in self.gids:
                error = fault("is no declared group", "give it an id in accounts.groups")
                yield ("users", name, "group"), user.group, error
            fields: list[tuple[tuple[str | int, ...], str]] = [
                (("group",) if user.group else (), user.group or name),
                *((("groups", index), group) for index, group in enumerate(user.groups)),
            ]
            for field, group in fields:
                if group == "docker":
                    cure = f"say why, who and until when in accounts.docker.{name}"
                elif (group == GUARD and name != GUARD) or (
                    group in POWERFUL and name not in ("root", "nobody")
                ):
                    cure = "give the account no such group; the operator alone becomes root"
                else:
                    continue
                error = fault("makes its members as strong as root", cure)
                yield ("users", name, *field), group, error

    def _homes(self) -> Iterator[_Found]:
        homes = Counter(map(self.home, self.users))
        for name, user in self.users.items():
            home = self.home(name)
            if home == NO_HOME:
                for field in ("keys", "linger"):
                    if getattr(user, field):
                        error = fault("needs a home folder", "give the account a home")
                        yield ("users", name, field), getattr(user, field), error
            elif not home.startswith(tuple(f"{folder}/" for folder in HOMES)):
                error = fault("belongs to the system", f"choose one below {', '.join(HOMES)}")
                yield ("users", name, "home"), home, error
            elif other := next((each for each in homes if home.startswith(f"{each}/")), None):
                error = fault(f"lies in {other}, whose owner could exchange it", "move it out")
                yield ("users", name, "home"), home, error
            elif homes[home] > 1:
                error = fault("is the home of another user too", "give each its own")
                yield ("users", name, "home"), home, error


_Found = tuple[tuple[str | int, ...], object, PydanticCustomError]
