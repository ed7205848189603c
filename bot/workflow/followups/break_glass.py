"""Break-glass: somebody goes ahead without the votes that are missing, and whoever was skipped is told at once."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from bot.core.cards.break_glass import announcement
from bot.core.people.identity import PersonId, Place
from bot.core.policy.model import Allow, Moment, Refuse
from bot.core.requests import Glass, Request, Wish, scheduling
from bot.errors import NotYet, Unverified
from bot.ports import Claim, Message, MessageKind
from bot.workflow.evaluate import facts, judged
from bot.workflow.followups.record import granted, refuse_wish
from bot.workflow.people.channels import place_of
from bot.workflow.process.deps import Parts
from bot.workflow.requests.closing import event

_MENTIONS = 100  # of one message: more do not fit into its block


def go_alone(parts: Parts, claim: Claim, request: Request, wish: Wish) -> Request:
    """Ask the one question with the broken glass among the facts; a yes is an approval like any other from here on."""
    glass = _glass(parts, request, wish)
    broken = replace(request, glass=glass)
    given = facts(parts, broken, Moment.ALONE)
    answer = judged(parts, given)
    if not isinstance(answer, Allow) or request.approval is None:
        no = answer if isinstance(answer, Refuse) else Refuse("may_not_go_alone", "You may not go ahead alone.")
        return refuse_wish(parts, claim, request, wish, no)
    now, told = parts.clock.now(), skipped(broken, given.members, also=parts.policy.break_glass.people)
    approved = scheduling.approved(granted(broken, wish), answer.because, now, request.approval.good_for)
    recorded = event(
        approved, "glass.broken", actor=wish.by, why=glass.reason, need=glass.need, have=glass.have, skipped=told
    )
    messages = [*notes(parts, broken, announcement(broken, glass), Place(place_of(parts, request).channel), told)]
    return parts.store.save(approved, events=[recorded], messages=messages, claim=claim)


def _glass(parts: Parts, request: Request, wish: Wish) -> Glass:
    approval, now = request.approval, parts.clock.now()
    return Glass(
        wish.by,
        wish.name,
        wish.text,
        now,
        wish.digest,
        console_works=wish.console_works,
        groups=approval.groups if approval else (),
        need=approval.need if approval else 0,
        have=request.have,
        remind_at=now + timedelta(seconds=parts.timings.review_reminder),
    )


def skipped(
    request: Request, members: Mapping[str, Collection[PersonId]], *, also: Iterable[str] = ()
) -> tuple[str, ...]:
    """By their ids, who could have approved and was not asked any more; and whom the policy wants told as well."""
    glass = request.glass
    groups = (*(glass.groups if glass else ()), *also)
    had_a_say = [*request.requesters, *(vote.voter for vote in request.counted), *([glass.by] if glass else [])]
    everybody = {one for group in groups for one in members.get(group, ())}
    left_out = {one.user for one in everybody if not any(one.is_same_as(other) for other in had_a_say)}
    return tuple(sorted(left_out))


def notes(parts: Parts, request: Request, body: str, place: Place | None, people: tuple[str, ...]) -> Iterator[Message]:
    """The same words to people, as many messages as their mentions need, and to the channels that the policy names."""
    for start in range(0, max(1, len(people)), _MENTIONS):
        called = people[start : start + _MENTIONS]
        yield Message(MessageKind.NOTE, body=body, place=place, mentions=called, links_card=place is not None)
    for channel in parts.policy.break_glass.channels:
        if channel != place_of(parts, request).channel and _may_hear(parts, channel):
            yield Message(MessageKind.NOTE, body=body, place=Place(channel), links_card=True)


def _may_hear(parts: Parts, channel: str) -> bool:
    """Not where others than our own people listen. While Slack cannot tell, what waits for it is heard by nobody."""
    try:
        place = parts.directory.place(Place(channel))
    except (Unverified, NotYet):
        return True
    return place.is_internal and not place.is_archived
