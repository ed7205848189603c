"""Somebody's own page: within Slack's limits whatever there is, and nothing on it works for another request."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.cards import home
from bot.core.cards.blocks import Action, Block
from bot.core.people.identity import Person
from bot.core.policy.home import HomeView, UnreachableHost, rights_of
from bot.core.policy.model import Policy, Rule
from bot.core.requests import KillSwitch
from tests.core.cards.cases import DONE
from tests.core.cards.home_tabs import EMPTY, FULL, HEALTH
from tests.core.cards.limits import problems
from tests.core.cards.reading import read_page
from tests.core.cards.situations import ALICE, NAMES, NOW, proven, waiting

POLICY = Policy(
    "digest",
    teams=frozenset(),
    channels=frozenset(),
    channel_prefixes=(),
    groups=(),
    rules=(
        Rule("payroll", forbid="never", ask=frozenset({"eng"})),
        Rule("lab", ask=frozenset({"eng", "ops"}), approve=("sre",)),
        Rule("prod", ask=frozenset({"ops"}), approve=("sre",)),
        Rule("mail", ask=frozenset({"ops"}), approve=("dba",)),
    ),
    critical=(),
    guarded=(),
)


def buttons(view: Block) -> list[tuple[str, str]]:
    """What can be pressed, and what it is about."""
    rows = (block["elements"] for block in view["blocks"] if block["type"] == "actions")
    return [(button["action_id"], button["value"]) for row in rows for button in row]


@pytest.mark.parametrize("page", [EMPTY, FULL], ids=["empty", "full"])
def test_slack_takes_it(page: HomeView) -> None:
    view = home.view(page, NOW)
    assert problems(view) == []
    assert len(view["blocks"]) <= 100


def test_the_longest_page_is_within_the_limits() -> None:
    many = tuple(replace(waiting(), id=f"r{number}") for number in range(home.SHOWN))
    masks = tuple(replace(proven(), id=f"m{number}") for number in range(home.SHOWN))
    lost = tuple(UnreachableHost(f"web-{number:02}", NOW, "x" * 300) for number in range(50))
    rights = tuple(right for right in FULL.rights for _ in range(30))
    health = replace(HEALTH, unreachable=lost, kill_switch=KillSwitch(ALICE, "alice", "y" * 900, NOW))
    alone = frozenset(request.id for request in many)
    page = HomeView(health, many, masks, masks, many, masks[:5], rights, 900, 900, 900, "z" * 900, alone)
    view = home.view(page, NOW)
    assert problems(view) == []
    assert len(view["blocks"]) <= 100


def test_each_button_is_about_the_request_beside_it() -> None:
    view = home.view(FULL, NOW)
    first, mask, own = FULL.to_decide[0], FULL.masks[0], FULL.open[0]
    digest = first.target.digest[:12]
    assert buttons(view)[2:5] == [(name, f"{first.id}:{digest}") for name in ("approve", "deny", "details")]
    assert (Action.UNMASK, f"{mask.id}:{mask.target.digest[:12]}") in buttons(view)
    assert (Action.WITHDRAW, f"{own.id}:{own.target.digest[:12]}") in buttons(view)


def test_only_what_somebody_could_go_ahead_with_alone_offers_that() -> None:
    offered = {
        value.partition(":")[0] for action, value in buttons(home.view(FULL, NOW)) if action == Action.BREAK_GLASS
    }
    assert offered == FULL.can_break_glass


def test_a_request_without_a_rule_is_shown_without_one() -> None:
    page = replace(EMPTY, to_decide=(replace(waiting(), approval=None),))
    assert "Rule" not in read_page(home.view(page, NOW), NAMES)


def test_what_is_being_carried_out_cannot_be_withdrawn() -> None:
    page = replace(EMPTY, open=(FULL.open[-2],))
    assert [action for action, _ in buttons(home.view(page, NOW))] == [Action.ASK, Action.REFRESH, Action.DETAILS]


def test_a_page_that_shows_nothing_says_why() -> None:
    view = home.closed_view("This page is for <full> members.")
    assert problems(view) == []
    assert read_page(view, NAMES) == "This page is for <full> members."


def test_a_page_for_nobody_knows_whom_says_why_and_can_be_tried_again() -> None:
    view = home.unverified_view("Slack did not say who <you> are (ratelimited).")
    assert problems(view) == []
    said = read_page(view, NAMES)
    assert "[Refresh]" in said
    assert "Slack did not say who <you> are (ratelimited).\nThis page is closed until then." in said
    assert "Mask a unit" not in said


def test_once_the_time_is_over_an_undo_needs_approval() -> None:
    mask = proven()
    assert mask.undo_until is not None
    late = mask.undo_until + timedelta(seconds=1)
    assert "Undo  needs approval" in read_page(home.view(replace(EMPTY, masks=(mask,)), late), NAMES)


def test_a_hold_says_whose_it_is() -> None:
    shown = read_page(home.view(replace(EMPTY, masks=(DONE["held"],)), NOW), NAMES)
    assert "held by @sre, review " in shown
    assert "Undo  only @sre can lift it, with approval" in shown
    assert "[Unmask] [Keep] [Details]" in shown


@pytest.mark.parametrize(
    ("groups", "rights"),
    [
        ({"eng"}, [("lab", True, False)]),
        ({"sre"}, [("lab", False, True), ("prod", False, True)]),
        ({"ops", "sre"}, [("lab", True, True), ("prod", True, True), ("mail", True, False)]),
        (set[str](), []),
    ],
)
def test_rights_are_what_the_rules_give_to_ones_groups(groups: set[str], rights: list[tuple[str, bool, bool]]) -> None:
    found = rights_of(Person(ALICE, "alice", frozenset(groups)), POLICY)
    assert [(right.rule.name, right.may_ask, right.may_approve) for right in found] == rights
