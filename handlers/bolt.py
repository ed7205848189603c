"""Take a payload of any kind: parse, record and acknowledge it, in that order; only its sender gets an answer.

A command and a form are answered in the acknowledgement. For other payloads the answer is sent beside it, so that no
Slack call delays an `ack()`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from slack_bolt import Ack, App, Respond
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from bot.core.cards import forms, plain, replies
from bot.core.cards.blocks import Block
from bot.core.input.names import read_reason
from bot.core.people.identity import Caller
from bot.errors import MaskbotError, NotOnRecord, StoreBusy, UsageError
from bot.workflow import Desk
from handlers import payload as parse
from handlers.attempt import Aside, attempt, one_line
from handlers.notes import Notes, believed
from handlers.payload import Click, OwnApp, Payload, Quote, Submission, TypedText

log = structlog.get_logger()


class InvalidFields(UsageError):
    """Invalid fields of a form, each with its message, by block id."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = dict(errors)


@contextmanager
def error_beside(field: str) -> Iterator[None]:
    """Show an error beside this field of the form, unless it names its fields."""
    try:
        yield
    except InvalidFields:
        raise
    except UsageError as error:
        raise InvalidFields({field: str(error)}) from error


def typed_reason(sent: Submission) -> str:
    """The text of the form's reason field. Raises `InvalidFields`."""
    with error_beside(forms.REASON):
        return read_reason(sent.fields.get(forms.REASON, ""))


@dataclass(frozen=True, slots=True)
class Forms:
    """Opens a form for a person: a trigger is good once, for three seconds."""

    client: WebClient
    trigger: str
    notes: Notes

    def open(self, form: Block, click: Click) -> str:
        """Open the form and return its id. Raises `UsageError` if Slack does not open it."""
        try:
            answer = self.client.views_open(trigger_id=self.trigger, view=self.notes.on(form, click))
        except (SlackClientError, OSError) as error:
            log.warning("form.not_opened", error=str(error))
            raise UsageError(replies.FORM_TOO_LATE) from error
        return str((answer.get("view") or {}).get("id", ""))


@dataclass(frozen=True, slots=True)
class OpenForm:
    """An open form after a choice in it; it is updated beside the acknowledgement, best effort."""

    client: WebClient
    aside: Aside
    view: Payload
    notes: Notes

    def refill(self, form: Block, click: Click) -> None:
        """Update the form. Slack keeps what is chosen or typed in fields whose ids stay the same."""
        view, known, update = self.notes.on(form, click), self.view, self.client.views_update
        self.aside.submit(lambda: update(view_id=known["id"], hash=known.get("hash"), view=view), to=click.caller.id)


