"""Gather the facts and ask the policy; nothing else in the workflow allows or refuses."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.people.identity import Person, PersonId, Place
from bot.core.policy.calendar_and_limits import BlastRadius
from bot.core.policy.decide import decide
from bot.core.policy.model import Decision, Facts, Moment, Policy, Refuse, TargetFacts
from bot.core.policy.rules import dead_ends
from bot.core.policy.rules.audit_chain import CHAIN_BROKEN
from bot.core.policy.rules.audit_shipping import AUDIT_UNAVAILABLE
from bot.core.policy.rules.identity import is_one_of_us
from bot.core.policy.rules.kill_switch import KILL_SWITCH_ON
from bot.core.policy.rules.permission import NOT_KNOWN, NOT_KNOWN_YET
from bot.core.requests import Request, Verb
from bot.core.requests.deadlines import is_ahead
from bot.core.rollout.targets import at_target
from bot.core.systemd.units import Snapshot
from bot.errors import NotYet, Unverified, UsageError
from bot.ports import Query
from bot.workflow.audit_shipping import unshipped_required
from bot.workflow.people.membership import read_cards, read_groups
from bot.workflow.process.deps import Deps
from bot.workflow.requests.kill_switch_state import active_kill_switch
from bot.workflow.requests.lineage import newest_request

_MOST_LOOKED_UP = 20
_ALL = 100_000  # requests of one rollout


def evaluate(deps: Deps, given: Facts) -> Decision:
    """Ask `decide` what the policy says of these facts.

    Raises `NotYet`, and `Unverified`, which counts as a refusal.
    """
    answer = decide(given, deps.in_force.policy)
    if isinstance(answer, Refuse):
        raise_if_unknown(answer)
        # What is approved when new masks have to wait may run once they go on, if its approval is still good then.
        if given.moment is Moment.ACT and answer.code in (KILL_SWITCH_ON, AUDIT_UNAVAILABLE, CHAIN_BROKEN):
            raise NotYet(answer.reason)
    return answer


def evaluate_again(deps: Deps, request: Request) -> tuple[Request, Decision]:
    """What the policy says now of a request that was approved, and the request with the mask that it undoes.

    Raises `UsageError` if what it is about is gone, and `NotYet` while people's rights are not known: nobody loses any
    because Slack is away.
    """
    try:
        given = gather_facts(deps, request, Moment.ACT)
        return given.request, evaluate(deps, given)
    except Unverified as error:
        raise NotYet(str(error), again_in=deps.timings.not_verified) from error


def raise_if_unknown(answer: Decision | None) -> None:
    """Raise `NotYet` or `Unverified` for a refusal that only means that a group's members are not known."""
    if isinstance(answer, Refuse) and answer.code == NOT_KNOWN:
        raise Unverified(answer.reason)
    if isinstance(answer, Refuse) and answer.code == NOT_KNOWN_YET:
        raise NotYet(answer.reason)


def gather_facts(
    deps: Deps,
    request: Request,
    moment: Moment,
    *,
    snapshot: Snapshot | None = None,
    voter: PersonId | None = None,
    live: Sequence[Request] | None = None,
) -> Facts:
    """Everything a rule may look at, with everybody's current rights. Raises `Unverified`.

    The request among the facts names the mask that it undoes. `live` are our live masks in the
    same manager, where they have just been read.
    """
    now = deps.clock.now()
    known = _on_record(deps, request, live, now)
    request, ask = known.request, known.request.ask
    given = Facts(
        now=now,
        moment=moment,
        request=request,
        host=known.targets[0].host if known.targets else deps.in_force.inventory.host(ask.change.host),
        requester=Person(ask.requester, ask.requester_name),
        place=ask.place,
        snapshot=snapshot or request.target.before,
        own_mask=known.mask,
        own_machine=deps.own_machine,
        blast_radius=known.blast_radius,
        targets=known.targets,
        rollout=deps.store.get(ask.rollout) if ask.rollout and moment not in (Moment.ASK, Moment.LOOKED) else None,
    )
    if not ask.by_itself:  # the bot uses nobody's rights, so it needs no Slack, and goes on while Slack is away
        given = _with_people(deps, given, voter)
    # read last: Slack took its time
    return replace(given, kill_switch=active_kill_switch(deps, request), broken_chain=deps.integrity.why_broken)


@dataclass(frozen=True, slots=True)
class _OnRecord:
    """What the store knows of a request."""

    request: Request  # with the mask that it undoes
    mask: Request | None  # the mask of ours that it would undo, extend, repeat or force
    targets: tuple[TargetFacts, ...]  # of a rollout
    blast_radius: BlastRadius | None  # counts the hosts and units that were masked recently, with those of this request


def _on_record(deps: Deps, request: Request, live: Sequence[Request] | None, now: datetime) -> _OnRecord:
    ask, change, unit = request.ask, request.ask.change, request.target.unit
    targets = _targets(deps, request)
    if mask_id := ask.undoes or ask.extends or ask.forces or (ask.repeats if ask.by_itself else ""):
        mask: Request | None = newest_request(deps, mask_id)
    else:
        if live is None:
            live = deps.store.find(Query(host=change.host, unit=unit, live_masks=True))
        mask = next((one for one in live if one.target.unit == unit and one.ask.change.user == change.user), None)
    # It ends with its rollout, which is long to read: an undo for a person goes by that end only where it is held.
    goes_by_end = mask is not None and (ask.by_itself or ask.extends or mask.hold)
    if mask and goes_by_end and mask.ask.rollout and mask.aftercare.expires_at is None:
        ends_at = deps.store.get(mask.ask.rollout).aftercare.expires_at
        mask = replace(mask, aftercare=replace(mask.aftercare, expires_at=ends_at))
    if mask and change.verb is Verb.UNMASK:  # an unmask of one of our masks is an undo of it
        ask = replace(ask, undoes=mask.id)
    here = {one.host.name for one in targets} or {change.host}
    limits, blast_radius = deps.in_force.policy.limits, None
    # A request that waits for its scheduled window is counted once the window opens.
    if limits.bound_blast_radius and request.is_new_mask and not is_ahead(change.scheduled_window, now):
        lately = deps.store.masked_lately(now - limits.within, beside=request)
        blast_radius = BlastRadius.of(lately, change.host, str(unit), hosts=here)
    return _OnRecord(replace(request, ask=ask), mask, targets, blast_radius)


