"""The buttons of a rollout: go on, pause, stop here, undo all, retry what failed; and *Mask the set* of one unit."""

from bot.core.cards.blocks import Action
from bot.workflow import Desk
from handlers.ask import undo
from handlers.bolt import Forms, Surface
from handlers.home import keep_home_current
from handlers.payload import Click


def register(surface: Surface) -> None:
    """Register the buttons. Each of them acts at once, and the workflow checks whether its presser may."""
    surface.click(Action.GO_ON, go_on)
    surface.click(Action.PAUSE, pause)
    surface.click(Action.STOP_HERE, stop_here)
    surface.click(Action.UNDO_ALL, undo)
    surface.click(Action.RETRY_FAILED, retry_failed)
    surface.click(Action.MASK_SET, mask_the_set)


def go_on(desk: Desk, click: Click, _: Forms) -> str:
    """Begin the next wave now, or go on after a pause."""
    desk.rollouts.go_on(click.request_id, click.caller)
    keep_home_current(desk, click, click.request_id)
    return ""


def pause(desk: Desk, click: Click, _: Forms) -> str:
    """Begin nothing more until somebody lets it go on."""
    desk.rollouts.pause(click.request_id, click.caller)
    keep_home_current(desk, click, click.request_id)
    return ""


def stop_here(desk: Desk, click: Click, _: Forms) -> str:
    """Begin nothing more at all."""
    desk.rollouts.stop_here(click.request_id, click.caller)
    keep_home_current(desk, click, click.request_id)
    return ""


def retry_failed(desk: Desk, click: Click, _: Forms) -> str:
    """Ask once more for what failed."""
    request = desk.rollouts.retry_failed(click.request_id, click.caller)
    keep_home_current(desk, click, request.id)
    return ""


def mask_the_set(desk: Desk, click: Click, _: Forms) -> str:
    """Ask for the same mask together with what triggers its unit."""
    request = desk.rollouts.mask_the_set(click.request_id, click.caller)
    keep_home_current(desk, click, request.id)
    return ""
