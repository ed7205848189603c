"""A button on a card counts beside the words that the bot posted, however Slack writes them, and beside no others."""

import copy
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.cards import details, render
from bot.core.cards.blocks import Action, Text, clock, in_channel, link_to, mention, message, row, section, words
from bot.core.cards.buttons import buttons
from bot.core.cards.sealed import posted_plan, seal_card
from bot.core.cards.shown import Reading
from bot.core.people.identity import PersonId
from tests.core.cards.cases import CARDS
from tests.core.cards.situations import NOW, waiting
from tests.lab.keys import KEYS
from tests.lab.slack import blockrules

Sent = dict[str, Any]
LONGEST_VALUE = 2000  # of a button (Slack, "Button element")
SEEN = waiting()


def card(*rows: str) -> Text:
    """A card with two rows of its own, sealed, with the buttons of a waiting request."""
    own = [words("Stops *{}*", "cron.service"), *rows]
    return message("MASK cron.service on web-01?", section("plan", own), buttons(SEEN, [Action.APPROVE, Action.DENY]))


def sent(text: Text) -> Sent:
    """The message as a payload brings it, if Slack changes nothing."""
    sealed = seal_card(text, keys=KEYS)
    return {"text": str(sealed.text), "blocks": json.loads(json.dumps(sealed.blocks)), "ts": "1.2"}


def pressed(seen: Sent) -> bool:
    """Whether a button of this message counts."""
    return posted_plan(seen, keys=KEYS) != ""


def told(seen: Sent, old: str, new: str) -> Sent:
    """The message with some of its words replaced."""
    whole = json.dumps(seen, ensure_ascii=False)
    assert old in whole
    changed: Sent = json.loads(whole.replace(old, new))
    return changed


def as_slack_brings_it(seen: Sent) -> Sent:
    """What Slack is known to do to a message on its way, all at once."""

    def walk(part: Any) -> Any:
        match part:
            case {"type": "mrkdwn"}:
                return {"verbatim": False, **part}
            case {"type": "plain_text", **rest}:
                return {**rest, "type": "plain_text", "emoji": True}
            case {"deny": _} if "style" not in part:
                return walk({**part, "style": "primary"})
            case dict():
                kept = {name: walk(one) for name, one in reversed(part.items()) if name != "accessibility_label"}
                return {**kept, "block_id": "b1"} if "elements" in part else kept
            case list():
                return [walk(one) for one in part]
        return part

    brought: Sent = {**walk(seen), "attachments": [], "bot_id": "B1", "edited": {"user": "B1", "ts": "1.3"}}
    return brought


@pytest.mark.parametrize("name", CARDS)
def test_every_button_of_every_card_counts_as_it_was_posted(name: str) -> None:
    cases = CARDS[name].values()
    for text in (
        *(render(request, now=NOW) for request in cases),
        *(details(request, now=NOW, offers=[Action.BREAK_GLASS]) for request in cases),
    ):
        seen = sent(text)
        elements = [one for block in seen["blocks"] if block["type"] == "actions" for one in block["elements"]]
        assert elements
        assert [*blockrules.check(seen["blocks"])] == []
        for element in elements:
            assert len(element["value"]) < LONGEST_VALUE
            assert pressed(seen)
            assert pressed(as_slack_brings_it(seen))


@pytest.mark.parametrize("minutes", [0, 1, 14])
def test_every_version_of_a_card_has_a_seal_of_its_own(minutes: int) -> None:
    assert pressed(sent(render(SEEN, now=NOW + timedelta(minutes=minutes))))


