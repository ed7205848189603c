"""Somebody's own page of the bot: looked at, drawn anew, and the form from there."""

from bot.core.cards.blocks import Action
from bot.core.people.identity import Caller
from bot.workflow import Desk
from handlers.bolt import Forms, Surface
from handlers.form_options import open_form
from handlers.payload import Click


def register(surface: Surface) -> None:
    """The page, and the buttons that are nowhere else."""
    surface.opened(opened)
    surface.click(Action.REFRESH, refresh)
    surface.click(Action.ASK, ask)


def opened(desk: Desk, caller: Caller) -> str:
    """Draw it soon: whoever looks at it is waiting."""
    desk.pages.show(caller.id)
    return ""


def refresh(desk: Desk, click: Click, _: Forms) -> str:
    """Draw it anew."""
    desk.pages.show(click.caller.id)
    return ""


def ask(desk: Desk, click: Click, form: Forms) -> str:
    """The form behind a bare `/mask`, which asks for the channel too."""
    open_form(desk, form, click)
    return ""


def follow(desk: Desk, click: Click, request_id: str) -> None:
    """Somebody did something on their page: it shows what becomes of that."""
    if click.is_home:
        desk.pages.follow(click.caller.id, request_id)
