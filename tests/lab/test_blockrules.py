"""The limits of Block Kit, each with the last valid value and one beyond it."""

from typing import Any

import pytest

from tests.lab.slack.blockrules import check, check_options, check_view, total

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def section(**keys: Any) -> Json:
    return {"type": "section", **(keys or {"text": plain("x")})}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def button(**keys: Any) -> Json:
    return {"type": "button", "text": plain("Approve"), **keys}


def options(number: int, text: int = 1, value: int = 1) -> list[Json]:
    return [{"text": plain("o" * text), "value": f"{n}".rjust(value, "v")} for n in range(number)]


def menu(kind: str, **keys: Any) -> Json:
    return {"type": kind, "action_id": "menu", **keys}


def asking(element: Json, **keys: Any) -> Json:
    return {"type": "input", "label": plain("Reason"), "element": element, **keys}


def confirmed(**keys: Any) -> Json:
    dialog = {"title": plain("t"), "text": plain("x"), "confirm": plain("y"), "deny": plain("n")}
    return actions(button(confirm={**dialog, **keys}))


def modal(**keys: Any) -> Json:
    return {"type": "modal", "title": plain("Ask"), "blocks": [section()], **keys}


def image(length: int) -> Json:
    return {"type": "image", "image_url": "https://example.org/x.png", "alt_text": "a" * length}


AT_THE_LIMIT = [
    pytest.param(lambda n: [section()] * n, 50, id="blocks"),
    pytest.param(lambda n: [section(text=plain("x" * n))], 3000, id="section text"),
    pytest.param(lambda n: [section(fields=[plain("x")] * n)], 10, id="fields"),
    pytest.param(lambda n: [section(fields=[plain("x" * n)])], 2000, id="field"),
    pytest.param(lambda n: [section(block_id="b" * n, text=plain("x"))], 255, id="block_id"),
    pytest.param(lambda n: [{"type": "header", "text": plain("x" * n)}], 150, id="header"),
    pytest.param(lambda n: [{"type": "context", "elements": [plain("x")] * n}], 10, id="context elements"),
    pytest.param(lambda n: [{"type": "markdown", "text": "x" * n}], 12_000, id="markdown"),
    pytest.param(lambda n: [image(n)], 2000, id="alt_text"),
    pytest.param(lambda n: [actions(*[button()] * n)], 25, id="actions elements"),
    pytest.param(lambda n: [actions(button(text=plain("x" * n)))], 75, id="button text"),
    pytest.param(lambda n: [actions(button(value="x" * n))], 2000, id="button value"),
    pytest.param(lambda n: [actions(button(url="x" * n))], 3000, id="button url"),
    pytest.param(lambda n: [actions(button(action_id="x" * n))], 255, id="action_id"),
    pytest.param(lambda n: [actions(button(accessibility_label="x" * n))], 75, id="accessibility_label"),
    pytest.param(lambda n: [confirmed(title=plain("x" * n))], 100, id="confirm title"),
    pytest.param(lambda n: [confirmed(text=plain("x" * n))], 300, id="confirm text"),
    pytest.param(lambda n: [confirmed(confirm=plain("x" * n))], 30, id="confirm button"),
    pytest.param(lambda n: [confirmed(deny=plain("x" * n))], 30, id="deny button"),
    pytest.param(lambda n: [actions(menu("static_select", options=options(n)))], 100, id="options"),
    pytest.param(lambda n: [actions(menu("static_select", options=options(1, text=n)))], 75, id="option text"),
    pytest.param(lambda n: [actions(menu("static_select", options=options(1, value=n)))], 150, id="option value"),
    pytest.param(lambda n: [actions(menu("overflow", options=options(n)))], 5, id="overflow options"),
    pytest.param(lambda n: [actions(menu("checkboxes", options=options(n)))], 10, id="checkboxes"),
    pytest.param(lambda n: [actions(menu("radio_buttons", options=options(n)))], 10, id="radio buttons"),
    pytest.param(lambda n: [asking(menu("plain_text_input"), hint=plain("x" * n))], 2000, id="hint"),
    pytest.param(lambda n: [asking(menu("plain_text_input", max_length=n))], 3000, id="max_length"),
    pytest.param(lambda n: [{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]] * n}], 100, id="rows"),
]


