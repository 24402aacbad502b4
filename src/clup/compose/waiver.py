"""A rule that is set aside for one service: why, by whom, and until when."""

from __future__ import annotations

import datetime

from pydantic import Field

from clup.settings import Model


class Waiver(Model):
    """An invariant that does not hold for one service of a stack, for a time."""

    rule: str = Field(examples=["added-capabilities"])
    """The rule's id, as docs/invariants.md lists it."""
    service: str = Field(min_length=1)
    """The service's name in its compose file."""
    value: str | None = None
    """The value that is allowed, as the finding shows it; without it, whatever the rule finds."""
    reason: str = Field(min_length=10)
    """Why it cannot be otherwise."""
    owner: str = Field(min_length=2)
    """Who answers for it."""
    expires: datetime.date
    """The last day on which it holds."""

    def allows(self, rule: str, service: str, value: str) -> bool:
        """Whether this is about a finding with that rule, service and value."""
        is_value = self.value in (None, value, value.strip("'\""))
        return (self.rule, self.service) == (rule, service) and is_value
