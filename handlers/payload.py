"""Parse Slack's payloads: who did something, and where. The only module that reads raw payloads."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.core.cards.forms import HOST
from bot.core.people.identity import HOME, Caller, PersonId, Place

Payload = Mapping[str, Any]
_CHANNEL = re.compile(r"[CDG][A-Z0-9]{1,30}")
_DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
_NO_TEXT = re.compile(r"[\0\ud800-\udfff]")  # no database keeps it


@dataclass(frozen=True, slots=True)
class OwnApp:
    """The bot's own team and app, as Slack named them at the start."""

    team: str
    enterprise: str = ""
    app: str = ""  # not known: not compared

    def person(self, user: str, team: str) -> PersonId:
        """A person's id.

        Only some payloads contain the enterprise. Our own is assumed for everybody, so that one account always has one
        id, and the directory checks whether that is true.
        """
        return PersonId(team=_text(team) or self.team, user=_text(user), enterprise=self.enterprise)


@dataclass(frozen=True, slots=True)
class Click:
    """A click on a button: the request and plan of its card, and where that card is posted."""

    caller: Caller
    request_id: str
    digest: str = ""
    card: tuple[str, str] | None = None
    action: str = ""
    value: str = ""  # of the button, as it was sent
    message: Payload = field(default_factory=dict, compare=False)  # around the button, as the person saw it
    is_doubtful: bool = False  # the message does not show what the bot posted

    @property
    def is_home(self) -> bool:
        """Whether the button is on the clicker's Home tab, or in a form that was opened there."""
        return self.caller.place.is_home


@dataclass(frozen=True, slots=True)
class Submission:
    """A form that was sent: the click or place that it came from, and its fields by block id."""

    click: Click
    fields: Mapping[str, Any]

    @property
    def caller(self) -> Caller:
        """The sender."""
        return self.click.caller

    def chosen(self, block: str) -> tuple[str, ...]:
        """What is chosen in a list of the form; a form that was opened before an update may have lists for one."""
        value = self.fields.get(block) or ()
        return (value,) if isinstance(value, str) else tuple(value)


@dataclass(frozen=True, slots=True)
class TypedText:
    """Typing in a list of a form: the text so far, and the hosts and groups that are chosen in the form, as a list."""

    caller: Caller
    typed: str
    host: str


@dataclass(frozen=True, slots=True)
class Quote:
    """The message that a shortcut was used on, and a link to it; empty if there is none."""

    caller: Caller
    text: str
    link: str


def of_command(body: Payload, home: OwnApp) -> Caller:
    """The sender of a slash command, which never comes from inside a thread (Slack, "Slash commands")."""
    person = home.person(body["user_id"], body.get("team_id", ""))
    place = Place(_channel(body["channel_id"]))
    return Caller(person, _text(body.get("user_name")), place, _text(body["trigger_id"]))


def of_mention(body: Payload, home: OwnApp) -> Caller:
    """Who mentioned the bot. Their name is not in the event; the directory knows it.

    The message is the key, because one message asks once: after an edit Slack sends it again as another event.
    """
    event = body["event"]
    person = home.person(event["user"], event.get("user_team") or event.get("team") or body.get("team_id", ""))
    return Caller(person, "", Place(_channel(event["channel"]), _text(event.get("thread_ts"))), _message(event))


def typed_text(body: Payload) -> str:
    """What was typed behind a command."""
    return _text(body.get("text"))


def mentioning_text(body: Payload) -> str:
    """The message that mentions the bot."""
    return _text(body["event"].get("text"))


def _message(event: Payload) -> str:
    return f"{_text(event['channel'])}:{_text(event['ts'])}"


def of_shortcut(body: Payload, home: OwnApp) -> Quote:
    """Who used a shortcut of the app, and on which message; a global shortcut has no place."""
    message, channel = body.get("message") or {}, _channel((body.get("channel") or {}).get("id", ""))
    place = Place(channel, _text(message.get("thread_ts"))) if channel else HOME
    caller = Caller(_clicker(body, home), _name(body), place, _text(body["trigger_id"]))
    attached: Payload = next(iter(message.get("attachments") or ()), {})
    text = message.get("text") or attached.get("fallback") or attached.get("text")
    return Quote(caller, _text(text), _link(body, place, _text(message.get("ts"))))


def _link(body: Payload, place: Place, ts: str) -> str:
    """A link to the message. Slack is not asked for it, because the form must open within three seconds."""
    domain = _text((body.get("team") or {}).get("domain"))
    if not (_DOMAIN.fullmatch(domain) and ts):
        return ""
    thread = f"?thread_ts={place.thread}&cid={place.channel}" if place.thread not in ("", ts) else ""
    return f"https://{domain}.slack.com/archives/{place.channel}/p{ts.replace('.', '')}{thread}"


