"""The buttons *Details* and *Look now*. Nothing here changes a host."""

from bot.core.cards import forms, plain, replies
from bot.core.cards.blocks import Action
from bot.workflow import Desk
from handlers.bolt import Forms, Surface
from handlers.payload import Click


def register(surface: Surface) -> None:
    """Register the buttons."""
    surface.click(Action.DETAILS, details)
    surface.click(Action.LOOK_NOW, look_now)


def details(desk: Desk, click: Click, form: Forms) -> str:
    """All about a request, to the one who clicked; on the Home tab in a form, which opens at once."""
    desk.request(click.request_id)
    opened = form.open(forms.text_modal(plain(replies.LOOKING)), click) if click.is_home else ""
    desk.details(click.request_id, click.caller, form=opened)
    return ""


def look_now(desk: Desk, click: Click, _: Forms) -> str:
    """Look now at a unit whose outcome is unknown, instead of at the next scheduled look."""
    desk.look_now(click.request_id, by=click.caller.id)
    return ""