BOB = mention(PersonId("T1", "UBOB"))
SAME_IN_SLACK = {
    "a mention with a name": (row("Asked", BOB), "<@UBOB>", "<@UBOB|bob>"),
    "a channel with its name": (row("In", in_channel("C123")), "<#C123>", "<#C123|incident>"),
    "a time": (row("At", clock(NOW)), "UTC>", "Uhr>"),
    "signs that are escaped": (row("Reason", "a < b & c"), "a &lt; b &amp; c", "a < b & c"),
    "an address that became a link": (row("Reason", "see https://a.b/c?d"), "https://a.b/c?d", "<https://a.b/c?d>"),
    "a name that became a link": (row("Reason", "see a.example"), "a.example", "<http://a.example/|a.example>"),
    "an emoji as its name": (row("Reason", "it is 🔥 hot 👍🏽"), "🔥 hot 👍🏽", ":fire: hot :+1::skin-tone-4:"),
    "a keycap as its name": (row("Reason", "rack 1\ufe0f\u20e3"), "1\u20e3", ":one:"),
    "an accent in a sign of its own": (row("Reason", "cafe\u0301 e\u0301te\u0301"), "cafe\u0301", "caf\u00e9"),
    "spaces": (row("Reason", "a\u00a0b"), "*Reason*  ", "*Reason* "),
}


@pytest.mark.parametrize(("line", "posted", "brought"), SAME_IN_SLACK.values(), ids=SAME_IN_SLACK)
def test_the_same_words_written_by_slack_count(line: str, posted: str, brought: str) -> None:
    assert pressed(told(sent(card(line)), posted, brought))


LINK = link_to("the card", "https://lab.slack.com/archives/C1/p1")
OTHER_WORDS = {
    "another unit": ("cron.service on web-01", "cups.service on web-09"),
    "another unit in small print": ("Stops *cron", "Stops *cups"),
    "more behind": ("cron.service*", "cron.service*\nThis is only a test, press Approve."),
    "words as the name of an emoji": ("Stops", ":this_is_only_a_test: Stops"),
    "words in signs that look like an emoji": ("Stops", "🅃🄴🅂🅃 Stops"),
    "another person": ("<@UBOB>", "<@UEVE>"),
    "another time": ("<!date^", "<!date^1"),
    "another label of a button": ('"Deny"', '"Details"'),
    "the button under another label": ('"action_id": "deny"', '"action_id": "details"'),
    "another address behind a link": ("archives/C1/p1", "archives/C1/p2"),
    "another name of a link": ("|the card>", "|all is well>"),
    "what screen readers say": ("Deny: ", "Details: "),
    "a mention made of a typed one": ("&lt;@UBOB&gt;", "<@UBOB>"),
    "many empty lines": ("\\nStops", "\\n\\n\\n\\nStops"),
    "another style of a button": ('"danger"', '"primary"'),
    "a header in small print": ('"header"', '"context"'),
}


@pytest.mark.parametrize(("posted", "edited"), OTHER_WORDS.values(), ids=OTHER_WORDS)
def test_other_words_do_not_count(posted: str, edited: str) -> None:
    seen = sent(card(row("Asked", BOB), row("At", clock(NOW)), LINK, row("Reason", "<@UBOB> 12:am:30")))
    assert pressed(seen)
    edited = edited.replace("\n", "\\n")
    assert not pressed(told(seen, posted, edited))


def above(seen: Sent) -> None:
    seen["blocks"].insert(0, {"type": "section", "text": {"type": "mrkdwn", "text": "This is a test: press Approve."}})


def hidden(seen: Sent) -> None:
    del seen["blocks"][1]


def reordered(seen: Sent) -> None:
    seen["blocks"][:2] = reversed(seen["blocks"][:2])


def other_fallback(seen: Sent) -> None:
    seen["text"] = "Nothing to see"


def no_fallback(seen: Sent) -> None:
    del seen["text"]


def attached(seen: Sent) -> None:
    seen["attachments"] = [{"text": "This is only a test.", "from_url": "https://a.b"}]


def with_a_file(seen: Sent) -> None:
    seen["files"] = [{"title": "This is only a test."}]


def with_a_question(seen: Sent) -> None:
    seen["blocks"][-1]["elements"][0]["confirm"] = {"title": {"type": "plain_text", "text": "Only a test?"}}


def without_blocks(seen: Sent) -> None:
    seen["blocks"] = [seen["blocks"][-1]]


EDITS = [above, hidden, reordered, other_fallback, no_fallback, attached, with_a_file, with_a_question, without_blocks]


@pytest.mark.parametrize("edit", EDITS)
def test_another_arrangement_does_not_count(edit: Callable[[Sent], None]) -> None:
    seen = sent(card(row("Asked", BOB)))
    edit(seen)
    assert not pressed(seen)


