"""The word to people who still have to decide: what waits, for how long, and where its card is."""

from collections.abc import Sequence
from datetime import datetime

from bot.core.cards.kit import Text, joined, linked, notified, section, until, words
from bot.core.cards.titles import subject
from bot.core.cards.waiting import standing
from bot.core.changes import Request


def reminder(request: Request, *, by: datetime, mentions: Sequence[str], link: str, now: datetime) -> Text:
    """`@bob @carol The mask of worker.service on web-01 needs 1 approval until 03:17 (5 minutes left)`."""
    what = linked(f"The {'longer ' * bool(request.ask.prolongs)}{request.ask.change.noun} of {subject(request)}", link)
    sentence = words("{} {} until {}.", what, standing(request), until(by, now))
    called = (notified(one) for one in mentions)
    said = joined([*called, sentence], " ", most=len(mentions) + 1)
    return Text(said, (section("said", [said]),))
