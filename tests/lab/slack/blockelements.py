"""Validate the parts of blocks: texts, buttons, menus, inputs, each with its documented limits."""

from collections.abc import Callable, Iterator, Mapping, Set
from typing import Any

Json = dict[str, Any]
Rule = Callable[[str, Json], Iterator[str]]

# Not one of ours is absent from the messages or forms of Slack's reference; workflow_button and the like are left out.
_SELECTS = {f"{kind}_select" for kind in ("static", "external", "users", "conversations", "channels")}
_MULTI = {f"multi_{name}" for name in _SELECTS}
_CLICKS = {"button", "checkboxes", "datepicker", "datetimepicker", "overflow", "radio_buttons", "timepicker"} | _SELECTS
_TYPED = {"plain_text_input", "rich_text_input", "email_text_input", "url_text_input", "number_input", "file_input"}
ACTIONS = frozenset(_CLICKS)
ACCESSORY = frozenset(_CLICKS | _MULTI | {"image"})
INPUT = frozenset((_CLICKS | _MULTI | _TYPED) - {"button", "overflow"})


def at_most(where: str, value: object, limit: int) -> Iterator[str]:
    """A string up to that length."""
    if not isinstance(value, str):
        yield f"{where}: not a string"
    elif len(value) > limit:
        yield f"{where}: {len(value)} characters, at most {limit}"


def count(where: str, items: object, limit: int | None) -> Iterator[str]:
    """A list of one or more, up to the limit."""
    if not isinstance(items, list) or not items:
        yield f"{where}: empty or missing"
    elif limit is not None and len(items) > limit:
        yield f"{where}: {len(items)} of them, at most {limit}"


def extra(where: str, thing: Json, known: Set[str]) -> Iterator[str]:
    """Slack refuses unknown properties ("invalid additional property")."""
    yield from (f"{where}: invalid additional property: {key}" for key in thing if key not in known)


def ident(where: str, thing: Json, key: str) -> Iterator[str]:
    """block_id, action_id, callback_id: 255 characters, and not empty where given."""
    if key in thing:
        yield from at_most(f"{where}.{key}", thing[key], 255)
        if thing[key] == "":
            yield f"{where}.{key}: empty"


def text(where: str, thing: object, limit: int, *, only: str = "") -> Iterator[str]:
    """A text object of 1 to `limit` characters."""
    if not isinstance(thing, dict):
        yield f"{where}: no text object"
        return
    kind = thing.get("type")
    if kind not in {"plain_text", "mrkdwn"} or (only and kind != only):
        yield f"{where}.type: {kind!r}, must be {only or 'plain_text or mrkdwn'}"
    yield from extra(where, thing, {"type", "text", "emoji" if kind == "plain_text" else "verbatim"})
    if not thing.get("text"):
        yield f"{where}.text: must not be empty"
    else:
        yield from at_most(f"{where}.text", thing["text"], limit)


def image(where: str, thing: Json) -> Iterator[str]:
    """An image, as a block or as an element, with the words that stand for it."""
    if not isinstance(thing.get("alt_text"), str) or not thing["alt_text"]:
        yield f"{where}.alt_text: missing"
    else:
        yield from at_most(f"{where}.alt_text", thing["alt_text"], 2000)
    if ("image_url" in thing) == ("slack_file" in thing):
        yield f"{where}: one of image_url and slack_file"
    if "image_url" in thing:
        yield from at_most(f"{where}.image_url", thing["image_url"], 3000)


def check(where: str, thing: object, allowed: Set[str]) -> Iterator[str]:
    """An interactive element, where only some are allowed."""
    if not isinstance(thing, dict):
        yield f"{where}: no element"
        return
    kind = str(thing.get("type"))
    if kind not in allowed:
        yield f"{where}.type: {kind!r} is not allowed here"
        return
    if kind != "image":
        yield from ident(where, thing, "action_id")
    if "confirm" in thing:
        yield from _confirm(f"{where}.confirm", thing["confirm"])
    if "placeholder" in thing:
        yield from text(f"{where}.placeholder", thing["placeholder"], 150, only="plain_text")
    if kind in RULES:
        yield from RULES[kind](where, thing)


def _confirm(where: str, thing: object) -> Iterator[str]:
    if not isinstance(thing, dict):
        yield f"{where}: no confirmation"
        return
    yield from extra(where, thing, {"title", "text", "confirm", "deny", "style"})
    for key, limit in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
        yield from text(f"{where}.{key}", thing.get(key), limit, only="" if key == "text" else "plain_text")