@dataclass(frozen=True, slots=True)
class Surface:
    """The Bolt app, and what every handler needs beside the payload."""

    app: App
    desk: Desk
    home: OwnApp
    aside: Aside
    notes: Notes

    def command(self, name: str, do: Callable[[Desk, Caller, str, Forms], str]) -> None:
        """A slash command."""

        def listener(ack: Ack, body: Payload, client: WebClient) -> None:
            caller, text = parse.of_command(body, self.home), parse.typed_text(body)
            said = self.attempt(caller, lambda: do(self.desk, caller, text, Forms(client, caller.key, self.notes)))
            if said:
                ack(response_type="ephemeral", text=one_line(said))
            else:
                ack()

        self.app.command(name)(listener)

    def click(self, action: str | re.Pattern[str], do: Callable[[Desk, Click, Forms], str]) -> None:
        """A button."""

        def listener(ack: Ack, body: Payload, client: WebClient, respond: Respond) -> None:
            click = parse.of_click(body, self.home)
            said = self.attempt(click.caller, lambda: self._pressed(do, click, client))
            if said and click.is_home:
                self.desk.whisper(click.caller.place, click.caller.id.user, said)
            self.aside.say(respond, said, to=click.caller.id)
            ack()

        self.app.action(action)(listener)

    def _pressed(self, do: Callable[[Desk, Click, Forms], str], click: Click, client: WebClient) -> str:
        try:
            click = self.notes.check(click)
            return do(self.desk, click, Forms(client, click.caller.key, self.notes))
        except NotOnRecord:
            raise self.notes.not_on_record(click) from None

    def shortcut(self, name: str, do: Callable[[Desk, Quote, Forms], str]) -> None:
        """A shortcut, global or on a message."""

        def listener(ack: Ack, body: Payload, client: WebClient) -> None:
            quote = parse.of_shortcut(body, self.home)
            who = quote.caller
            if said := self.attempt(who, lambda: do(self.desk, quote, Forms(client, who.key, self.notes))):
                self.desk.whisper(who.place, who.id.user, said)
            ack()

        self.app.shortcut(name)(listener)

    def submission(self, form: str | re.Pattern[str], do: Callable[[Desk, Submission], str | Block]) -> None:
        """A form that was sent; another may take its place. Errors are shown in the form, and nothing typed is lost."""

        def listener(ack: Ack, body: Payload) -> None:
            who, sent, next_form = parse.sender(body, self.home), self.notes.sent(body), list[Block]()

            def done() -> str:
                answer = do(self.desk, believed(sent))
                if isinstance(answer, str):
                    return answer
                next_form.append(self.notes.on(answer, believed(sent).click))
                return ""

            try:
                said = self.attempt(who, done, passing=InvalidFields)
            except InvalidFields as error:
                ack(response_action="errors", errors=error.errors)
                return
            field = _first_block(body)
            if next_form:
                ack(response_action="update", view=next_form[0])
            elif said and field:
                ack(response_action="errors", errors={field: said})
            elif said:
                ack(response_action="update", view=forms.text_modal(plain(said)))
            else:
                ack()

        self.app.view(form)(listener)

    def choice(self, field: str, do: Callable[[Desk, Submission, OpenForm], str]) -> None:
        """A choice in a form that is still open; only the form can be answered."""

        def listener(ack: Ack, body: Payload, client: WebClient) -> None:
            form, sent = OpenForm(client, self.aside, body["view"], self.notes), self.notes.sent(body)
            said = attempt(lambda: do(self.desk, believed(sent), form))
            if said:
                log.info("form.choice_failed", field=field, why=said)
            ack()

        self.app.action({"block_id": field, "action_id": field})(listener)

    def options(self, field: str, do: Callable[[Desk, TypedText], list[Block]]) -> None:
        """Options of a list, which Slack asks for while somebody types."""

        def listener(ack: Ack, body: Payload) -> None:
            found, typed = list[Block](), self.notes.typed(body)

            def offer() -> str:
                found.extend(do(self.desk, believed(typed)))
                return ""

            if said := attempt(offer):
                log.warning("form.options_failed", field=field, why=said)
            ack(options=found)

        self.app.options(field)(listener)

    def home_tab(self, do: Callable[[Desk, Caller], str]) -> None:
        """Somebody opened their Home tab. Bolt acknowledges when the listener has ended."""

        def listener(body: Payload) -> None:
            if body["event"].get("tab") == "home":
                caller = parse.of_opening(body, self.home)
                if said := attempt(lambda: do(self.desk, caller)):
                    log.warning("home.not_shown", why=said)

        self.app.event("app_home_opened")(listener)

    def event(self, name: str, do: Callable[[Desk, Payload], str]) -> None:
        """An event of Slack that no person is answered for."""

        def listener(body: Payload) -> None:
            if said := attempt(lambda: do(self.desk, body["event"]), passing=StoreBusy):
                log.warning("event.failed", name=name, why=said)

        self.app.event(name)(listener)

    def mention(self, do: Callable[[Desk, Caller, str], str]) -> None:
        """A message that mentions the bot. Bolt acknowledges when the listener has ended without an error.

        If the store is busy, Slack delivers the event again (at once, after 1 and after 5 minutes).
        """

        def listener(body: Payload) -> None:
            caller = parse.of_mention(body, self.home)
            text = parse.mentioning_text(body)
            said = self.attempt(caller, lambda: do(self.desk, caller, text), passing=StoreBusy)
            if said:
                self.desk.whisper(caller.place, caller.id.user, said)

        self.app.event("app_mention")(listener)

    def attempt(self, who: Caller, do: Callable[[], str], *, passing: type[MaskbotError] | None = None) -> str:
        """Run an action of somebody, unless they do too much, and return their answer as `attempt` does."""

        def counted() -> str:
            self.desk.count(who.id)
            return do()

        return attempt(counted, passing=passing)


def _first_block(body: Payload) -> str:
    """The block at which Slack shows an error that belongs to no field."""
    return next(iter((body["view"].get("state") or {}).get("values") or ()), "")
