"""A countdown on a card: the time left in words, and when the card is updated for it."""

from datetime import datetime, timedelta

from bot.core.time.human_time import humanize

_LEFT = tuple(timedelta(minutes=minutes) for minutes in (24 * 60, 60, 10, 5, 1))
_LONG = timedelta(minutes=20)  # below that, the updates are frequent enough


def countdown_marks(since: datetime, end: datetime) -> tuple[datetime, ...]:
    """When the countdown on the card is outdated: halfway, then a day, an hour, 10, 5 and 1 minute before the end."""
    whole = end - since
    halfway = {since + whole / 2} if whole > _LONG else set()
    return tuple(sorted({*halfway, *(end - left for left in _LEFT if left < whole)}))


def time_left(end: datetime, now: datetime) -> str:
    """`12 minutes left`."""
    return f"{humanize(end - now)} left" if end > now else "time is up"
