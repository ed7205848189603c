"""A schedule: a time of day on some days of the week, by the wall clock of a zone."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from itertools import count

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Schedule:
    """Once on each of its days, also if a clock change skips or repeats that time."""

    at: time
    zone: tzinfo
    days: frozenset[str] = frozenset(WEEKDAYS)

    def __str__(self) -> str:
        days = " ".join(day for day in WEEKDAYS if day in self.days)
        return f"{days} {self.at:%H:%M} {self.zone}"

    def next_after(self, moment: datetime) -> datetime:
        """The first time after the given one, in UTC."""
        today = moment.astimezone(self.zone).date()
        ahead = (today + timedelta(days=number) for number in count())
        days = (day for day in ahead if WEEKDAYS[day.weekday()] in self.days)
        # The first one of a repeated time; a skipped one is read with the offset before the change.
        times = (datetime.combine(day, self.at, self.zone).astimezone(UTC) for day in days)
        return next(at for at in times if at > moment)


@dataclass(frozen=True, slots=True)
class HandoverSchedule:
    """When and where the handover is posted."""

    schedule: Schedule
    channel: str
