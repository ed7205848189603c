"""Limits for scheduled windows (`--at`): how long they are, and how far ahead."""

from datetime import timedelta

from pydantic import BaseModel, model_validator

from bot.core.requests.scheduling import Scheduling
from config.policy_types import Duration
from config.strict_yaml import STRICT


class SchedulingEntry(BaseModel):
    """Scheduled windows; maintenance windows are in the calendar."""

    model_config = STRICT

    window: Duration = Scheduling.window
    longest: Duration = Scheduling.longest
    ahead: Duration = Scheduling.ahead

    @model_validator(mode="after")
    def _is_possible(self) -> "SchedulingEntry":
        if not timedelta(0) < self.window <= self.longest:
            raise ValueError("`window` has to be more than zero and at most `longest`")
        return self

    def scheduling(self) -> Scheduling:
        """The values for the policy."""
        return Scheduling(self.window, self.longest, self.ahead)
