"""Extend and Keep: a form, and one recorded request for another end of the same mask."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.cards import forms
from bot.core.policy.configuration import ConfigSnapshot
from bot.core.policy.hold import HoldPolicy
from bot.core.requests import Aftercare, Duration, Hold, HoldState, NewKind, Outcome, Request, Stage
from tests.handlers.payloads import DIRECT, click, submission
from tests.handlers.world import POLICY, World

PLAN = "0123456789ab"


@pytest.fixture
def mask(world: World) -> Request:
    """A mask of ours that ends in an hour."""
    request = world.moved(world.moved(world.waiting(), Stage.APPROVED), Stage.RUNNING)
    done = world.moved(request, Stage.DONE, outcome=Outcome.PROVEN)
    expires_at = (request.asked_at + timedelta(hours=1)).replace(microsecond=0)
    aftercare = replace(done.aftercare, expires_at=expires_at, approved_until=expires_at)
    return world.store.save(replace(done, finished_at=request.asked_at, aftercare=aftercare))


def open_form(world: World, action: str, mask: Request) -> dict[str, Any]:
    world.send(click(action, f"{mask.id}:{PLAN}"))
    view = world.slack.call("views.open")["view"]
    return dict(json.loads(view) if isinstance(view, str) else view)


def sent(world: World, form: dict[str, Any], **values: Any) -> dict[str, str]:
    """What was wrong with it, by field."""
    answer = world.send(submission(form, values))
    return dict(json.loads(answer.body)["errors"]) if answer.body else {}


def expires_at(mask: Request) -> Any:
    return mask.aftercare.expires_at


def extending(world: World, mask: Request) -> Request:
    (request,) = (one for one in world.requests() if one.ask.extends == mask.id)
    return request


class TestExtend:
    def test_the_form_offers_lengths_and_asks_for_the_same_mask_with_a_later_end(
        self, world: World, mask: Request
    ) -> None:
        form = open_form(world, "extend", mask)
        assert form["callback_id"] == forms.EXTEND
        assert sent(world, form, longer="4h", reason="the deploy takes longer") == {}

        request = extending(world, mask)
        assert request.ask.change == replace(
            mask.ask.change, duration=Duration(until=expires_at(mask) + timedelta(hours=4))
        )
        assert (request.ask.requester.user, request.ask.reason) == ("UBOB", "the deploy takes longer")
        assert (request.ask.instead_of, request.stage) == (expires_at(mask), Stage.ASKED)
        assert world.store.get(mask.id).aftercare == mask.aftercare

    def test_what_is_typed_counts_instead_of_what_is_chosen(self, world: World, mask: Request) -> None:
        assert sent(world, open_form(world, "extend", mask), longer="1h", other="—90m") != {}
        assert sent(world, open_form(world, "extend", mask), longer="1h", other=" 90m ") == {}
        assert extending(world, mask).ask.change.duration == Duration(until=expires_at(mask) + timedelta(minutes=90))

    def test_a_moment_can_be_typed_as_well(self, world: World, mask: Request) -> None:
        assert sent(world, open_form(world, "extend", mask), longer="1h", other="until tomorrow 12:00 UTC") == {}
        duration = extending(world, mask).ask.change.duration
        assert duration
        assert duration.until
        assert (duration.until.hour, duration.until.minute) == (12, 0)

    def test_what_makes_no_sense_is_said_beside_its_field(self, world: World, mask: Request) -> None:
        wrong = sent(world, open_form(world, "extend", mask), longer="1h", other="a while")
        assert "not a duration" in wrong["other"]
        wrong = sent(world, open_form(world, "extend", mask), longer="1h", reason="x" * 501)
        assert "501 characters" in wrong["reason"]
        assert len(world.requests()) == 1

    def test_a_length_counts_from_now_where_the_end_has_passed(self, world: World, mask: Request) -> None:
        past = mask.asked_at - timedelta(hours=9)
        mask = world.store.save(replace(mask, aftercare=replace(mask.aftercare, expires_at=past)))
        assert sent(world, open_form(world, "extend", mask), longer="1h") == {}
        duration = extending(world, mask).ask.change.duration
        assert duration
        assert duration.until
        assert duration.until > mask.asked_at + timedelta(minutes=59)

    def test_a_form_that_is_delivered_twice_asks_once(self, world: World, mask: Request) -> None:
        payload = submission(open_form(world, "extend", mask), {"longer": "1h"})
        world.send(payload)
        world.send(payload)
        assert len(world.requests()) == 2


class TestKeep:
    def test_it_asks_for_the_same_mask_without_an_end_and_says_why(self, world: World, mask: Request) -> None:
        assert sent(world, open_form(world, "keep", mask), reason="it must never run here") == {}
        request = extending(world, mask)
        assert request.ask.change == replace(mask.ask.change, duration=None)
        assert request.ask.reason == "it must never run here"

    @pytest.mark.parametrize("reason", ["", "  "])
    def test_it_needs_a_reason(self, world: World, mask: Request, reason: str) -> None:
        wrong = sent(world, open_form(world, "keep", mask), reason=reason)
        assert wrong == {"reason": "Keeping a mask needs a reason."}
        assert len(world.requests()) == 1


@pytest.fixture
def endless(world: World, mask: Request) -> Request:
    """The same without an end."""
    return world.store.save(replace(mask, aftercare=replace(mask.aftercare, expires_at=None, approved_until=None)))


class TestWithoutAnEnd:
    def test_it_can_be_given_one_that_counts_from_now(self, world: World, endless: Request) -> None:
        form = open_form(world, "give_it_an_end", endless)
        assert sent(world, form, longer="4h") == {}
        request = extending(world, endless)
        duration = request.ask.change.duration
        assert (request.ask.new_kind, request.ask.instead_of) == (NewKind.ENDING, None)
        assert duration
        assert duration.until
        assert timedelta(hours=3) < duration.until - world.desk.now.at <= timedelta(hours=4)

    def test_below_a_direct_message_it_goes_beside_the_first_card(self, world: World, endless: Request) -> None:
        world.send(click("give_it_an_end", f"{endless.id}:{PLAN}") | DIRECT)
        view = world.slack.call("views.open")["view"]
        assert sent(world, dict(json.loads(view) if isinstance(view, str) else view), longer="4h") == {}
        assert extending(world, endless).ask.place == endless.ask.place

    def test_it_is_kept_until_a_day_on_which_its_owner_is_reminded(self, world: World, endless: Request) -> None:
        form = open_form(world, "keep", endless)
        assert sent(world, form, reason="it must never run here", review="7d") == {}
        request = extending(world, endless)
        assert (request.ask.new_kind, request.ask.change.duration) == (NewKind.LOOKED_AT, None)
        assert request.ask.remind_at
        assert request.ask.remind_at.date() == (world.desk.now.at + timedelta(days=7)).date()

    @pytest.mark.parametrize("review", ["", "soon"])
    def test_a_day_is_needed(self, world: World, endless: Request, review: str) -> None:
        wrong = sent(world, open_form(world, "keep", endless), reason="why", review=review)
        assert "is not a date" in wrong["review"]

    def test_a_form_from_before_it_lost_its_end_asks_for_the_day(self, world: World, mask: Request) -> None:
        form = open_form(world, "keep", mask)
        world.store.save(replace(mask, aftercare=replace(mask.aftercare, expires_at=None)))
        assert "Say when to remind you of it again" in sent(world, form, reason="why")["reason"]


class TestHoldingIt:
    @pytest.fixture(autouse=True)
    def owners(self, world: World) -> None:
        """A policy under which @sre may own holds."""
        policy = replace(POLICY, holds=HoldPolicy(frozenset({"sre"})))
        world.in_force.put(ConfigSnapshot(world.in_force.now.inventory, policy))

    def test_it_asks_for_the_same_mask_as_a_hold(self, world: World, mask: Request) -> None:
        assert sent(world, open_form(world, "hold_it", mask), hold="sre", review="90d", reason="it is evil") == {}
        request = extending(world, mask)
        hold = request.ask.change.hold
        assert hold
        assert (hold.owners, request.ask.change.duration, request.ask.new_kind) == ("sre", None, NewKind.HELD)
        assert (hold.review - world.desk.now.at).days in (89, 90)

    def test_it_needs_owners_a_day_and_a_reason(self, world: World, mask: Request) -> None:
        wanted = {"hold": "sre", "review": "90d", "reason": "it is evil"}
        for left_out, field in (("hold", "hold"), ("review", "review"), ("reason", "reason")):
            assert field in sent(world, open_form(world, "hold_it", mask), **wanted | {left_out: ""})

    @pytest.mark.parametrize(
        ("change", "said"),
        [({"runtime": True}, "outlives reboots"), ({"user": "deploy"}, "outlives reboots")],
    )
    def test_what_ends_with_a_reboot_is_not_held(
        self, world: World, mask: Request, change: dict[str, Any], said: str
    ) -> None:
        ask = replace(mask.ask, change=replace(mask.ask.change, **change))
        world.store.save(replace(mask, ask=ask))
        world.send(click("hold_it", f"{mask.id}:{PLAN}", respond=f"{world.slack.base}respond"))
        assert said in world.slack.call("respond")["text"]

    def test_where_nobody_may_own_one_that_is_said(self, world: World, mask: Request) -> None:
        world.in_force.put(ConfigSnapshot(world.in_force.now.inventory, POLICY))
        world.send(click("hold_it", f"{mask.id}:{PLAN}", respond=f"{world.slack.base}respond"))
        assert "names no owners" in world.slack.call("respond")["text"]

    def test_a_hold_does_not_become_one_and_does_not_end(self, world: World, mask: Request) -> None:
        hold = Hold("sre", world.desk.now.at + timedelta(days=9))
        world.store.save(replace(mask, hold_state=HoldState(made_later=hold), aftercare=Aftercare()))
        for action in ("hold_it", "give_it_an_end"):
            world.send(click(action, f"{mask.id}:{PLAN}", respond=f"{world.slack.base}respond"))
            assert "It is a hold" in world.slack.call("respond")["text"]


@pytest.mark.parametrize("action", ["extend", "keep"])
class TestWhatIsGone:
    def test_a_mask_that_was_undone_meanwhile_is_not_asked_for(self, world: World, mask: Request, action: str) -> None:
        form = open_form(world, action, mask)
        world.store.save(replace(mask, undone_by="r9"))
        wrong = sent(world, form, longer="1h", reason="why")
        assert "There is no mask to extend or to keep" in next(iter(wrong.values()))
        assert len(world.requests()) == 1
