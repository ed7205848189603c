"""Remind the owner of a mask: it expires soon, is overdue, or has no expiry; remind a hold's owners of its review."""

from dataclasses import replace
from datetime import datetime

from bot.core.audit.request_event import event
from bot.core.cards import expiry
from bot.core.cards import hold as holds
from bot.core.people.identity import Place
from bot.core.requests import Hold, Request
from bot.ports import Message, MessageKind
from bot.workflow.people.membership import mention_ids
from bot.workflow.people.routing import place_of
from bot.workflow.process.deps import Deps
from bot.workflow.process.render import in_words
from bot.workflow.requests.results import Update


def remind_owner(deps: Deps, request: Request) -> Update:
    """Send the reminder that is due, once, and set the timer to the next one."""
    now, aftercare = deps.clock.now(), request.aftercare
    if request.hold:
        return _review(deps, request, request.hold)
    expires_at, next_time = aftercare.expires_at, now + deps.aftercare.reminder_every
    if expires_at and aftercare.overdue:
        return _tell(
            deps,
            request,
            "overdue",
            in_words(deps, request, lambda: expiry.overdue_message(request, expires_at)),
            again_at=next_time,
        )
    if expires_at and now < expires_at:
        return _tell(
            deps,
            request,
            "ends_soon",
            in_words(deps, request, lambda: expiry.expiry_reminder(request, expires_at, now)),
            again_at=None,
        )
    if expires_at:  # it expires right now
        return Update(replace(request, aftercare=replace(aftercare, remind_at=None)))
    return _tell(
        deps,
        request,
        "no_expiry",
        in_words(deps, request, lambda: expiry.no_expiry_reminder(request, now)),
        again_at=next_time,
    )


def _review(deps: Deps, mask: Request, hold: Hold) -> Update:
    """Remind the owners in the card's channel, again and again until they keep the hold or have it lifted.

    They are reminded also while the hold's mask is off.
    """
    now, channel = deps.clock.now(), Place(place_of(deps, mask).channel)
    is_review = now >= hold.review and not mask.ask.rollout  # which is reviewed as a whole
    body = in_words(
        deps, mask, lambda: holds.review_message(mask, hold, now) if is_review else holds.still_off_message(mask, hold)
    )
    told = [
        Message(
            MessageKind.NOTE,
            body=body,
            place=channel,
            mentions=mention_ids(deps, (hold.owners,)),
            links_card=True,
            buttons_of=mask.id,
        )
    ]
    aftercare = replace(
        mask.aftercare, remind_at=now + deps.aftercare.reminder_every, reminders=mask.aftercare.reminders + 1
    )
    said = event(
        mask,
        "hold.reminded",
        code="review" if is_review else "removed",
        owners=hold.owners,
        times=aftercare.reminders,
    )
    return Update(replace(mask, aftercare=aftercare), [said], told)


def _tell(deps: Deps, mask: Request, code: str, body: str, *, again_at: datetime | None) -> Update:
    """Send a direct message; repeated reminders go to the channel too after a while."""
    told = mask.aftercare.reminders + bool(again_at)
    until = mask.aftercare.expires_at if again_at is None else None  # not delivered after the mask has expired
    messages = [Message(MessageKind.DIRECT, to=mask.owner.user, body=body, until=until, buttons_of=mask.id)]
    if told > deps.aftercare.reminders_to_owner_only:
        channel = place_of(deps, mask)
        said = Message(MessageKind.NOTE, body=body, place=Place(channel.channel), mentions=(mask.owner.user,))
        messages.append(replace(said, buttons_of=mask.id))
    reminded = replace(mask, aftercare=replace(mask.aftercare, remind_at=again_at, reminders=told))
    told_of = event(mask, "mask.reminded", code=code, owner=mask.owner.user, times=told)
    return Update(reminded, [told_of], messages)
