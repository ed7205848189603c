"""Complete a form's input: real Slack sends initial values and requires some fields, the stand-in does not."""

from collections.abc import Callable, Iterator, Mapping

from tests.lab.slack.workspace import Json

Values = dict[str, dict[str, Json]]  # by block_id, then action_id
MISSING = "Please complete this required field."


def complete(view: Json, given: Values) -> tuple[Values, dict[str, str]]:
    """All values of the form, untouched fields with what they started with; and what is missing, by block_id."""
    values = {block: {action: dict(value) for action, value in part.items()} for block, part in given.items()}
    missing = {}
    for block, element in inputs(view):
        value = values.setdefault(block["block_id"], {}).setdefault(element["action_id"], {"type": element["type"]})
        key = key_of(element)
        if value.get(key) is None:
            value[key] = _initial(element, key)
        if value[key] in (None, "", []) and not block.get("optional"):
            missing[block["block_id"]] = MISSING
    return values, missing


def filled(view: Json, answers: Mapping[str, str | list[str]], offered: Callable[[Json], list[Json]]) -> Values:
    """Values from plain answers, by action_id or block_id; an option is named by its text or its value.

    `offered` says what can be chosen in a block whose list the bot fills.
    """
    values: Values = {}
    left = dict(answers)
    for block, element in inputs(view):
        for name in (element["action_id"], block["block_id"]):
            if name in left:
                answer = left.pop(name)
                listed = {"options": offered(block)} if element["type"].endswith("external_select") else {}
                values[block["block_id"]] = {
                    element["action_id"]: {"type": element["type"], key_of(element): _chosen(element | listed, answer)}
                }
    if left:
        known = [element["action_id"] for _, element in inputs(view)]
        raise LookupError(f"the form asks for {known}, not for {list(left)}")
    return values


def inputs(view: Json) -> Iterator[tuple[Json, Json]]:
    """The input blocks with their elements."""
    for block in view.get("blocks", []):
        if block["type"] == "input":
            yield block, block["element"]


def key_of(element: Json) -> str:
    """The key of an element's value in view_submission."""
    match element["type"]:
        case "checkboxes" | "multi_static_select" | "multi_external_select":
            return "selected_options"
        case "static_select" | "external_select" | "radio_buttons":
            return "selected_option"
        case "users_select" | "conversations_select" | "channels_select" as kind:
            return f"selected_{kind.removesuffix('s_select')}"
        case "datepicker":
            return "selected_date"
        case "timepicker":
            return "selected_time"
        case _:
            return "value"


def _initial(element: Json, key: str) -> object:
    empty: object = [] if key == "selected_options" else None
    return element.get(key.replace("selected", "initial") if key != "value" else "initial_value", empty)


def _chosen(element: Json, answer: str | list[str]) -> object:
    match key_of(element):
        case "selected_options":
            return [option(element, one) for one in ([answer] if isinstance(answer, str) else answer)]
        case "selected_option":
            return option(element, str(answer))
        case _:
            return answer


def option(element: Json, wanted: str) -> Json:
    """One option of an element, by its text or its value."""
    groups = element.get("option_groups") or [{"options": element.get("options", [])}]
    everything: list[Json] = [one for group in groups for one in group["options"]]
    for one in everything:
        if wanted in (one["text"]["text"], one["value"]):
            return one
    raise LookupError(f"{wanted!r} is none of {[one['text']['text'] for one in everything]}")
