"""Reminders and escalation of a request that waits for approval: when they are due and how far they have come."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.time.countdown import countdown_marks

# Reminders come after 5 minutes and then after twice the previous pause: at 5, 15, 35, 75 minutes ...
REMIND = tuple(timedelta(minutes=5) * (2**count - 1) for count in range(1, 11))


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """One step of the escalation: how long after people were asked, whom it mentions, and where."""

    after: timedelta
    mention: tuple[str, ...] = ()  # groups of the policy
    channel: str = ""  # another channel than the card's
    page: bool = False  # also page somebody


@dataclass(frozen=True, slots=True)
class Escalation:
    """How far reminders, escalation and countdown of a waiting request have come.

    Each count is of steps already done.
    """

    since: datetime
    remind: tuple[timedelta, ...] = ()
    steps: tuple[EscalationStep, ...] = ()
    reminded: int = 0
    escalated: int = 0
    counted_down: int = 0  # how often the card was updated only for its countdown

    @property
    def next_reminder(self) -> datetime | None:
        """When the approvers whose approval is missing are reminded next."""
        return self.since + self.remind[self.reminded] if self.reminded < len(self.remind) else None

    @property
    def next_step(self) -> datetime | None:
        """When the next escalation step is due."""
        return self.since + self.steps[self.escalated].after if self.escalated < len(self.steps) else None

    def reached(self, now: datetime) -> tuple[EscalationStep, ...]:
        """The escalation steps that are due and not done yet, in order."""
        return tuple(step for step in self.steps[self.escalated :] if self.since + step.after <= now)

    def after_reminder(self, now: datetime) -> "Escalation":
        """The state after a reminder. Reminders that came due meanwhile count as sent."""
        return replace(self, reminded=_count_passed((self.since + after for after in self.remind), now))

    def next_drawing(self, end: datetime) -> datetime | None:
        """When the card is updated next so that its countdown stays current."""
        times = countdown_marks(self.since, end)
        return times[self.counted_down] if self.counted_down < len(times) else None

    def after_drawing(self, end: datetime, now: datetime) -> "Escalation":
        """The state after the card was updated."""
        return replace(self, counted_down=_count_passed(countdown_marks(self.since, end), now))

    def restart(self, since: datetime) -> "Escalation":
        """The state for a request whose approvers are asked once more."""
        return Escalation(since, self.remind, self.steps)


def _count_passed(times: Iterable[datetime], now: datetime) -> int:
    return sum(at <= now for at in times)