def of_click(body: Payload, home: OwnApp) -> Click:
    """Who pressed which button. On a Home tab there is no card, and no message at all."""
    (action, *_) = body["actions"]
    pressed, value = _text(action.get("action_id")), _text(action.get("value"))
    request_id, digest = [*value.split(":"), ""][:2]
    channel, message = _channel((body.get("channel") or {}).get("id", "")), body.get("message") or {}
    ts, thread = _text(message.get("ts")), _text(message.get("thread_ts"))
    place = HOME if _is_on_a_page(body) else Place(channel, thread if thread != ts else "")
    caller = Caller(_clicker(body, home), _name(body), place, _text(body["trigger_id"]))
    return Click(caller, request_id, digest, (channel, ts) if channel and ts else None, pressed, value, message)


def _is_on_a_page(body: Payload) -> bool:
    """Whether Slack says that it is a Home tab or form.

    A button in a message, also a copied one, comes with the message.
    """
    container, view = body.get("container") or {}, body.get("view") or {}
    in_a_message = body.get("message") or body.get("channel")
    return container.get("type") == "view" and view.get("type") == "home" and not in_a_message


def of_opening(body: Payload, home: OwnApp) -> Caller:
    """Who opened the bot's Home tab."""
    event = body["event"]
    return Caller(home.person(event["user"], body.get("team_id", "")), "", HOME, _text(body["event_id"]))


def channel_of_event(event: Payload) -> str:
    """The channel that an event is about."""
    return _channel(event["channel"])


def of_submission(body: Payload, home: OwnApp, note: Payload) -> Submission:
    """Who sent or changed a form, with the note that was read from it.

    The form's id is the key, because it is one form however often it is sent.
    """
    view = body["view"]
    noted = {name: _text(note.get(name)) for name in ("request", "digest", "channel", "thread", "card")}
    place, card = Place(noted["channel"], noted["thread"]), noted["card"]
    caller = Caller(_clicker(body, home), _name(body), place, _text(view["id"]))
    click = Click(caller, noted["request"], noted["digest"], (place.channel, card) if card else None)
    state = (view.get("state") or {}).get("values") or {}
    return Submission(click, {block: _value(fields) for block, fields in state.items() if fields})


def of_typing(body: Payload, home: OwnApp, note: Payload) -> TypedText:
    """Who types what. Slack does not always send what is chosen in other fields, so the form notes the host."""
    sent = of_submission(body, home, note)
    chosen = ",".join(sent.chosen(HOST))
    return TypedText(sent.caller, _text(body.get("value")), chosen or _text(note.get("host")))


def note_for(click: Click) -> dict[str, str]:
    """The hidden note by which a form's submission is known as what the click began."""
    place, (_, card) = click.caller.place, click.card or ("", "")
    note = {"request": click.request_id, "digest": click.digest, "channel": place.channel, "thread": place.thread}
    return note | {"card": card}


def _channel(sent: str) -> str:
    """A channel by Slack's id. Names of other places, such as the command line, are our own and not accepted here."""
    return sent if _CHANNEL.fullmatch(sent) else ""


def sender(body: Payload, home: OwnApp) -> Caller:
    """Who sent a form, whatever stands in it."""
    return Caller(_clicker(body, home), _name(body), Place(""))


def _clicker(body: Payload, home: OwnApp) -> PersonId:
    user = body["user"]
    return home.person(user["id"], user.get("team_id") or (body.get("team") or {}).get("id", ""))


def _name(body: Payload) -> str:
    user = body["user"]
    return _text(user.get("username") or user.get("name"))


def _value(fields: Payload) -> Any:
    """The value of a block's single element: a text, a person's id, an option's value, or those of ticked boxes."""
    (element, *_) = fields.values()
    match element:
        case {"selected_options": options}:
            return tuple(_text(option["value"]) for option in options or ())
        case {"selected_option": option}:
            return _text(option["value"]) if option else ""
        case {"selected_conversation": channel}:
            return _channel(channel or "")
        case {"selected_user": user}:
            return _text(user)
        case _:
            return _text(element.get("value"))


def _text(sent: Any) -> str:
    """A text of a payload; nothing is an empty one.

    Raises `TypeError` for anything else, so that no value of another kind gets in.
    """
    if sent is None:
        return ""
    if isinstance(sent, str) and not _NO_TEXT.search(sent):
        return sent
    raise TypeError(f"a {type(sent).__name__} where Slack sends a text")
