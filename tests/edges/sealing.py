"""Seal what a test wrote into the tables by itself, as another version of the bot would have done."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from bot.edges.database.seals import Seals
from bot.edges.database.tables import requests, targets, votes
from tests.lab.keys import KEYS


def sealed(row: Mapping[str, Any], target: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a request without votes, with its seal."""
    return {**row, "seal": Seals(KEYS).of_request(row, target["document"], [])}


def seal_again(connection: Connection) -> None:
    """Seal every request as it is stored now."""
    for row in connection.execute(select(requests)).mappings().all():
        target = connection.execute(select(targets.c.document).where(targets.c.request_id == row["id"])).scalar_one()
        given = connection.execute(select(votes.c.document).where(votes.c.request_id == row["id"])).scalars().all()
        made = Seals(KEYS).of_request(dict(row), target, given)
        connection.execute(requests.update().where(requests.c.id == row["id"]).values(seal=made))
