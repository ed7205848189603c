"""What stands in for a card that cannot be drawn: its state and its buttons, whatever was seen on the host."""

import itertools
from dataclasses import replace

import pytest

from bot.core.cards import fallback, forms, render, request_status, unit_state
from bot.core.cards.blocks import Action, Text
from bot.core.cards.titles import is_rollout, subject
from bot.core.policy.home import HomeView
from bot.core.requests import Loss, Outcome, Request, SeenDrift, Stage, Verb
from tests.core.cards.cases import CARDS, DONE, INFINITE
from tests.core.cards.home_tabs import FULL
from tests.core.cards.reading import read, read_page
from tests.core.cards.situations import (
    NAMES,
    NOW,
    finished,
    masked,
    proven,
    running,
    stopped,
    talked,
    under_way,
    waiting,
    with_break_glass,
)
from tests.core.cards.test_every_card import MASKED, SAYS_MASKED, anywhere


def offered(text: Text) -> set[str]:
    return {b["action_id"] for block in text.blocks if block["type"] == "actions" for b in block["elements"]}


@pytest.mark.parametrize(("group", "name"), [(group, name) for group, cards in CARDS.items() for name in cards])
def test_it_has_the_buttons_without_which_a_card_is_of_no_use(group: str, name: str) -> None:
    request = CARDS[group][name]
    wanted, instead = offered(render(request, now=NOW)), offered(fallback.card(request))
    of_use = {Action.APPROVE, Action.DENY, Action.UNMASK, Action.DETAILS, Action.LOOK_NOW, Action.SIGN}
    if request.target.outcome is not Outcome.NOT_OURS:  # that mask is somebody else's: `/unmask` asks for it
        assert wanted & of_use <= instead | {Action.MASK_AGAIN}
    assert f"{request.target.unit} on {request.target.host}" in fallback.card(request).text


@pytest.mark.parametrize("stage", Stage)
def test_it_says_masked_only_where_that_is_the_outcome(stage: Stage) -> None:
    for outcome, verb in itertools.product((*Outcome, None), Verb):
        request = anywhere(stage, outcome, verb)
        is_masked = stage is Stage.DONE and outcome in MASKED
        for said in (fallback.card(request), fallback.line(request)):
            assert bool(SAYS_MASKED.search(read(said, NAMES))) == is_masked, (outcome, verb)


def test_it_reads_like_this() -> None:
    assert read(fallback.card(waiting()), NAMES) == (
        "MASK, NEEDS APPROVAL · worker.service on web-01\n"
        "Asked  by @alice\n"
        "Reason  INC-2041: runaway job\n"
        "The consequences cannot be shown here. Approve only if you know them from elsewhere.\n"
        "The bot failed to show this message in full. The operator finds the error in its log.\n"
        "[Approve] [Deny] [Withdraw] [Details]"
    )
    assert fallback.state(under_way()) == "MASKING, UNDER WAY"
    assert fallback.state(under_way(unknown_since=NOW)) == "NOT KNOWN YET"
    assert fallback.state(replace(proven(), undone_by="r2")) == "UNDONE"
    assert fallback.state(replace(proven(), drift=SeenDrift(lost=Loss.REMOVED))) == "OUR MASK IS GONE"
    assert fallback.state(replace(proven(), drift=SeenDrift(lost=Loss.UNDONE))) == "UNDONE, NOT ON RECORD"


def test_what_ended_says_why_and_what_failed_says_what_was_noted() -> None:
    ended = replace(waiting(), stage=Stage.TIMED_OUT, because="Nobody decided in time.")
    assert "Because  Nobody decided in time." in read(fallback.card(ended), NAMES)
    failed = finished(Outcome.FAILED, running(), note="The link was refused.")
    assert "Note  The link was refused." in read(fallback.card(failed), NAMES)


def test_a_mask_that_ends_can_be_extended_and_kept() -> None:
    request = DONE["proven, and it ends"]
    assert {Action.UNMASK, Action.EXTEND, Action.KEEP} <= offered(fallback.card(request))


def test_a_change_can_be_signed_off() -> None:
    assert Action.SIGN in offered(fallback.card(with_break_glass(proven())))


def test_details_have_the_buttons_that_they_were_to_have() -> None:
    assert offered(fallback.card(waiting(), (Action.BREAK_GLASS,))) == {Action.BREAK_GLASS}
    assert offered(fallback.card(waiting(), ())) == set()


def test_foreign_words_do_nothing_in_it() -> None:
    evil = replace(waiting(), ask=replace(waiting().ask, reason="<!channel> *bold*\nsecond"))
    for text in (fallback.card(evil), fallback.note("<!here> & <@UBOB>", ["UALICE"])):
        assert "<!" not in text.text
        assert "<@UBOB>" not in text.text
    assert fallback.note("so", ["UALICE"]).text == "<@UALICE> so"
    assert fallback.sentence(proven()) == (
        "worker.service on web-01 has changed (masked and proven), but the bot failed to show how: see its card."
    )
    (said,) = fallback.evidence(waiting())
    assert "maskbot audit export" in said.text


def test_a_page_lists_what_concerns_somebody_with_its_buttons() -> None:
    said = read_page(fallback.home(FULL), NAMES)
    for request in (*FULL.to_decide, *FULL.to_sign, *FULL.masks, *FULL.open):
        assert (subject(request) if is_rollout(request) else f"{request.target.unit} on {request.target.host}") in said
    assert "[Approve] [Deny] [Details]" in said
    assert "[Refresh]" in said
    of_one = replace(FULL, to_decide=(), to_sign=(), masks=(), open=(under_way(), waiting()))
    assert [line for line in read_page(fallback.home(of_one), NAMES).split("\n") if line.startswith("[")] == [
        "[Refresh]",
        "[Details]",
        "[Withdraw] [Details]",
    ]
    ids = [block["block_id"] for block in fallback.home(FULL)["blocks"]]
    assert len(set(ids)) == len(ids)
    assert isinstance(of_one, HomeView)


def test_a_bare_request_still_makes_every_form() -> None:
    request = fallback.without_details(talked("why?"))
    assert forms.deny_form(request)["private_metadata"] == forms.deny_form(waiting())["private_metadata"]
    assert "cannot be shown" in str(forms.confirm_form(request, shows_plan=False))
    assert fallback.without_details(proven()).is_live_mask


@pytest.mark.parametrize("after", [masked(result="timeout"), stopped(result="timeout")])
def test_a_unit_that_sets_itself_no_limit_and_was_killed_has_a_card(after: object) -> None:
    """`infinity` in a sentence once kept a finished card from being drawn."""
    assert unit_state.span(float("inf")) == "a time without limit"
    unlimited = running(timeout_stop_usec=INFINITE)
    for outcome in (Outcome.PROVEN, Outcome.NOT_PROTECTED):
        request: Request = finished(outcome, after, before=unlimited)  # type: ignore[arg-type]
        assert "by force, when its time was up (Result=timeout)" in read(render(request, now=NOW), NAMES)


def test_a_button_whose_request_is_lost_names_what_its_card_shows() -> None:
    for shown, typed in (
        ("MASKED AND PROVEN · metrics.service on web-01\nmore", "web-01 metrics.service"),
        ("MASK metrics.service on web-01 · needs 1 approval", "HOST UNIT"),
        ("", "HOST UNIT"),
    ):
        assert request_status.not_on_record(shown).endswith(f"type `/unmask {typed}`.")
