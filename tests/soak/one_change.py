"""One change on a fleet: begun, whose it is, and what is stored of its end."""

from collections.abc import Mapping

from sqlalchemy import create_engine, select

from bot.core.changes import Request, Stage
from bot.edges.database.engine import parse_url
from bot.edges.database.tables import targets
from tests.soak.fleet import DATABASE, Fleet
from tests.stories.scene import Story, id_of


def owner_of(fleet: Fleet, story: Story, card: Mapping[str, object]) -> int:
    """Which of the bots works on it, once one does."""
    engine = create_engine(parse_url(fleet.cluster.url(DATABASE)))
    owned = select(targets.c.owner).where(targets.c.request_id == id_of(dict(card)))

    def look() -> str:
        with engine.connect() as connection:
            return connection.execute(owned).scalar() or ""

    pid = story.until(look, "an owner").rpartition(":")[2]
    engine.dispose()
    return [str(bot.pid) for bot in fleet.bots].index(pid)


def begun(story: Story, host: str) -> dict[str, object]:
    """A change whose stop takes six seconds, with its link made."""
    card = story.asks(f"/mask {host} slowstop")
    story.presses("bob", "Approve", card)
    story.until(lambda: story.link("slowstop.service", host).is_symlink(), "the link")
    return card


def done(fleet: Fleet, card: Mapping[str, object]) -> Request:
    """The request as it is stored, with what the chain says of it."""
    request = fleet.desk.get(id_of(dict(card)))
    kinds = [record["type"] for record in fleet.desk.records() if record["request_id"] == request.id]
    assert (request.stage, kinds.count("request.finished"), kinds.count("exec.begun")) == (Stage.DONE, 1, 1)
    return request
