"""The Home tab: open it, refresh it, and open the mask form from it."""

from bot.core.cards.blocks import Action
from bot.core.people.identity import Caller
from bot.workflow import Desk
from handlers.bolt import Forms, Surface
from handlers.form_options import open_form
from handlers.payload import Click


def register(surface: Surface) -> None:
    """Register the Home tab, and its own buttons."""
    surface.home_tab(show_home)
    surface.click(Action.REFRESH, refresh)
    surface.click(Action.ASK, ask)


def show_home(desk: Desk, caller: Caller) -> str:
    """Publish the Home tab soon: whoever opened it is waiting."""
    desk.home.show(caller.id)
    return ""


def refresh(desk: Desk, click: Click, _: Forms) -> str:
    """Publish it again."""
    desk.home.show(click.caller.id)
    return ""


def ask(desk: Desk, click: Click, form: Forms) -> str:
    """Open the form behind a bare `/mask`, which asks for the channel too."""
    open_form(desk, form, click)
    return ""


def keep_home_current(desk: Desk, click: Click, request_id: str) -> None:
    """After an action on a Home tab: update the tab when the request changes."""
    if click.is_home:
        desk.home.keep_current(click.caller.id, request_id)
