"""Convert forms to what the stand-in's page can show, and its input back to Slack's payloads.

The page knows fields, menus and ticks. A list that the bot fills is shown as a field, under which the page's script
shows the options; a list of channels or people as a menu. Where Slack takes several options, the page takes one.
"""

from collections.abc import Mapping
from typing import Any

from tests.lab.slack import forms
from tests.lab.slack.views import Views
from tests.lab.slack.workspace import USERS, Json

Fields = Mapping[str, Any]  # by block id: a text, or the texts of what is ticked


def form(view: Json, rooms: Mapping[str, str]) -> Json:
    """The form as the page gets it."""
    return {**view, "blocks": [_block(block, rooms) for block in view.get("blocks", [])]}


def submitted_values(views: Views, values: forms.Values) -> forms.Values:
    """The page's input as Slack would send it: in a list only an offered option counts as chosen."""
    sent = {block: dict(part) for block, part in values.items()}
    for block, element in forms.inputs(views.top()):
        value = sent.get(block["block_id"], {}).get(element["action_id"])
        if value is not None:
            sent[block["block_id"]] = {element["action_id"]: _value(views, block, _visible_value(value))}
    return sent


def read(views: Views, fields: Fields) -> forms.Values:
    """The values that are visible on the page."""
    found: forms.Values = {}
    for block, element in forms.inputs(views.top()):
        if fields.get(block["block_id"]):
            found[block["block_id"]] = {element["action_id"]: _value(views, block, fields[block["block_id"]])}
    return found


def _block(block: Json, rooms: Mapping[str, str]) -> Json:
    """Slack itself writes `(optional)` behind a label, and fills a list of people itself."""
    element = block.get("element") or {}
    if block.get("optional"):
        label = block.get("label", {})
        block = {**block, "label": {**label, "text": f"{label.get('text', '')} (optional)"}}
    match element.get("type"):
        case "multi_static_select":
            menu = {"type": "static_select", "action_id": element["action_id"], "options": element["options"]}
            return {**block, "element": menu | ({"initial_option": first} if (first := _initial(element)) else {})}
        case "external_select" | "multi_external_select":
            initial = _initial(element).get("text", {}).get("text", "")
            hint = {"text": element.get("placeholder", {}).get("text", "Type to find it")}
            field = {"type": "plain_text_input", "action_id": element["action_id"], "asks": True, "placeholder": hint}
            return {**block, "element": field | {"initial_value": initial}}
        case "conversations_select":
            return _menu(block, {channel: f"#{name}" for channel, name in rooms.items()})
        case "users_select":
            return _menu(block, {user: name.title() for name, user in USERS.items()})
        case _:
            return block


def _initial(element: Json) -> Json:
    """The option that is chosen at first, or the first one of them; empty if none is."""
    several: list[Json] = element.get("initial_options") or [{}]
    one: Json = element.get("initial_option") or several[0]
    return one


def _menu(block: Json, named: Mapping[str, str]) -> Json:
    options = [{"text": {"text": name}, "value": value} for value, name in named.items()]
    element = {"type": "static_select", "action_id": block["element"]["action_id"], "options": options}
    return {**block, "element": element}


def _visible_value(value: Json) -> Any:
    """A field's content as a person sees it."""
    match value:
        case {"selected_options": options}:
            return [option["text"]["text"] for option in options]
        case {"selected_option": option}:
            return option["value"] if option else None
        case _:
            return value.get("value")


def _value(views: Views, block: Json, shown: Any) -> Json:
    element = block["element"]
    key = forms.key_of(element)
    if key in ("value", "selected_conversation", "selected_user"):
        return {"type": element["type"], key: shown or None}
    listed = views.options(block) if element["type"].endswith("external_select") else element["options"]
    wanted = shown if isinstance(shown, list) else [shown]
    chosen = [option for option in listed if {option["text"]["text"], option["value"]} & {*wanted}]
    return {"type": element["type"], key: chosen if key == "selected_options" else next(iter(chosen), None)}
