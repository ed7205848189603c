"""One stops new masks, two let them go on: every order in which people may say so, and what each of them hears."""

from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

import pytest

from bot.core.cards import plain
from bot.core.cards.kill_switch import answered, with_note
from bot.core.kill_switch import (
    OFF_REQUEST_GOOD_FOR,
    KillSwitchState,
    Result,
    SwitchRequest,
    SwitchResult,
    SwitchStep,
    apply_request,
)
from bot.core.people.identity import Person
from bot.core.people.same_person import SamePerson
from bot.core.policy.calendar_and_limits import ExtraApprovals, Freeze, RequestLimits
from bot.core.policy.decide import why_not_use_kill_switch
from bot.core.policy.model import Policy, Refuse, Rule
from tests.core.situations import ALICE, BOB, CAROL, DAVE, INCIDENT, NOW, POLICY, PROD, facts

MINUTE = timedelta(minutes=1)
NOBODY_TWICE = SamePerson()


def ask_for(
    by: Person, *, turns_off: bool = False, minutes: float = 0, reason: str = "", key: str = ""
) -> SwitchRequest:
    at = NOW + minutes * MINUTE
    return SwitchRequest(turns_off, by.id, by.name, INCIDENT, reason, at, key or f"{by.name}{minutes}{turns_off}")


class Heard(NamedTuple):
    """The state after some commands, and what is recorded and heard of the last one."""

    state: KillSwitchState
    event: str
    result: SwitchResult
    announced: str


def heard(step: SwitchStep, asked: SwitchRequest, text: str) -> Heard:
    state = step.answered(asked, text)
    return Heard(state, step.result.event, state.results[-1], text if step.result.is_done else "")


def last_step(*requests: SwitchRequest, gone: tuple[Person, ...] = (), same_person: SamePerson = NOBODY_TWICE) -> Heard:
    """The last step after all of these; `gone` may approve nothing any more."""
    state, last = KillSwitchState(), None
    may = {one.by for one in requests} - {person.id for person in gone}
    for one in requests:
        state = replace(state, requests=(*state.requests, one))
        step = apply_request(state, one, still_may=lambda earlier: earlier.by in may, same_person=same_person)
        last = heard(step, one, answered(step, one))
        state = last.state
    assert last is not None
    assert last.state.requests == ()
    return last


FREEZE = ask_for(BOB, reason="it masks the wrong hosts")
THAW = ask_for(CAROL, turns_off=True, minutes=5)


def test_one_is_enough_to_stop_new_masks_and_everybody_hears_why() -> None:
    step = last_step(FREEZE)
    assert (step.event, step.result.is_done) == ("kill_switch.on", True)
    assert step.state.kill_switch
    assert (step.state.kill_switch.by, step.state.kill_switch.since) == (BOB.id, NOW)
    assert step.announced.startswith(
        "KILL SWITCH ON, by bob: it masks the wrong hosts.\nNo new masks: what waits cannot be"
    )


def test_a_second_freeze_changes_nothing_and_its_maker_hears_whose_it_is() -> None:
    step = last_step(FREEZE, ask_for(CAROL, minutes=1, reason="me too"))
    assert (step.event, step.result.is_done, step.announced) == ("kill_switch.refused", False, "")
    assert step.result.text == "The kill switch is on already, by bob: it masks the wrong hosts."
    assert step.state.kill_switch == last_step(FREEZE).state.kill_switch


def test_one_who_wants_it_over_does_not_lift_it() -> None:
    step = last_step(FREEZE, THAW)
    assert (step.event, step.state.turn_off_requests) == ("kill_switch.off_requested", (THAW,))
    assert step.state.kill_switch
    assert step.announced == (
        "carol asks to turn the kill switch off.\nOne more approver must type `/mask thaw` within the hour."
    )


def test_the_same_person_twice_is_one_person() -> None:
    step = last_step(FREEZE, THAW, ask_for(CAROL, turns_off=True, minutes=6))
    assert (step.event, step.result.is_done, step.announced) == ("kill_switch.refused", False, "")
    assert "You already asked for that." in step.result.text
    grid = replace(CAROL, id=replace(CAROL.id, enterprise="E1"))
    assert last_step(FREEZE, THAW, ask_for(grid, turns_off=True, minutes=6)).event == "kill_switch.refused"


def test_two_accounts_of_one_person_are_one_person() -> None:
    both = SamePerson((frozenset({CAROL.id, BOB.id}),))
    step = last_step(FREEZE, THAW, ask_for(BOB, turns_off=True, minutes=6), same_person=both)
    assert (step.event, step.result.is_done, step.announced) == ("kill_switch.refused", False, "")
    assert step.result.text == (
        "Your other account asked for that already, and policy.yaml lists both as one person (`same_person`). "
        "Somebody else who may approve must type `/mask thaw` too."
    )
    assert step.state.turn_off_requests == (THAW,)


