"""The configuration in force: on record from the start, and replaced whole or not at all."""

from collections.abc import Sequence

import structlog

from bot.core.audit.chain import Event
from bot.core.cards.config_reload import rejected, replaced
from bot.core.policy.configuration import Configured, changes
from bot.core.requests import Stage
from bot.errors import StoreBusy
from bot.ports import Message, MessageKind
from bot.workflow.engine.periodic import appoint_configured
from bot.workflow.process.deps import Deps

log = structlog.get_logger()
_OPEN = (Stage.ASKED, Stage.WAITING, Stage.APPROVED)


def begin_with_it(deps: Deps) -> None:
    """Record what this process goes by. What waits may have been asked under other files: each is judged by these."""
    deps.store.record([_loaded(deps.in_force.now, digest_before="", what=())])
    _judge_what_is_open(deps)
    appoint_configured(deps)


def put_in_force(deps: Deps, newer: Configured) -> Sequence[str]:
    """Let everything go by another configuration from now on; the answer is what is different in it.

    Recorded first: a configuration that is not on record decides nothing. Then whatever is open is judged by it.
    """
    older = deps.in_force.now
    what = changes(older, newer)
    loaded = _loaded(newer, digest_before=older.policy.digest, what=what)
    told = Message(MessageKind.NOTE, body=replaced(what, digest=newer.policy.digest))
    deps.store.use_config(newer.policy.digest)
    try:
        deps.store.record([loaded], [told])
    except BaseException:
        deps.store.use_config(older.policy.digest)
        raise
    deps.in_force.put(newer)
    _judge_what_is_open(deps)
    appoint_configured(deps)
    return what


def _judge_what_is_open(deps: Deps) -> None:
    """Make it due now. Should the store not take that, it is still judged anew at every vote and before it runs."""
    for pause in deps.timings.retries:
        try:
            deps.store.make_all_due(_OPEN)
        except StoreBusy:
            deps.clock.wait(pause)
        else:
            return
    log.error("config.open_requests_not_made_due")


def keep_the_old_one(deps: Deps, complaints: Sequence[str]) -> None:
    """Say and record that what stands in the files now is not taken, and why."""
    digest = deps.policy.digest
    event = Event("config.rejected", "failure", code="config_invalid", data={"complaints": [*complaints]})
    deps.store.record([event], [Message(MessageKind.NOTE, body=rejected(complaints, digest=digest))])


def _loaded(configured: Configured, *, digest_before: str, what: Sequence[str]) -> Event:
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
