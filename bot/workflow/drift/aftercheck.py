"""Aftercheck: look at a host some time after a change, and report in the thread what got worse since."""

from dataclasses import replace

import structlog

from bot.core.audit.request_event import event
from bot.core.cards import expiry
from bot.core.requests import Request
from bot.core.requests.aftercheck import already_reported, new_problems
from bot.core.requests.expiry import next_look
from bot.core.systemd.units import Snapshot
from bot.errors import HostError, UsageError
from bot.ports import Message, MessageKind
from bot.workflow.drift.report import find_lost_mask
from bot.workflow.hosts.look import look_and_status
from bot.workflow.process.deps import Deps
from bot.workflow.process.render import in_words
from bot.workflow.requests.lineage import known_related_units
from bot.workflow.requests.own_changes import own_changes
from bot.workflow.requests.results import Update

log = structlog.get_logger()


def aftercheck(deps: Deps, request: Request) -> Update:
    """Check the host once more; a host that does not answer is no finding."""
    now = deps.clock.now()
    seen = _try_look(deps, request)
    lost = _find_loss(deps, request, seen)
    request = lost.request
    new = _worse(deps, request, seen) if seen else ()
    aftercare = replace(
        request.aftercare,
        look_at=next_look(request, now, deps.aftercare),
        looks=request.aftercare.looks + 1,
        found=request.aftercare.found + new,
    )
    said = [in_words(deps, request, lambda: expiry.aftercheck_message(request, new, now))] if new else []
    messages = [Message(MessageKind.NOTE, body=body) for body in said]
    events = [event(request, "aftercheck.found", code="worse", found=list(new))] if new else []
    return Update(
        replace(request, aftercare=aftercare),
        [*lost.events, *events],
        [*lost.messages, *messages],
    )


def _worse(deps: Deps, request: Request, seen: Snapshot) -> tuple[str, ...]:
    """The consequences that have not been reported yet and that no other change of ours explains."""
    later, is_lost = own_changes(deps, request), bool(request.drift.lost or request.hold_state.loss)
    found = new_problems(request.target, seen, ours=later.units, is_lost=is_lost)
    said = later.told | already_reported(request)
    return tuple(sentence for sentence in found if sentence not in said)


def _try_look(deps: Deps, request: Request) -> Snapshot | None:
    change, target = request.ask.change, request.target
    try:
        host, also = deps.in_force.inventory.host(change.host), known_related_units(target)
        return look_and_status(deps, host, target.unit, size="result", user=change.user, also=also)[0]
    except (HostError, UsageError) as error:
        log.info("aftercheck failed", request=request.id, why=str(error))
        return None


def _find_loss(deps: Deps, request: Request, seen: Snapshot | None) -> Update:
    """How the mask was lost, in the sentence that the host watch uses too."""
    if seen is None or seen.around is None:
        return Update(request)
    try:
        found = find_lost_mask(deps, request, seen, boot_id=seen.around.boot_id, agents=seen.around.agents)
    except HostError as error:
        log.info("aftercheck failed", request=request.id, why=str(error))
        return Update(request)
    return found or Update(request)
