"""How far requests have come, the targets of a rollout above all: a glance at rows, which verifies nothing."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select

from bot.core.requests import Stage
from bot.core.rollout.progress import Progress
from bot.edges.database.tables import requests, targets

_DOCUMENT, _TARGET = requests.c.document, targets.c.document
_OF_ROLLOUT = (
    select(
        requests.c.id,
        requests.c.stage,
        targets.c.host,
        targets.c.unit,
        _TARGET["digest"].as_string().label("digest"),
        _TARGET["outcome"].as_string().label("outcome"),
        _TARGET["note"].as_string().label("note"),
        _TARGET["unknown_since"].as_string().label("unknown_since"),
        _DOCUMENT["because"].as_string().label("because"),
        _DOCUMENT[("approval", "rule")].as_string().label("rule"),
        _DOCUMENT["undone_by"].as_string().label("undone_by"),
        _DOCUMENT[("hold_state", "loss")].as_string().label("loss"),
        _DOCUMENT[("aftercare", "looks")].as_integer().label("looks"),
        _DOCUMENT[("aftercare", "found", 0)].as_string().label("found"),
    )
    .join(targets, targets.c.request_id == requests.c.id)
    .where(requests.c.rollout == bindparam("rollout"))
    .order_by(requests.c.asked_at, requests.c.id)
)

_ONE = (
    select(requests.c.stage, requests.c.version, targets.c.host)
    .join(targets, targets.c.request_id == requests.c.id)
    .where(requests.c.id == bindparam("request_id"))
)
_OF_SOME = _OF_ROLLOUT.where(requests.c.id.in_(bindparam("among", expanding=True)))


@dataclass(frozen=True, slots=True)
class HowFar:
    """The stage and the version of a request, and whether it is a rollout, which itself is on no host."""

    stage: str
    version: int
    is_rollout: bool


def how_far(connection: Connection, request_id: str) -> HowFar:
    """Read how far a request has come."""
    row = connection.execute(_ONE, {"request_id": request_id}).one()
    return HowFar(row.stage, row.version, is_rollout=not row.host)


def progress(connection: Connection, rollout: str, among: Collection[str] | None = None) -> list[Progress]:
    """Read only what a rollout shows and goes on by. Most targets rest, and each costs: name those that may move."""
    if among is None:
        return [_progress(row) for row in connection.execute(_OF_ROLLOUT, {"rollout": rollout})]
    given = {"rollout": rollout, "among": [*among]}
    return [_progress(row) for row in connection.execute(_OF_SOME, given)] if among else []


def _progress(row: Any) -> Progress:
    stage = Stage(row.stage)
    return Progress(
        row.id,
        row.host,
        row.unit,
        stage,
        row.digest or "",
        row.outcome or "",
        row.note or ("" if stage is Stage.DONE else row.because or ""),
        is_unknown=bool(row.unknown_since),
        is_asked_again=bool(row.rule),
        is_undone=bool(row.undone_by),
        is_lost=bool(row.loss),
        looks=row.looks or 0,
        found=bool(row.found),
    )
