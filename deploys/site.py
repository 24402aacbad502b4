"""The whole site, role by role: `pyinfra inventories/NAME.py deploys/site.py`.

The settings of all hosts are judged on the first line, before any remote command.
"""

from pathlib import Path

from pyinfra.api.deploy import deploy
from pyinfra.api.exceptions import DeployError
from pyinfra.context import host

from clup.layers import selected, settings_of
from roles import ROLES, Role, Settings

# pyinfra reads config.py and group_data of the folder that it is started in, or silently none.
if Path.cwd() != (home := Path(__file__).resolve().parent.parent):
    raise DeployError(f"started in {Path.cwd()}, where group_data is not; type it in {home}")

settings = settings_of(host, Settings)
wanted = selected(host, tuple(role.name for role in ROLES))


def converge(role: Role) -> None:
    """Call a role's operations under its name."""

    @deploy(role.name)
    def story() -> None:
        role.converge(settings)

    story()


# On every host the loop passes all roles: their place in it orders the operations of several
# hosts, so a role that is not wanted is passed over inside.
for role in host.loop(ROLES):
    if role.name in wanted:
        converge(role)
