"""One file per thing a person does: each parses what came in, records it and acknowledges it."""

import re
from concurrent.futures import Executor

from slack_bolt import App

from bot.core.cards import replies
from bot.workflow import Workflow
from handlers import ask, choose, look, prolong, review, say
from handlers import home as pages
from handlers.caller import Click, Home
from handlers.gate import Gate
from handlers.surface import Forms, Surface

__all__ = ["Home", "register"]


def register(app: App, desk: Workflow, *, home: Home, aside: Executor) -> None:
    """Put the gate in front and every handler behind it. `aside` sends what is said beside an acknowledgement."""
    surface = Surface(app, desk, home, aside)
    app.use(Gate(surface))
    ask.register(surface)
    choose.register(surface)
    review.register(surface)
    look.register(surface)
    prolong.register(surface)
    pages.register(surface)
    say.register(surface)
    surface.click(re.compile(".*"), _of_an_older_card)  # the last one: Bolt takes the first that fits


def _of_an_older_card(_: Workflow, __: Click, ___: Forms) -> str:
    return replies.OLDER_CARD
