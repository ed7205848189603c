"""Reminders and escalation steps of a rule."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import pairwise

from pydantic import BaseModel, model_validator

from bot.core.requests import EscalationStep
from config.policy_types import ChannelId, Duration, Word
from config.strict_yaml import STRICT


class EscalationStepEntry(BaseModel):
    """One escalation step."""

    model_config = STRICT

    after: Duration
    mention: list[Word] = []
    channel: ChannelId | None = None
    page: bool = False

    @model_validator(mode="after")
    def _calls_somebody(self) -> "EscalationStepEntry":
        if not (self.mention or self.channel or self.page):
            raise ValueError("notifies nobody; give groups to `mention`, a `channel`, or `page: true`")
        return self

    def step(self) -> EscalationStep:
        """The step for the policy."""
        return EscalationStep(self.after, tuple(self.mention), self.channel or "", self.page)


def check_times(name: str, times: Sequence[timedelta], within: timedelta) -> None:
    """Raises `ValueError` for a time after the deadline, or before an earlier step."""
    if not all(timedelta() < first < second for first, second in pairwise((*times, within))):
        raise ValueError(f"the times of `{name}` have to increase and stay within `approve_within`")


def without_page(steps: Iterable[EscalationStep]) -> bool:
    """Whether no escalation step pages anybody."""
    last = [*steps][-1:]
    return bool(last) and not last[0].page
