"""Duties: what comes round by itself, whichever replica is up. Each is a row that is taken, done and kept again."""

from collections.abc import Callable, Mapping
from datetime import timedelta

import structlog

from bot.errors import MaskbotError, Stale
from bot.ports import Duty
from bot.workflow.drift.watch import appoint_watches, watch
from bot.workflow.health.operator_notices import ANCHOR, anchor, first_anchor
from bot.workflow.hold.rollout import look_after_holds, spread
from bot.workflow.hosts.quarantine import TRUST, review_trust, see_to_trust
from bot.workflow.kill_switch import take_up_wishes
from bot.workflow.outbox.handover import DIGEST, appoint_digest, digest
from bot.workflow.process.deps import Parts
from bot.workflow.requests.hold_group import SPREAD
from bot.workflow.requests.kill_switch_state import NAME as FREEZE
from bot.workflow.requests.mask_inventory import WATCH

log = structlog.get_logger()

# What is done for a duty, by its kind: it looks, and keeps the duty with what it saw and when it is due again.
Perform = Callable[[Parts, Duty], None]
KINDS: Mapping[str, Perform] = {
    WATCH: watch,
    DIGEST: digest,
    FREEZE: take_up_wishes,
    TRUST: see_to_trust,
    ANCHOR: anchor,
    SPREAD: spread,
}

_AGAIN = timedelta(minutes=1)  # after something went wrong


def appoint(parts: Parts, duty: Duty) -> None:
    """See that a duty is there; one that is kept already goes on as it is."""
    if parts.store.duty(duty.name) is None:
        try:
            parts.store.keep(duty)
        except Stale:
            return  # another replica was quicker


def appoint_configured(parts: Parts) -> None:
    """See that every duty is there that the configuration asks for: at the start, and whenever it has changed."""
    appoint_watches(parts)
    appoint_digest(parts)
    review_trust(parts)
    look_after_holds(parts)
    if parts.policy.operations_channel:
        appoint(parts, first_anchor(parts))


def perform(parts: Parts, duty: Duty, *, kinds: Mapping[str, Perform] = KINDS) -> None:
    """Do what is due. What goes wrong is logged and tried again; a duty of a newer version is left to that one."""
    kind = duty.name.partition(":")[0]
    known = kinds.get(kind)
    if known is None:
        log.warning("duty not known", duty=duty.name)
        _put_off(parts, duty)
        return
    try:
        known(parts, duty)
    except Stale as error:
        log.info("duty lost", duty=duty.name, why=str(error))
    except MaskbotError as error:
        log.warning("duty not done", duty=duty.name, why=str(error))
        _put_off(parts, duty)


def _put_off(parts: Parts, duty: Duty) -> None:
    try:
        parts.store.keep(Duty(duty.name, duty.document, parts.clock.now() + _AGAIN, duty.version))
    except MaskbotError:
        log.warning("duty not put off", duty=duty.name)  # its lease runs out
