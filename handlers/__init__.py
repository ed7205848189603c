"""Slack's and the command line's handlers, one file per action: each parses a payload, records it and acknowledges
it.
"""

import re
from concurrent.futures import Executor

from slack_bolt import App

from bot.core.audit.seal_keys import KeyRing
from bot.core.cards import replies
from bot.workflow import Desk
from handlers import approval, ask, details, extend, followups, form_options, rollout, shared_channels, step_up
from handlers import home as pages
from handlers.attempt import Aside, acknowledge_unreadable
from handlers.bolt import Forms, Surface
from handlers.notes import Notes
from handlers.origin_check import OriginCheck
from handlers.payload import Click, OwnApp

__all__ = ["OwnApp", "register"]


def register(app: App, desk: Desk, *, home: OwnApp, aside: Executor, keys: KeyRing) -> None:
    """Register the origin check and every handler behind it. `aside` sends messages beside an acknowledgement."""
    surface = Surface(app, desk, home, Aside(aside), Notes(desk, home, keys))
    app.error(acknowledge_unreadable)
    app.use(OriginCheck(surface))
    ask.register(surface)
    form_options.register(surface)
    approval.register(surface)
    details.register(surface)
    extend.register(surface)
    pages.register(surface)
    followups.register(surface)
    rollout.register(surface)
    shared_channels.register(surface)
    step_up.register(surface)
    surface.click(re.compile(".*"), _of_an_older_card)  # registered last: Bolt takes the first handler that matches


def _of_an_older_card(_: Desk, __: Click, ___: Forms) -> str:
    return replies.OLDER_CARD
