"""Step-up from the click to the host: where the policy asks for codes, only approvals with one let a change run."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.cards import step_up as words
from bot.core.policy.groups import BreakGlassPolicy, Group
from bot.core.requests import FollowupKind, Outcome, Stage, Tally, Verdict
from bot.errors import CodeRefused
from tests.lab.authenticator import PhoneApp
from tests.workflow.approval.test_count_votes import is_untouched
from tests.workflow.approval.test_forged_rows import vote_row
from tests.workflow.conftest import Opening
from tests.workflow.forger import Forger
from tests.workflow.slack import ALICE, BOB, CAROL, People, caller
from tests.workflow.world import POLICY, World

STRICT = replace(POLICY, digest="1" * 64, rules=(replace(POLICY.rules[0], step_up=True),))
GLASS = BreakGlassPolicy(frozenset({"oncall"}))
WHY = "INC-42: nobody answers"


@pytest.fixture(scope="module")
def bot(open_world: Opening) -> Iterator[World]:
    """A running bot, whose policy asks for a code with each approval; alice and bob may use break-glass."""
    people = People()
    people.groups |= {"oncall": {ALICE.id, BOB.id}}
    policy = replace(STRICT, groups=(*STRICT.groups, Group("oncall")), break_glass=GLASS)
    with open_world(people=people, policy=policy) as one:
        yield one


def enrolled(world: World) -> PhoneApp:
    """Bob's phone; what he had before is reset."""
    codes = world.desk.step_up
    if codes.state(BOB.id).authenticator:
        codes.reset(BOB.id, "bob", by=None, by_name="root", reason="the next test")
    app = PhoneApp(codes.offer(caller(BOB)).secret)
    codes.confirm(caller(BOB), app.fresh_code(world.clock.now()))
    return app


def put(world: World, *, step_up: bool, need: int = 1) -> None:
    """Another policy comes into force."""
    now, rule = world.in_force.now, world.in_force.policy.rules[0]
    digest = ("2" if step_up else "3") * 64
    world.in_force.put(
        replace(now, policy=replace(now.policy, digest=digest, rules=(replace(rule, step_up=step_up, need=need),)))
    )


def test_with_a_code_it_is_masked_and_the_card_says_that_one_was_needed(bot: World) -> None:
    app, asked = enrolled(bot), bot.mask("tuned")
    assert "*Code*  approving needs a code from your authenticator" in bot.card(asked)
    with pytest.raises(CodeRefused, match="needs a code"):
        bot.vote(asked)
    code = app.fresh_code(bot.clock.now())
    bot.vote(asked, code=code)
    done = bot.until_final(asked)
    assert done.target.outcome is Outcome.PROVEN
    assert [vote.stepped_up for vote in done.counted_votes] == [True]
    (counted,) = [
        one for one in bot.store.records() if one["type"] == "approval.voted" and one["request_id"] == asked.id
    ]
    assert counted["data"]["stepped_up"] is True
    assert code not in repr([*bot.store.records()])

    undone = bot.undo(done)  # needs no approval, and so no code
    assert bot.until_final(undone).target.outcome is Outcome.RESTORED


def test_an_approval_from_before_the_policy_asked_for_codes_does_not_count_and_may_be_given_again(bot: World) -> None:
    app = enrolled(bot)
    put(bot, step_up=False, need=2)
    asked = bot.mask("worker")
    bot.vote(asked)
    bot.when(asked, lambda now: bool(now.counted_votes), "a counted approval")
    put(bot, step_up=True)
    bot.store.make_due(asked.id)

    lost = bot.when(asked, lambda now: not now.counted_votes, "the loss of the approval")
    assert [(vote.tally, vote.reason) for vote in lost.votes] == [(Tally.REFUSED, words.CODE_MISSING)]
    assert "bob approved without a code, which is needed now" in bot.note(asked, "without a code")
    (event,) = [one for one in bot.store.records() if one["type"] == "approval.lost"]
    assert event["reason_code"] == "step_up_missing"
    assert is_untouched(bot.hosts["web-01"], "worker.service")

    bot.vote(asked, code=app.fresh_code(bot.clock.now()))
    bot.when(asked, lambda now: len(now.counted_votes) == 1, "the approval with a code")
    bot.vote(asked, Verdict.DENY, by=CAROL)
    bot.until_final(asked)


def test_break_glass_takes_a_code_too(bot: World) -> None:
    app = enrolled(bot)
    put(bot, step_up=True)
    asked = bot.mask("beat.timer")
    given = {"text": WHY, "digest": asked.target.digest[:12]}
    with pytest.raises(CodeRefused, match="Break-glass needs a code"):
        bot.follow_up(asked, FollowupKind.BREAK_GLASS, by=BOB, **given)
    bot.follow_up(asked, FollowupKind.BREAK_GLASS, by=BOB, code=app.fresh_code(bot.clock.now()), **given)
    done = bot.until_final(asked)
    assert (done.target.outcome, done.break_glass and done.break_glass.stepped_up) == (Outcome.PROVEN, True)


def test_break_glass_asked_for_at_once_without_a_code_is_refused_and_people_are_asked(bot: World) -> None:
    put(bot, step_up=True)
    asked = bot.mask("restless", break_glass=True)
    (followup,) = bot.when(asked, lambda now: not now.open_followups and bool(now.followups), "a refusal").followups
    assert followup.refusal.startswith("Break-glass needs a code from your authenticator here.")
    assert bot.store.get(asked.id).stage is Stage.WAITING
    bot.desk.withdraw(asked.id, by=ALICE.id)


class TestForgery:
    @pytest.fixture
    def changed_deps(self) -> dict[str, object]:
        return {"policy": STRICT}

    def test_a_vote_whose_row_says_that_a_code_was_given_does_not_count(self, world: World, database: str) -> None:
        """Bob approved as the policy began to ask for codes; whoever writes the database adds the word."""
        put(world, step_up=False)
        asked, forger = world.mask("tuned"), Forger(database)
        put(world, step_up=True)
        world.vote(asked)
        refused = world.when(asked, lambda now: [one.tally for one in now.votes] == [Tally.REFUSED], "a refusal")
        assert "needs a code from your authenticator" in refused.votes[0].reason

        forger.vote(vote_row(forger, asked, BOB.id.user), stepped_up=True)
        world.until(lambda: "audit.forgery" in [one["type"] for one in world.store.records()], "an alarm")
        refused = world.when(asked, lambda now: [one.tally for one in now.votes] == [Tally.REFUSED], "a refusal")
        assert (refused.stage, refused.counted_votes) == (Stage.WAITING, ())
        assert is_untouched(world.hosts["web-01"], "tuned.service")


def test_wrong_codes_lock_it_and_the_operators_are_told(bot: World) -> None:
    app = enrolled(bot)
    put(bot, step_up=True)
    asked = bot.mask("restless")
    for _ in range(5):
        with pytest.raises(CodeRefused):
            bot.vote(asked, code=app.wrong_code(bot.clock.now()))
    with pytest.raises(CodeRefused, match="After 5 wrong codes"):
        bot.vote(asked, code=app.fresh_code(bot.clock.now()))
    assert "somebody else has your session" in bot.direct(BOB, "wrong codes")
    bot.clock.ahead += timedelta(minutes=15)
    bot.desk.withdraw(asked.id, by=asked.ask.requester)
