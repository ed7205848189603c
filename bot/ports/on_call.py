"""Who is on call, as a schedule outside Slack says."""

from typing import Protocol

from bot.core.people.identity import Shift


class Schedules(Protocol):
    """Where the people who are on call stand written."""

    def shifts(self, schedule: str) -> tuple[Shift, ...]:
        """Who is on call now for this schedule. Raises `Unverified`."""
