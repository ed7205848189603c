"""Who did something in Slack, and where: the one place that digs in payloads."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.core.cards.forms import HOST
from bot.core.people.identity import HOME, Caller, PersonId, Place

Payload = Mapping[str, Any]
_CHANNEL = re.compile(r"[CDG][A-Z0-9]{1,30}")
_DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")


@dataclass(frozen=True, slots=True)
class Home:
    """Where the bot lives, as Slack told it at the start."""

    team: str
    enterprise: str = ""
    app: str = ""  # not known: not compared

    def person(self, user: str, team: str) -> PersonId:
        """The account of that name.

        Only some payloads tell the enterprise. Taking our own for everybody makes one account one id whatever it
        did, and whether it is really ours is asked of the directory.
        """
        return PersonId(team=team or self.team, user=user, enterprise=self.enterprise)


@dataclass(frozen=True, slots=True)
class Click:
    """A press of a button: which request and plan its card showed, and where that card stands."""

    caller: Caller
    request_id: str
    digest: str = ""
    card: tuple[str, str] | None = None

    @property
    def is_home(self) -> bool:
        """Pressed on the clicker's own page, or in a form that was opened there."""
        return self.caller.place.is_home


@dataclass(frozen=True, slots=True)
class Submission:
    """A form sent off: the click or the place that it came from, and its fields by block id."""

    click: Click
    fields: Mapping[str, Any]

    @property
    def caller(self) -> Caller:
        """Who sent it."""
        return self.click.caller


@dataclass(frozen=True, slots=True)
class Typing:
    """Somebody types into a list of a form: what there is of it yet, and the host that the form is about by now."""

    caller: Caller
    typed: str
    host: str


@dataclass(frozen=True, slots=True)
class Quote:
    """A message that somebody wants something done about, and where it is; empty where there is none."""

    caller: Caller
    text: str
    link: str


def of_command(body: Payload, home: Home) -> Caller:
    """Who typed a slash command; it never comes from inside a thread (Slack, "Slash commands")."""
    person = home.person(body["user_id"], body.get("team_id", ""))
    return Caller(person, body.get("user_name", ""), Place(_channel(body["channel_id"])), body["trigger_id"])


def of_mention(body: Payload, home: Home) -> Caller:
    """Who mentioned the bot. The name is not in the event; the directory knows it.

    One message asks once, so it is the key: Slack sends it again as another event when somebody edits it.
    """
    event = body["event"]
    person = home.person(event["user"], event.get("user_team") or event.get("team") or body.get("team_id", ""))
    return Caller(person, "", Place(_channel(event["channel"]), event.get("thread_ts", "")), _message(event))


def _message(event: Payload) -> str:
    return f"{event['channel']}:{event['ts']}"


def of_shortcut(body: Payload, home: Home) -> Quote:
    """Who used a shortcut of the app, and on which message; one that is used from anywhere knows no place."""
    message, channel = body.get("message") or {}, _channel((body.get("channel") or {}).get("id", ""))
    place = Place(channel, message.get("thread_ts") or "") if channel else HOME
    caller = Caller(_clicker(body, home), _name(body), place, body["trigger_id"])
    attached: Payload = next(iter(message.get("attachments") or ()), {})
    text = message.get("text") or attached.get("fallback") or attached.get("text") or ""
    return Quote(caller, text, _link(body, place, message.get("ts", "")))


def _link(body: Payload, place: Place, ts: str) -> str:
    """Where the message is. Slack is not asked for it: the form has to be open in three seconds."""
    domain = (body.get("team") or {}).get("domain") or ""
    if not (_DOMAIN.fullmatch(domain) and ts):
        return ""
    thread = f"?thread_ts={place.thread}&cid={place.channel}" if place.thread not in ("", ts) else ""
    return f"https://{domain}.slack.com/archives/{place.channel}/p{ts.replace('.', '')}{thread}"


def of_click(body: Payload, home: Home) -> Click:
    """Who pressed which button. On somebody's own page (App Home) there is no card, and no message at all."""
    (action, *_) = body["actions"]
    request_id, _, digest = action.get("value", "").partition(":")
    channel, message = _channel((body.get("channel") or {}).get("id", "")), body.get("message") or {}
    ts, thread = message.get("ts", ""), message.get("thread_ts", "")
    place = HOME if _is_on_a_page(body) else Place(channel, thread if thread != ts else "")
    caller = Caller(_clicker(body, home), _name(body), place, body["trigger_id"])
    return Click(caller, request_id, digest, (channel, ts) if channel and ts else None)


def _is_on_a_page(body: Payload) -> bool:
    """Slack says so itself; whatever stands in a message, also a copy of our buttons, comes with that message."""
    container, view = body.get("container") or {}, body.get("view") or {}
    in_a_message = body.get("message") or body.get("channel")
    return container.get("type") == "view" and view.get("type") == "home" and not in_a_message


def of_opening(body: Payload, home: Home) -> Caller:
    """Who looks at the bot's own pages."""
    event = body["event"]
    return Caller(home.person(event["user"], body.get("team_id", "")), "", HOME, body["event_id"])


def of_submission(body: Payload, home: Home) -> Submission:
    """Who sent a form off, or changed it. It is one form however often that is done, so its id is the key."""
    view = body["view"]
    note = json.loads(view.get("private_metadata") or "{}")
    channel, card = note.get("channel", ""), note.get("card", "")
    caller = Caller(_clicker(body, home), _name(body), Place(channel, note.get("thread", "")), view["id"])
    click = Click(caller, note.get("request", ""), note.get("digest", ""), (channel, card) if card else None)
    state = (view.get("state") or {}).get("values") or {}
    return Submission(click, {block: _value(fields) for block, fields in state.items() if fields})


def of_typing(body: Payload, home: Home) -> Typing:
    """Who types what. Slack does not always send what is chosen in the other fields, so the form notes the host."""
    sent = of_submission(body, home)
    note = json.loads(body["view"].get("private_metadata") or "{}")
    return Typing(sent.caller, body.get("value") or "", sent.fields.get(HOST) or note.get("host", ""))


def note_for(click: Click) -> dict[str, str]:
    """What a form must carry so that its submission is known as what the click began."""
    place, (_, card) = click.caller.place, click.card or ("", "")
    note = {"request": click.request_id, "digest": click.digest, "channel": place.channel, "thread": place.thread}
    return note | {"card": card}


def _channel(sent: str) -> str:
    """A channel by Slack's id. The words for places that are none, such as the command line, come from ourselves."""
    return sent if _CHANNEL.fullmatch(sent) else ""


def _clicker(body: Payload, home: Home) -> PersonId:
    user = body["user"]
    return home.person(user["id"], user.get("team_id") or (body.get("team") or {}).get("id", ""))


def _name(body: Payload) -> str:
    user = body["user"]
    return user.get("username") or user.get("name") or ""


def _value(fields: Payload) -> Any:
    """The value of a block's one element: a text, a person's id, the value of an option, or those of ticked boxes."""
    (element, *_) = fields.values()
    match element:
        case {"selected_options": options}:
            return tuple(option["value"] for option in options or ())
        case {"selected_option": option}:
            return option["value"] if option else ""
        case {"selected_conversation": channel}:
            return _channel(channel or "")
        case {"selected_user": user}:
            return user or ""
        case _:
            return element.get("value") or ""
