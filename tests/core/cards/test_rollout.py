"""Cards of rollouts: what they may never say, their buttons, their lists, and Slack's limits with 500 targets."""

import itertools
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.cards import details, done, evidence, fallback, handover, line, mask_inventory, note, render
from bot.core.cards.blocks import Action, Text
from bot.core.cards.break_glass import replaced_buttons
from bot.core.cards.live_mask import would_start
from bot.core.cards.request_status import how_it_stands
from bot.core.cards.rollout import counts
from bot.core.cards.rollout.heads import is_whole, state_in_list
from bot.core.cards.rollout.listing import listing
from bot.core.cards.rollout.notes import asked_again, continued, paused, paused_by_itself, retried, stopped, tries_again
from bot.core.cards.titles import subject
from bot.core.drift import HostView, MaskInventory
from bot.core.requests import (
    Aftercare,
    KeepActive,
    Outcome,
    Request,
    Rollout,
    RolloutTarget,
    Selection,
    Stage,
    TargetStatus,
    Verb,
)
from bot.core.systemd.units import UnitName
from tests.core.cards.limits import problems
from tests.core.cards.reading import read
from tests.core.cards.rollouts import (
    CARDS,
    DONE,
    FAILED,
    MASKED,
    OVER,
    PARTLY,
    RUNNING,
    SETTINGS,
    TWELVE,
    many,
    request,
    rollout,
    several,
    target,
    typed,
    undo,
)
from tests.core.cards.situations import NAMES, NOW, waiting
from tests.core.cards.test_foreign_text import FOREIGN, SLOW, assert_harmless, hostile_requests

EVERY = {f"{group}: {name}": one for group, found in CARDS.items() for name, one in found.items()}
del EVERY["waiting: one target is asked again"]  # which has a card of its own
UNITS = st.sampled_from([UnitName(name) for name in ("nginx.service", r"_\x2dodd_.service", "u" * 247 + ".service")])
SAYS_WHOLE = re.compile(r"(?im)^(masked and proven|unmasked and as before|unmasked) on ")
TARGETS = st.lists(
    st.builds(target, st.integers(1, 60), st.sampled_from(TargetStatus), outcome=st.sampled_from(["", *Outcome])),
    min_size=1,
    max_size=60,
    unique_by=lambda one: one.host,
)


def actions(text: Text) -> list[str]:
    return [button["action_id"] for block in text.blocks if block["type"] == "actions" for button in block["elements"]]


def unescaped(texts: tuple[Text, ...]) -> str:
    blocks = [block for text in texts for block in text.blocks if block["block_id"].startswith("targets-")]
    sections = [block["text"]["text"] for block in blocks]
    return "\n".join(sections).replace("\u200b", "")


@pytest.mark.parametrize("name", EVERY)
def test_everything_about_it_stays_within_slacks_limits(name: str) -> None:
    one = EVERY[name]
    for said in (render(one, now=NOW), line(one, link=""), details(one, now=NOW), fallback.card(one), *listing(one)):
        assert problems(said) == [], said.text[:80]


@pytest.mark.parametrize("name", EVERY)
def test_it_has_one_to_four_buttons_that_name_what_they_are_about(name: str) -> None:
    for said in (render(EVERY[name], now=NOW), fallback.card(EVERY[name])):
        assert 1 <= len(actions(said)) <= 4
        assert Action.DETAILS in actions(said)
        (row,) = [block for block in said.blocks if block["type"] == "actions"]
        for button in row["elements"]:
            assert subject(EVERY[name])[:20] in button["accessibility_label"]


@given(TARGETS, st.sampled_from(("mask", "unmask", "undo")))
def test_it_says_that_all_is_as_asked_only_if_every_target_is_proven_to_be(
    targets: list[RolloutTarget], kind: str
) -> None:
    state = rollout(*targets)
    one = undo(state) if kind == "undo" else request(state, Stage.DONE, verb=Verb(kind))
    wanted = {"mask": Outcome.PROVEN, "unmask": Outcome.UNMASKED, "undo": Outcome.RESTORED}[kind]
    proven = [target for target in state.planned if target.status is DONE and target.outcome == wanted]
    whole = len(proven) == len(state.planned) > 0
    card = render(one, now=NOW).text
    assert bool(SAYS_WHOLE.search(card)) == whole
    assert is_whole(one, state) == whole
    if not whole:
        assert f"{len(proven)} of {len(state.planned)} " in card.lower()
        assert f"{len(proven)} of {len(state.planned)} " in line(one, link="").text


