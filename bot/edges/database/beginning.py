"""Count again as a mask begins, where all writers queue: of two that begin at once, the second sees the first."""

from datetime import datetime

from sqlalchemy import Connection, Select, select

from bot.core.policy.calendar_and_limits import BlastRadius
from bot.core.requests import Request
from bot.edges.database import audit_log
from bot.edges.database.blast_radius import masked_lately
from bot.edges.database.tables import events, targets
from bot.errors import HostBusy
from bot.ports import NOT_COUNTED, Counted


def count_again(connection: Connection, beginning: Request, counted: Counted, *, now: datetime) -> None:
    """Lock the chain's head, and with it every mask that is about to begin.

    Raises `HostBusy` if one has begun that was not counted.
    """
    if counted == NOT_COUNTED:
        return
    audit_log.head(connection, lock=True)
    if counted.hosts and not counted.known.issuperset(connection.execute(_begun(counted)).scalars()):
        raise HostBusy("Another mask began while the hosts were counted that stay active.")
    if limits := counted.limits:
        lately = masked_lately(connection, since=now - limits.within, now=now, beside=beginning)
        reach = BlastRadius.of(lately, beginning.target.host, str(beginning.target.unit))
        if not limits.allow(reach):
            raise HostBusy("Another mask began while the limits on hosts and units were asked.")


def _begun(counted: Counted) -> Select[tuple[str]]:
    """The masks that have begun on the counted hosts since then."""
    about = select(events.c.request_id).join(targets, targets.c.request_id == events.c.request_id)
    since = about.where(events.c.seq > counted.until, events.c.type == "exec.started")
    return since.where(targets.c.host.in_(counted.hosts), targets.c.begun_at.is_not(None))
