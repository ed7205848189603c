"""Payloads as Slack sends them over Socket Mode, with the fields that its documentation shows, ours or not."""

import itertools
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.core.cards.blocks import LABEL, Text, message, plain_text
from bot.core.cards.sealed import seal_buttons, seal_card, seal_note
from tests.lab.keys import KEYS

Payload = dict[str, Any]

TEAM, APP, CHANNEL, CARD = "T1", "A1", "C1", "1700000000.000200"
_numbers = itertools.count(1)


def command(text: str, *, name: str = "/mask", user: str = "UALICE", team: str = TEAM, respond: str = "") -> Payload:
    """A slash command."""
    return {
        "token": "legacy", "team_id": team, "team_domain": "lab", "channel_id": CHANNEL, "channel_name": "incident",
        "user_id": user, "user_name": user[1:].lower(), "command": name, "text": text, "api_app_id": APP,
        "is_enterprise_install": "false", "response_url": respond, "trigger_id": f"{next(_numbers)}.1.aa",
    }  # fmt: skip


def mention(text: str, *, user: str = "UBOB", team: str = TEAM, thread: str = "", **event: Any) -> Payload:
    """A message that names the bot."""
    ts = f"1700000000.{next(_numbers):06}"
    said = {
        "type": "app_mention", "user": user, "text": f"<@UBOT> {text}", "ts": ts, "team": team,
        "channel": CHANNEL, "event_ts": ts, "blocks": [],
    }  # fmt: skip
    return {
        "token": "legacy", "team_id": TEAM, "api_app_id": APP, "type": "event_callback",
        "event": said | ({"thread_ts": thread} if thread else {}) | event, "event_id": f"Ev{next(_numbers)}",
        "event_time": 1700000000, "is_ext_shared_channel": False,
        "authorizations": [{"team_id": TEAM, "enterprise_id": None, "user_id": "UBOT", "is_bot": True}],
    }  # fmt: skip


DIRECT = {"channel": {"id": "D1", "name": "directmessage"}}  # of a press below a direct message


def click(
    action: str, value: str, *, user: str = "UBOB", team: str = TEAM, card: str = CARD, respond: str = ""
) -> Payload:
    """A press of a button under a card, which the bot posted as it is seen."""
    shown = posted(action, value)
    is_one_persons = value.count(":") > 1  # then it is sealed already
    pressed = value if is_one_persons else shown.blocks[-1]["elements"][0]["value"]
    return {
        "type": "block_actions", "token": "legacy", "api_app_id": APP, "enterprise": None,
        "is_enterprise_install": False,
        "user": {"id": user, "username": user[1:].lower(), "name": user[1:].lower(), "team_id": team},
        "container": {"type": "message", "message_ts": card, "channel_id": CHANNEL, "is_ephemeral": False},
        "trigger_id": f"{next(_numbers)}.2.bb", "team": {"id": TEAM, "domain": "lab"},
        "channel": {"id": CHANNEL, "name": "incident"},
        "message": {"type": "message", "user": "UBOT", "bot_id": "BBOT", "ts": card, "thread_ts": card,
                    "text": shown.text, "blocks": [*shown.blocks]},
        "state": {"values": {}}, "response_url": respond,
        "actions": [
            {
                "action_id": action, "block_id": "buttons", "type": "button",
                "value": pressed,
                "text": {"type": "plain_text", "text": action}, "action_ts": "1700000000.500000",
            }
        ],
    }  # fmt: skip


def posted(*pressed: str, head: str = "MASK cron.service on web-01?") -> Text:
    """A message of the bot with one button, as its edge sends it."""
    action, value = pressed
    button = {"type": "button", "action_id": action, "value": value, "text": plain_text(action, LABEL)}
    return seal_card(message(head, {"type": "actions", "block_id": "buttons", "elements": [button]}), keys=KEYS)


def for_one(user: str, action: str, value: str, where: str = CHANNEL) -> str:
    """The value of a button that this person alone sees, in an answer or on their page."""
    button = {"type": "button", "action_id": action, "value": value}
    row: dict[str, Any] = {"type": "actions", "elements": [button]}
    (row,) = seal_buttons([row], user=user, where=where, now=datetime.now(UTC), keys=KEYS)
    return str(row["elements"][0]["value"])


def at_home(action: str, value: str, *, user: str = "UBOB", team: str = TEAM) -> Payload:
    """A press of a button on somebody's own page: there is no message, no channel, and no response_url."""
    pressed = click(action, for_one(user, action, value, "home"), user=user, team=team)
    view: Payload = {
        "id": "V1",
        "type": "home",
        "callback_id": "home",
        "app_id": APP,
        "bot_id": "BBOT",
        "team_id": TEAM,
    }
    view |= {"private_metadata": "", "hash": "1.x", "state": {"values": {}}, "blocks": []}
    left_out = ("channel", "message", "response_url", "state")
    kept = {key: value for key, value in pressed.items() if key not in left_out}
    return kept | {"container": {"type": "view", "view_id": "V1"}, "view": view}


def home_opened(*, user: str = "UBOB", team: str = TEAM, tab: str = "home") -> Payload:
    """Somebody looks at the bot's own pages."""
    event = {"type": "app_home_opened", "user": user, "channel": "D1", "tab": tab, "event_ts": "1700000000.000300"}
    return {
        "token": "legacy", "team_id": team, "api_app_id": APP, "type": "event_callback", "event": event,
        "event_id": f"Ev{next(_numbers)}", "event_time": 1700000000,
    }  # fmt: skip


