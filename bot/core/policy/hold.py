"""The policy for holds, and how often a removed mask is reapplied."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.requests import Change


@dataclass(frozen=True)
class HoldPolicy:
    """The settings of the policy about holds."""

    owners: frozenset[str] = frozenset()  # groups that may own a hold; none unless named
    reapply: bool = True  # reapply a removed mask; otherwise only announce it
    reapply_limit: int = 3  # reapply at most this often
    reapply_within: timedelta = timedelta(hours=1)  # in such a period; then people are notified, and reapplying pauses
    review_within: timedelta = timedelta(days=180)  # how far ahead the review may be


def conflict(change: Change) -> str:
    """Why a change cannot be a hold or a forced stop as it stands; empty if it can, or is neither."""
    if change.force and (
        change.runtime or change.keep_running or change.duration or change.hold or change.scheduled_window
    ):
        return "`--force` ends the stop that a mask waits for, and nothing else: leave out the other options."
    if change.adopt and (
        change.runtime or change.keep_running or change.hold or change.scheduled_window or not change.duration
    ):
        return "`--adopt` adopts a mask as it is and gives it an expiry: add `--for` or `--until`, and nothing else."
    if change.hold is None:
        return ""
    if change.duration:
        return "A hold never expires: leave out `--for` and `--until`, or the hold."
    if change.runtime:
        return "A hold outlives reboots: leave out `--runtime`, or the hold."
    if change.user:
        return "Users' own managers are not watched, so nothing is held there: leave out `--user`, or the hold."
    return ""


def paused_until(rounds: Iterable[datetime], holds: HoldPolicy, now: datetime) -> datetime | None:
    """Until when a hold is not reapplied, because it was reapplied too often lately.

    None if it may be reapplied now.
    """
    lately = sorted(at for at in rounds if at + holds.reapply_within > now)
    return lately[-holds.reapply_limit] + holds.reapply_within if len(lately) >= holds.reapply_limit else None
