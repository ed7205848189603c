"""Count the backlog for monitoring: due requests, unsent messages, requests that wait for people."""

from datetime import datetime

from sqlalchemy import Connection, func, select

from bot.core.health import Backlog
from bot.core.requests import Stage
from bot.edges.database.tables import messages, requests, targets
from bot.edges.database.transactions import is_free
from bot.ports import MessageKind

_OPEN = [stage.value for stage in Stage if not stage.is_final]
_SEVERAL = 3  # tries after which a message counts as failing


def look(connection: Connection, *, now: datetime) -> Backlog:
    """Count everything; each count uses an index or a small table."""
    due, first = connection.execute(
        select(func.count(), func.min(targets.c.due_at)).where(targets.c.due_at <= now, is_free(targets))
    ).one()
    leases = select(func.count()).select_from(targets).where(targets.c.owner.is_not(None), ~is_free(targets))
    by_stage = select(requests.c.stage, func.count()).where(requests.c.stage.in_(_OPEN)).group_by(requests.c.stage)
    undelivered = select(func.count()).select_from(messages).where(messages.c.due_at.is_not(None))
    retried = undelivered.where(messages.c.attempts >= _SEVERAL)
    final = retried.join(requests, requests.c.id == messages.c.request_id).where(
        messages.c.kind == MessageKind.CARD.value, requests.c.stage.not_in(_OPEN)
    )
    return Backlog(
        stages={stage: count for stage, count in connection.execute(by_stage)},
        leases=connection.execute(leases).scalar_one(),
        due=due,
        due_age=max(0.0, (now - first).total_seconds()) if first else 0.0,
        undelivered=connection.execute(undelivered).scalar_one(),
        retried=connection.execute(retried).scalar_one(),
        final_cards=connection.execute(final).scalar_one(),
    )
