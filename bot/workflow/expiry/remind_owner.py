"""A word to the owner of a mask: that it ends soon, that it has not ended, that it has no end; to those of a hold."""

from dataclasses import replace
from datetime import datetime

from bot.core.cards import expiry
from bot.core.cards import hold as holds
from bot.core.people.identity import Place
from bot.core.requests import Hold, Request
from bot.core.requests.timers import owner_is_told
from bot.ports import Claim, Message, MessageKind
from bot.workflow.people.channels import place_of
from bot.workflow.people.membership import called
from bot.workflow.process.deps import Parts
from bot.workflow.process.render import in_words
from bot.workflow.requests.closing import event


def tell_owner(parts: Parts, claim: Claim, request: Request) -> Request:
    """Tell the owner what the clock says, once; and set the clock to the next time."""
    now, standing = parts.clock.now(), request.standing
    due = owner_is_told(request)
    if due is None or due > now:
        return request
    if request.hold:
        return _review(parts, claim, request, request.hold)
    ends_at, next_time = standing.ends_at, now + parts.care.remind_every
    if ends_at and standing.overdue:
        return _tell(
            parts,
            claim,
            request,
            "overdue",
            in_words(parts, request, lambda: expiry.overdue(request, ends_at)),
            again_at=next_time,
        )
    if ends_at and now < ends_at:
        return _tell(
            parts,
            claim,
            request,
            "ends_soon",
            in_words(parts, request, lambda: expiry.soon(request, ends_at, now)),
            again_at=None,
        )
    if ends_at:  # it ends by itself right now
        return parts.store.save(replace(request, standing=replace(standing, tell_at=None)), claim=claim)
    return _tell(
        parts,
        claim,
        request,
        "no_end",
        in_words(parts, request, lambda: expiry.endless(request, now)),
        again_at=next_time,
    )


def _review(parts: Parts, claim: Claim, mask: Request, hold: Hold) -> Request:
    """Its owners are called where its card is, again and again until they keep it or have it lifted.

    So they are while its mask is off.
    """
    now, channel = parts.clock.now(), Place(place_of(parts, mask).channel)
    is_review = now >= hold.review and not mask.ask.is_part  # of one for a group the whole is looked at
    body = in_words(parts, mask, lambda: holds.review(mask, hold, now) if is_review else holds.still_off(mask, hold))
    told = [
        Message(MessageKind.NOTE, body=body, place=channel, mentions=called(parts, (hold.owners,)), links_card=True)
    ]
    standing = replace(mask.standing, tell_at=now + parts.care.remind_every, told=mask.standing.told + 1)
    said = event(
        mask,
        "hold.reminded",
        code="review" if is_review else "taken_off",
        owners=hold.owners,
        times=standing.told,
    )
    return parts.store.save(replace(mask, standing=standing), events=[said], messages=told, claim=claim)


def _tell(parts: Parts, claim: Claim, mask: Request, code: str, body: str, *, again_at: datetime | None) -> Request:
    """In a direct message; what is brought to mind again and again is said in the channel as well in the end."""
    told = mask.standing.told + bool(again_at)
    until = mask.standing.ends_at if again_at is None else None  # what ends soon is not said once it has ended
    messages = [Message(MessageKind.DIRECT, to=mask.owner.user, body=body, until=until)]
    if told > parts.care.remind_alone:
        channel = place_of(parts, mask)
        messages.append(Message(MessageKind.NOTE, body=body, place=Place(channel.channel), mentions=(mask.owner.user,)))
    reminded = replace(mask, standing=replace(mask.standing, tell_at=again_at, told=told))
    said = event(mask, "mask.reminded", code=code, owner=mask.owner.user, times=told)
    return parts.store.save(reminded, events=[said], messages=messages, claim=claim)
