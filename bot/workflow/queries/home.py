"""Gather what one person's Home tab shows."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from bot import __version__
from bot.core.cards import fallback, home
from bot.core.cards.blocks import Block
from bot.core.people.identity import Person, PersonId
from bot.core.policy.decide import why_not_break_glass, why_not_sign_off, why_not_vote
from bot.core.policy.home import Health, HomeView, rights_of
from bot.core.policy.model import Facts, Moment
from bot.core.policy.rules.identity import is_one_of_us
from bot.core.requests import Request, Stage, Tally, TargetStatus
from bot.errors import NotSealed, NotYet, Unverified
from bot.ports import Query
from bot.workflow.evaluate import targets_as_planned
from bot.workflow.followups.available import with_break_glass
from bot.workflow.people.membership import Groups, person, read_groups
from bot.workflow.process.deps import Deps
from bot.workflow.process.render import render_or_fall_back as drawn_by
from bot.workflow.requests.kill_switch_state import kill_switch_state

_OPEN = frozenset(stage for stage in Stage if not stage.is_final)
_FINAL = frozenset(stage for stage in Stage if stage.is_final)
_MOST = 200  # items of each kind that are read
_LATELY = 5


def render_home(deps: Deps, who: PersonId) -> Block:
    """A person's current Home tab; if they cannot be identified, it shows only the reason."""
    groups = read_groups(deps)
    try:
        me = person(deps, who, groups)
    except (Unverified, NotYet) as error:
        return home.unverified_view(str(error))
    if not is_one_of_us(me, deps.in_force.policy):
        return home.closed_view("This page is for full members of this workspace.")
    page = gather_home(deps, me, groups)
    return drawn_by(deps, "home", lambda: home.view(page, deps.clock.now()), lambda: fallback.home(page))


def gather_home(deps: Deps, me: Person, groups: Groups) -> HomeView:
    """Everything that concerns one person."""
    store = deps.store
    to_decide = [request for request in _waiting(deps) if _could_decide(deps, request, me, groups)]
    to_decide.sort(key=_deadline)
    owed = store.find(Query(sign_offs_owed=True, stages=_FINAL, limit=_MOST))
    to_sign = [request for request in owed if _could_sign(deps, request, me, groups)]
    masks = _masks(deps, me)
    mine = store.find(Query(stages=_OPEN, requester=me.id, rollout="", limit=_MOST))
    finished = store.find(Query(stages=_FINAL, requester=me.id, rollout="", limit=_LATELY))
    shown = home.SHOWN
    return HomeView(
        health=_health(deps),
        to_decide=tuple(to_decide[:shown]),
        to_sign=tuple(to_sign[:shown]),
        masks=tuple(masks[:shown]),
        open=tuple(mine[:shown]),
        can_break_glass=frozenset(
            one.id for one in (*to_decide[:shown], *mine[:shown]) if _could_break_glass(deps, one, me, groups)
        ),
        finished=tuple(request for request in finished if not request.is_live_mask),
        rights=tuple(rights_of(me, deps.in_force.policy)),
        more_to_decide=len(to_decide[shown:]),
        more_masks=len(masks[shown:]),
        more_open=len(mine[shown:]),
        not_known=next((unknown.why for unknown in groups.unknown.values()), ""),
    )


def _waiting(deps: Deps) -> Iterator[Request]:
    """What waits for approvers: requests, rollouts, and of those that go on the targets with a card of their own."""
    yield from deps.store.find(Query(stages=frozenset({Stage.WAITING}), rollout="", limit=_MOST))
    going = deps.store.find(Query(stages=frozenset({Stage.RUNNING}), rollout="", limit=_MOST))
    held = deps.store.find(Query(live_masks=True, rollout="", limit=_MOST))
    for whole in (*going, *held):
        for one in whole.rollout.with_status(TargetStatus.ASKED_AGAIN) if whole.rollout else ():
            with suppress(NotSealed):
                request = deps.store.get(one.request_id)
                yield from [request] * (request.stage is Stage.WAITING)


def _masks(deps: Deps, me: Person) -> list[Request]:
    """Masks of the person, and holds of their groups; a rollout is one of them."""
    live = deps.store.find(Query(live_masks=True, rollout="", limit=_MOST))
    held = [one for one in live if one.hold and one.hold.owners in me.groups]
    mine = deps.store.find(Query(live_masks=True, requester=me.id, rollout="", limit=_MOST))
    return [*mine, *(one for one in held if one.owner.key != me.id.key)]


def _could_decide(deps: Deps, request: Request, me: Person, groups: Groups) -> bool:
    """Requests that the person could approve and has not voted on. No other approver is looked up here."""
    said = (vote for vote in request.votes if vote.digest == request.target.digest and vote.tally is not Tally.REFUSED)
    if any(deps.in_force.policy.same_person.are_one(vote.voter, me.id) for vote in said):
        return False
    given = _facts(deps, request, me, groups)
    return given is not None and why_not_vote(given, deps.in_force.policy) is None


def _could_break_glass(deps: Deps, request: Request, me: Person, groups: Groups) -> bool:
    if request.stage is not Stage.WAITING:
        return False
    given = _facts(deps, with_break_glass(deps, request, me.id), me, groups)
    return (
        given is not None
        and why_not_break_glass(replace(given, moment=Moment.BREAK_GLASS, break_glass=me), deps.in_force.policy) is None
    )


def _could_sign(deps: Deps, request: Request, me: Person, groups: Groups) -> bool:
    given = _facts(deps, request, me, groups)
    return given is not None and why_not_sign_off(given, deps.in_force.policy) is None


def _facts(deps: Deps, request: Request, me: Person, groups: Groups) -> Facts | None:
    """The facts known without looking anybody else up; None if the host, or every host, is no longer configured."""
    targets = tuple(targets_as_planned(deps, request))
    host = targets[0].host if targets else deps.in_force.inventory.get(request.ask.change.host)
    if host is None:
        return None
    return Facts(
        now=deps.clock.now(),
        moment=Moment.VOTE,
        request=request,
        host=host,
        requester=Person(request.owner, request.owner_name),
        place=request.ask.place,
        snapshot=request.target.before,
        voter=me,
        unknown=groups.unknown,
        targets=targets,
    )


def _deadline(request: Request) -> datetime:
    return request.approval.approve_by if request.approval else request.asked_at


def _health(deps: Deps) -> Health:
    return Health(
        version=__version__,
        open_requests=len(deps.store.find(Query(stages=_OPEN, limit=_MOST))),
        unreachable=deps.reachability.unreachable(deps.in_force.inventory.names),
        kill_switch=kill_switch_state(deps).kill_switch,
    )
