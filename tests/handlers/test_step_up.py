"""Enrolling an authenticator and giving its codes, in Slack: forms that one person sees, and errors beside the code."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.core.cards import step_up as words
from bot.core.people.identity import Caller, PersonId, Place
from bot.core.policy.groups import BreakGlassPolicy
from bot.core.requests import Request, Stage, Verdict
from bot.errors import CodeRefused
from tests.handlers.payloads import CHANNEL, at_home, click, command, mention, submission
from tests.handlers.test_approval import opened_form, value
from tests.handlers.world import World
from tests.lab.authenticator import PhoneApp

REASON = {"reason": "the database is on fire"}


def now() -> datetime:
    return datetime.now(UTC)


def app_of(form: dict[str, Any]) -> PhoneApp:
    """Bob types the secret that the form shows into his app."""
    found = re.search(r"`((?:[A-Z2-7]{4} ?){8})`", json.dumps(form["blocks"]))
    assert found, form
    return PhoneApp(found[1])


def sent(world: World, form: dict[str, Any], values: dict[str, Any], user: str = "UBOB") -> dict[str, Any]:
    """What Slack is answered when the form is sent."""
    body = world.send(submission(form, values, user=user)).body
    return dict(json.loads(body)) if body else {}


def enrolled(world: World, user: str = "UBOB") -> PhoneApp:
    """The person has enrolled."""
    world.send(command("enrol", user=user))
    form = opened_form(world)
    app = app_of(form)
    assert sent(world, form, {"code": app.fresh_code(now())}, user)["response_action"] == "update"
    return app


def stored(world: World) -> str:
    return repr([world.requests(), [*world.store.chain()]])


class TestEnrolment:
    @pytest.mark.parametrize("word", ["enrol", "Enrol", "enroll"])
    def test_a_word_opens_a_form_with_a_secret_and_it_counts_after_its_first_code(
        self, world: World, word: str
    ) -> None:
        answer = world.send(command(word, user="UBOB"))
        assert (answer.status, answer.body) == (200, "")
        form = opened_form(world)
        app = app_of(form)
        assert "otpauth://totp/maskbot:bob?secret=" in json.dumps(form["blocks"])
        assert "secret" not in form["private_metadata"]
        assert world.events("step_up.enrolled") == []

        assert "not right" in sent(world, form, {"code": app.wrong_code(now())})["errors"]["code"]
        done = sent(world, form, {"code": app.fresh_code(now())})
        assert words.ENROLLED in json.dumps(done["view"])
        (event,) = world.events("step_up.enrolled")
        assert event["actor"]["user"] == "UBOB"

    def test_the_form_of_another_person_enrols_nobody(self, world: World) -> None:
        world.send(command("enrol", user="UBOB"))
        form = opened_form(world)
        refused = submission(form, {"code": app_of(form).fresh_code(now())}, user="UBOB")
        refused["user"]["id"] = "UALICE"
        assert "not made for you" in world.send(refused).body
        assert world.events("step_up.enrolled") == []

    def test_whoever_has_one_gives_a_code_of_it_before_another_is_shown(self, world: World) -> None:
        app = enrolled(world)
        world.send(command("enrol", user="UBOB"))
        form = opened_form(world)
        assert "otpauth" not in json.dumps(form)
        assert "not right" in sent(world, form, {"code": app.wrong_code(now())})["errors"]["code"]

        view = sent(world, form, {"code": app.fresh_code(now())})["view"]
        newer = app_of(view)
        assert words.ENROLLED in json.dumps(sent(world, view, {"code": newer.fresh_code(now())}))
        assert "not right" in code_error(world, app.code(now(), ahead=1))

    def test_in_a_message_that_everybody_reads_no_secret_is_shown(self, world: World) -> None:
        world.send(mention("enrol"))
        assert "/mask enrol" in world.slack.call("chat.postEphemeral")["text"]
        assert world.slack.count("views.open") == 0

    def test_an_unmask_has_no_such_word(self, world: World) -> None:
        assert "use `/mask enrol`" in world.send(command("enrol", name="/unmask")).body


def code_error(world: World, code: str) -> str:
    """Why bob's code does not count; empty if it does."""
    try:
        world.desk.step_up.use(Caller(PersonId("T1", "UBOB"), "bob", Place(CHANNEL), "k"), code, used_for="approval")
    except CodeRefused as error:
        return str(error)
    return ""


