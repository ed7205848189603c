"""What holds for every card: what it may never say, that it answers at every stage, and its buttons."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.core.cards import line, render
from bot.core.cards.blocks import Action
from bot.core.cards.break_glass import replaced_buttons, with_sign_off
from bot.core.requests import Outcome, Request, SlowWait, Stage, Verb
from bot.core.systemd.units import ActiveState
from tests.core.cards.cases import DONE, WAITING
from tests.core.cards.reading import read
from tests.core.cards.situations import (
    NAMES,
    NOW,
    around,
    change,
    finished,
    masked,
    proven,
    related_unit,
    running,
    signed_off,
    stopped,
    under_way,
    vote,
    waiting,
    with_break_glass,
)

MASKED = (Outcome.PROVEN, Outcome.MASKED_RUNNING, Outcome.MASKED_RESTARTED)
SAYS_MASKED = re.compile(r"(?i)(?<!un)(?<!not )masked")


def anywhere(stage: Stage, outcome: Outcome | None, verb: Verb) -> Request:
    """A request at this stage whose unit, when last looked at, was not masked."""
    request = finished(Outcome.UNKNOWN, stopped(), verb=verb, last_seen=running())
    return replace(request.on_target(outcome=outcome), stage=stage)


def at(stage: Stage) -> Iterator[tuple[str, Request]]:
    """Every request there can be at a stage, with the words by which a failure names it."""
    for outcome, verb in itertools.product((*Outcome, None), Verb):
        yield f"{outcome} of {verb}", anywhere(stage, outcome, verb)


def actions(request: Request) -> list[str]:
    blocks = render(request, now=NOW).blocks
    return [button["action_id"] for block in blocks if block["type"] == "actions" for button in block["elements"]]


at_every_stage = pytest.mark.parametrize("stage", Stage)


@at_every_stage
def test_no_card_says_masked_unless_that_is_the_outcome(stage: Stage) -> None:
    for case, request in at(stage):
        proven = stage is Stage.DONE and request.target.outcome in MASKED
        for said in (render(request, now=NOW), line(request, link="")):
            assert bool(SAYS_MASKED.search(read(said, NAMES))) == proven, case


@at_every_stage
def test_every_card_has_one_to_four_buttons_that_name_unit_and_host(stage: Stage) -> None:
    for case, request in at(stage):
        (row,) = [block for block in render(request, now=NOW).blocks if block["type"] == "actions"]
        assert 1 <= len(row["elements"]) <= 4, case
        for button in row["elements"]:
            assert "worker.service on web-01" in button["accessibility_label"], case
            assert button["value"] == "r1f2e3d4c5:3fa9c1d27b64", case


@at_every_stage
def test_a_sign_off_that_is_owed_has_its_button_once_it_is_over_and_still_there_are_four_at_most(stage: Stage) -> None:
    for case, request in at(stage):
        shown = actions(with_break_glass(request))
        assert (Action.SIGN in shown) == stage.is_final, case
        assert len(shown) <= 4, case
        assert Action.SIGN not in actions(signed_off(request)), case


@at_every_stage
def test_every_card_says_that_somebody_went_ahead_alone_and_why(stage: Stage) -> None:
    for case, request in at(stage):
        for used in (with_break_glass(request), signed_off(request)):
            said = read(render(used, now=NOW), NAMES)
            assert "BREAK-GLASS  @carol used break-glass" in said, case
            assert "db on fire, nobody answers" in said, case


def test_a_fifth_button_gives_way_to_the_sign_off() -> None:
    many = (Action.UNMASK, Action.EXTEND, Action.KEEP, Action.DETAILS)
    request = with_break_glass(replace(waiting(), stage=Stage.DONE))
    shown = with_sign_off(request, many)
    assert shown == (Action.UNMASK, Action.EXTEND, Action.SIGN, Action.DETAILS)
    assert replaced_buttons(request, many) == (Action.KEEP,)
    assert replaced_buttons(signed_off(request), many) == ()


def test_the_buttons_of_a_card_that_asks_are_in_their_usual_order() -> None:
    assert actions(waiting()) == [Action.APPROVE, Action.DENY, Action.DETAILS, Action.WITHDRAW]


def test_nothing_can_be_approved_once_it_is_approved() -> None:
    assert actions(replace(waiting(), stage=Stage.APPROVED, votes=(vote(),))) == [Action.DETAILS, Action.WITHDRAW]


def test_a_running_change_can_be_withdrawn_only_while_it_waits_for_a_slow_stop() -> None:
    waits = under_way(waiting=SlowWait(NOW, NOW))
    assert actions(under_way()) == [Action.DETAILS]
    assert actions(waits) == [Action.WITHDRAW, Action.DETAILS]
    for other in (
        waits.on_target(called_off=NOW),
        waits.on_target(made=masked().layers[0]),
        replace(waits, ask=replace(waits.ask, by_itself=True)),
        replace(waits, ask=replace(waits.ask, change=change(verb=Verb.UNMASK))),
    ):
        assert actions(other) == [Action.DETAILS]


@pytest.mark.parametrize("outcome", MASKED)
def test_a_mask_of_ours_can_be_unmasked_until_it_was(outcome: Outcome) -> None:
    request = finished(outcome, masked())
    assert Action.UNMASK in actions(request)

    for was_gone, title in ((True, "OUR MASK IS GONE"), (False, "UNDONE")):
        overtaken = replace(request, undone_by="r9", was_gone=was_gone)
        assert actions(overtaken) == [Action.DETAILS]
        assert render(overtaken, now=NOW).text.startswith(f"{title} · worker.service on web-01\n")


def test_a_mask_that_ends_can_be_extended_and_kept() -> None:
    assert actions(DONE["proven, and it ends"]) == [Action.UNMASK, Action.EXTEND, Action.KEEP, Action.DETAILS]


def test_a_mask_without_expiry_can_be_given_one_and_kept_unless_it_ends_with_its_rollout() -> None:
    usual = [Action.UNMASK, Action.GIVE_END, Action.KEEP, Action.DETAILS]
    assert actions(DONE["proven"]) == usual
    target = replace(DONE["proven"], ask=replace(DONE["proven"].ask, rollout="r9"))
    assert actions(target) == [Action.UNMASK, Action.DETAILS]


def test_unmask_says_what_will_start_and_asks_first_where_something_will() -> None:
    def asks(request: Request) -> str:
        (row,) = (block for block in render(request, now=NOW).blocks if block["type"] == "actions")
        (unmask,) = (one for one in row["elements"] if one["action_id"] == Action.UNMASK)
        return str(unmask.get("confirm", {}).get("text", {}).get("text", ""))

    before = "The mask is removed, and everything is put back: "
    assert asks(proven()) == before + "worker.service starts again."
    down = related_unit("x.service", ActiveState.INACTIVE)
    for number, named in ((1, "a0.service"), (5, "a0.service, a1.service, a2.service and 2 more")):
        stopped = tuple(related_unit(f"a{one}.service") for one in range(number))
        ran = running(around=around(would_stop=(*stopped, down)))
        said = asks(proven().on_target(before=ran))
        assert said == f"{before}worker.service{' and ' if number == 1 else ', '}{named} start again.", said
    assert asks(proven().on_target(before=masked())) == ""
    assert asks(DONE["not ours"]) == ""


def test_what_an_undo_left_alone_can_be_asked_for_while_there_is_a_mask() -> None:
    assert actions(DONE["not ours"]) == [Action.UNMASK, Action.DETAILS]
    assert actions(DONE["not ours"].on_target(after=running())) == [Action.DETAILS]
    assert actions(DONE["not ours"].on_target(after=None)) == [Action.DETAILS]


def test_nobody_undoes_what_comes_by_itself() -> None:
    assert actions(WAITING["its end has come"]) == [Action.DETAILS]


def test_what_was_stopped_but_not_masked_can_be_masked_again_or_started() -> None:
    request = finished(Outcome.NOT_PROTECTED, stopped())
    assert actions(request) == [Action.MASK_AGAIN, Action.START_AGAIN, Action.DETAILS]


def test_what_did_not_run_before_is_not_offered_a_start() -> None:
    request = finished(Outcome.NOT_PROTECTED, stopped(), before=stopped())
    assert Action.START_AGAIN not in actions(request)


def test_a_used_up_approval_does_not_mask_again() -> None:
    request = finished(Outcome.NOT_PROTECTED, stopped())
    assert actions(replace(request, act_by=NOW)) == [Action.START_AGAIN, Action.DETAILS]


def test_a_link_that_systemd_has_not_read_can_be_taken_away() -> None:
    assert actions(finished(Outcome.NOT_LOADED, running())) == [Action.MASK_AGAIN, Action.UNMASK, Action.DETAILS]


def test_what_was_undone_offers_nothing_more() -> None:
    request = replace(finished(Outcome.NOT_PROTECTED, stopped()), undone_by="r9")
    assert actions(request) == [Action.DETAILS]
    assert render(request, now=NOW).text.startswith("UNDONE")


def test_an_undo_that_failed_has_no_button_for_masks() -> None:
    assert actions(finished(Outcome.NOT_PROTECTED, running(), verb=Verb.UNMASK)) == [Action.DETAILS]


def test_a_request_in_doubt_can_be_looked_at_now() -> None:
    assert actions(under_way(unknown_since=NOW)) == [Action.LOOK_NOW, Action.DETAILS]


def test_a_finished_request_whose_outcome_nobody_knows_has_nothing_to_hurry() -> None:
    assert actions(finished(Outcome.UNKNOWN, None)) == [Action.DETAILS]
