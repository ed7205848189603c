"""Somebody's own page: what is theirs is on it, and no vote gets in by it that is not confirmed in a form of ours."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.core.kill_switch import KillSwitchState
from bot.core.people.identity import PersonId
from bot.core.policy.groups import BreakGlassPolicy, Group
from bot.core.requests import FollowupKind, KillSwitch, Request, Stage, Verdict
from bot.ports import Periodic
from bot.workflow.process.documents import to_document
from bot.workflow.requests.kill_switch_state import NAME
from tests.handlers.payloads import CHANNEL, at_home, click, home_opened, submission
from tests.handlers.test_followups import with_break_glass
from tests.handlers.world import World

PLAN = "0123456789ab"


@pytest.fixture(autouse=True)
def _sre(world: World) -> Iterator[None]:
    """Bob is an approver."""
    now = world.in_force.now
    sre = Group("sre", slack_group="S0SRE")
    world.in_force.put(replace(now, policy=replace(now.policy, groups=(sre,))))
    world.slack.answer("users.info", {"ok": True, "user": {"id": "UBOB", "team_id": "T1", "name": "bob"}})
    world.slack.answer("usergroups.users.list", {"ok": True, "users": ["UBOB"]})
    world.slack.answer("views.open", {"ok": True, "view": {"id": "V7"}})
    yield


def value(request: Request, digest: str = PLAN) -> str:
    return f"{request.id}:{digest}"


def page(world: World) -> str:
    """All that the next page says."""
    return json.dumps(world.slack.call("views.publish")["view"])


def form(world: World) -> dict[str, Any]:
    """The form that was opened."""
    return dict(world.slack.call("views.open")["view"])


def direct_message(world: World) -> str:
    """What somebody was told directly."""
    said = world.slack.call("chat.postMessage")
    assert said["channel"] == "UBOB"
    return str(said["text"])


class TestThePage:
    def test_shows_an_approver_what_waits_for_them(self, world: World) -> None:
        world.waiting()
        assert world.send(home_opened()).status == 200
        published = world.slack.call("views.publish")
        assert published["user_id"] == "UBOB"
        assert "MASK cron.service on web-01" in json.dumps(published["view"])
        assert '"action_id": "approve"' in json.dumps(published["view"])

    def test_shows_a_requester_what_is_theirs_and_offers_them_no_vote_on_it(self, world: World) -> None:
        world.waiting()
        world.slack.answer("usergroups.users.list", {"ok": True, "users": ["UBOB", "UALICE"]})
        world.send(home_opened(user="UALICE"))
        shown = page(world)
        assert '"action_id": "withdraw"' in shown
        assert '"action_id": "approve"' not in shown

    @pytest.mark.parametrize("flag", [{"is_restricted": True}, {"deleted": True}, {"team_id": "T2"}])
    def test_shows_nothing_to_others_than_full_members(self, world: World, flag: dict[str, Any]) -> None:
        world.waiting()
        user = {"id": "UBOB", "team_id": "T1", "name": "bob"} | flag
        world.slack.answer("users.info", {"ok": True, "user": user})
        world.send(home_opened())
        shown = page(world)
        assert "full members" in shown
        assert "cron" not in shown

    def test_is_closed_with_the_reason_where_slack_cannot_say_who_somebody_is(self, world: World) -> None:
        world.waiting()
        world.slack.answer("users.info", {"ok": False, "error": "internal_error"})
        world.send(home_opened())
        shown = page(world)
        assert "(internal_error)" in shown
        assert '"action_id": "refresh"' in shown
        assert "cron" not in shown

    def test_says_that_new_masks_are_stopped(self, world: World) -> None:
        switch = KillSwitch(PersonId("T1", "UCAROL"), "carol", "it masks the wrong hosts", datetime.now(UTC))
        world.store.save_periodic(Periodic(NAME, to_document(KillSwitchState(kill_switch=switch))))
        world.send(home_opened())
        assert "on, by carol" in page(world)

    def test_is_left_alone_when_the_messages_are_looked_at(self, world: World) -> None:
        world.send(home_opened(tab="messages"))
        world.send(at_home("refresh", "home"))
        world.slack.call("views.publish")
        assert world.slack.count("views.publish") == 0

    def test_asks_for_a_mask_in_a_channel(self, world: World) -> None:
        world.send(at_home("ask", "home"))
        view = form(world)
        assert view["blocks"][0]["block_id"] == "channel"
        values = {"host": "web-01", "unit": "cron.service", "channel": CHANNEL}
        world.send(submission(view, values))
        assert world.requests()[0].ask.place.channel == CHANNEL
        assert "cron.service on web-01" in page(world)


class TestAVote:
    def test_is_given_in_a_form_that_shows_the_request_as_it_is_stored(self, world: World) -> None:
        request = world.waiting()
        world.send(at_home("approve", value(request)))
        assert world.store.get(request.id).votes == ()

        view = form(world)
        assert "MASK cron.service on web-01" in json.dumps(view["blocks"])
        assert world.send(submission(view, {})).body == ""
        (vote,) = world.store.get(request.id).votes
        assert (vote.voter.user, vote.verdict, vote.digest) == ("UBOB", Verdict.APPROVE, "0123456789abcdef")
        assert vote.place is not None
        assert vote.place.is_home

    def test_of_a_guarded_unit_needs_the_word_on_console_access(self, world: World) -> None:
        request = world.waiting(guarded="remote access")
        world.send(at_home("approve", value(request)))
        view = form(world)
        missing = json.loads(world.send(submission(view, {})).body)
        assert set(missing["errors"]) == {"console"}
        world.send(submission(view, {"console": ["console_works"]}))
        assert [vote.console_works for vote in world.store.get(request.id).votes] == [True]

    def test_that_says_no_asks_why(self, world: World) -> None:
        request = world.waiting()
        world.send(at_home("deny", value(request)))
        world.send(submission(form(world), {"reason": "not today"}))
        assert [vote.reason for vote in world.store.get(request.id).votes] == ["not today"]

    def test_is_followed_by_a_page_without_it_and_by_one_whenever_the_request_moves(self, world: World) -> None:
        request = world.waiting()
        world.send(at_home("approve", value(request)))
        world.send(submission(form(world), {}))
        assert '"action_id": "approve"' not in page(world)
        assert "Your requests" in page(world)
        world.moved(world.store.get(request.id), Stage.DENIED)
        assert "Your requests" in page(world)

    @pytest.mark.parametrize("action", ["approve", "deny"])
    @pytest.mark.parametrize("digest", ["", "0", "fedcba987654"])
    def test_on_another_plan_than_is_waiting_is_none(self, world: World, action: str, digest: str) -> None:
        request = world.waiting()
        world.send(at_home(action, value(request, digest)))
        assert "plan has changed" in direct_message(world)
        assert world.slack.count("views.open") == 0

    @pytest.mark.parametrize("action", ["approve", "deny"])
    def test_on_what_is_decided_is_none(self, world: World, action: str) -> None:
        request = world.waiting()
        world.moved(request, Stage.WITHDRAWN)
        world.send(at_home(action, value(request)))
        assert "Too late" in direct_message(world)

    def test_that_came_too_late_in_its_form_is_told_in_it(self, world: World) -> None:
        request = world.waiting()
        world.send(at_home("approve", value(request)))
        view = form(world)
        world.moved(request, Stage.WITHDRAWN)
        answer = json.loads(world.send(submission(view, {})).body)
        assert answer["response_action"] == "update"
        assert "Too late" in json.dumps(answer["view"])


def test_what_is_over_already_is_followed_until_what_was_wanted_is_done(world: World) -> None:
    request = with_break_glass(world)
    world.send(at_home("sign_off", value(request)))
    world.send(submission(form(world), {"reason": "as it should be"}))
    for _ in range(2):  # at once, and when it is looked at first
        assert "Your requests" in page(world)
    world.store.save(world.store.get(request.id))
    assert "Your requests" in page(world)


class TestAForgedMessage:
    """A message with copies of our buttons, wherever it stands, is no page."""

    def forged(self, request: Request, action: str, **more: Any) -> dict[str, Any]:
        copy = click(action, value(request), card="1700000000.999999", respond=more.pop("respond", ""))
        return copy | more

    @pytest.mark.parametrize("action", ["approve", "deny"])
    @pytest.mark.parametrize(
        "pretence",
        [
            {},
            {"view": {"type": "home", "id": "V1"}},
            {"view": {"type": "home", "id": "V1"}, "container": {"type": "view", "view_id": "V1"}},
            {"channel": {"id": "home", "name": "home"}},
            {"channel": {"id": "shell", "name": "shell"}},
        ],
    )
    def test_gets_no_vote_in_by_the_page(self, world: World, action: str, pretence: dict[str, Any]) -> None:
        request = world.waiting()
        world.send(self.forged(request, action, **pretence))
        if world.slack.count("views.open"):
            world.send(submission(form(world), {"reason": "x"}))
        assert world.store.get(request.id).votes == ()
        assert [event["reason_code"] for event in world.events("approval.refused")] == ["message_mismatch"]

    def test_a_form_is_no_page_either(self, world: World) -> None:
        request = world.waiting()
        pressed = at_home("approve", value(request))
        world.send(pressed | {"view": pressed["view"] | {"type": "modal"}})
        assert world.slack.count("views.open") == 0
        assert world.store.get(request.id).votes == ()


class TestOtherButtons:
    def test_details_open_in_a_form_at_once_and_come_a_little_later(self, world: World) -> None:
        request = world.waiting()
        world.slack.answer("conversations.info", {"ok": True, "channel": {"id": CHANNEL, "is_member": True}})
        world.send(at_home("details", value(request)))
        assert "Checking" in json.dumps(form(world))
        update = world.slack.call("views.update")
        assert update["view_id"] == "V7"
        assert "DETAILS" in json.dumps(update["view"])
        assert world.slack.count("chat.postEphemeral") == 0

    def test_the_requester_withdraws(self, world: World) -> None:
        request = world.waiting()
        world.send(at_home("withdraw", value(request), user="UALICE"))
        assert world.store.get(request.id).stage is Stage.WITHDRAWN

    def test_nobody_else_does_and_is_told_directly(self, world: World) -> None:
        request = world.waiting()
        world.send(at_home("withdraw", value(request)))
        assert "Only alice" in direct_message(world)

    def test_who_may_go_ahead_alone_begins_it_here(self, world: World) -> None:
        request = world.waiting()
        now = world.in_force.now
        used = BreakGlassPolicy(frozenset({"sre"}))
        world.in_force.put(replace(now, policy=replace(now.policy, break_glass=used)))
        world.send(home_opened())
        assert '"action_id": "break_glass"' in page(world)
        world.send(at_home("break_glass", value(request)))
        assert world.send(submission(form(world), {"reason": "nobody answers, and it burns"})).body == ""
        (followup,) = world.store.get(request.id).followups
        assert (followup.kind, followup.by.user, followup.digest) == (
            FollowupKind.BREAK_GLASS,
            "UBOB",
            "0123456789abcdef",
        )

    def test_nobody_else_is_offered_that(self, world: World) -> None:
        world.waiting()
        world.send(home_opened())
        shown = page(world)
        assert '"action_id": "approve"' in shown
        assert "break_glass" not in shown

    def test_an_undo_goes_where_the_mask_was_asked_for(self, world: World) -> None:
        request = world.waiting()
        world.send(at_home("unmask", value(request)))
        assert "nothing left to undo" in direct_message(world)
