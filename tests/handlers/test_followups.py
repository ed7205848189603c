"""Saying more than yes or no: each button opens a form about the stored request, and what is sent off is recorded."""

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.core.people.identity import PersonId
from bot.core.requests import BreakGlass, Followup, FollowupKind, Outcome, Remark, Request, Stage, Tally, Transfer
from tests.handlers.payloads import CHANNEL, TEAM, click, command, for_one, submission
from tests.handlers.test_approval import opened_form, value
from tests.handlers.world import World

ALICE, BOB = PersonId(TEAM, "UALICE"), PersonId(TEAM, "UBOB")
REASON = {"reason": "db on fire, nobody answers"}


def pressed(world: World, action: str, request: Request, *, user: str = "UBOB", **given: Any) -> dict[str, Any]:
    """The form behind a button of the message for one person alone, which has no message in its payload."""
    shown = for_one(user, action, value(request, **given))
    payload = click(action, shown, user=user, respond=f"{world.slack.base}respond")
    del payload["message"]
    world.send(payload)
    return opened_form(world)


def sent(world: World, form: dict[str, Any], values: dict[str, Any], *, user: str = "UBOB") -> dict[str, Any]:
    """What the form shows after it was sent off; nothing where all is well."""
    body = world.send(submission(form, values, user=user)).body
    return dict(json.loads(body)["errors"]) if body else {}


def followups(world: World, request: Request) -> list[tuple[FollowupKind, str, str]]:
    """What is recorded: what, by whom, and their words."""
    return [(followup.kind, followup.by.user, followup.text) for followup in world.store.get(request.id).followups]


def with_break_glass(world: World) -> Request:
    """Bob used break-glass with alice's request, and it is over."""
    request = world.waiting()
    used = BreakGlass(BOB, "bob", REASON["reason"], request.asked_at, request.target.digest, remind_at=request.asked_at)
    gone = world.store.save(replace(request, break_glass=used))
    return world.moved(
        world.moved(world.moved(gone, Stage.APPROVED), Stage.RUNNING), Stage.DONE, outcome=Outcome.PROVEN
    )


class TestGoingAhead:
    def test_a_form_names_the_stored_change_and_the_reason_is_recorded_with_the_plan(self, world: World) -> None:
        request = world.waiting()
        form = pressed(world, "break_glass", request)
        assert "cron.service on web-01" in json.dumps(form["blocks"])
        assert followups(world, request) == []

        assert sent(world, form, REASON) == {}
        (followup,) = world.store.get(request.id).followups
        assert (followup.kind, followup.by, followup.name, followup.text) == (
            FollowupKind.BREAK_GLASS,
            BOB,
            "bob",
            REASON["reason"],
        )
        assert (followup.digest, followup.tally, followup.place.channel) == (
            request.target.digest,
            Tally.RECORDED,
            CHANNEL,
        )
        assert [event["data"]["followup"] for event in world.events("followup.recorded")] == ["break_glass"]

    @pytest.mark.parametrize("reason", ["", "   ", "too short"])
    def test_without_a_reason_nothing_is_recorded_and_the_form_says_so(self, world: World, reason: str) -> None:
        request = world.waiting()
        assert (
            "at least 10 characters"
            in sent(world, pressed(world, "break_glass", request), {"reason": reason})["reason"]
        )
        assert followups(world, request) == []

    def test_a_guarded_unit_needs_the_tick(self, world: World) -> None:
        request = world.waiting(guarded="remote access")
        form = pressed(world, "break_glass", request)
        assert set(sent(world, form, REASON)) == {"console"}
        assert sent(world, form, REASON | {"console": ["console_works"]}) == {}
        assert [followup.console_works for followup in world.store.get(request.id).followups] == [True]

    def test_another_plan_than_the_one_that_was_shown_is_not_gone_ahead_with(self, world: World) -> None:
        request = world.waiting()
        form = pressed(world, "break_glass", request, digest="fedcba987654")
        assert "plan has changed" in sent(world, form, REASON)["reason"]

    def test_what_is_decided_meanwhile_is_said_in_the_form(self, world: World) -> None:
        request = world.waiting()
        form = pressed(world, "break_glass", request)
        world.moved(request, Stage.DENIED)
        assert "Too late" in sent(world, form, REASON)["reason"]

    def test_twice_is_once(self, world: World) -> None:
        request = world.waiting()
        form = pressed(world, "break_glass", request)
        sent(world, form, REASON)
        assert "already recorded" in sent(world, form, REASON)["reason"]
        assert len(followups(world, request)) == 1

    def test_a_request_that_is_not_on_record_is_answered(self, world: World) -> None:
        world.send(click("break_glass", "r0000000000:abc", respond=f"{world.slack.base}respond"))
        assert "no longer on record" in world.slack.call("respond")["text"]

    def test_the_word_behind_a_command_is_recorded_with_its_request(self, world: World) -> None:
        world.send(command("web-01 cron --break-glass the database is on fire"))
        (request,) = world.requests()
        assert (request.ask.break_glass, request.ask.reason) == (True, "the database is on fire")

    @pytest.mark.parametrize(("text", "said"), [("", "needs a reason"), (" on fire", "at least 10 characters")])
    def test_the_word_without_a_reason_records_nothing(self, world: World, text: str, said: str) -> None:
        answer = world.send(command(f"web-01 cron --break-glass{text}"))
        assert said in json.loads(answer.body)["text"]
        assert world.requests() == []


