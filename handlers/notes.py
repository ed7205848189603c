"""Whether the bot itself made what comes back from Slack: the notes of forms, and the buttons that people press."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import structlog

from bot.core.audit.seal_keys import KeyRing
from bot.core.cards import replies
from bot.core.cards.blocks import Action, Block
from bot.core.cards.form_words import form_words
from bot.core.cards.request_status import not_on_record
from bot.core.cards.sealed import is_sealed_for, posted_plan, read_note, seal_note
from bot.core.cards.shown import buttons_in, message_parts
from bot.core.people.identity import Place
from bot.errors import NotOnRecord, UsageError
from bot.workflow import Desk
from handlers import payload as parse
from handlers.payload import Click, OwnApp, Payload, Submission, TypedText

_VOTES = (Action.APPROVE, Action.DENY)
_AT_ONCE = (
    *(Action.WITHDRAW, Action.FORCE, Action.UNMASK, Action.MASK_AGAIN, Action.START_AGAIN),
    *(Action.LOOK_NOW, Action.GO_ON, Action.PAUSE, Action.STOP_HERE, Action.UNDO_ALL, Action.RETRY_FAILED),
    Action.MASK_SET,
)
_ABOUT_A_REQUEST = frozenset(Action) - {Action.ASK, Action.REFRESH, Action.ADOPT}
log = structlog.get_logger()
_Read = TypeVar("_Read", Submission, TypedText)


def believed(found: _Read | UsageError) -> _Read:
    """What the bot's own form brought back. Raises the `UsageError` otherwise."""
    if isinstance(found, UsageError):
        raise found
    return found


@dataclass(frozen=True, slots=True)
class Notes:
    """Seals what is sent out, and checks what comes back. Slack's tokens alone make nothing that counts here."""

    desk: Desk
    home: OwnApp
    keys: KeyRing

    def on(self, form: Block, click: Click) -> Block:
        """The form with its hidden note, in addition to what it notes itself, sealed for whoever opens it."""
        note = json.loads(form.get("private_metadata") or "{}") | parse.note_for(click) | form_words(form)
        name, user, now = form.get("callback_id", ""), click.caller.id.user, self.desk.now.at
        return {**form, "private_metadata": seal_note(note, form=name, user=user, now=now, keys=self.keys)}

    def sent(self, body: Payload) -> Submission | UsageError:
        """The form that somebody sent or changed, or why it does not count."""
        return self._noted(body, parse.of_submission)

    def typed(self, body: Payload) -> TypedText | UsageError:
        """What somebody types into a list of a form, or why it does not count."""
        return self._noted(body, parse.of_typing)

    def _noted(self, body: Payload, read: Callable[[Payload, OwnApp, Payload], _Read]) -> _Read | UsageError:
        try:
            return read(body, self.home, self._read(body))
        except UsageError as error:
            return error

    def _read(self, body: Payload) -> dict[str, Any]:
        """The note of a form. Raises `UsageError` if the bot did not write it for this person and these words."""
        view, person = body["view"], parse.sender(body, self.home).id
        text, name = str(view.get("private_metadata") or ""), str(view.get("callback_id", ""))
        try:
            note = read_note(text, form=name, user=person.user, now=self.desk.now.at, keys=self.keys)
            if not note.items() >= form_words(view, str(note.get("loose", "0"))).items():
                raise ValueError("it is in a form with other words")
            return note
        except (ValueError, RecursionError) as error:
            log.warning("form.refused", form=name, why=str(error))
            self.desk.refused_at_the_gate("forged_note", by=person, place=Place(""))
            raise UsageError(replies.NOT_OURS) from None

    def not_on_record(self, click: Click) -> NotOnRecord:
        """What to type instead of pressing a button whose request is not on record."""
        is_as_posted = posted_plan(click.message, keys=self.keys).partition(":")[0] == click.request_id
        return NotOnRecord(not_on_record(str(click.message.get("text", "")) if is_as_posted else ""))

    def check(self, click: Click) -> Click:
        """Whether the bot made this button, for everybody in a message of its own or for this person alone.

        A direct message can be edited like any other, so its words are compared as well, wherever it stands.
        Raises `UsageError` if it did not, or if the button would act at once and its message was edited.
        """
        if click.action not in _ABOUT_A_REQUEST:
            return click
        is_vote = click.action in _VOTES and not click.is_home  # which the desk compares with the one card
        if not (is_direct := click.caller.place.is_direct) and self._is_for_them_alone(click):
            return click
        shown, _, plan = posted_plan(click.message, keys=self.keys).partition(":")
        is_as_posted = shown != "" and shown == click.request_id
        if is_as_posted and plan != click.digest:
            click = replace(click, digest="")  # of an earlier version; it counts for no plan
        if is_as_posted and is_direct:
            return click
        is_ours = click.card is not None and self.desk.has_posted(click.request_id, click.card)
        if not is_ours and not is_vote:
            log.warning("button.refused", action=click.action, request=click.request_id)
            self.desk.refused_at_the_gate("message_mismatch", by=click.caller.id, place=click.caller.place)
            raise UsageError(replies.NOT_OURS)
        return click if is_as_posted else self._doubtful(click, is_ours=is_ours)

    def _is_for_them_alone(self, click: Click) -> bool:
        """Whether the bot made this button for this person alone, just where it was pressed."""
        user, where, now = click.caller.id.user, click.caller.place.channel, self.desk.now.at
        return is_sealed_for(user, click.value, action=click.action, where=where, now=now, keys=self.keys)

    def _doubtful(self, click: Click, *, is_ours: bool) -> Click:
        """A button on a message that does not show what the bot posted: only what a form or an answer shows counts."""
        has_buttons = bool(buttons_in(message_parts(click.message)))  # else the bot has taken them off meanwhile
        if click.card and is_ours and has_buttons:
            self.desk.edited_messages.report(click.request_id, click.card, by=click.caller.id)
        if click.action in _AT_ONCE:
            raise UsageError(replies.EDITED if has_buttons else replies.OLDER_CARD)
        return replace(click, is_doubtful=True)
