"""Payloads that the stand-in does not send: typing and choosing in a list of a form, and shortcuts.

As in Slack, the state of the other fields comes with a choice, but not with typing.
"""

import time
from uuid import uuid4

from tests.lab.slack import forms
from tests.lab.slack.views import Views
from tests.lab.slack.workspace import APP, TEAM, USERS, Json

_NAMES = {user: name for name, user in USERS.items()}


def typing(views: Views, user: str, block_id: str, typed: str) -> Json:
    """The envelope that asks for options."""
    view, (_, element) = views.top(), _field(views, block_id)
    if not element["type"].endswith("external_select"):
        raise LookupError(f"{block_id} is no list that the bot fills")
    about = {"type": "block_suggestion", "action_id": element["action_id"], "block_id": block_id, "value": typed}
    return _envelope(_of_view(user, view | {"state": {"values": {}}}) | about)


def choosing(views: Views, user: str, block_id: str, values: forms.Values) -> Json | None:
    """The envelope of a choice; None if the form does not dispatch it."""
    view, (block, element) = views.top(), _field(views, block_id)
    if not block.get("dispatch_action"):
        return None
    state, _ = forms.complete(view, values)
    about = {"action_id": element["action_id"], "block_id": block_id, "action_ts": f"{time.time():.6f}"}
    chosen = state[block_id][element["action_id"]]
    payload = {"type": "block_actions", "trigger_id": f"{uuid4().hex[:12]}.1.lab", "actions": [chosen | about]}
    return _envelope(_of_view(user, view | {"state": {"values": state}}) | payload)


def shortcut(user: str, callback_id: str, trigger: str, message: Json | None, channel: Json) -> Json:
    """The envelope of a shortcut, on a message of a channel or on none."""
    about = {"callback_id": callback_id, "trigger_id": trigger, "action_ts": f"{time.time():.6f}"}
    if message is None:
        return _envelope(_payload(user) | about | {"type": "shortcut"})
    where = {"channel": channel, "message_ts": message["ts"], "message": message}
    address = f"https://hooks.slack.example/app/{uuid4().hex}"
    return _envelope(_payload(user) | about | where | {"type": "message_action", "response_url": address})


def _field(views: Views, block_id: str) -> tuple[Json, Json]:
    found = next(((block, part) for block, part in forms.inputs(views.top()) if block["block_id"] == block_id), None)
    if found is None:
        raise LookupError(f"the form has no field {block_id}")
    return found


def _payload(user: str) -> Json:
    name = _NAMES.get(user, user)
    return {
        "user": {"id": user, "username": name, "name": name, "team_id": TEAM},
        "api_app_id": APP,
        "token": "verification-token",
        "team": {"id": TEAM, "domain": "maskbot-demo"},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _of_view(user: str, view: Json) -> Json:
    return _payload(user) | {"container": {"type": "view", "view_id": view["id"]}, "view": view}


def _envelope(payload: Json) -> Json:
    accepts = payload["type"] == "block_suggestion"
    return {
        "envelope_id": str(uuid4()),
        "type": "interactive",
        "accepts_response_payload": accepts,
        "payload": payload,
    }
