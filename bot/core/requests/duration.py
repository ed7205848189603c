"""How long a mask lasts: the duration or the time at which it expires, as people ask for it and approve it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


@dataclass(frozen=True, slots=True)
class Duration:
    """Either a length that counts from the proof of the mask, or a fixed time."""

    lasts: timedelta | None = None
    until: datetime | None = None

    def __str__(self) -> str:
        if self.lasts is not None:
            return f"--for {format_length(self.lasts)}"
        if self.until is None:
            return ""
        return f"--until {format_moment(self.until)}"

    def expires_at(self, begins: datetime) -> datetime:
        """When a mask expires that is proven at `begins`."""
        return self.until or begins + (self.lasts or timedelta())


def format_moment(at: datetime) -> str:
    """Format a time as people can type it: `2026-12-01T22:00Z`."""
    form = "%Y-%m-%dT%H:%M" + ":%S" * bool(at.second) + "Z"
    return f"{at.astimezone(UTC):{form}}"


def format_length(length: timedelta) -> str:
    """Format a length as people type it: `2h`, `1h30m`."""
    left, words = int(length.total_seconds()), []
    for seconds, sign in _UNITS:
        number, left = divmod(left, seconds)
        words += [f"{number}{sign}"] if number else []
    return "".join(words) or "0s"
