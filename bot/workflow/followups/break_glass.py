"""Break-glass: somebody goes ahead without the missing approvals, and the skipped approvers are told at once."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from bot.core.audit.request_event import event
from bot.core.cards.break_glass import announcement
from bot.core.cards.followups import MAY_NOT_BREAK_GLASS
from bot.core.people.identity import PersonId, Place
from bot.core.people.same_person import SamePerson
from bot.core.policy.model import Allow, Moment, Refuse
from bot.core.requests import BreakGlass, Followup, Request, deadlines
from bot.errors import NotYet, Unverified
from bot.ports import Message, MessageKind
from bot.workflow.evaluate import evaluate, gather_facts
from bot.workflow.followups.record import grant_followup, refuse_followup
from bot.workflow.people.routing import place_of
from bot.workflow.process.deps import Deps
from bot.workflow.requests.results import Update

_MENTIONS = 100  # mentions in one message: more do not fit into its block


def break_glass(deps: Deps, request: Request, followup: Followup) -> Update:
    """Decide with break-glass among the facts; if the policy allows it, the request is approved from here on."""
    used = _use(deps, request, followup)
    broken = replace(request, break_glass=used)
    given = gather_facts(deps, broken, Moment.BREAK_GLASS)
    answer = evaluate(deps, given)
    if not isinstance(answer, Allow) or request.approval is None:
        no = answer if isinstance(answer, Refuse) else Refuse("break_glass_not_permitted", MAY_NOT_BREAK_GLASS)
        return refuse_followup(request, followup, no)
    now, policy = deps.clock.now(), deps.in_force.policy
    told = skipped_approvers(broken, given.members, policy.same_person, also=policy.break_glass.people)
    approved = deadlines.approve(grant_followup(broken, followup), answer.because, now, request.approval.good_for)
    recorded = event(
        approved,
        "break_glass.used",
        actor=followup.by,
        why=used.reason,
        need=used.need,
        have=used.have,
        skipped=told,
        digest=used.digest,
    )
    messages = [*notes(deps, broken, announcement(broken, used), Place(place_of(deps, request).channel), told)]
    return Update(approved, [recorded], messages)


def _use(deps: Deps, request: Request, followup: Followup) -> BreakGlass:
    approval, now = request.approval, deps.clock.now()
    return BreakGlass(
        followup.by,
        followup.name,
        followup.text,
        now,
        followup.digest,
        console_works=followup.console_works,
        stepped_up=followup.stepped_up,
        groups=approval.groups if approval else (),
        need=approval.need if approval else 0,
        have=request.have,
        remind_at=now + timedelta(seconds=deps.timings.sign_off_reminder),
    )


def skipped_approvers(
    request: Request,
    members: Mapping[str, Collection[PersonId]],
    same_person: SamePerson,
    *,
    also: Iterable[str] = (),
) -> tuple[str, ...]:
    """Ids of those who could have approved, and of those whom the policy wants told as well."""
    used = request.break_glass
    groups = (*(used.groups if used else ()), *also)
    had_a_say = [*request.requesters, *(vote.voter for vote in request.counted_votes), *([used.by] if used else [])]
    everybody = {one for group in groups for one in members.get(group, ())}
    left_out = {one.user for one in everybody if not any(same_person.are_one(one, other) for other in had_a_say)}
    return tuple(sorted(left_out))


def notes(deps: Deps, request: Request, body: str, place: Place | None, people: tuple[str, ...]) -> Iterator[Message]:
    """The message to the card's channel and to the policy's channels, split if there are many mentions."""
    for start in range(0, max(1, len(people)), _MENTIONS):
        called = people[start : start + _MENTIONS]
        yield Message(MessageKind.NOTE, body=body, place=place, mentions=called, links_card=place is not None)
    for channel in deps.in_force.policy.break_glass.channels:
        if channel != place_of(deps, request).channel and _is_open_to_announcement(deps, channel):
            yield Message(MessageKind.NOTE, body=body, place=Place(channel), links_card=True)


def _is_open_to_announcement(deps: Deps, channel: str) -> bool:
    """Whether only our own people read the channel. While Slack cannot tell, nothing is posted there."""
    try:
        place = deps.directory.place(Place(channel))
    except (Unverified, NotYet):
        return True
    return place.is_internal and not place.is_archived
