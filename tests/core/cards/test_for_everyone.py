"""Cards for those who hear them and for those who read them on a phone: all in words, and narrow enough."""

import re
import textwrap
import unicodedata
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest

from bot.core.cards import details, evidence, home, line, render
from bot.core.cards.blocks import Block, Text
from bot.core.cards.titles import is_rollout, subject
from bot.core.policy.home import HomeView
from bot.core.requests import Request
from tests.core.cards.cases import CARDS, DONE
from tests.core.cards.home_tabs import EMPTY, FULL
from tests.core.cards.reading import read, read_page
from tests.core.cards.rollouts import CARDS as ROLLOUTS
from tests.core.cards.situations import NAMES, NOW, proven

EVERY_CARD = {
    f"{group}, {name}": request
    for cards in (CARDS, {f"rollout, {group}": found for group, found in ROLLOUTS.items()})
    for group, found in cards.items()
    for name, request in found.items()
    if "500" not in name  # no screen is that long
}
LABEL = len("Retry failed only")
PHONE, HEIGHT = 42, 48  # characters in a line and lines of a card on a small screen, in the usual size
OURS = "·→…•"  # signs that are read out as a pause or left out, and that no state depends on
EMOJI = re.compile(r":[a-z+][a-z0-9_+-]*:")

every_card = pytest.mark.parametrize("request_", EVERY_CARD.values(), ids=EVERY_CARD)


def screen_reader_text(text: Text) -> str:
    """What a screen reader says: the text, and not the blocks."""
    return read(Text(text.text), NAMES)


def visible_lines(text: Text) -> list[str]:
    """The lines of the blocks that say something, without buttons."""
    blocks = tuple(block for block in text.blocks if block["type"] != "actions")
    return [line for line in read(Text("", blocks), NAMES).split("\n") if line.strip()]


def buttons(text: Text) -> Iterator[dict[str, Any]]:
    return (button for block in text.blocks if block["type"] == "actions" for button in block["elements"])


def code(block: Block) -> list[str]:
    """The lines of a block that stand in code, and so do not wrap."""
    said = unescape(block.get("text", {}).get("text", ""))
    return [line for fenced in said.split("```")[1::2] for line in fenced.strip("\n").split("\n")]


@every_card
def test_whoever_hears_a_card_hears_all_of_it(request_: Request) -> None:
    card = render(request_, now=NOW)
    told = screen_reader_text(card).replace(":", " ")
    table = [line for block in card.blocks for line in code(block)]
    missing = [
        line for line in visible_lines(card) if line not in table and line.replace(":", " ").split()[-1] not in told
    ]
    assert missing == []
    for row in visible_lines(card):
        label, gap, rest = row.partition("  ")
        if gap and row not in table:
            assert f"{label}: {rest}" in screen_reader_text(card)


@every_card
def test_it_begins_with_the_state_in_words(request_: Request) -> None:
    told = screen_reader_text(render(request_, now=NOW))
    state, _, about = told.split("\n")[0].partition(" · ")
    assert re.search(r"[A-Z]{3,}", state)
    assert " on " in state or " on " in about or (is_rollout(request_) and subject(request_) in told)


def test_a_table_is_told_row_by_row() -> None:
    told = screen_reader_text(render(proven(), now=NOW))
    assert "Load: was loaded, now masked\nActive: was running, now inactive" in told
    assert "Start: was none, now refused" in told


@every_card
def test_no_state_is_told_by_a_sign_or_a_colour(request_: Request) -> None:
    card = render(request_, now=NOW)
    for said in (card.text, line(request_, link="").text, *(button["text"]["text"] for button in buttons(card))):
        assert not EMOJI.search(said)
        symbols = [sign for sign in said if unicodedata.category(sign) == "So" or ord(sign) > 0xFFFF]
        assert [sign for sign in symbols if sign not in OURS] == []
    labels = [button["text"]["text"] for button in buttons(card)]
    assert len(set(labels)) == len(labels) <= 5


@every_card
def test_each_button_says_what_it_is_about(request_: Request) -> None:
    for button in buttons(render(request_, now=NOW)):
        about = button["accessibility_label"]
        assert about.startswith(f"{button['text']['text']}: ")
        assert (subject(request_)[:40] if is_rollout(request_) else request_.target.host) in about


@every_card
def test_it_fits_a_phone(request_: Request) -> None:
    card = render(request_, now=NOW)
    assert [line for block in card.blocks for line in code(block) if len(line) > PHONE] == []
    lines = [part for row in visible_lines(card) for part in textwrap.wrap(row, PHONE) or [""]]
    assert len(lines) <= HEIGHT
    assert all(len(button["text"]["text"]) <= LABEL for button in buttons(card))


@every_card
def test_nobody_has_to_type_an_id(request_: Request) -> None:
    card = render(request_, now=NOW)
    for said in (card, line(request_, link="")):
        assert request_.id not in said.text
        assert request_.id not in "\n".join(visible_lines(said))


@pytest.mark.parametrize("page", [EMPTY, FULL], ids=["empty", "full"])
def test_somebodys_own_page_is_all_in_words_and_its_buttons_say_what_they_are_about(page: HomeView) -> None:
    blocks = home.view(page, NOW)["blocks"]
    said = read_page({"blocks": blocks}, NAMES)
    assert not EMOJI.search(re.sub(r"\d\d:\d\d:\d\d", "", said))
    assert [sign for sign in said if unicodedata.category(sign) == "So" or ord(sign) > 0xFFFF] == []
    for button in buttons(Text("", tuple(blocks))):
        label = button["text"]["text"]
        about = button.get("accessibility_label", label)
        assert len(label) <= LABEL
        assert about.startswith(f"{label}: ") or button["value"] == "home"


@pytest.mark.parametrize("text", [*evidence(proven()), details(proven(), now=NOW)])
def test_proof_and_details_are_told_as_well(text: Text) -> None:
    assert all(
        row.strip("*") in screen_reader_text(text).replace("```", "") or "  " in row for row in visible_lines(text)
    )


def test_what_is_told_is_never_too_long_for_an_update() -> None:
    longest = max(len(render(request, now=NOW).text) for request in DONE.values())
    assert longest < 4000