def _button(where: str, thing: Json) -> Iterator[str]:
    known = {"type", "text", "action_id", "url", "value", "style", "confirm", "accessibility_label"}
    yield from extra(where, thing, known)
    yield from text(f"{where}.text", thing.get("text"), 75, only="plain_text")
    for key, limit in (("value", 2000), ("url", 3000), ("accessibility_label", 75)):
        if key in thing:
            yield from at_most(f"{where}.{key}", thing[key], limit)
    if thing.get("style", "primary") not in {"primary", "danger"}:
        yield f"{where}.style: {thing['style']!r} is neither primary nor danger"


def _option(where: str, thing: object, *, limit: int = 75) -> Iterator[str]:
    if not isinstance(thing, dict):
        yield f"{where}: no option"
        return
    yield from extra(where, thing, {"text", "value", "description", "url"})
    yield from text(f"{where}.text", thing.get("text"), limit)
    if not thing.get("value"):
        yield f"{where}.value: missing"
    else:
        yield from at_most(f"{where}.value", thing["value"], 150)
    if "description" in thing:
        yield from text(f"{where}.description", thing["description"], 75)


def _options(limit: int) -> Rule:
    def rule(where: str, thing: Json) -> Iterator[str]:
        options = thing.get("options")
        yield from count(f"{where}.options", options, limit)
        for number, option in enumerate(options if isinstance(options, list) else ()):
            yield from _option(f"{where}.options[{number}]", option)
        initial = [thing["initial_option"]] if "initial_option" in thing else thing.get("initial_options", [])
        if any(option not in (options or []) for option in initial):
            yield f"{where}: the initial option is not one of the options"

    return rule


def _menu(where: str, thing: Json) -> Iterator[str]:
    groups = thing.get("option_groups")
    if ("options" in thing) == (groups is not None):
        yield f"{where}: one of options and option_groups"
    elif groups is None:
        yield from _options(100)(where, thing)
    else:
        yield from count(f"{where}.option_groups", groups, 100)
        for number, group in enumerate(groups if isinstance(groups, list) else ()):
            place = f"{where}.option_groups[{number}]"
            yield from text(f"{place}.label", group.get("label"), 75, only="plain_text")
            yield from _options(100)(place, group)


def options(where: str, thing: Json) -> Iterator[str]:
    """The options that a bot returned: an empty list is valid, and no option is chosen initially."""
    if ("options" in thing) == ("option_groups" in thing):
        yield f"{where}: one of options and option_groups"
    for name in ("options", "option_groups"):
        if thing.get(name):
            yield from _menu(where, {name: thing[name]})


def _external(where: str, thing: Json) -> Iterator[str]:
    known = {"type", "action_id", "placeholder", "min_query_length", "confirm", "focus_on_load"}
    is_multi = thing.get("type") == "multi_external_select"
    yield from extra(
        where, thing, known | ({"initial_options", "max_selected_items"} if is_multi else {"initial_option"})
    )
    least = thing.get("min_query_length", 3)
    if not isinstance(least, int) or least < 0:
        yield f"{where}.min_query_length: {least!r} is no number of characters"
    if "initial_option" in thing:
        yield from _option(f"{where}.initial_option", thing["initial_option"])
    for number, option in enumerate(thing.get("initial_options", ())):
        yield from _option(f"{where}.initial_options[{number}]", option)


def _conversations(where: str, thing: Json) -> Iterator[str]:
    known = {"type", "action_id", "placeholder", "initial_conversation", "default_to_current_conversation"}
    yield from extra(where, thing, known | {"confirm", "response_url_enabled", "filter", "focus_on_load"})
    wanted = thing.get("filter", {"include": ["public"]})
    yield from extra(f"{where}.filter", wanted, {"include", "exclude_external_shared_channels", "exclude_bot_users"})
    if not set(wanted.get("include", ["im"])) <= {"im", "mpim", "private", "public"} or not wanted:
        yield f"{where}.filter: it includes nothing that there is"


def _typed(where: str, thing: Json) -> Iterator[str]:
    most = thing.get("max_length", 3000)
    if not isinstance(most, int) or not 1 <= most <= 3000:
        yield f"{where}.max_length: {most!r} is not between 1 and 3000"
    elif "initial_value" in thing:
        yield from at_most(f"{where}.initial_value", thing["initial_value"], most)


RULES: Mapping[str, Rule] = {
    "button": _button,
    "checkboxes": _options(10),
    "conversations_select": _conversations,
    "external_select": _external,
    "image": image,
    "multi_external_select": _external,
    "multi_static_select": _menu,
    "overflow": _options(5),
    "plain_text_input": _typed,
    "radio_buttons": _options(10),
    "static_select": _menu,
}
