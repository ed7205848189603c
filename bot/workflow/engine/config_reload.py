"""Reload the configuration: it is recorded and put in force as a whole, or not at all."""

from collections.abc import Sequence

import structlog

from bot.core.audit.chain import Event
from bot.core.cards.config_reload import rejection_notice, reload_notice
from bot.core.policy.configuration import ConfigSnapshot, changes
from bot.core.requests import Stage
from bot.errors import StoreBusy
from bot.ports import Message, MessageKind
from bot.workflow.engine.periodic import schedule_configured
from bot.workflow.process.deps import Deps

log = structlog.get_logger()
_OPEN = (Stage.ASKED, Stage.WAITING, Stage.APPROVED)


def record_configuration(deps: Deps) -> None:
    """Record the configuration at start. Waiting requests may be older: each is reevaluated under this one."""
    deps.store.record([_loaded_event(deps.in_force.now, digest_before="", what=())])
    _judge_what_is_open(deps)
    schedule_configured(deps)


def put_in_force(deps: Deps, newer: ConfigSnapshot) -> Sequence[str]:
    """Put another configuration in force, and return what is different in it.

    The configuration is recorded first: what is not on record decides nothing. Then open requests are reevaluated.
    """
    older = deps.in_force.now
    what = changes(older, newer)
    loaded = _loaded_event(newer, digest_before=older.policy.digest, what=what)
    told = Message(MessageKind.NOTE, body=reload_notice(what, digest=newer.policy.digest))
    deps.store.use_config(newer.policy.digest)
    try:
        deps.store.record([loaded], [told])
    except BaseException:
        deps.store.use_config(older.policy.digest)
        raise
    deps.in_force.put(newer)
    _judge_what_is_open(deps)
    schedule_configured(deps)
    return what


def _judge_what_is_open(deps: Deps) -> None:
    """Make open requests due now.

    If the store refuses that, they are still reevaluated at every vote and before they run.
    """
    for pause in deps.timings.retries:
        try:
            deps.store.make_all_due(_OPEN)
        except StoreBusy:
            deps.clock.wait(pause)
        else:
            return
    log.error("config.open_requests_not_due")


def reject_configuration(deps: Deps, complaints: Sequence[str]) -> None:
    """Log and record that the files now hold an invalid configuration, and why."""
    digest = deps.in_force.policy.digest
    event = Event("config.rejected", "failure", code="config_invalid", data={"complaints": [*complaints]})
    deps.store.record([event], [Message(MessageKind.NOTE, body=rejection_notice(complaints, digest=digest))])


def _loaded_event(configured: ConfigSnapshot, *, digest_before: str, what: Sequence[str]) -> Event:
    digest = configured.policy.digest
    outcome = "no_change" if digest == digest_before else "success"
    said = {
        "digest": digest,
        "digest_before": digest_before,
        "changed": [*what],
        "hosts": len(configured.inventory.hosts),
        "rules": len(configured.policy.rules),
    }
    return Event("config.loaded", outcome, data=said)
