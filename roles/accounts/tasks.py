"""Converge groups, users, their homes, keys and user managers, and who is in group docker."""

from __future__ import annotations

import datetime

from clup.operations import accounts
from roles.accounts.settings import NO_HOME, Settings


def converge(settings: Settings) -> None:
    """Call the role's operations, within a deploy."""
    among = settings.homes
    for name, gid in settings.gids.items():
        accounts.group(name=f"Make the group {name}", group=name, gid=gid, among=among)

    for name, user in settings.users.items():
        group = user.group or name
        home = settings.home(name)
        accounts.user(
            name=f"Make the user {name}",
            user=name,
            uid=user.uid,
            group=(group, settings.gids[group]),
            home=home,
            shell=user.shell,
            comment=user.comment,
            groups=user.groups,
            among=among,
        )
        if home == NO_HOME:
            continue
        accounts.home_folder(
            name=f"Give {name} its home",
            user=name,
            group=group,
            path=home,
            mode=user.home_mode,
            among=among,
        )
        if user.keys or user.exclusive_keys:
            accounts.authorized_keys(
                name=f"Let {name} in by its keys",
                user=name,
                group=group,
                home=home,
                keys=settings.keys(name),
                exclusive=user.exclusive_keys,
                among=among,
            )
        if user.linger:
            accounts.user_manager(
                name=f"Run the user manager of {name}", user=name, uid=user.uid, among=among
            )

    accounts.members(
        name="Keep the group docker to those with a waiver",
        group="docker",
        allowed=settings.waived(datetime.date.today()),
        ours=tuple(settings.users),
        cure="take it away by `gpasswd -d NAME docker` (or move it to another primary group), "
        "or say why, who and until when in accounts.docker.NAME",
        among=among,
    )
