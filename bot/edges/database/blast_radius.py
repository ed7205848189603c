"""Recent and approved masks, for the blast radius: read from columns, without parsing a document."""

from datetime import datetime

from sqlalchemy import Connection, and_, or_, select

from bot.core.requests import Request, Stage, Verb
from bot.edges.database.tables import requests, targets


def masked_lately(
    connection: Connection, *, since: datetime, now: datetime, beside: Request
) -> frozenset[tuple[str, str]]:
    """Host and unit of each mask that began since then, and of approved ones ahead of this request.

    Of two masks that are approved at once, the one that was asked first is ahead: so the second counts the first,
    whichever begins earlier.
    """
    begun = targets.c.begun_at >= since
    earlier = or_(
        requests.c.asked_at < beside.asked_at,
        and_(requests.c.asked_at == beside.asked_at, requests.c.id < beside.id),
    )
    verb = requests.c.document["ask"]["change"]["verb"].as_string()
    # a rollout as a whole is on no host: its targets are counted one by one
    is_whole = requests.c.document[("ask", "selection", "hosts", 0)].as_string().is_not(None)
    is_turn = and_(
        ~is_whole, requests.c.stage == Stage.APPROVED.value, targets.c.due_at <= now, earlier, verb == Verb.MASK.value
    )
    of_each = select(targets.c.host, targets.c.unit).join(requests, requests.c.id == targets.c.request_id)
    others = targets.c.request_id != beside.id
    return frozenset(
        (row.host, row.unit)
        for which in (begun, is_turn)
        for row in connection.execute(of_each.where(others, which).distinct())
    )
