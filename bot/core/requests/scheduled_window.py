"""The scheduled window (`--at`) of a change: from when until when it may be carried out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.requests.duration import format_length, format_moment


@dataclass(frozen=True, slots=True)
class ScheduledWindow:
    """The time in which a change may run. An approval is good for this window and no other."""

    opens: datetime
    closes: datetime

    def __str__(self) -> str:
        return f"--at {format_moment(self.opens)} --window {format_length(self.closes - self.opens)}"


@dataclass(frozen=True, slots=True)
class ScheduledWindowLimits:
    """How long scheduled windows are, and how far ahead they may open."""

    usual: timedelta = timedelta(hours=1)  # the length, if nobody gives one
    longest: timedelta = timedelta(hours=12)
    ahead: timedelta = timedelta(days=30)
