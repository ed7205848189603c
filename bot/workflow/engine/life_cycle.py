"""The life of a request, and that of a rollout, each to be read from top to bottom.

Each stage sees one configuration from beginning to end; right before a change the newest one is read.
"""

from collections.abc import Callable

from bot.core.cards import ownership
from bot.core.requests import Request, Stage
from bot.core.requests.deadlines import is_ahead
from bot.ports import Claim
from bot.workflow.approval.count_votes import count_votes
from bot.workflow.engine.timers import run_due_timers
from bot.workflow.lifecycle.carry_out import RunningChange
from bot.workflow.lifecycle.preflight import run_preflight
from bot.workflow.lifecycle.start import start
from bot.workflow.process.deps import Deps
from bot.workflow.requests.evidence import why_not_believed
from bot.workflow.requests.lineage import newest_request
from bot.workflow.requests.results import NotBelieved, Stages, Update
from bot.workflow.rollout.carry_out import advance_rollout, begin_rollout
from bot.workflow.rollout.extension import ask_for_extension
from bot.workflow.rollout.planning import plan_rollout


def life_of_request(deps: Deps, claim: Claim, stopping: Callable[[], bool]) -> Stages:
    """A request about one target: check, approval, start, change."""
    request, just_seen = claim.request, None
    if request.stage is Stage.ASKED:
        request = yield run_preflight(deps.pinned(), request)
        just_seen = request.target.before
    elif request.stage is Stage.WAITING or request.uncounted_votes:
        request = yield from count_votes(deps.pinned(), request)
    request = yield from run_due_timers(deps, request)
    if _may_begin(deps, request):
        request = yield _instead_of_later_end(deps, request) or start(deps, request, seen=just_seen)
    if request.stage is Stage.RUNNING:
        if why := why_not_believed(deps, request):
            return (yield NotBelieved(request, why))
        # a request of an earlier process, and a forced stop, begin with a fresh look
        is_old = claim.request.stage is Stage.RUNNING or request.ask.change.force
        seen = None if is_old else request.target.last_seen
        request = yield RunningChange(deps.pinned(), claim, request, seen=seen, stopping=stopping).run()
    return request


def life_of_rollout(deps: Deps, claim: Claim) -> Stages:
    """A request about many targets: check all of them, approval, start, and then one turn after the other."""
    request = claim.request
    if request.stage is Stage.ASKED and request.ask.extends:
        request = yield ask_for_extension(deps.pinned(), request)
    elif request.stage is Stage.ASKED:
        request = yield from plan_rollout(deps.pinned(), request)
    elif request.stage is Stage.WAITING or request.uncounted_votes:
        request = yield from count_votes(deps.pinned(), request)
    request = yield from run_due_timers(deps, request)
    if _may_begin(deps, request):
        request = yield _instead_of_later_end(deps, request) or begin_rollout(deps, request)
    if request.stage is Stage.RUNNING:
        if why := why_not_believed(deps, request):
            return (yield NotBelieved(request, why))
        request = yield from advance_rollout(deps, request)
    return request


def _may_begin(deps: Deps, request: Request) -> bool:
    """Whether it is approved, and its scheduled window does not lie ahead."""
    return request.stage is Stage.APPROVED and not is_ahead(request.ask.change.scheduled_window, deps.clock.now())


def _instead_of_later_end(deps: Deps, request: Request) -> NotBelieved | Update | None:
    """What follows if a later end was withdrawn before it was given, or if its events do not confirm it.

    No command follows on it, before which that would be asked.
    """
    if not request.ask.extends:
        return None
    if request.target.called_off and not newest_request(deps, request.ask.extends).aftercare.is_extended_by(request.id):
        now, why = deps.clock.now(), ownership.withdrawn(request)
        return Update(request.move(Stage.WITHDRAWN, because=why, finished_at=now, due_at=None))
    why = why_not_believed(deps, request)
    return NotBelieved(request, why) if why else None