@pytest.mark.parametrize("second", [BOB, ALICE], ids=["who stopped them", "somebody else"])
def test_two_lift_it(second: Person) -> None:
    step = last_step(FREEZE, THAW, ask_for(second, turns_off=True, minutes=10))
    assert (step.event, step.state.kill_switch, step.state.turn_off_requests) == ("kill_switch.off", None, ())
    assert step.announced == (
        f"KILL SWITCH OFF, by carol and {second.name}: new masks work again. bob turned it on at 2026-03-01 03:00 UTC."
    )


def test_two_who_say_so_hours_apart_are_no_two() -> None:
    late = 5 + OFF_REQUEST_GOOD_FOR / MINUTE
    assert last_step(FREEZE, THAW, ask_for(BOB, turns_off=True, minutes=late)).event == "kill_switch.off"
    step = last_step(FREEZE, THAW, ask_for(BOB, turns_off=True, minutes=late + 0.1))
    assert (step.event, [one.name for one in step.state.turn_off_requests]) == ("kill_switch.off_requested", ["bob"])


def test_who_may_approve_nothing_any_more_does_not_count() -> None:
    step = last_step(FREEZE, THAW, ask_for(BOB, turns_off=True, minutes=6), gone=(CAROL,))
    assert (step.event, [one.name for one in step.state.turn_off_requests]) == ("kill_switch.off_requested", ["bob"])


def test_who_says_freeze_again_withdraws_what_was_said_for_a_thaw() -> None:
    step = last_step(FREEZE, THAW, ask_for(ALICE, minutes=6, reason="not yet!"))
    assert (step.event, step.state.turn_off_requests) == ("kill_switch.kept_on", ())
    assert step.announced.startswith("KILL SWITCH STAYS ON, says alice: not yet!\nTo turn it off, two people")


def test_there_is_nothing_to_lift_where_nothing_is_stopped() -> None:
    step = last_step(THAW)
    assert (step.event, step.result.is_done) == ("kill_switch.refused", False)
    assert step.result.text == "The kill switch is not on, so there is nothing to turn off."


def test_a_reason_for_a_thaw_is_told() -> None:
    step = last_step(FREEZE, replace(THAW, reason="it is mended"))
    assert step.announced.startswith("carol asks to turn the kill switch off: it is mended.\n")


def test_what_is_refused_is_answered_and_changes_nothing_else() -> None:
    state = KillSwitchState(requests=(FREEZE, THAW))
    step = heard(SwitchStep(state, Result.NOT_ALLOWED), FREEZE, "You may not.")
    assert (step.event, step.result.text, step.result.is_done) == ("kill_switch.refused", "You may not.", False)
    assert (step.state.kill_switch, step.state.requests) == (None, (THAW,))


def test_a_second_delivery_is_known_before_and_after_it_was_answered() -> None:
    assert KillSwitchState(requests=(FREEZE,)).knows(FREEZE.key)
    assert last_step(FREEZE).state.knows(FREEZE.key)
    assert not last_step(FREEZE).state.knows("another")


def test_only_the_last_answers_are_kept() -> None:
    state = last_step(*(ask_for(BOB, minutes=number, reason="x") for number in range(30))).state
    assert (len(state.results), state.results[-1].key) == (20, "bob29False")


def policy(**changed: object) -> Policy:
    return replace(POLICY, **changed)  # type: ignore[arg-type]


ENTITLED = {
    "who may approve by a rule": (POLICY, BOB, ""),
    "who may only ask": (POLICY, ALICE, "@sre may."),
    "who may nothing": (POLICY, DAVE, "@sre may."),
    "who may approve in a freeze": (
        policy(freezes=(Freeze("f", (), extra_approvals=ExtraApprovals(approve=("eng",))),)),
        ALICE,
        "",
    ),
    "who may approve outside of a window": (
        policy(rules=(replace(PROD, outside=ExtraApprovals(approve=("eng",))),)),
        ALICE,
        "",
    ),
    "who may approve beyond a limit": (
        policy(limits=RequestLimits(beyond=ExtraApprovals(approve=("eng",)))),
        ALICE,
        "",
    ),
    "where nobody approves anything": (policy(rules=(Rule("no", forbid="never"),)), BOB, "may not"),
    "a guest": (POLICY, replace(BOB, is_guest=True), "A full member"),
}


@pytest.mark.parametrize(("given", "who", "said"), ENTITLED.values(), ids=ENTITLED)
def test_it_is_for_those_who_may_approve_something(given: Policy, who: Person, said: str) -> None:
    no = why_not_use_kill_switch(facts(requester=who), given)
    if not said:
        assert no is None
    elif said == "may not":
        assert no == Refuse(
            "kill_switch_not_permitted", "Only people who may approve something can use the kill switch.", ""
        )
    else:
        assert no
        assert said in no.hint


def test_an_answer_is_as_it_is_while_nothing_is_stopped() -> None:
    answer = plain("No masks.")

    assert with_note(answer, None, ()) is answer