@given(TARGETS)
def test_the_bar_has_a_sign_for_everything_that_there_is_and_no_more(targets: list[RolloutTarget]) -> None:
    state = rollout(*targets)
    bar = counts.bar(state).strip("`")
    assert len(bar) == min(24, len(state.planned))
    for status, sign in ((FAILED, "x"), (TargetStatus.UNKNOWN, "?"), (DONE, "█"), (TargetStatus.READY, "░")):
        if state.with_status(status):
            assert sign in bar
    if any(one.status is not DONE for one in state.planned):
        assert set(bar) != {"█"}


def test_one_failure_among_500_has_its_sign() -> None:
    targets = [target(number, DONE, host=f"web-{number:03}") for number in range(499)]
    one = rollout(*targets, target(499, FAILED, host="web-499"))
    assert counts.bar(one) == f"`{'█' * 23}x`"
    assert counts.bar(Rollout()) == ""


@given(TARGETS)
def test_the_list_names_every_target_once(targets: list[RolloutTarget]) -> None:
    said = unescaped(listing(request(rollout(*targets), Stage.DONE)))
    for one in targets:
        assert len(re.findall(rf"{one.host}\b", said)) == 1


def test_500_ordinary_hosts_are_listed_in_one_message_and_named_under_details() -> None:
    targets = [target(number, DONE, host=f"web-{number:03}") for number in range(500)]
    one = request(rollout(*targets), Stage.DONE)
    assert len(listing(one)) == 1
    for said in (listing(one), (details(one, now=NOW),)):
        assert len(re.findall(r"web-\d{3}", unescaped(said))) == 500


def test_500_hosts_with_the_longest_names_take_as_few_messages_as_they_need() -> None:
    texts = listing(OVER["500 with the longest names"])
    sizes = [sum(len(block["text"]["text"]) for block in text.blocks) for text in texts]
    assert len(texts) == 4
    assert min(sizes[:-1]) > 7000
    assert texts[0].text.startswith("u")
    assert ", part 1 of 4" in texts[0].text
    shown = unescaped((details(OVER["500 with the longest names"], now=NOW),))
    assert re.search(r"… \d+ more lines, in the thread", shown)


def test_what_failed_can_be_retried_unless_that_makes_nothing_better() -> None:
    assert actions(render(OVER["partly"], now=NOW)) == [
        Action.UNDO_ALL,
        Action.RETRY_FAILED,
        Action.EXTEND,
        Action.DETAILS,
    ]
    assert actions(render(OVER["an undo, partly"], now=NOW)) == [Action.DETAILS]
    assert actions(render(OVER["none"], now=NOW)) == [Action.RETRY_FAILED, Action.DETAILS]


def test_while_it_runs_it_can_be_paused_and_stopped_as_long_as_something_has_not_begun() -> None:
    between = RUNNING["between two waves"]
    for name, wanted in {
        "wave 2": [Action.PAUSE, Action.STOP_HERE],
        "between two waves": [Action.GO_ON, Action.PAUSE, Action.STOP_HERE],
        "paused after a failure": [Action.GO_ON, Action.STOP_HERE, Action.UNDO_ALL],
        "an undo that pauses": [Action.GO_ON, Action.STOP_HERE],
        "stopped, and one still runs": [Action.UNDO_ALL],
        "all at once": [],
    }.items():
        assert actions(render(RUNNING[name], now=NOW)) == [*wanted, Action.DETAILS], name
    assert between.rollout is not None
    paused = replace(between, rollout=replace(between.rollout, paused_at=NOW, paused_by="bob"))
    assert "Next" not in render(paused, now=NOW).text


