"""Replace a form that cannot be rendered by a simpler one, or at last by a sentence that names another way."""

from collections.abc import Callable
from typing import NoReturn

from bot.core.cards import fallback, replies
from bot.core.cards.blocks import Block
from bot.core.requests import Request
from bot.errors import UsageError
from bot.workflow import Desk


def form_about(
    desk: Desk, request: Request, draw: Callable[[Request], Block], barely: Callable[[Request], Block] | None = None
) -> Block:
    """A form about a request; if it cannot be rendered, without what was seen on the host.

    Raises `UsageError` if it still cannot be rendered.
    """
    return desk.form(lambda: draw(request), lambda: (barely or draw)(fallback.without_details(request)), _no_form)


def form_or_none(desk: Desk, *ways: Callable[[], Block]) -> Block:
    """The first of these forms that can be rendered. Raises `UsageError` if there is none."""
    return desk.form(*ways, _no_form)


def _no_form() -> NoReturn:
    raise UsageError(replies.FORM_NOT_DRAWN)
