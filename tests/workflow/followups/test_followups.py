"""What people want of a request beside a vote, without hosts: asked, answered, handed over, signed off, never lost."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.cards.blocks import Action
from bot.core.hosts.inventory import Host, Inventory
from bot.core.people.identity import Person
from bot.core.policy.groups import BreakGlassPolicy, Group
from bot.core.requests import BreakGlass, FollowupCommand, FollowupKind, Outcome, Request, Stage, Tally, Verdict
from bot.errors import UsageError
from bot.workflow.followups.available import offered_actions
from tests.workflow.slack import ALICE, BOB, CAROL, DAVE, EVE, Said, caller
from tests.workflow.waiting import MINUTE, without_hosts
from tests.workflow.waiting import waits as waits_for_votes
from tests.workflow.world import POLICY, QUICK, World

WEB = Host("web-01", "192.0.2.1", 22, "maskbot", "prod")
HOUR = timedelta(hours=1)
PLAN = "0123456789abcdef"
OPEN = replace(
    POLICY,
    groups=(*POLICY.groups, Group("oncall")),
    break_glass=BreakGlassPolicy(frozenset({"oncall"}), channels=("CSEC",)),
)


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[World]:
    """A bot that works only while a test lets it; bob may go ahead alone."""
    timings = replace(QUICK, sign_off_reminder=24 * 3600.0, not_verified=0.2)
    with without_hosts(tmp_path, inventory=Inventory((WEB,)), policy=OPEN, timings=timings) as one:
        one.people.groups["oncall"] = {BOB.id}
        yield one


@pytest.fixture
def world(idle: World) -> Iterator[World]:
    """The same, at work."""
    with idle.running():
        yield idle


def waits(world: World) -> Request:
    """What alice asked for waits for one of @sre."""
    return world.store.save(waits_for_votes(world).on_target(digest=PLAN))


def notes(world: World, request: Request) -> list[Said]:
    return [said for said in world.slack.messages.values() if said.mark.startswith(f"{request.id}:note")]


def done_alone(world: World) -> Request:
    """Bob used break-glass with what alice asked for, an hour ago, and it is over."""
    request = waits(world)
    ago = world.clock.now() - HOUR
    used = BreakGlass(BOB.id, "bob", "nobody answers", ago, PLAN, groups=("sre",), need=1, remind_at=ago + 24 * HOUR)
    request = world.store.save(replace(request, break_glass=used).move(Stage.APPROVED))
    request = world.store.save(request.move(Stage.RUNNING))
    return world.store.save(request.on_target(outcome=Outcome.PROVEN).move(Stage.DONE, finished_at=ago))


class TestAskingForMore:
    def test_the_request_keeps_waiting_and_both_stand_on_its_card(self, world: World) -> None:
        request = waits(world)
        world.follow_up(request, FollowupKind.ASK_FOR_MORE, by=BOB, text="is the <replica> healthy?")
        world.until(lambda: "is the &lt;replica&gt; healthy?" in world.card(request), "the question on the card")
        assert "*Answer*  <@UALICE> can answer under Details" in world.card(request)
        assert world.note(request, "bob asks: is the &lt;replica&gt; healthy?").startswith("<@UALICE> ")

        world.follow_up(request, FollowupKind.ANSWER, by=ALICE, text="yes, 2 s behind")
        world.until(lambda: "yes, 2 s behind" in world.card(request), "the answer on the card")
        assert world.note(request, "alice answers: yes, 2 s behind").startswith("<@UBOB> ")
        waiting = world.store.get(request.id)
        assert (waiting.stage, waiting.open_question) == (Stage.WAITING, None)
        types = [record["type"] for record in world.store.records()]
        assert "clarification.asked" in types
        assert "clarification.answered" in types

    def test_the_first_question_begins_the_time_to_decide_anew_and_the_next_does_not(self, world: World) -> None:
        request = waits(world)
        assert request.approval
        world.clock.ahead += 10 * MINUTE
        world.follow_up(request, FollowupKind.ASK_FOR_MORE, by=BOB, text="why now?")
        later = world.store.get(request.id)
        assert later.approval
        assert later.approval.approve_by > request.approval.approve_by + 9 * MINUTE
        assert "starts again, once: 15 minutes" in world.note(request, "why now?")

        world.clock.ahead += MINUTE
        world.follow_up(request, FollowupKind.ASK_FOR_MORE, by=CAROL, text="and who else?")
        assert world.store.get(request.id).approval == later.approval
        assert "The time to approve keeps running." in world.note(request, "and who else?")

    @pytest.mark.parametrize(
        ("who", "said"), [(ALICE, "You asked for this"), (DAVE, "may not approve or deny"), (EVE, "guest")]
    )
    def test_only_who_may_decide_is_owed_an_answer(self, world: World, who: Person, said: str) -> None:
        request = waits(world)
        assert said in world.follow_up(request, FollowupKind.ASK_FOR_MORE, by=who, text="why?").refusal
        world.ephemeral(who, said)
        assert world.store.get(request.id).remarks == ()

    def test_who_asked_for_more_may_still_deny(self, world: World) -> None:
        request = waits(world)
        world.follow_up(request, FollowupKind.ASK_FOR_MORE, by=BOB, text="why?")
        world.vote(request, Verdict.DENY)
        assert world.until_final(request).stage is Stage.DENIED


class TestHandingOver:
    def test_the_new_owner_has_the_rights_and_the_old_one_still_does_not_approve(self, world: World) -> None:
        world.people.groups["sre"].add(ALICE.id)
        request = waits(world)
        assert world.follow_up(request, FollowupKind.HAND_OVER, by=ALICE, to=CAROL.id).tally is Tally.COUNTED

        world.until(lambda: "<@UALICE> asked, handed over to <@UCAROL>" in world.card(request), "the owner on the card")
        assert world.note(request, "alice hands `mask web-01 cron.service` over to you").startswith("<@UCAROL> ")
        for who in (ALICE, CAROL):
            world.vote(request, by=who)
            world.ephemeral(who, "somebody else must approve or deny it")
        with pytest.raises(UsageError, match="Only carol, who owns it now, can withdraw this"):
            world.desk.withdraw(request.id, by=ALICE.id)
        world.desk.withdraw(request.id, by=CAROL.id)
        assert world.until_final(request).because == "carol withdrew it."
        (event,) = [record for record in world.store.records() if record["type"] == "request.handed_over"]
        assert (event["actor"]["user"], event["data"]["to"], event["data"]["owner"]) == ("UALICE", "UCAROL", "UCAROL")

    @pytest.mark.parametrize(
        ("to", "said"),
        [
            (DAVE, "dave could not have asked for this"),
            (EVE, "eve could not have"),
            (ALICE, "alice already owns this."),
        ],
    )
    def test_it_does_not_go_to_who_could_not_have_asked(self, world: World, to: Person, said: str) -> None:
        request = waits(world)
        assert said in world.follow_up(request, FollowupKind.HAND_OVER, by=ALICE, to=to.id).refusal
        world.ephemeral(ALICE, said)
        assert world.store.get(request.id).owner == ALICE.id

    def test_nor_to_nobody(self, world: World) -> None:
        request = waits(world)
        assert world.follow_up(request, FollowupKind.HAND_OVER, by=ALICE).refusal == "Choose somebody."

    def test_a_live_mask_is_handed_over_and_its_new_owner_does_not_sign_it_off(self, world: World) -> None:
        mask = done_alone(world)
        world.follow_up(mask, FollowupKind.HAND_OVER, by=ALICE, to=CAROL.id)
        now = world.store.get(mask.id)
        assert (now.owner, now.stage) == (CAROL.id, Stage.DONE)
        assert world.follow_up(mask, FollowupKind.SIGN_OFF, by=CAROL).refusal.startswith(
            "You asked for this, or it was handed over to you"
        )
        (event,) = [record for record in world.store.records() if record["type"] == "followup.refused"]
        assert (event["reason_code"], event["actor"]["user"]) == ("own_sign_off", "UCAROL")


class TestSignOffs:
    def test_who_could_sign_is_reminded_every_day_until_somebody_has_also_after_a_restart(self, idle: World) -> None:
        request = done_alone(idle)
        assert request.due_at
        for day in (1, 2):
            idle.clock.ahead += 24 * HOUR
            with idle.running():
                idle.until(lambda day=day: len(notes(idle, request)) >= 2 * day, f"the notes of day {day}")  # type: ignore[misc]
        in_thread = [said for said in notes(idle, request) if said.thread]
        assert len(in_thread) == 2
        assert all(
            said.text.text.startswith("<@UCAROL> A sign-off is owed: bob used break-glass") for said in in_thread
        )
        assert [said.channel for said in notes(idle, request) if not said.thread] == ["CSEC", "CSEC"]

        with idle.running():
            idle.follow_up(request, FollowupKind.SIGN_OFF, by=CAROL)
        signed = idle.store.get(request.id)
        assert not signed.owes_sign_off
        assert signed.due_at is None

    def test_it_can_be_signed_off_after_the_host_is_gone(self, idle: World) -> None:
        request = done_alone(idle)
        now = idle.in_force.now
        idle.in_force.put(replace(now, inventory=Inventory(())))
        with idle.running():
            assert "could not have approved" in idle.follow_up(request, FollowupKind.SIGN_OFF, by=DAVE).refusal
            assert idle.follow_up(request, FollowupKind.SIGN_OFF, by=CAROL).tally is Tally.COUNTED


class TestGoingAlone:
    def test_who_is_not_known_at_the_moment_does_not_go_ahead(self, world: World) -> None:
        request = waits(world)
        world.people.silent.add(BOB.id)
        followup = world.follow_up(request, FollowupKind.BREAK_GLASS, by=BOB, text="nobody answers", digest=PLAN)
        assert followup.refusal == "Slack did not say who that is. Try again in a moment."
        assert world.store.get(request.id).stage is Stage.WAITING

    def test_nobody_who_could_be_in_the_group_is_told_that_they_may_not(self, world: World) -> None:
        request = waits(world)
        world.people.broken.add("oncall")
        followup = world.follow_up(request, FollowupKind.BREAK_GLASS, by=BOB, text="nobody answers", digest=PLAN)
        assert followup.refusal == "Nobody could tell who is in @oncall. Try again in a moment."

    def test_what_is_wanted_before_slack_is_reached_waits_and_keeps_nothing_else_from_its_time(
        self, idle: World
    ) -> None:
        request = waits(idle)
        idle.people.early.add("oncall")
        with idle.running():
            idle.desk.followups.add(
                request.id,
                FollowupCommand(FollowupKind.BREAK_GLASS, "nobody answers", PLAN),
                caller(BOB, place=request.ask.place),
            )
            idle.clock.ahead += 14 * MINUTE
            idle.when(
                request, lambda now: now.escalation is not None and now.escalation.counted_down > 0, "a countdown"
            )
            assert [followup.tally for followup in idle.store.get(request.id).followups] == [Tally.RECORDED]
            idle.people.early.clear()
            idle.when(request, lambda now: now.break_glass is not None, "an answer")

    def test_who_could_have_approved_may_be_unknown_to_who_goes_ahead(self, world: World) -> None:
        request = waits(world)
        world.people.broken.add("sre")
        assert (
            world.follow_up(request, FollowupKind.BREAK_GLASS, by=BOB, text="nobody answers", digest=PLAN).tally
            is Tally.COUNTED
        )

    def test_more_people_than_fit_into_one_message_are_told_in_several(self, idle: World) -> None:
        crowd = {replace(BOB.id, user=f"UMANY{number:03}") for number in range(150)}
        idle.people.groups["sre"] |= crowd
        request = waits(idle)
        with idle.running():
            idle.follow_up(request, FollowupKind.BREAK_GLASS, by=BOB, text="nobody answers", digest=PLAN)
            idle.until(lambda: len(notes(idle, request)) == 3, "the notes")
        said = [one.text.text for one in notes(idle, request) if one.channel != "CSEC"]
        told = [word for text in said for word in text.split() if word.startswith("<@")]
        assert len(told) == len({*told}) == 151

    def test_the_button_is_shown_to_who_may_and_to_nobody_else(self, idle: World) -> None:
        request = waits(idle)
        shown = {who.name: offered_actions(idle.deps, request, who.id) for who in (ALICE, BOB, CAROL)}
        assert shown == {"alice": (Action.HAND_OVER,), "bob": (Action.BREAK_GLASS,), "carol": ()}

        with idle.running():
            idle.follow_up(request, FollowupKind.ASK_FOR_MORE, by=CAROL, text="why?")
        asked = idle.store.get(request.id)
        assert offered_actions(idle.deps, asked, ALICE.id) == (Action.ANSWER, Action.HAND_OVER)
        with idle.running():
            idle.desk.withdraw(request.id, by=ALICE.id)
            over = idle.until_final(request)
        assert [offered_actions(idle.deps, over, who.id) for who in (ALICE, BOB)] == [(), ()]


class TestWithdrawing:
    def test_it_retires_everything(self, idle: World) -> None:
        """What was recorded before, and is only heard now, is answered; the card has nothing left to press."""
        request = waits(idle)
        with idle.running():
            idle.until(lambda: bool(idle.store.card(request.id)[1]), "a card")
        idle.vote(request)
        command = FollowupCommand(FollowupKind.BREAK_GLASS, "nobody answers", PLAN)
        idle.desk.followups.add(request.id, command, caller(BOB, place=request.ask.place))
        idle.desk.withdraw(request.id, by=ALICE.id)
        with idle.running():
            over = idle.when(request, lambda now: not now.open_followups, "an answer to what bob wanted")
            idle.until(lambda: "[Details]" in idle.card(over), "the last card")
        assert (over.stage, over.break_glass, over.due_at) == (Stage.WITHDRAWN, None, None)
        assert [vote.tally for vote in over.votes] == [Tally.REFUSED]
        assert [followup.refusal for followup in over.followups] == ["Too late: this request is withdrawn."]
        assert idle.ephemeral(BOB, "Too late")
        buttons = idle.card(over).splitlines()[-1]
        assert buttons == "[Details]"
        with pytest.raises(UsageError, match="Too late"):
            idle.vote(request, by=CAROL)
