"""Limits for scheduled windows (`--at`): how long they are, and how far ahead."""

from datetime import timedelta

from pydantic import BaseModel, model_validator

from bot.core.requests.scheduled_window import ScheduledWindowLimits
from config.policy_types import Duration
from config.strict_yaml import STRICT

_SHIPPED = ScheduledWindowLimits()


class ScheduledWindowsEntry(BaseModel):
    """Scheduled windows; maintenance windows are in the calendar."""

    model_config = STRICT

    usual: Duration = _SHIPPED.usual
    longest: Duration = _SHIPPED.longest
    ahead: Duration = _SHIPPED.ahead

    @model_validator(mode="after")
    def _is_possible(self) -> "ScheduledWindowsEntry":
        if not timedelta(0) < self.usual <= self.longest:
            raise ValueError("`usual` has to be more than zero and at most `longest`")
        return self

    def limits(self) -> ScheduledWindowLimits:
        """The values for the policy."""
        return ScheduledWindowLimits(self.usual, self.longest, self.ahead)