def test_a_request_without_its_state_still_has_a_card() -> None:
    bare = replace(request(Rollout(), Stage.RUNNING), rollout=None)
    for stage in Stage:
        one = replace(bare, stage=stage)
        for said in (render(one, now=NOW), fallback.card(one), *listing(one)):
            assert "nginx.service on @web" in said.text
            assert problems(said) == []


def test_a_state_without_a_selection_is_named_by_its_change() -> None:
    asked = waiting()
    one = replace(asked, rollout=Rollout(), ask=replace(asked.ask, change=replace(asked.ask.change, user="deploy")))
    assert subject(one) == "worker.service on web-01, of user deploy"


def test_as_many_names_as_are_read_stand_in_the_head_line() -> None:
    one = replace(request(rollout()), stage=Stage.ASKED)
    hosts = ("web-01", "web-02", "db-01")
    assert subject(typed(one, *hosts)) == "nginx.service on web-01, web-02 and db-01"
    assert subject(typed(one, *hosts, "@web")) == "nginx.service on 4 hosts and groups"
    units = tuple(f"u{number}.service" for number in range(4))
    assert subject(typed(one, "@web", units=units)) == "4 units on @web"
    long = typed(request(rollout(*many(number=1))), "@web", units=("u" * 247 + ".service",))
    assert render(long, now=NOW).blocks[0]["text"]["text"].endswith("· needs 1 approval")


def test_an_expiry_takes_the_place_of_the_retry_only_where_nothing_failed() -> None:
    ends = Aftercare(expires_at=NOW)
    assert Action.KEEP in actions(render(replace(request(rollout(*MASKED), Stage.DONE), aftercare=ends), now=NOW))
    assert Action.KEEP not in actions(render(replace(request(PARTLY, Stage.DONE), aftercare=ends), now=NOW))


def test_a_list_says_how_it_stands() -> None:
    paused, over = RUNNING["paused by somebody, with a failure that was seen"], OVER["partly"]
    said = [state_in_list(one, one.rollout) for one in (paused, over, RUNNING["wave 2"]) if one.rollout]
    assert said == [
        "paused by Bob, 4 of 12 masked and proven, 1 masked but running, 1 in progress, 6 waiting",
        "9 of 12 masked and proven, 1 masked but running, 1 failed, 1 not begun",
        "wave 2 of 3, 2 of 12 masked and proven, 1 in progress, 9 waiting",
    ]


def test_screen_readers_hear_the_counts_and_not_the_bar() -> None:
    said = render(RUNNING["wave 2"], now=NOW)
    assert "2 masked and proven · 1 in progress · 9 waiting" in said.text
    assert "█" not in said.text


def test_no_button_acts_twice_for_the_same_thing() -> None:
    for name, one in EVERY.items():
        assert len(set(actions(render(one, now=NOW)))) == len(actions(render(one, now=NOW))), name


def test_every_end_has_a_word_of_its_own() -> None:
    one: Request = request(rollout(*TWELVE), Stage.DONE)
    for verb, outcome in itertools.product(Verb, Outcome):
        asked = replace(one, ask=replace(one.ask, change=replace(one.ask.change, verb=verb)))
        assert counts.word(asked, target(1, FAILED, outcome=outcome.value)) != counts.goal(asked)
    assert read(render(OVER["masked and proven"], now=NOW), NAMES).count("masked and proven") == 2
    assert several(DONE, 1)[0].outcome == Outcome.PROVEN


def test_it_is_told_in_the_same_words_to_whoever_comes_too_late() -> None:
    assert how_it_stands(OVER["partly"]) == (
        "the request is done (9 of 12 masked and proven · 1 masked but running, 1 failed, 1 not begun)."
    )
    offered = done.actions(OVER["partly"], NOW)
    assert offered == (Action.UNDO_ALL, Action.RETRY_FAILED, Action.EXTEND, Action.KEEP, Action.DETAILS)
    assert evidence(OVER["partly"]) == listing(OVER["partly"])
    assert replaced_buttons(OVER["partly"], offered) == (Action.KEEP,)


