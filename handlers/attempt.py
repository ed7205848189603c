"""Run what a person asked for, and turn whatever goes wrong into a sentence for them or an entry in the log.

No traceback ever reaches Slack, and a payload that cannot be read is acknowledged: Slack would only send it again.
"""

import secrets
import traceback
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from pathlib import Path

import structlog
from slack_bolt import BoltResponse, Respond

from bot.core.cards import replies
from bot.core.cards.blocks import escape
from bot.core.input.names import REASON_LIMIT
from bot.core.people.identity import PersonId
from bot.errors import MaskbotError, MaybeRecorded, StoreBusy
from bot.workflow.process.per_person import AtOnce

log = structlog.get_logger()
_ASIDE = 5  # things for one person that wait to be done; more are dropped


def attempt(do: Callable[[], str], *, passing: type[MaskbotError] | None = None) -> str:
    """Run an action and return the caller's answer: the result, the refusal, or that something went wrong.

    An unexpected error is logged under a reference, and people see only that.
    """
    try:
        return do()
    except MaskbotError as error:
        if passing and isinstance(error, passing):
            raise
        return _without_a_record(error) if isinstance(error, StoreBusy) else str(error)
    except Exception:  # the last resort of every handler
        reference = secrets.token_hex(4)
        log.exception("handler.failed", reference=reference)
        return replies.internal_error(reference)


def _without_a_record(error: StoreBusy) -> str:
    return replies.MAYBE if isinstance(error, MaybeRecorded) else replies.BUSY


def one_line(said: str) -> str:
    """A sentence for Slack, with foreign signs escaped and of limited length."""
    return escape(said, width=2 * REASON_LIMIT)


def acknowledge_unreadable(error: Exception) -> BoltResponse | None:
    """Bolt's error handler: what a listener or a check before it raised.

    A payload that could not be recorded is not acknowledged, so that Slack delivers it again. Any other is one that
    cannot be read.
    """
    if isinstance(error, StoreBusy):
        log.warning("payload.not_recorded", why=str(error))
        return None
    at = traceback.extract_tb(error.__traceback__)[-1]
    log.error("payload.not_readable", error=type(error).__name__, where=f"{Path(at.filename).name}:{at.lineno}")
    return BoltResponse(status=200, body="")


class Aside:
    """Does things beside acknowledgements, such as sending a sentence, a few at a time for each person; best effort."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._of_each = AtOnce(_ASIDE)

    def submit(self, do: Callable[[], object], *, to: PersonId) -> None:
        """Do something for the person soon, or drop it if too much of theirs is waiting."""
        if self._of_each.begin(to):
            self._executor.submit(self._do, do, to)

    def say(self, respond: Respond, said: str, *, to: PersonId) -> None:
        """Tell the person who clicked."""
        if said and respond.response_url:
            tell = partial(respond, text=one_line(said), response_type="ephemeral", replace_original=False)
            self.submit(tell, to=to)

    def _do(self, do: Callable[[], object], to: PersonId) -> None:
        try:
            do()
        finally:
            self._of_each.end(to)
