"""Periodic tasks, whichever replica is up: each is a row that is claimed, done and saved again."""

from collections.abc import Callable, Mapping
from datetime import timedelta

import structlog

from bot.errors import MaskbotError, Stale
from bot.ports import Periodic
from bot.workflow.drift.watch import schedule_watches, watch
from bot.workflow.health.operator_notices import ANCHOR, anchor, first_anchor
from bot.workflow.hosts.quarantine import TRUST, check_quarantine, report_quarantine
from bot.workflow.kill_switch import apply_switch_requests
from bot.workflow.outbox.handover import HANDOVER, post_handover, schedule_handover
from bot.workflow.process.deps import Deps
from bot.workflow.requests.kill_switch_state import NAME as KILL_SWITCH
from bot.workflow.requests.mask_inventory import WATCH
from bot.workflow.rollout.joining import check_holds

log = structlog.get_logger()

# What is done for a task, by its kind: it looks, and keeps the task with what it saw and when it is due again.
Perform = Callable[[Deps, Periodic], None]
KINDS: Mapping[str, Perform] = {
    WATCH: watch,
    HANDOVER: post_handover,
    KILL_SWITCH: apply_switch_requests,
    TRUST: report_quarantine,
    ANCHOR: anchor,
}

_AGAIN = timedelta(minutes=1)  # pause after an error


def schedule_task(deps: Deps, task: Periodic) -> None:
    """Make sure that a task exists; one that is stored already goes on as it is."""
    if deps.store.get_periodic(task.name) is None:
        try:
            deps.store.save_periodic(task)
        except Stale:
            return  # another replica was quicker


def schedule_configured(deps: Deps) -> None:
    """Make sure that every configured task exists: at start, and whenever the configuration has changed."""
    schedule_watches(deps)
    schedule_handover(deps)
    check_quarantine(deps)
    check_holds(deps)
    if deps.in_force.policy.operations_channel:
        schedule_task(deps, first_anchor(deps))


def perform(deps: Deps, task: Periodic, *, kinds: Mapping[str, Perform] = KINDS) -> None:
    """Perform what is due. Errors are logged and retried; a task kind of a newer version is left to that version."""
    kind = task.name.partition(":")[0]
    known = kinds.get(kind)
    if known is None:
        log.warning("unknown task kind", task=task.name)
        _put_off(deps, task)
        return
    try:
        known(deps, task)
    except Stale as error:
        log.info("task lost", task=task.name, why=str(error))
    except MaskbotError as error:
        log.warning("task failed", task=task.name, why=str(error))
        _put_off(deps, task)


def _put_off(deps: Deps, task: Periodic) -> None:
    try:
        deps.store.save_periodic(Periodic(task.name, task.document, deps.clock.now() + _AGAIN, task.version))
    except MaskbotError:
        log.warning("task not postponed", task=task.name)  # its lease expires
