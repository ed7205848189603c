"""When a change may be carried out, where it is not as soon as people agree."""

from dataclasses import dataclass
from datetime import datetime

from bot.core.requests.duration import format_length, format_moment


@dataclass(frozen=True, slots=True)
class ScheduledWindow:
    """From when until when. An approval is good for this time and for no other."""

    opens: datetime
    closes: datetime

    def __str__(self) -> str:
        return f"--at {format_moment(self.opens)} --window {format_length(self.closes - self.opens)}"