class TestApprove:
    def test_a_click_opens_the_form_and_the_code_is_kept_nowhere(self, world: World) -> None:
        app, request = enrolled(world), world.waiting(step_up=True)
        world.send(click("approve", value(request)))
        form, code = opened_form(world), app.fresh_code(now())
        assert world.store.get(request.id).votes == ()
        assert sent(world, form, {"code": f" {code[:3]} {code[3:]}"}) == {}
        (vote,) = world.store.get(request.id).votes
        assert (vote.verdict, vote.stepped_up) == (Verdict.APPROVE, True)
        (given,) = world.events("approval.recorded")
        assert given["data"]["stepped_up"] is True
        (used,) = world.events("step_up.accepted")
        assert used["data"] == {"used_for": "approval", "request": request.id}
        assert code not in stored(world)

    def test_a_wrong_code_is_said_beside_it_and_loses_nothing(self, world: World) -> None:
        app, request = enrolled(world), world.waiting(step_up=True, guarded="remote access")
        world.send(click("approve", value(request)))
        form, tick = opened_form(world), {"console": ["console_works"]}
        for wrong, said in ((app.wrong_code(now()), "not right"), ("12345", "has 6 digits"), ("", "needs a code")):
            assert said in sent(world, form, tick | {"code": wrong})["errors"]["code"]
        assert world.store.get(request.id).votes == ()
        assert sent(world, form, tick | {"code": app.fresh_code(now())}) == {}
        (vote,) = world.store.get(request.id).votes
        assert (vote.stepped_up, vote.console_works) == (True, True)

    def test_a_second_delivery_of_the_form_is_no_replay(self, world: World) -> None:
        app, request = enrolled(world), world.waiting(step_up=True)
        world.send(click("approve", value(request)))
        form, values = opened_form(world), {"code": app.fresh_code(now())}
        sent(world, form, values)
        assert "Your first click is being checked" in json.dumps(sent(world, form, values))
        assert world.events("step_up.refused") == []

    def test_a_code_that_was_used_elsewhere_does_not_count(self, world: World) -> None:
        app, request = enrolled(world), world.waiting(step_up=True)
        code = app.fresh_code(now())
        assert code_error(world, code) == ""
        world.send(click("approve", value(request)))
        assert "used already" in sent(world, opened_form(world), {"code": code})["errors"]["code"]

    @pytest.mark.parametrize("press", [click, at_home])
    def test_whoever_has_no_authenticator_is_told_so_before_any_form(self, world: World, press: Any) -> None:
        request = world.waiting(step_up=True)
        pressed = press("approve", value(request))
        if "response_url" in pressed:
            pressed["response_url"] = f"{world.slack.base}respond"
        world.send(pressed)
        told = world.slack.call("respond" if press is click else "chat.postMessage")["text"]
        assert "you have none here yet. Type `/mask enrol`" in told
        assert world.slack.count("views.open") == 0

    def test_on_the_home_tab_the_form_asks_for_it_too(self, world: World) -> None:
        app, request = enrolled(world), world.waiting(step_up=True)
        world.send(at_home("approve", value(request)))
        assert sent(world, opened_form(world), {"code": app.fresh_code(now())}) == {}
        assert [vote.stepped_up for vote in world.store.get(request.id).votes] == [True]

    def test_a_form_from_before_the_policy_asked_for_codes_does_not_approve(self, world: World) -> None:
        request = world.waiting(guarded="remote access")
        world.send(click("approve", value(request)))
        form = opened_form(world)
        stricter(world, request)
        answer = sent(world, form, {"console": ["console_works"]})
        assert words.NO_CODE in answer["errors"].values()
        assert world.store.get(request.id).votes == ()

    def test_a_denial_and_a_withdrawal_need_none(self, world: World) -> None:
        request = world.waiting(step_up=True)
        world.send(click("deny", value(request)))
        sent(world, opened_form(world), {})
        assert [vote.verdict for vote in world.store.get(request.id).votes] == [Verdict.DENY]
        world.send(click("withdraw", value(request), user="UALICE"))
        assert world.store.get(request.id).stage is Stage.WITHDRAWN


def stricter(world: World, request: Request) -> None:
    """The policy asks for codes from now on, and the request was judged again."""
    now_ = world.store.get(request.id)
    assert now_.approval
    world.store.save(replace(now_, approval=replace(now_.approval, step_up=True)))


class TestBreakGlass:
    def test_the_form_asks_for_a_code_and_a_wrong_one_records_nothing(self, world: World) -> None:
        app, request = enrolled(world), world.waiting(step_up=True)
        world.send(click("break_glass", value(request)))
        form = opened_form(world)
        assert set(sent(world, form, REASON | {"code": app.wrong_code(now())})["errors"]) == {"code"}
        code = app.fresh_code(now())
        assert set(sent(world, form, {"reason": "short", "code": code})["errors"]) == {"reason"}
        assert world.store.get(request.id).followups == ()
        assert sent(world, form, REASON | {"code": code}) == {}
        assert [followup.stepped_up for followup in world.store.get(request.id).followups] == [True]

    def test_the_policy_may_ask_for_one_with_every_break_glass(self, world: World) -> None:
        glass = BreakGlassPolicy(frozenset({"sre"}), step_up=True)
        world.in_force.put(replace(world.in_force.now, policy=replace(world.in_force.policy, break_glass=glass)))
        request = world.waiting()
        world.send(click("break_glass", value(request), respond=f"{world.slack.base}respond"))
        assert "you have none here yet" in world.slack.call("respond")["text"]

    def test_a_code_behind_the_command_is_taken_and_not_kept(self, world: World) -> None:
        app = enrolled(world, "UALICE")
        code = app.fresh_code(now())
        asked = command(f"web-01 cron --break-glass --code {code} the database is on fire")
        world.send(asked)
        (request,) = world.requests()
        assert (request.ask.break_glass, request.ask.stepped_up, request.ask.reason) == (
            True, True, "the database is on fire",
        )  # fmt: skip
        assert code not in stored(world)
        assert "Got it" in world.send(asked).body  # Slack delivers it again
        assert len(world.events("step_up.accepted")) == 1

    @pytest.mark.parametrize(
        ("options", "said"),
        [("--break-glass --code 12345", "has 6 digits"), ("--break-glass --code", "has 6 digits"),
         ("--code 123456", "only goes with `--break-glass`"), ("--break-glass --code 123456", "none here yet")],
    )  # fmt: skip
    def test_a_code_that_is_none_records_nothing(self, world: World, options: str, said: str) -> None:
        assert said in world.send(command(f"web-01 cron {options} the database is on fire")).body
        assert world.requests() == []