@pytest.mark.parametrize(("made", "most"), AT_THE_LIMIT)
def test_a_limit_is_where_slack_says_it_is(made: Any, most: int) -> None:
    assert check(made(most)) == []
    assert len(check(made(most + 1))) == 1


@pytest.mark.parametrize(
    ("made", "most"),
    [
        pytest.param(lambda n: modal(blocks=[section()] * n), 100, id="blocks"),
        pytest.param(lambda n: modal(title=plain("x" * n)), 24, id="title"),
        pytest.param(lambda n: modal(submit=plain("x" * n)), 24, id="submit"),
        pytest.param(lambda n: modal(close=plain("x" * n)), 24, id="close"),
        pytest.param(lambda n: modal(private_metadata="x" * n), 3000, id="private_metadata"),
        pytest.param(lambda n: modal(callback_id="x" * n), 255, id="callback_id"),
    ],
)
def test_a_form_has_limits_of_its_own(made: Any, most: int) -> None:
    assert check_view(made(most)) == []
    assert len(check_view(made(most + 1))) == 1


@pytest.mark.parametrize(
    ("blocks", "complaint"),
    [
        ("text", "not a list"),
        (["text"], "not an object"),
        ([{"type": "carousel"}], "is no block"),
        ([{"type": "section"}], "neither text nor fields"),
        ([section(text="plain string")], "no text object"),
        ([section(text=plain(""))], "must not be empty"),
        ([section(text={"type": "markdown", "text": "x"})], "must be plain_text or mrkdwn"),
        ([section(text={"type": "mrkdwn", "text": "x", "emoji": True})], "invalid additional property: emoji"),
        ([section(text=plain("x"), elements=[])], "invalid additional property: elements"),
        ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "must be plain_text"),
        ([{"type": "context", "elements": []}], "empty or missing"),
        ([actions()], "empty or missing"),
        ([actions(button(style="warning"))], "neither primary nor danger"),
        ([actions(button(action_id="a"), button(action_id="a"))], "used 2 times"),
        ([actions(menu("plain_text_input"))], "is not allowed here"),
        ([actions(menu("static_select"))], "one of options and option_groups"),
        ([actions(menu("overflow", options=options(2), initial_option=options(3)[2]))], "not one of the options"),
        ([section(block_id="a", text=plain("x")), {"type": "divider", "block_id": "a"}], "used 2 times"),
        ([{"type": "image", "image_url": "https://example.org/x.png"}], "alt_text: missing"),
        ([asking(menu("button"))], "is not allowed here"),
        ([asking(menu("external_select", options=options(1)))], "invalid additional property: options"),
        ([asking(menu("external_select", min_query_length=-1))], "is no number of characters"),
        ([asking(menu("external_select", initial_option={"text": plain("a")}))], "value: missing"),
        ([asking(menu("conversations_select", filter={"include": ["others"]}))], "nothing that there is"),
        ([asking(menu("conversations_select", initial_option=options(1)[0]))], "property: initial_option"),
    ],
)
def test_what_is_no_block_kit_is_named(blocks: Any, complaint: str) -> None:
    (said,) = check(blocks)
    assert complaint in said


@pytest.mark.parametrize("answer", [{"options": []}, {"options": options(100)}, {"option_groups": []}])
def test_a_list_that_was_asked_for_has_up_to_a_hundred_options(answer: Json) -> None:
    assert check_options(answer) == []


@pytest.mark.parametrize("answer", [{}, None, {"options": options(101)}, {"options": options(1), "option_groups": []}])
def test_what_is_no_list_is_named(answer: Any) -> None:
    assert len(check_options(answer)) == 1


def test_a_form_with_inputs_needs_a_way_to_send_it() -> None:
    assert check_view(modal(blocks=[asking(menu("plain_text_input"))])) == [
        "view.submit: missing, and the form has inputs"
    ]


def test_a_home_tab_needs_no_title() -> None:
    assert check_view({"type": "home", "blocks": [section()]}) == []


def test_the_text_of_all_blocks_is_counted_together() -> None:
    blocks = [section(text=plain("12345"), fields=[plain("67"), plain("89")]), actions(button(value="not shown"))]
    assert total(blocks) == 9 + len("Approve")