def targets_of_rollout(deps: Deps, rollout: str) -> dict[str, Request]:
    """The requests of all targets of a rollout, by their ids; of a hold also those that were tried again."""
    return {one.id: one for one in deps.store.find(Query(rollout=rollout, limit=_ALL))}


def facts_of_targets(deps: Deps, request: Request) -> Facts:
    """What is known of the targets of a rollout and of nobody's rights. Raises `UsageError` if no host is left."""
    targets = _targets(deps, request)
    return Facts(
        now=deps.clock.now(),
        moment=Moment.LOOKED,
        request=request,
        host=targets[0].host,
        requester=Person(request.owner, request.owner_name),
        place=request.ask.place,
        targets=targets,
    )


def targets_as_planned(deps: Deps, request: Request, begun: Mapping[str, Request] | None = None) -> list[TargetFacts]:
    """The targets of a rollout, or what it named if none was planned; without those whose host is gone from hosts.yaml.

    Those that are not among the `begun` ones count as they were asked for.
    """
    rollout, known = request.rollout, begun or {}
    if request.ask.selection is None or rollout is None:
        return []
    return [
        TargetFacts(host, known.get(one.request_id) or at_target(request, one))
        for one in rollout.planned or rollout.targets
        if (host := deps.in_force.inventory.get(one.host))
    ]


def _targets(deps: Deps, request: Request) -> tuple[TargetFacts, ...]:
    """The targets of a rollout as far as they have come. Raises `UsageError` if no host is left.

    A later end judges all of them at once, and none by itself afterwards: raises `NotSealed` if one is hidden.
    """
    if request.ask.selection is None or request.rollout is None:
        return ()
    begun = targets_of_rollout(deps, request.ask.extends or request.id)
    hidden = [one.request_id for one in request.rollout.planned if request.ask.extends and one.request_id not in begun]
    begun |= {one: deps.store.get(one) for one in hidden if one}
    found = targets_as_planned(deps, request, begun)
    if not found:
        raise UsageError("None of its hosts is in hosts.yaml any more.")
    if request.ask.change.verb is Verb.UNMASK and not request.ask.undoes:  # of masks that no one rollout made
        found = [replace(one, own_mask=_undone_by(deps, one.request)) for one in found]
    return tuple(found)


def _undone_by(deps: Deps, request: Request) -> Request | None:
    return newest_request(deps, request.ask.undoes) if request.ask.undoes else None


def _with_people(deps: Deps, given: Facts, voter: PersonId | None) -> Facts:
    """The facts with everybody concerned as they are now. Raises `Unverified`."""
    request, policy = given.request, deps.in_force.policy
    groups, used = read_groups(deps), request.break_glass if request.is_break_glass else None
    cards, unknown = read_cards(deps, request, policy)
    whole = given.rollout
    alone = whole.break_glass if whole and whole.is_break_glass else None
    given = replace(
        given,
        requester=deps.directory.person(request.owner, groups.known),
        place=_place(deps, request),
        voter=deps.directory.person(voter, groups.known) if voter else None,
        approvers=tuple(deps.directory.person(vote.voter, groups.known) for vote in request.counted_votes),
        rollout_approvers=tuple(
            deps.directory.person(vote.voter, groups.known) for vote in (whole.counted_votes if whole else ())
        ),
        rollout_break_glass=deps.directory.person(alone.by, groups.known) if alone else None,
        members=groups.members,
        unknown={**groups.unknown, **unknown},
        shifts=groups.shifts,
        break_glass=deps.directory.person(used.by, groups.known) if used else None,
        cards=cards,
        unshipped=unshipped_required(deps) if deps.sinks and request.is_new_mask else "",
    )
    return _with_unfit(deps, given, policy) if given.moment in (Moment.ASK, Moment.LOOKED) else given


def _place(deps: Deps, request: Request) -> Place:
    """The place of the request as it is now. Raises `Unverified`.

    One of the command line is as internal as the channel of its cards; while Slack is away, nothing is posted there.
    """
    place = deps.directory.place(request.ask.place)
    if place.is_shell and (channel := deps.in_force.policy.shell_channel):
        with suppress(Unverified, NotYet):
            return replace(place, is_internal=deps.directory.place(Place(channel)).is_internal)
    return place


def _with_unfit(deps: Deps, given: Facts, policy: Policy) -> Facts:
    """The facts with members of approving groups who cannot approve: guests, bots, deactivated.

    People are looked up one by one, until enough of them are known to be able to approve: usually one call.
    """
    fit, unfit = list[PersonId](), set[PersonId]()
    for one in dead_ends.in_question(given, policy)[:_MOST_LOOKED_UP]:
        if dead_ends.are_enough(fit, given, policy):
            break
        with suppress(Unverified, NotYet):  # members who are not verified may be able to approve
            is_fit = is_one_of_us(deps.directory.person(one, ()), policy)
            fit += [one] * is_fit
            unfit |= set() if is_fit else {one}
    return replace(given, unfit=frozenset(unfit))
