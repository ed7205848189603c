"""The break-glass sign-off: signed by somebody who could have approved the change, with reminders until then."""

from dataclasses import replace
from datetime import timedelta

from bot.core.audit.request_event import event
from bot.core.cards.break_glass import reminder
from bot.core.cards.followups import NO_SIGN_OFF_OWED
from bot.core.hosts.inventory import Host
from bot.core.people.identity import Person
from bot.core.policy.decide import why_not_sign_off
from bot.core.policy.model import Facts, Moment, Refuse
from bot.core.requests import BreakGlass, Followup, Request, Signature
from bot.errors import NotYet
from bot.workflow.evaluate import raise_if_unknown, targets_as_planned, targets_of_rollout
from bot.workflow.followups.break_glass import notes, skipped_approvers
from bot.workflow.followups.record import grant_followup, refuse_followup
from bot.workflow.people.membership import person, read_groups
from bot.workflow.process.deps import Deps
from bot.workflow.requests.results import Update


def sign(deps: Deps, request: Request, followup: Followup) -> Update:
    """Sign the change off, if the current policy lets this person do so."""
    used, no = request.break_glass, why_not_sign_off(_facts(deps, request, followup), deps.in_force.policy)
    raise_if_unknown(no)
    if used is None or no is not None:
        return refuse_followup(request, followup, no or Refuse("no_sign_off", NO_SIGN_OFF_OWED))
    signature = Signature(followup.by, followup.name, deps.clock.now(), followup.text)
    signed = replace(grant_followup(request, followup), break_glass=replace(used, signed=signature, remind_at=None))
    recorded = event(
        signed, "break_glass.signed_off", actor=followup.by, remark=followup.text, break_glass_by=used.by.user
    )
    return Update(signed, [recorded])


def _facts(deps: Deps, request: Request, followup: Followup) -> Facts:
    """The facts for a sign-off, also if the requester has left or the host is gone from the inventory."""
    name, groups = request.ask.change.host, read_groups(deps)
    targets = tuple(targets_as_planned(deps, request, targets_of_rollout(deps, request.id) if request.rollout else {}))
    host = targets[0].host if targets else deps.in_force.inventory.get(name)
    return Facts(
        now=deps.clock.now(),
        moment=Moment.VOTE,
        request=request,
        host=host or Host(name, address="", port=0, login="", environment=""),
        requester=Person(request.owner, request.owner_name),
        place=followup.place,
        voter=person(deps, followup.by, groups),
        members=groups.members,
        unknown=groups.unknown,
        targets=targets,
    )


def remind_of_sign_off(deps: Deps, request: Request) -> Request | Update:
    """Remind possible signers regularly until somebody has signed. Raises `NotYet` while none of them is known."""
    used, now = request.break_glass, deps.clock.now()
    if used is None:
        return request
    again = now + timedelta(seconds=deps.timings.sign_off_reminder)
    reminded = replace(request, break_glass=replace(used, remind_at=again))
    messages = [*notes(deps, reminded, reminder(reminded, used), None, _who_could_sign(deps, reminded, used))]
    return Update(reminded, [event(reminded, "break_glass.sign_off_reminded")], messages)


def _who_could_sign(deps: Deps, request: Request, used: BreakGlass) -> tuple[str, ...]:
    groups = read_groups(deps)
    people = skipped_approvers(request, groups.members, deps.in_force.policy.same_person)
    unknown = [groups.unknown[name] for name in used.groups if name in groups.unknown]
    if unknown and not people:
        raise NotYet(unknown[0].why, again_in=deps.timings.not_verified)
    return people
