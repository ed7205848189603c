"""Tell operators that somebody edits the bot's messages, once for each message."""

import threading
from collections import OrderedDict

import structlog

from bot.core.audit.chain import Event
from bot.core.cards.forgery import edited_message
from bot.core.people.identity import PersonId
from bot.workflow.health.operator_notices import tell_operators
from bot.workflow.process.deps import Deps

log = structlog.get_logger()
_MOST = 1000  # messages that are remembered


class EditedMessages:
    """The messages that operators were told about; after a restart they are told once more."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._lock = threading.Lock()
        self._reported: OrderedDict[tuple[str, str], None] = OrderedDict()

    def report(self, request_id: str, message: tuple[str, str], *, by: PersonId) -> None:
        """Record, post and page that a message does not show what the bot posted. `by` pressed a button there."""
        if not self._is_new(message):
            return
        channel, ts = message
        log.error("slack.message_edited", request=request_id, channel=channel, ts=ts)
        data = {"channel": channel, "ts": ts}
        known = Event("slack.message_edited", "failure", "message_edited", request_id, by, data=data)
        page = f"maskbot-edited-{channel}-{ts}"
        if not tell_operators(self._deps, known, edited_message(request_id), page=page):
            self._forget(message)

    def _is_new(self, message: tuple[str, str]) -> bool:
        with self._lock:
            is_new = message not in self._reported
            self._reported[message] = None
            if len(self._reported) > _MOST:
                self._reported.popitem(last=False)
            return is_new

    def _forget(self, message: tuple[str, str]) -> None:
        with self._lock:
            self._reported.pop(message, None)
