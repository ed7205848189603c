"""Duties: what comes round by itself, whichever replica is up. Each is a row that is taken, done and kept again."""

from collections.abc import Callable, Mapping
from datetime import timedelta

import structlog

from bot.errors import MaskbotError, Stale
from bot.ports import Periodic
from bot.workflow.drift.watch import appoint_watches, watch
from bot.workflow.health.operator_notices import ANCHOR, anchor, first_anchor
from bot.workflow.hold.rollout import look_after_holds, spread
from bot.workflow.hosts.quarantine import TRUST, appoint_quarantine_check, check_quarantine
from bot.workflow.kill_switch import apply_switch_requests
from bot.workflow.outbox.handover import HANDOVER, post_handover, schedule_handover
from bot.workflow.process.deps import Deps
from bot.workflow.requests.hold_group import SPREAD
from bot.workflow.requests.kill_switch_state import NAME as KILL_SWITCH
from bot.workflow.requests.mask_inventory import WATCH

log = structlog.get_logger()

# What is done for a duty, by its kind: it looks, and keeps the duty with what it saw and when it is due again.
Perform = Callable[[Deps, Periodic], None]
KINDS: Mapping[str, Perform] = {
    WATCH: watch,
    HANDOVER: post_handover,
    KILL_SWITCH: apply_switch_requests,
    TRUST: appoint_quarantine_check,
    ANCHOR: anchor,
    SPREAD: spread,
}

_AGAIN = timedelta(minutes=1)  # after something went wrong


def appoint(deps: Deps, duty: Periodic) -> None:
    """See that a duty is there; one that is kept already goes on as it is."""
    if deps.store.duty(duty.name) is None:
        try:
            deps.store.keep(duty)
        except Stale:
            return  # another replica was quicker


def appoint_configured(deps: Deps) -> None:
    """See that every duty is there that the configuration asks for: at the start, and whenever it has changed."""
    appoint_watches(deps)
    schedule_handover(deps)
    check_quarantine(deps)
    look_after_holds(deps)
    if deps.policy.operations_channel:
        appoint(deps, first_anchor(deps))


def perform(deps: Deps, duty: Periodic, *, kinds: Mapping[str, Perform] = KINDS) -> None:
    """Do what is due. What goes wrong is logged and tried again; a duty of a newer version is left to that one."""
    kind = duty.name.partition(":")[0]
    known = kinds.get(kind)
    if known is None:
        log.warning("duty not known", duty=duty.name)
        _put_off(deps, duty)
        return
    try:
        known(deps, duty)
    except Stale as error:
        log.info("duty lost", duty=duty.name, why=str(error))
    except MaskbotError as error:
        log.warning("duty not done", duty=duty.name, why=str(error))
        _put_off(deps, duty)


def _put_off(deps: Deps, duty: Periodic) -> None:
    try:
        deps.store.keep(Periodic(duty.name, duty.document, deps.clock.now() + _AGAIN, duty.version))
    except MaskbotError:
        log.warning("duty not put off", duty=duty.name)  # its lease runs out
