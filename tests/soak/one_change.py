"""One change on a fleet: which bot works on it, and what is stored of its outcome."""

from collections.abc import Mapping

from sqlalchemy import create_engine, select

from bot.core.requests import Request, Stage
from bot.edges.database.engine import parse_url
from bot.edges.database.tables import targets
from tests.soak.fleet import DATABASE, Fleet
from tests.stories.scene import id_of


def owners(fleet: Fleet, card: Mapping[str, object]) -> list[int]:
    """The numbers of the bots that work on it now: one, or none."""
    engine = create_engine(parse_url(fleet.cluster.url(DATABASE)))
    with engine.connect() as connection:
        owned = select(targets.c.owner).where(targets.c.request_id == id_of(dict(card)))
        pid = str(connection.execute(owned).scalar() or "").rpartition(":")[2]
    engine.dispose()
    return [number for number, bot in enumerate(fleet.bots) if bot.is_running() and str(bot.pid) == pid]


def done(fleet: Fleet, card: Mapping[str, object]) -> Request:
    """The stored request, checked against its audit events."""
    request = fleet.desk.get(id_of(dict(card)))
    kinds = [record["type"] for record in fleet.desk.records() if record["request_id"] == request.id]
    assert (request.stage, kinds.count("request.finished"), kinds.count("exec.started")) == (Stage.DONE, 1, 1)
    return request
