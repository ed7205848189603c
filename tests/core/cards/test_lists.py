"""Long lists: what fits into a message is shown, what does not is counted, and ours come first."""

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.core.cards import handover, mask_inventory
from bot.core.drift import HostOutage, HostView, MaskInventory
from bot.core.requests import Outcome
from bot.core.systemd.units import FileKind, LoadState
from tests.core.cards.limits import problems
from tests.core.cards.mask_inventories import BOOK, CALM, MANY, OURS, hand, host_view
from tests.core.cards.reading import read
from tests.core.cards.situations import NAMES, NOW, proven, waiting
from tests.core.cards.test_foreign_text import FOREIGN, SLOW, assert_harmless, hostile_requests

LONG = replace(BOOK, host_views=(*BOOK.host_views, *MANY))


def test_what_does_not_fit_is_counted_and_ours_are_never_left_out() -> None:
    said = mask_inventory.listing(LONG)
    text = read(said, NAMES)

    assert problems(said) == []
    shown = len(re.findall(r": (?:not )?by ", text))
    left = re.search(r"… (\d+) more\. `/mask list HOST` lists one host", text)
    assert left
    assert shown + int(left[1]) == len(LONG.entries)
    assert text.index("worker.service on web-01, of user deploy: by alice") < text.index("not by maskbot")
    assert "780 more on web-01" in text


def test_the_first_masks_by_others_have_a_button_to_adopt_them() -> None:
    said = mask_inventory.listing(replace(LONG, host_views=(*LONG.host_views, host_view(hand("a:b.service")))))
    pressed = [block["elements"][0] for block in said.blocks if block["type"] == "actions"]
    assert [one["text"]["text"] for one in pressed[:2]] == [
        "Adopt a:b.service on web-01",
        "Adopt hand.service on web-01",
    ]
    assert (len(pressed), ":" in "".join(one["value"] for one in pressed)) == (5, False)
    assert mask_inventory.words_to_adopt(pressed[0]["value"]) == "web-01 a:b.service --adopt"
    assert not any(block["type"] == "actions" for block in mask_inventory.full_listing(LONG).blocks)


def test_what_no_undo_could_remove_exactly_has_no_such_button() -> None:
    both = hand(), replace(hand(), path="/run/systemd/system/hand.service")
    for masks in (both, (hand(load=LoadState.LOADED),), (hand(kind=FileKind.EMPTY),)):
        assert "adopt" not in read(
            mask_inventory.listing(replace(BOOK, host_views=(host_view(*masks),), ours=())), NAMES
        )


def test_a_mask_that_is_not_in_force_has_no_undo() -> None:
    never = replace(OURS, target=replace(OURS.target, outcome=Outcome.NO_CHANGE))

    text = read(mask_inventory.full_listing(replace(BOOK, ours=(never,))), NAMES)

    assert "never came into force" in text
    assert "undo" not in text


def test_a_terminal_shows_all_of_it() -> None:
    text = read(mask_inventory.full_listing(LONG), NAMES)

    assert len(re.findall(r": (?:not )?by ", text)) == len(LONG.entries)
    assert "12 hosts" not in read(mask_inventory.full_listing(replace(BOOK, host_views=CALM)), NAMES)
    assert "No mask found." in read(mask_inventory.full_listing(replace(BOOK, host_views=CALM, ours=())), NAMES)


def test_a_line_that_is_longer_than_a_message_stops_the_list_and_not_the_bot() -> None:
    blocks, left = mask_inventory.lines("x", ["a" * 50, "b" * 900, "c"], room=100)  # type: ignore[list-item]
    assert ([block["text"]["text"] for block in blocks], left) == (["a" * 50], 2)


def test_a_bad_night_still_fits_into_one_handover() -> None:
    waits = tuple(replace(waiting(), id=f"r{n}") for n in range(60))
    live = tuple(replace(OURS, id=f"m{n}") for n in range(60))
    gone = tuple(HostView(f"gone-{n}", unreachable=HostOutage(NOW, "No answer. " * 9)) for n in range(30))
    said = handover.handover(MaskInventory(NOW, (*MANY, *gone), live, waits))
    text = read(said, NAMES)

    assert problems(said) == []
    assert "HANDOVER · 60 masked, 60 waiting, 0 under way" in text
    assert "more hosts" in text


def test_a_digest_mentions_nobody() -> None:
    assert "<@" not in str(
        handover.scheduled_handover(MaskInventory(NOW, (host_view(hand()),), (proven(),), (waiting(),))).blocks
    )


@SLOW
@given(hostile_requests(), FOREIGN, st.integers(0, 3))
def test_lists_stay_ours_whatever_people_and_hosts_wrote(request: object, text: str, tries: int) -> None:
    unreachable = HostView(text, unreachable=HostOutage(NOW, text, tries))
    odd = host_view(hand(file_state=text), host=text)
    inventory = MaskInventory(NOW, (odd, unreachable), (request,) * 40, (request,) * 40, (request,) * 40)  # type: ignore[arg-type]
    for said in (
        mask_inventory.listing(inventory, host=text),
        handover.handover(inventory),
        handover.scheduled_handover(inventory),
    ):
        assert_harmless(said)