@st.composite
def hostile_rollouts(draw: st.DrawFn) -> Request:
    """A rollout at any stage in which everything that somebody else wrote is hostile."""

    def text() -> str:
        return draw(FOREIGN)

    def one(number: int) -> RolloutTarget:
        status, outcome = draw(st.sampled_from(TargetStatus)), draw(st.sampled_from(("", text(), *Outcome)))
        wave, state_summary, note_ = draw(st.integers(0, 3)), text(), text()
        host, unit = f"{number}{text()}", draw(UNITS)
        return RolloutTarget(host, unit, f"r{number}", status, wave, "", state_summary, outcome, note_)

    state = Rollout(
        replace(SETTINGS, keep_active=draw(st.sampled_from(((), (KeepActive(text(), 2),))))),
        tuple(one(number) for number in range(draw(st.integers(0, 12)))),
        wave=draw(st.integers(0, 3)),
        wave_ended_at=draw(st.sampled_from((None, NOW))),
        paused_at=draw(st.sampled_from((None, NOW))),
        paused_by=text(),
        why_paused=text(),
        stopped_at=draw(st.sampled_from((None, NOW))),
        stopped_by=text(),
        waits_for=text(),
    )
    asked = draw(hostile_requests())
    selection = Selection(tuple(text() for _ in range(draw(st.integers(1, 4)))), (draw(UNITS),), in_order=True)
    return replace(asked, ask=replace(asked.ask, selection=selection), rollout=state)


def test_a_rollout_without_waves_yet_has_a_card() -> None:
    ready = tuple(RolloutTarget(host, UnitName("x.service"), f"r{host}", TargetStatus.READY) for host in ("a", "b"))
    asked = replace(waiting(), ask=replace(waiting().ask, selection=Selection(("a", "b"), (UnitName("x.service"),))))

    assert "Waves" not in render(replace(asked, rollout=Rollout(targets=ready)), now=NOW).text


@SLOW
@given(hostile_rollouts(), FOREIGN)
def test_a_rollout_stays_ours_whatever_people_and_hosts_wrote(one: Request, text: str) -> None:
    known = [status for status in TargetStatus if status is not TargetStatus.PLANNING]
    each = (
        RolloutTarget(f"{status}{text}", UnitName("x.service"), "", status, 1, "", text, "", text) for status in known
    )
    state = (one.rollout or Rollout()).put(*each)
    planned = replace(state, targets=tuple(one for one in state.targets if one.status in known))
    inventory = MaskInventory(NOW, (HostView(text),), (one,), (one,))
    notes = [
        *(paused_by_itself(one, state), retried(1, text)),
        *(write(one, state, text) for write in (paused, continued, stopped)),
        *(asked_again(one, target) for target in state.targets[:1]),
        tries_again(state, text),
    ]
    runs = replace(one, stage=Stage.RUNNING)
    halted = [replace(state, stopped_at=NOW), replace(state, stopped_at=None, paused_at=NOW)]
    going = [*halted, replace(halted[1], paused_by=""), replace(halted[1], paused_at=None)]
    for said in (
        *(render(replace(runs, rollout=now), now=NOW) for now in going),
        *(line(replace(one, stage=Stage.DONE, rollout=now), link="") for now in halted),
        render(replace(one, stage=Stage.WAITING, rollout=planned), now=NOW),
        render(replace(one, stage=Stage.DONE, rollout=state), now=NOW),
        render(one, now=NOW),
        line(one, link=""),
        details(one, now=NOW),
        fallback.card(one),
        *listing(one),
        *map(note, notes),
        mask_inventory.listing(inventory),
        handover.handover(inventory),
    ):
        assert_harmless(said)


def test_undo_all_says_what_would_start_and_asks_nothing_where_nothing_would() -> None:
    asked = CARDS["over"]["masked and proven"]
    assert would_start(asked) == ("nginx.service on 11 hosts",)
    kept = replace(asked.ask, change=replace(asked.ask.change, keep_running=True))
    assert would_start(replace(asked, ask=kept)) == ()
    assert would_start(CARDS["over"]["an undo"]) == ()
    down = tuple(replace(one, state_summary="inactive, enabled") for one in MASKED)
    assert would_start(replace(asked, rollout=Rollout(targets=down))) == ()
