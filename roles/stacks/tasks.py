"""The desired-state folder first, then the operator's own stacks."""

from __future__ import annotations

from clup.operations import tree
from clup.operations.packages import installed
from roles.stacks.settings import Settings
from roles.stacks.stacks import stacks


def converge(settings: Settings) -> None:
    """Converge the folder of desired state, and each stack."""
    installed(name="Install git, which keeps the desired state", packages=["git"])
    tree.repository(name="Keep the desired state in a repository that takes no secret")
    if specs := tuple(stacks(settings)):
        # Only a site with stacks pays for what renders and judges them.
        from clup.operations.stacks import running

        for spec in specs:
            running(name=f"Run the stack {spec.name}", stack=spec, among=specs)
