"""Saying yes or no: one click is one recorded word on one plan, and every click is answered."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.core.requests import Request, Stage, Tally, Verdict
from tests.handlers.payloads import CARD, CHANNEL, click, submission
from tests.handlers.world import World

PLAN = "0123456789ab"


def value(request: Request, digest: str = PLAN) -> str:
    return f"{request.id}:{digest}"


def opened_form(world: World) -> dict[str, Any]:
    """The form that was opened."""
    view = world.slack.call("views.open")["view"]
    return dict(json.loads(view) if isinstance(view, str) else view)


class TestApprove:
    def test_one_click_is_a_recorded_vote(self, world: World) -> None:
        request = world.waiting()
        answer = world.send(click("approve", value(request)))
        assert (answer.status, answer.body) == (200, "")
        (vote,) = world.store.get(request.id).votes
        assert (vote.voter.user, vote.voter_name, vote.verdict) == ("UBOB", "bob", Verdict.APPROVE)
        assert world.slack.count("views.open") == 0

    def test_a_second_click_changes_nothing_and_is_answered(self, world: World) -> None:
        request = world.waiting()
        for _ in range(2):
            world.send(click("approve", value(request), respond=f"{world.slack.base}respond"))
        assert "Your first click is being checked" in world.slack.call("respond")["text"]
        assert len(world.store.get(request.id).votes) == 1

    def test_a_click_after_the_vote_has_counted_says_so(self, world: World) -> None:
        request = world.waiting()
        world.send(click("approve", value(request)))
        (cast,) = world.store.get(request.id).votes
        world.store.save(replace(world.store.get(request.id), votes=(replace(cast, tally=Tally.COUNTED),)))
        world.send(click("approve", value(request), respond=f"{world.slack.base}respond"))
        assert (
            "You have already approved or denied this; each person counts once." in world.slack.call("respond")["text"]
        )

    def test_a_vote_on_another_plan_does_not_count(self, world: World) -> None:
        request = world.waiting()
        world.send(click("approve", value(request, "fedcba987654"), respond=f"{world.slack.base}respond"))
        assert "plan has changed" in world.slack.call("respond")["text"]
        assert world.store.get(request.id).votes == ()

    def test_a_button_under_another_message_does_not_count(self, world: World) -> None:
        request = world.waiting()
        forged = click("approve", value(request), card="1700000000.999999", respond=f"{world.slack.base}respond")
        world.send(forged)
        assert "not on the request's own card" in world.slack.call("respond")["text"]
        assert [event["reason_code"] for event in world.events("approval.refused")] == ["message_mismatch"]
        assert world.store.get(request.id).votes == ()

    @pytest.mark.parametrize("digest", ["", "0", PLAN[:-1]])
    def test_a_button_that_names_no_plan_does_not_count(self, world: World, digest: str) -> None:
        request = world.waiting()
        world.send(click("approve", value(request, digest), respond=f"{world.slack.base}respond"))
        assert "plan has changed" in world.slack.call("respond")["text"]
        assert world.store.get(request.id).votes == ()

    @pytest.mark.parametrize("where", ["in a message for one person alone", "on the bot's home page"])
    def test_a_button_that_is_on_no_message_of_a_channel_does_not_count(self, world: World, where: str) -> None:
        request = world.waiting()
        forged = click("approve", value(request), respond=f"{world.slack.base}respond")
        del forged["message"]
        if "home" in where:
            del forged["channel"]
        world.send(forged)
        assert "not on the request's own card" in world.slack.call("respond")["text"]
        assert world.store.get(request.id).votes == ()

    def test_before_the_card_is_noted_only_its_channel_counts(self, world: World) -> None:
        request = world.waiting(is_noted=False)
        elsewhere = click("approve", value(request), respond=f"{world.slack.base}respond")
        elsewhere["channel"] = {"id": "C666", "name": "elsewhere"}
        world.send(elsewhere)
        assert world.store.get(request.id).votes == ()
        world.send(click("approve", value(request)))
        assert len(world.store.get(request.id).votes) == 1

    def test_a_decision_is_final(self, world: World) -> None:
        request = world.waiting()
        world.moved(request, Stage.DENIED)
        world.send(click("approve", value(request), respond=f"{world.slack.base}respond"))
        assert world.slack.call("respond")["response_type"] == "ephemeral"
        assert world.store.get(request.id).votes == ()

    @pytest.mark.parametrize("of_no_request", ["", "r0000000000:abc", "' OR 1=1 --:x"])
    def test_a_button_of_no_known_request_is_answered(self, world: World, of_no_request: str) -> None:
        world.send(click("approve", of_no_request, respond=f"{world.slack.base}respond"))
        assert "no longer on record" in world.slack.call("respond")["text"]


class TestApproveAGuardedUnit:
    def test_a_form_asks_whether_console_access_works_and_names_the_stored_change(self, world: World) -> None:
        request = world.waiting(guarded="remote access")
        world.send(click("approve", value(request)))
        form = opened_form(world)
        assert "cron.service on web-01" in json.dumps(form["blocks"])
        assert world.store.get(request.id).votes == ()

        answer = world.send(submission(form, {"console": ["console_works"]}))
        assert (answer.status, answer.body) == (200, "")
        (vote,) = world.store.get(request.id).votes
        assert (vote.verdict, vote.console_works) == (Verdict.APPROVE, True)
        assert vote.place is not None
        assert vote.place.channel == CHANNEL

    def test_without_the_tick_it_is_no_vote(self, world: World) -> None:
        request = world.waiting(guarded="remote access")
        world.send(click("approve", value(request)))
        answer = json.loads(world.send(submission(opened_form(world), {})).body)
        assert set(answer["errors"]) == {"console"}
        assert world.store.get(request.id).votes == ()

    @pytest.mark.parametrize("error", ["expired_trigger_id", "invalid_trigger_id", "exchanged_trigger_id"])
    @pytest.mark.fault("F44", how="Slack refuses to open the form of an approval")
    def test_a_trigger_that_came_too_late_loses_nothing_and_is_said(
        self, world: World, error: str, saw: Callable[[str], str]
    ) -> None:
        request = world.waiting(guarded="remote access")
        world.slack.answer("views.open", {"ok": False, "error": error})
        world.send(click("approve", value(request), respond=f"{world.slack.base}respond"))
        assert "try again" in saw(world.slack.call("respond")["text"])
        assert (world.store.get(request.id).stage, world.store.get(request.id).votes) == (Stage.WAITING, ())

    @pytest.mark.fault("F45", how="a response_url that answers `used_url`, as it does after 30 minutes or five uses")
    def test_an_address_to_answer_at_that_is_no_good_any_more_costs_nothing(
        self, world: World, saw: Callable[[str], str]
    ) -> None:
        request, respond = world.waiting(), f"{world.slack.base}respond"
        world.slack.answer("respond", {"ok": False, "error": "used_url"}, status=404)
        world.send(click("approve", value(request), respond=respond, card="1700000000.999999"))
        assert "not on the request's own card" in world.slack.call("respond")["text"]
        assert world.send(click("approve", value(request), respond=respond)).status == 200
        assert [vote.verdict for vote in world.store.get(request.id).votes] == [Verdict.APPROVE]
        saw("the approval counted; cards and results never use that address, only answers to one person do")
        assert respond not in repr([world.store.get(request.id), *world.store.chain()])


class TestDeny:
    def test_a_form_asks_why_and_the_reason_is_kept(self, world: World) -> None:
        request = world.waiting()
        world.send(click("deny", value(request)))
        world.send(submission(opened_form(world), {"reason": "not during <backup>"}))
        (vote,) = world.store.get(request.id).votes
        assert (vote.verdict, vote.reason) == (Verdict.DENY, "not during <backup>")

    def test_the_reason_may_stay_empty(self, world: World) -> None:
        request = world.waiting()
        world.send(click("deny", value(request)))
        world.send(submission(opened_form(world), {}))
        assert [vote.verdict for vote in world.store.get(request.id).votes] == [Verdict.DENY]

    def test_a_form_that_cannot_be_opened_is_said(self, world: World) -> None:
        request = world.waiting()
        world.slack.answer("views.open", {"ok": False, "error": "invalid_trigger_id"})
        world.send(click("deny", value(request), respond=f"{world.slack.base}respond"))
        assert "could not open" in world.slack.call("respond")["text"]

    def test_a_decision_made_while_the_form_was_open_is_shown_in_it(self, world: World) -> None:
        request = world.waiting()
        world.send(click("deny", value(request)))
        form = opened_form(world)
        world.moved(request, Stage.WITHDRAWN)
        answer = json.loads(world.send(submission(form, {"reason": "no"})).body)
        assert answer["response_action"] == "errors"


class TestWithdraw:
    def test_the_requester_takes_it_back(self, world: World) -> None:
        request = world.waiting()
        world.send(click("withdraw", value(request), user="UALICE"))
        assert world.store.get(request.id).stage is Stage.WITHDRAWN

    def test_nobody_else_can(self, world: World) -> None:
        request = world.waiting()
        world.send(click("withdraw", value(request), respond=f"{world.slack.base}respond"))
        assert "Only alice" in world.slack.call("respond")["text"]
        assert world.store.get(request.id).stage is Stage.WAITING


class TestStopByForce:
    def test_it_is_a_request_of_its_own_in_the_place_of_the_mask(self, world: World) -> None:
        mask = world.slow()
        world.send(click("stop_by_force", value(mask)))
        (asked,) = (one for one in world.requests() if one.ask.forces)
        assert (asked.ask.forces, str(asked.ask.change)) == (mask.id, "mask web-01 cron.service --force")
        assert (asked.ask.requester.user, asked.ask.place, asked.stage) == ("UBOB", mask.ask.place, Stage.ASKED)

    def test_where_nothing_waits_it_is_answered(self, world: World) -> None:
        request = world.waiting()
        world.send(click("stop_by_force", value(request), respond=f"{world.slack.base}respond"))
        assert world.slack.call("respond")["text"] == "There is no stop to force: the request is waiting."
        assert len(world.requests()) == 1


class TestLooking:
    def test_details_go_to_the_one_who_clicked(self, world: World) -> None:
        request = world.waiting()
        world.slack.answer("users.info", {"ok": False, "error": "ratelimited"}, 429, Retry_After="1")
        world.send(click("details", value(request), card=CARD))
        assert world.slack.call("chat.postEphemeral")["user"] == "UBOB"

    def test_look_now_on_a_known_outcome_is_answered(self, world: World) -> None:
        request = world.waiting()
        world.send(click("look_now", value(request), respond=f"{world.slack.base}respond"))
        assert "outcome is already known" in world.slack.call("respond")["text"]


def test_a_button_of_an_older_card_is_answered(world: World) -> None:
    answer = world.send(click("a_button_of_yore", "r1:abc", respond=f"{world.slack.base}respond"))
    assert answer.status == 200
    assert "old card" in world.slack.call("respond")["text"]