def channel_event(kind: str, *, channel: str = CHANNEL, team: str = TEAM, **event: Any) -> Payload:
    """A channel became shared with another organisation, or is no longer."""
    told = {"type": kind, "channel": channel, "connected_team_id": "TOTHER", "event_ts": "1700000000.000300"}
    return {
        "token": "legacy", "team_id": team, "api_app_id": APP, "type": "event_callback", "event": told | event,
        "event_id": f"Ev{next(_numbers)}", "event_time": 1700000000,
    }  # fmt: skip


def shortcut(
    callback: str, message: Mapping[str, Any] | None = None, *, user: str = "UALICE", team: str = TEAM
) -> Payload:
    """A shortcut, used on a message or from anywhere."""
    about = {"message_ts": message["ts"], "channel": {"id": CHANNEL, "name": "incident"}} if message else {}
    return {
        "type": "message_action" if message else "shortcut", "token": "legacy", "api_app_id": APP, "enterprise": None,
        "is_enterprise_install": False, "action_ts": "1700000000.500000", "callback_id": callback,
        "team": {"id": TEAM, "domain": "lab"}, "trigger_id": f"{next(_numbers)}.4.dd",
        "user": {"id": user, "username": user[1:].lower(), "name": user[1:].lower(), "team_id": team},
        **about, **({"message": {"type": "message", "user": "UCAROL", **message}} if message else {}),
    }  # fmt: skip


def opened_for(user: str, form: Mapping[str, Any]) -> str:
    """The note of a form of ours as it would be, had this person opened it; somebody else's note stays as it is."""
    note = json.loads(form["private_metadata"] or "{}")
    if "mac" not in note:
        return str(form["private_metadata"])
    own = {name: text for name, text in note.items() if name not in ("at", "kid", "mac")}
    return seal_note(own, form=form["callback_id"], user=user, now=datetime.now(UTC), keys=KEYS)


def submission(form: Mapping[str, Any], values: Mapping[str, Any], *, user: str = "UBOB", team: str = TEAM) -> Payload:
    """The form that was opened, sent off with these values by block id, each as Slack has it for its element."""
    state = {block["block_id"]: block["element"] for block in form["blocks"] if block["type"] == "input"}
    return {
        "type": "view_submission", "token": "legacy", "api_app_id": APP, "enterprise": None,
        "team": {"id": TEAM, "domain": "lab"}, "trigger_id": f"{next(_numbers)}.3.cc", "response_urls": [],
        "user": {"id": user, "username": user[1:].lower(), "name": user[1:].lower(), "team_id": team},
        "view": {
            "id": f"V{next(_numbers)}", "team_id": TEAM, "type": "modal", "hash": "1.x", "app_id": APP,
            "bot_id": "BBOT",
            "callback_id": form["callback_id"], "private_metadata": opened_for(user, form),
            **{part: form.get(part) for part in ("title", "submit", "close", "blocks")},
            "state": {
                "values": {
                    block: {element["action_id"]: _element(element, values.get(block))}
                    for block, element in state.items()
                }
            },
        },
    }  # fmt: skip


def typing(field: str, typed: str, form: Mapping[str, Any], *, user: str = "UALICE", team: str = TEAM) -> Payload:
    """Somebody types into a list of this form; Slack sends no state of the other fields (java-slack-sdk#1292)."""
    sent = submission(form, {}, user=user, team=team)
    view = {**sent["view"], "hash": "1.x", "state": {"values": {}}}
    container = {"type": "view", "view_id": view["id"]}
    about = {"block_id": field, "action_id": field, "value": typed, "container": container, "view": view}
    return (
        {key: value for key, value in sent.items() if key not in ("trigger_id", "response_urls")}
        | about
        | {"type": "block_suggestion"}
    )


def choice(
    field: str,
    chosen: str,
    form: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    user: str = "UALICE",
    team: str = TEAM,
) -> Payload:
    """Something was chosen in a list of this form, while those values stood in the others."""
    sent = submission(form, {**values, field: chosen}, user=user, team=team)
    action = {"block_id": field, "action_id": field, "type": "multi_static_select", "action_ts": "1700000000.500000"}
    return {key: value for key, value in sent.items() if key != "response_urls"} | {
        "type": "block_actions",
        "container": {"type": "view", "view_id": sent["view"]["id"]},
        "actions": [action | {"selected_options": [{"value": chosen}]}],
    }


def _element(element: Mapping[str, Any], value: Any) -> Payload:
    match element["type"]:
        case "checkboxes":
            return {"type": "checkboxes", "selected_options": [{"value": one} for one in value or ()]}
        case "multi_static_select" | "multi_external_select" as kind:
            chosen = [value] if isinstance(value, str) else value or ()
            return {"type": kind, "selected_options": [{"value": one} for one in chosen]}
        case "static_select" | "external_select" | "radio_buttons" as kind:
            return {"type": kind, "selected_option": {"value": value} if value else None}
        case "conversations_select" as kind:
            return {"type": kind, "selected_conversation": value or None}
        case "users_select":
            return {"type": "users_select", "selected_user": value or None}
        case kind:
            return {"type": kind, "value": value or None}
