"""Nothing of another team or another app gets past the gate, whichever surface it comes in by."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.core.cards import forms, replies, step_up_forms
from bot.core.cards.blocks import Action
from tests.handlers.payloads import (
    at_home,
    channel_event,
    choice,
    click,
    command,
    home_opened,
    mention,
    shortcut,
    submission,
    typing,
)
from tests.handlers.world import Listed, World

FORMS = (
    forms.MASK,
    forms.APPROVE,
    forms.DENY,
    forms.EXTEND,
    forms.KEEP,
    forms.HOLD,
    forms.BREAK_GLASS,
    forms.ANSWER,
    forms.HAND_OVER,
    forms.SIGN_OFF,
    step_up_forms.ENROL,
    step_up_forms.REPLACE,
)
COMMANDS = ("/mask", "/unmask")
SHORTCUTS = (forms.FROM_MESSAGE, forms.FROM_ANYWHERE)
EVENTS = ("channel_shared", "channel_unshared")
LISTS = (forms.HOST, forms.UNIT)

Payload = dict[str, Any]
Make = Callable[[str], Payload]


def form(callback: str = forms.MASK) -> Payload:
    note = json.dumps({"request": "", "channel": "C1"})
    return {"callback_id": callback, "private_metadata": note, "blocks": []}


def a_form(callback: str, team: str) -> Payload:
    return submission(form(callback), {}, team=team)


SURFACES: dict[str, Make] = {
    **{name: lambda team, name=name: command("web-01 cron", name=name, team=team) for name in COMMANDS},  # type: ignore[misc]
    "app_home_opened": lambda team: home_opened(team=team),
    **{name: lambda team, name=name: channel_event(name, team=team) for name in EVENTS},  # type: ignore[misc]
    "a button at home": lambda team: at_home("approve", "r1:abc", team=team),
    "app_mention": lambda team: mention("mask web-01 cron", team=team),
    **{action.value: lambda team, action=action: click(action, "r1:abc", team=team) for action in Action},  # type: ignore[misc]
    **{form: lambda team, form=form: a_form(form, team) for form in FORMS},  # type: ignore[misc]
    **{f"list of {name}": lambda team, name=name: typing(name, "", form(), team=team) for name in LISTS},  # type: ignore[misc]
    **{name: lambda team, name=name: shortcut(name, team=team) for name in SHORTCUTS},  # type: ignore[misc]
    "host": lambda team: choice("host", "web-01", form(), {}, team=team),
    "an unknown button": lambda team: click("no_such_action", "r1:abc", team=team),
}


@pytest.mark.parametrize("surface", SURFACES)
def test_another_teams_member_is_turned_away(world: World, surface: str) -> None:
    answer = world.send(SURFACES[surface]("TEVIL"))
    assert answer.status == 200
    (event,) = world.events("identity.refused")
    assert event["reason_code"] == "foreign_team"
    assert world.requests() == []
    assert world.slack.count("views.open") == 0


@pytest.mark.parametrize("surface", SURFACES)
def test_another_apps_payload_is_dropped(world: World, surface: str) -> None:
    answer = world.send(SURFACES[surface]("T1") | {"api_app_id": "AEVIL"})
    assert (answer.status, answer.body) == (200, "")
    assert [event["reason_code"] for event in world.events("identity.refused")] == ["foreign_app"]
    assert world.requests() == []


@pytest.mark.parametrize("surface", SURFACES)
def test_a_payload_that_names_no_app_is_dropped(world: World, surface: str) -> None:
    payload = SURFACES[surface]("T1")
    del payload["api_app_id"]
    world.send(payload)
    assert [event["reason_code"] for event in world.events("identity.refused")] == ["foreign_app"]
    assert world.requests() == []


FOREIGN: dict[str, Payload] = {
    "no team at all": {key: value for key, value in command("web-01 cron").items() if key != "team_id"},
    "the team of the command": command("web-01 cron", team="TEVIL"),
    "the team of the workspace of a click": {**click("approve", "r1:abc"), "team": {"id": "TEVIL"}},
    "the team of who clicks": click("approve", "r1:abc", team="TEVIL"),
    "the workspace of an event": {**mention("mask web-01 cron"), "team_id": "TEVIL"},
    "the team of a message": mention("mask web-01 cron", team="TEVIL"),
    "the team of who wrote it": mention("mask web-01 cron", user_team="TEVIL"),
    "the team where it was written": mention("mask web-01 cron", source_team="TEVIL"),
}


@pytest.mark.parametrize("where", FOREIGN)
def test_one_foreign_or_missing_team_is_enough_wherever_the_payload_names_it(world: World, where: str) -> None:
    world.send(FOREIGN[where])
    assert [event["reason_code"] for event in world.events("identity.refused")] == ["foreign_team"]
    assert world.requests() == []


def test_those_turned_away_again_and_again_do_not_fill_the_audit_log(world: World) -> None:
    for _ in range(100):
        world.send(command("web-01 cron", team="TEVIL"))
    assert [event["data"].get("refusals_so_far", 1) for event in world.events("identity.refused")] == [
        *[1] * 5, 10, 20, 40, 80,
    ]  # fmt: skip
    world.send(command("web-01 cron", team="TOTHER"))
    assert len(world.events("identity.refused")) == 10


def test_the_one_turned_away_is_told_and_nobody_else(world: World) -> None:
    answer = json.loads(world.send(command("web-01 cron", team="TEVIL")).body)
    assert (answer["response_type"], answer["text"]) == ("ephemeral", replies.FOREIGN)
    world.send(click("approve", "r1:abc", team="TEVIL", respond=f"{world.slack.base}respond"))
    assert world.slack.call("respond")["response_type"] == "ephemeral"


def test_a_person_of_another_team_in_our_own_workspace_is_turned_away(world: World) -> None:
    """A channel shared with another organisation: the workspace is ours, whoever clicks is not."""
    request = world.waiting()
    world.send(click("approve", f"{request.id}:0123456789ab", team="TEVIL"))
    assert world.store.get(request.id).votes == ()
    assert [event["actor"]["team"] for event in world.events("identity.refused")] == ["TEVIL"]
    world.send(mention("mask web-01 cron", user_team="TEVIL"))
    assert len(world.requests()) == 1


@pytest.mark.parametrize(("surface", "team"), [("/mask", "T2"), ("app_mention", "T2"), ("/mask", "E2")])
def test_a_team_counts_from_the_moment_that_the_policy_names_it(world: World, surface: str, team: str) -> None:
    payload = SURFACES[surface]("T2" if team == "T2" else "T9") | ({"enterprise_id": team} if team == "E2" else {})
    world.send(payload)
    assert world.requests() == []

    now = world.in_force.now
    world.in_force.put(replace(now, policy=replace(now.policy, teams=frozenset({team}))))
    world.send(payload)
    assert len(world.requests()) == 1


def test_a_bot_that_mentions_us_is_turned_away(world: World) -> None:
    world.send(mention("mask web-01 cron", bot_id="BOTHER"))
    assert world.requests() == []


def test_the_surfaces_tried_here_are_all_that_there_are(listed: Listed) -> None:
    taken, lists = listed.taken, {f"list of {name}" for name in listed.taken["options"]}
    assert taken["command"] | taken["event"] | taken["view"] | taken["action"] | taken["shortcut"] | lists == {
        *SURFACES.keys() - {"an unknown button", "a button at home"},
        ".*",
    }
