"""Compute when a mask expires, when its owner is reminded, and when its host is checked again."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.requests import Aftercare, Extension, NewKind, Outcome, Request, Verb

_CHANGED = (
    Outcome.PROVEN,
    Outcome.MASKED_RUNNING,
    Outcome.MASKED_RESTARTED,
    Outcome.RESTORED,
    Outcome.RESTORED_PARTLY,
    Outcome.UNMASKED,
    Outcome.CALLED_OFF,
    Outcome.CALLED_OFF_PARTLY,
)
_SHARE = 4  # a mask of ten minutes is announced a quarter of that before its expiry, not fifteen minutes before


@dataclass(frozen=True, slots=True)
class AftercarePolicy:
    """Settings of what happens to a change after it is done: expiry, reminders, afterchecks."""

    expiry_warning: timedelta = timedelta(minutes=15)  # before the expiry
    reminder_after: timedelta = timedelta(hours=24)  # for a mask without expiry
    reminder_every: timedelta = timedelta(hours=24)
    reminders_to_owner_only: int = 2  # this many reminders go to the owner alone; later ones go to the channel too
    aftercheck: tuple[timedelta, ...] = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
    expiry_retry_first: timedelta = timedelta(
        seconds=5
    )  # between two tries of an overdue undo: the first pause, which doubles,
    expiry_retry_longest: timedelta = timedelta(minutes=5)  # and the longest


def begin_aftercare(request: Request, now: datetime, care: AftercarePolicy, no_login: str = "") -> Aftercare:
    """Start the timers of a change that is done now. A mask after which the bot cannot log in anew expires at once."""
    look_at = now + care.aftercheck[0] if care.aftercheck and request.target.outcome in _CHANGED else None
    if request.ask.change.verb is not Verb.MASK or not request.can_be_undone:
        return Aftercare(look_at=look_at)
    if no_login:
        return Aftercare(now, no_login=no_login, look_at=look_at)
    if request.ask.rollout:
        return Aftercare(look_at=look_at)  # the rollout ends, is extended and is reviewed as a whole
    if hold := request.hold:
        return Aftercare(remind_at=hold.review if hold.review > now else now + care.reminder_every, look_at=look_at)
    duration = request.ask.change.duration
    expires_at = duration.expires_at(now) if duration else None
    return Aftercare(
        expires_at, approved_until=expires_at, remind_at=_first_word(expires_at, now, care), look_at=look_at
    )


def extend(aftercare: Aftercare, by: Extension, care: AftercarePolicy, *, is_approved: bool) -> Aftercare:
    """Set another expiry, whatever the old one led to. `is_approved`: approvers agreed, it is no free extension."""
    return replace(
        _kept(aftercare, by),
        expires_at=by.until,
        approved_until=by.until if is_approved else aftercare.approved_until,
        remind_at=by.remind_at or _first_word(by.until, by.at, care),
    )


def is_still_so(mask: Request, by: Extension, *, held: bool) -> bool:
    """Whether the mask still is of the kind that was judged: another request for it may have been quicker."""
    if by.new_kind is NewKind.HELD:
        return mask.can_be_held
    if held:
        return mask.hold is not None
    expires = mask.aftercare.expires_at is not None
    return not mask.hold and expires == (by.new_kind is None)


def keep(aftercare: Aftercare, by: Extension) -> Aftercare:
    """Make a mask a hold, or keep a hold that its owners reviewed: the next reminder is at the date they chose."""
    return replace(_kept(aftercare, by), expires_at=None, approved_until=None, remind_at=by.until)


def _kept(aftercare: Aftercare, by: Extension) -> Aftercare:
    """The mask stays, so nothing is overdue any more."""
    kept = (*aftercare.extensions, by)
    return replace(aftercare, extensions=kept, tries=0, try_at=None, overdue="", no_login="", reminders=0)


def postpone_undo(aftercare: Aftercare, why: str, now: datetime, care: AftercarePolicy) -> Aftercare:
    """Postpone an undo that failed: retry with growing pauses, and tell the owner at once."""
    tell_at = aftercare.remind_at if aftercare.overdue else now
    return replace(aftercare, overdue=why, try_at=next_try(aftercare, now, care), remind_at=tell_at)


def is_late(undo: Request, expires_at: datetime | None, now: datetime, care: AftercarePolicy) -> bool:
    """Whether an undo should be finished by now."""
    return now - max(undo.asked_at, expires_at or undo.asked_at) > care.expiry_retry_longest


def next_try(aftercare: Aftercare, now: datetime, care: AftercarePolicy) -> datetime:
    """When the undo is tried again. The longer it is overdue, the longer the pause."""
    return now + pause(now - (aftercare.expires_at or now), care)


def pause(waited: timedelta, care: AftercarePolicy) -> timedelta:
    """The pause before the next try of something that has waited this long."""
    return min(care.expiry_retry_longest, max(care.expiry_retry_first, waited))


def next_look(request: Request, now: datetime, care: AftercarePolicy) -> datetime | None:
    """When the host is checked next. Checks that were missed while the bot was down are not made up for."""
    if request.finished_at is None:
        return None
    times = (request.finished_at + after for after in care.aftercheck)
    return next((at for at in times if at > now), None)


def _first_word(expires_at: datetime | None, now: datetime, care: AftercarePolicy) -> datetime:
    if expires_at is None:
        return now + care.reminder_after
    return expires_at - min(care.expiry_warning, (expires_at - now) / _SHARE)
