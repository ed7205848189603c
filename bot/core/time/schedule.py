"""A schedule: a time of day on some days of the week, by the wall clock of a zone."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from itertools import count

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Schedule:
    """Once on each of its days, also on one whose clock change leaves that time out or brings it twice."""

    at: time
    zone: tzinfo
    days: frozenset[str] = frozenset(WEEKDAYS)

    def __str__(self) -> str:
        days = " ".join(day for day in WEEKDAYS if day in self.days)
        return f"{days} {self.at:%H:%M} {self.zone}"

    def next_after(self, moment: datetime) -> datetime:
        """The first time after that moment, in UTC."""
        today = moment.astimezone(self.zone).date()
        ahead = (today + timedelta(days=number) for number in count())
        days = (day for day in ahead if WEEKDAYS[day.weekday()] in self.days)
        # Of a time that comes twice this is the first; one that does not come is taken by the clock before its change.
        times = (datetime.combine(day, self.at, self.zone).astimezone(UTC) for day in days)
        return next(at for at in times if at > moment)


@dataclass(frozen=True, slots=True)
class HandoverSchedule:
    """Where and when people are told by themselves what the next on-call has to know."""

    schedule: Schedule
    channel: str
