"""What lifts a rule: with a reason, somebody who answers for it, and an end."""

from __future__ import annotations

import datetime
from typing import Annotated

from pydantic import Field

from clup.settings import Model


class Waiver(Model):
    """Why a rule does not hold."""

    reason: Annotated[str, Field(min_length=10)]
    """What it is needed for."""
    owner: Annotated[str, Field(min_length=1)]
    """Who answers for it."""
    expires: datetime.date
    """Last day on which it holds, such as 2027-01-31."""

    def holds(self, today: datetime.date) -> bool:
        """Whether it holds on a day."""
        return today <= self.expires