class TestAskingForMore:
    def test_the_form_behind_deny_asks_instead_and_the_request_keeps_waiting(self, world: World) -> None:
        request = world.waiting()
        world.send(click("deny", value(request)))
        assert sent(world, opened_form(world), {"verdict": "more", "reason": "is the <replica> healthy?"}) == {}
        assert followups(world, request) == [(FollowupKind.ASK_FOR_MORE, "UBOB", "is the <replica> healthy?")]
        assert world.store.get(request.id).votes == ()

    def test_an_empty_question_is_none(self, world: World) -> None:
        request = world.waiting()
        world.send(click("deny", value(request)))
        assert "Type your question." in sent(world, opened_form(world), {"verdict": "more"})["reason"]
        assert followups(world, request) == []

    def test_what_is_over_is_not_asked_about(self, world: World) -> None:
        request = world.waiting()
        world.send(click("deny", value(request)))
        world.moved(request, Stage.WITHDRAWN)
        assert "Too late" in sent(world, opened_form(world), {"verdict": "more", "reason": "why?"})["reason"]


class TestAnswering:
    def ask(self, world: World) -> Request:
        request = world.waiting()
        return world.store.save(
            replace(request, remarks=(Remark(BOB, "bob", "is the replica healthy?", request.asked_at),))
        )

    def test_the_form_repeats_the_question_and_the_answer_is_recorded(self, world: World) -> None:
        request = self.ask(world)
        form = pressed(world, "answer", request, user="UALICE")
        assert "is the replica healthy?" in json.dumps(form["blocks"])
        assert sent(world, form, {"reason": "yes"}, user="UALICE") == {}
        assert followups(world, request) == [(FollowupKind.ANSWER, "UALICE", "yes")]

    def test_only_whose_it_is_answers(self, world: World) -> None:
        request = self.ask(world)
        form = pressed(world, "answer", request)
        assert "Only alice, who asked, can answer." in sent(world, form, {"reason": "yes"})["reason"]

    def test_nothing_is_no_answer_and_nobody_is_answered_who_did_not_ask(self, world: World) -> None:
        request = self.ask(world)
        form = pressed(world, "answer", request, user="UALICE")
        assert "Type your answer." in sent(world, form, {"reason": " "}, user="UALICE")["reason"]
        world.store.save(replace(world.store.get(request.id), remarks=()))
        assert "There is no open question" in sent(world, form, {"reason": "yes"}, user="UALICE")["reason"]
        world.moved(world.store.get(request.id), Stage.TIMED_OUT)
        assert "Too late" in sent(world, form, {"reason": "yes"}, user="UALICE")["reason"]


class TestHandingOver:
    def test_a_form_asks_to_whom_and_that_is_recorded(self, world: World) -> None:
        request = world.waiting()
        form = pressed(world, "hand_over", request, user="UALICE")
        assert [block["element"]["type"] for block in form["blocks"] if block["type"] == "input"] == ["users_select"]
        assert sent(world, form, {"person": "UBOB"}, user="UALICE") == {}
        (followup,) = world.store.get(request.id).followups
        assert (followup.kind, followup.to) == (FollowupKind.HAND_OVER, BOB)

    def test_only_whose_it_is_hands_it_over(self, world: World) -> None:
        request = world.waiting()
        form = pressed(world, "hand_over", request)
        assert "Only alice, who asked" in sent(world, form, {"person": "UBOB"})["person"]
        given = Transfer(BOB, "bob", ALICE, "alice", request.asked_at)
        world.store.save(replace(request, transfers=(given,)))
        assert "Only bob, who owns it now" in sent(world, form, {"person": "UBOB"}, user="UALICE")["person"]
        assert sent(world, form, {"person": "UALICE"}) == {}

    def test_what_is_under_way_or_over_is_not_handed_over(self, world: World) -> None:
        request = world.waiting()
        form = pressed(world, "hand_over", request, user="UALICE")
        world.moved(request, Stage.DENIED)
        assert "cannot be handed over" in sent(world, form, {"person": "UBOB"}, user="UALICE")["person"]


class TestSigning:
    def test_a_form_shows_what_was_done_alone_and_the_name_is_recorded(self, world: World) -> None:
        request = with_break_glass(world)
        world.send(click("sign_off", value(request), user="UCAROL"))
        form = opened_form(world)
        assert "db on fire, nobody answers" in json.dumps(form["blocks"])
        assert sent(world, form, {"reason": "page me"}, user="UCAROL") == {}
        assert followups(world, request) == [(FollowupKind.SIGN_OFF, "UCAROL", "page me")]

    def test_where_no_sign_off_is_owed_nothing_is_signed(self, world: World) -> None:
        request = world.waiting()
        form = pressed(world, "sign_off", request)
        assert "No sign-off is owed" in sent(world, form, {})["reason"]


def test_only_the_newest_wishes_are_kept(world: World) -> None:
    request = world.waiting()
    old = tuple(
        Followup(FollowupKind.ANSWER, ALICE, "alice", request.asked_at, request.ask.place, str(n), tally=Tally.REFUSED)
        for n in range(20)
    )
    world.store.save(replace(request, followups=old))
    sent(world, pressed(world, "break_glass", request), REASON)
    assert [text for _, _, text in followups(world, request)] == [*map(str, range(1, 20)), REASON["reason"]]
