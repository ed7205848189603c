"""Who is on call, according to a schedule outside Slack."""

from typing import Protocol

from bot.core.people.identity import Shift


class Schedules(Protocol):
    """The on-call source."""

    def shifts(self, schedule: str) -> tuple[Shift, ...]:
        """Who is on call now for this schedule. Raises `Unverified`."""
