"""While a request waits for votes: when people are called again, whom the ladder reaches, and how far that has come."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.time.countdown import marks

# After five minutes, and then each time after twice as long as before: 5, 15, 35, 75 minutes ...
REMIND = tuple(timedelta(minutes=5) * (2**count - 1) for count in range(1, 11))


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """One step of the escalation ladder: so long after people were asked, whom it calls and where."""

    after: timedelta
    mention: tuple[str, ...] = ()  # groups of the policy
    channel: str = ""  # another one than the card's
    page: bool = False  # and somebody is paged


@dataclass(frozen=True, slots=True)
class Escalation:
    """What time brings to those who have to decide. Each count says how many of its kind have come."""

    since: datetime
    remind: tuple[timedelta, ...] = ()
    steps: tuple[EscalationStep, ...] = ()
    reminded: int = 0
    escalated: int = 0
    counted_down: int = 0  # how often the card was drawn for its countdown alone

    @property
    def next_reminder(self) -> datetime | None:
        """When those who can still decide are reminded."""
        return self.since + self.remind[self.reminded] if self.reminded < len(self.remind) else None

    @property
    def next_step(self) -> datetime | None:
        """When the ladder takes its next step."""
        return self.since + self.steps[self.escalated].after if self.escalated < len(self.steps) else None

    def reached(self, now: datetime) -> tuple[EscalationStep, ...]:
        """The steps that are due and not taken yet, in their order."""
        return tuple(step for step in self.steps[self.escalated :] if self.since + step.after <= now)

    def after_reminder(self, now: datetime) -> "Escalation":
        """Once people were reminded: what came due meanwhile has come with it."""
        return replace(self, reminded=_passed((self.since + after for after in self.remind), now))

    def next_drawing(self, end: datetime) -> datetime | None:
        """When the card is drawn anew, so that its countdown is not too old."""
        times = marks(self.since, end)
        return times[self.counted_down] if self.counted_down < len(times) else None

    def after_drawing(self, end: datetime, now: datetime) -> "Escalation":
        """Once that was done."""
        return replace(self, counted_down=_passed(marks(self.since, end), now))

    def restart(self, since: datetime) -> "Escalation":
        """The same for people who are asked once more."""
        return Escalation(since, self.remind, self.steps)


def _passed(times: Iterable[datetime], now: datetime) -> int:
    return sum(at <= now for at in times)
