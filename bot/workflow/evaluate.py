"""Gather the facts and ask the one question; nothing else in the workflow says yes or no."""

from contextlib import suppress
from dataclasses import replace

from bot.core.people.identity import Person, PersonId
from bot.core.policy.calendar_and_limits import Reach
from bot.core.policy.decide import decide
from bot.core.policy.model import Decision, Facts, Moment, Refuse
from bot.core.policy.rules import dead_ends
from bot.core.policy.rules.audit_shipping import AUDIT_UNAVAILABLE
from bot.core.policy.rules.identity import is_one_of_us
from bot.core.policy.rules.kill_switch import FROZEN
from bot.core.policy.rules.permission import NOT_KNOWN, NOT_KNOWN_YET
from bot.core.requests import Request, Verb
from bot.core.requests.scheduling import is_ahead
from bot.core.systemd.units import Snapshot
from bot.errors import NotYet, Unverified
from bot.workflow.audit_shipping import uncopied
from bot.workflow.people.membership import person, read_cards, read_groups
from bot.workflow.process.deps import Parts
from bot.workflow.requests.hold_group import others, whole_of
from bot.workflow.requests.kill_switch_state import frozen, is_new_mask
from bot.workflow.requests.lineage import own_mask

_MOST_LOOKED_UP = 20


def judge(
    parts: Parts, request: Request, moment: Moment, *, snapshot: Snapshot | None = None, voter: PersonId | None = None
) -> Decision:
    """Ask `decide`, with everybody's rights as they are now. Raises `NotYet`, and `Unverified`: then it is no."""
    return judged(parts, facts(parts, request, moment, snapshot=snapshot, voter=voter))


def judged(parts: Parts, given: Facts) -> Decision:
    """The same, where the facts are needed for more than the answer."""
    answer = decide(given, parts.policy)
    raise_if_unknown(answer)
    if isinstance(answer, Refuse) and _is_put_off(answer, given):
        raise NotYet(answer.reason)
    return answer


def raise_if_unknown(answer: Decision | None) -> None:
    """Raises `NotYet` or `Unverified` for a no that only means that nobody could tell who is in a group."""
    if isinstance(answer, Refuse) and answer.code == NOT_KNOWN:
        raise Unverified(answer.reason)
    if isinstance(answer, Refuse) and answer.code == NOT_KNOWN_YET:
        raise NotYet(answer.reason)


def _is_put_off(answer: Refuse, given: Facts) -> bool:
    """What is approved when new masks have to wait may run once they go on, if its approval is still good then."""
    return answer.code in (FROZEN, AUDIT_UNAVAILABLE) and given.moment is Moment.ACT


def facts(
    parts: Parts, request: Request, moment: Moment, *, snapshot: Snapshot | None = None, voter: PersonId | None = None
) -> Facts:
    """Everything a rule may look at. Raises `Unverified`."""
    ask = request.ask
    if ask.by_itself:
        return _nobodys_facts(parts, request, moment, snapshot or request.target.before)
    groups, own = read_groups(parts), own_mask(parts, request)
    cards, unknown = read_cards(parts, request)
    given = Facts(
        now=parts.clock.now(),
        moment=moment,
        request=request,
        host=parts.host(ask.change.host),
        requester=person(parts, request.owner, groups),
        place=parts.directory.place(ask.place),
        snapshot=snapshot or request.target.before,
        voter=person(parts, voter, groups) if voter else None,
        approvers=tuple(person(parts, vote.voter, groups) for vote in request.counted),
        members=groups.members,
        unknown={**groups.unknown, **unknown},
        shifts=groups.shifts,
        alone=person(parts, request.glass.by, groups) if request.glass and request.is_alone else None,
        cards=cards,
        own_mask=own,
        others=others(parts, request, own),
        frozen=frozen(parts, request),
        reach=_reach(parts, request),
        uncopied=uncopied(parts) if is_new_mask(request) else "",
    )
    return _with_unfit(parts, given) if moment in (Moment.ASK, Moment.LOOKED) else given


def _with_unfit(parts: Parts, given: Facts) -> Facts:
    """The facts with those who are in an approving group and can approve nothing all the same.

    People are looked up one by one, and only until enough of them are known to be fit: as a rule that is one call.
    """
    fit, unfit = list[PersonId](), set[PersonId]()
    for one in dead_ends.in_question(given, parts.policy)[:_MOST_LOOKED_UP]:
        if dead_ends.are_enough(fit, given, parts.policy):
            break
        with suppress(Unverified, NotYet):  # who is not known may be fit
            is_fit = is_one_of_us(parts.directory.person(one, ()), parts.policy)
            fit += [one] * is_fit
            unfit |= set() if is_fit else {one}
    return replace(given, unfit=frozenset(unfit))


def _nobodys_facts(parts: Parts, request: Request, moment: Moment, snapshot: Snapshot | None) -> Facts:
    """What comes by itself uses nobody's rights, so it asks Slack nothing: it comes also while Slack is away."""
    ask = request.ask
    return Facts(
        now=parts.clock.now(),
        moment=moment,
        request=request,
        host=parts.host(ask.change.host),
        requester=Person(ask.requester, ask.requester_name),
        place=ask.place,
        snapshot=snapshot,
        own_mask=own_mask(parts, request),
        whole=whole_of(parts, request),
        frozen=frozen(parts, request),
        reach=_reach(parts, request),
    )


def _reach(parts: Parts, request: Request) -> Reach | None:
    """How far the masks of the last while go together with this one, where the policy has a bound for that.

    What waits for its window is counted when that opens.
    """
    bounds, change = parts.policy.bounds, request.ask.change
    now, is_bound = parts.clock.now(), bounds.hosts is not None or bounds.units_per_host is not None
    if change.verb is not Verb.MASK or request.ask.prolongs or not is_bound or is_ahead(change.window, now):
        return None
    lately = parts.store.masked_lately(now - bounds.within, beside=request)
    hosts = {host for host, _ in lately} | {change.host, *(host.name for host in others(parts, request, None))}
    units = {unit for host, unit in lately if host == change.host} | {str(request.target.unit)}
    return Reach(len(hosts), len(units))