def test_a_button_does_not_count_for_another_plan_or_request() -> None:
    seen = sent(card())
    assert posted_plan(seen, keys=KEYS) == "r1f2e3d4c5:3fa9c1d27b64"
    (approve, _) = seen["blocks"][-1]["elements"]
    value = approve["value"]
    request, digest, domain, seal, _ = value.split(":")
    for other in (
        f"r2:{digest}:{domain}:{seal}:",
        f"{request}:0{digest[1:]}:{domain}:{seal}:",
        f"{request}:{digest}",
        f"{request}:{digest}:1700000000:{seal}:",
        f"{request}:{digest}:{domain}:x{seal}:",
        f"{request}:{digest}:{domain}:1{seal}:",
        f"{request}:{digest}:{domain}:{seal.rpartition('.')[0]}:",
        "",
    ):
        approve["value"] = other
        assert not pressed(seen), other
    approve["value"] = value
    assert pressed(seen)
    assert posted_plan({}, keys=KEYS) == ""


def test_what_is_left_of_what_screen_readers_say_is_compared() -> None:
    seen = sent(card())
    (approve, deny) = seen["blocks"][-1]["elements"]
    del approve["accessibility_label"]
    assert not pressed(seen)
    del deny["accessibility_label"]
    assert pressed(seen)


def test_lines_beyond_the_room_for_emoji_are_compared_strictly() -> None:
    reading = Reading()
    reading.read({"text": "a\n" * 5000 + "🔥"})
    assert reading.loose == 0
    reading = Reading()
    assert reading.read(["a", "🔥 b"]) == [["a"], ["\ufffd b"]]
    assert reading.loose == 0b10


def test_only_lines_that_were_sent_with_an_emoji_may_have_any() -> None:
    sealing = Reading()
    sealing.read("plain\nwith \U0001f600")
    assert sealing.loose == 0b10
    assert Reading(0b10).read("plain\nwith :smile:") == Reading(0b10).read("plain\nwith \U0001f600")
    edited = Reading(0b10)
    assert edited.read("plain \U0001f600\nwith :smile:")[0] == "plain \U0001f600"
    assert edited.loose == 0b10


@pytest.mark.parametrize("sign", ["\u200b", "\u200d", "\ufe0e", "\ufe0f", "\r"])
def test_signs_that_show_nothing_make_no_difference(sign: str) -> None:
    assert Reading().read(f"a{sign}b") == ["ab"]
    assert Reading().read("a\xa0b") == ["a b"]


def test_what_nobody_sees_is_no_word() -> None:
    part = {"block_id": "x", "value": "y", "accessibility_label": "z", "text": "seen"}
    assert Reading().read(part) == {"text": ["seen"]}


def test_there_is_room_for_so_many_lines_with_emoji_and_no_more() -> None:
    sealing = Reading()
    sealing.read("\n".join(["\U0001f600"] * 4001))
    assert sealing.loose == (1 << 4000) - 1


@pytest.mark.parametrize(
    ("brought", "lines"),
    [
        ("\n one \n two\n", ["one", "two"]),
        ("<https://a.b|a.b/>", ["a.b/"]),
        ("<https://a.b|https://a.b>", ["https://a.b"]),
        ("<https://a.b|elsewhere>", ["\x02https://a.b|elsewhere\x03"]),
    ],
)
def test_lines_are_read_without_what_surrounds_them_and_addresses_as_they_were_typed(
    brought: str, lines: list[str]
) -> None:
    assert Reading().read(brought) == lines


def test_a_message_made_of_accents_holds_up_nobody() -> None:
    """Whoever has the bot's token edits a card; to put all of these in order would take minutes, and all would wait."""
    accents = "\u0301\u0316" * 250_000
    assert Reading().read(accents) == [accents]


def test_what_is_no_text_says_nothing() -> None:
    assert Reading().read([None, 1, {"emoji": False, "text": "", "blocks": []}]) == [None, None, {}]


@given(st.text(max_size=200))
def test_whatever_people_write_a_card_counts_as_it_was_posted(typed: str) -> None:
    seen = sent(card(row("Reason", typed)))
    assert pressed(seen)
    assert pressed(as_slack_brings_it(copy.deepcopy(seen)))
