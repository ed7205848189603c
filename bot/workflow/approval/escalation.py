"""While a request waits for approval: the countdown on its card, reminders, and escalation steps."""

from collections.abc import Iterable
from dataclasses import replace

from bot.core.audit.chain import Event
from bot.core.audit.request_event import event
from bot.core.cards.escalation import step_taken
from bot.core.people.identity import PersonId, Place
from bot.core.policy.groups import Group
from bot.core.requests import Cause, EscalationStep, Request, Tally
from bot.errors import NotYet, Unverified
from bot.ports import Message, MessageKind
from bot.workflow.paging import with_alert
from bot.workflow.people.membership import MOST_CALLED, mention_ids
from bot.workflow.process.deps import Deps
from bot.workflow.requests.results import Update


def count_down(deps: Deps, request: Request) -> Request | Update:
    """Update the card when its countdown is too old; the update delays nothing else."""
    escalation, approval, now = request.escalation, request.approval, deps.clock.now()
    if escalation is None or approval is None:
        return request
    drawn = escalation.after_drawing(approval.approve_by, now)
    if drawn == escalation:
        return request
    return Update(replace(request, escalation=drawn), is_urgent=False)


def remind(deps: Deps, request: Request) -> Request | Update:
    """Remind the approvers who have not answered: once, however many reminders came due while no bot ran."""
    escalation, approval, now = request.escalation, request.approval, deps.clock.now()
    if escalation is None or approval is None or escalation.next_reminder is None or now < escalation.next_reminder:
        return request
    try:
        people = missing_approvers(deps, request)
    except Unverified as error:  # Slack is away: retry later rather than skip somebody
        raise NotYet(str(error), again_in=deps.timings.not_verified) from error
    after = escalation.after_reminder(now)
    until = min(filter(None, (after.next_reminder, approval.approve_by)))
    told = [Message(MessageKind.REMINDER, mentions=people, until=until)] if people else []
    recorded = event(request, "request.reminded", people=list(people))
    return Update(replace(request, escalation=after), [recorded], told, is_urgent=False)


def missing_approvers(deps: Deps, request: Request) -> tuple[str, ...]:
    """Members of the approving groups who have not voted, by their ids; never the requester. Raises `Unverified`.

    Where each approval has to come from a different group, only members of groups that still lack theirs.
    """
    approval, digest = request.approval, request.target.digest
    covered = request.votes_by_group if approval and approval.distinct else {}
    groups = [group for group in (approval.groups if approval else ()) if group not in covered]
    voted = [vote.voter for vote in request.votes if vote.digest == digest and vote.tally is not Tally.REFUSED]
    cannot, are_one = (*voted, *request.requesters), deps.in_force.policy.same_person.are_one
    return _mention_ids(one for one in _members(deps, groups) if not any(are_one(one, other) for other in cannot))


def escalate(deps: Deps, request: Request) -> Request | Update:
    """Take each escalation step that is due, once, and note it in the thread."""
    escalation = request.escalation
    steps = escalation.reached(deps.clock.now()) if escalation else ()
    if escalation is None or not steps:
        return request
    after = replace(request, escalation=replace(escalation, escalated=escalation.escalated + len(steps)))
    messages = [message for step in steps for message in _calls(deps, request, step)]
    events = [_on_step(request, step) for step in steps]
    if deps.pager and any(step.page for step in steps):
        paged = with_alert(after, Cause.UNDECIDED, deps.clock.now())
        after, messages, events = paged.request, [*messages, *paged.messages], [*events, *paged.events]
    return Update(after, events, messages)


def _on_step(request: Request, step: EscalationStep) -> Event:
    return event(request, "request.escalated", mention=list(step.mention), channel=step.channel, page=step.page)


def _calls(deps: Deps, request: Request, step: EscalationStep) -> Iterable[Message]:
    until = request.approval.approve_by if request.approval else None
    if request.route.stays:
        step = replace(step, channel="")
    yield Message(MessageKind.NOTE, body=step_taken(step, has_pager=deps.pager is not None))
    if step.mention or step.channel:
        place = Place(step.channel) if step.channel else None
        mentions = mention_ids(deps, step.mention)
        yield Message(MessageKind.REMINDER, place=place, mentions=mentions, until=until)


def _members(deps: Deps, names: Iterable[str]) -> frozenset[PersonId]:
    return frozenset().union(*(deps.directory.members(group) for group in _groups(deps, names)))


def _groups(deps: Deps, names: Iterable[str]) -> list[Group]:
    known = {group.name: group for group in deps.in_force.policy.groups}
    return [known[name] for name in names if name in known]


def _mention_ids(people: Iterable[PersonId]) -> tuple[str, ...]:
    return tuple(sorted({person.user for person in people}))[:MOST_CALLED]
