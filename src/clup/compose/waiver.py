"""A rule that is set aside for one service: why, by whom, and until when."""

from __future__ import annotations

from pydantic import Field

from clup import waiver


class Waiver(waiver.Waiver):
    """An invariant that does not hold for one service of a stack, for a time."""

    rule: str = Field(examples=["added-capabilities"])
    """The rule's id, as docs/invariants.md lists it."""
    service: str = Field(min_length=1)
    """The service's name in its compose file."""
    value: str | None = None
    """The value that is allowed, as the finding shows it, in the file and while it runs; without
    it, whatever the rule finds. What Compose hands to Docker as something else, such as a seccomp
    profile or `service:NAME`, takes a waiver without it."""

    def allows(self, rule: str, service: str, value: str) -> bool:
        """Whether this is about a finding with that rule, service and value."""
        is_value = self.value in (None, value, value.strip("'\""))
        return (self.rule, self.service) == (rule, service) and is_value
