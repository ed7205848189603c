"""Going ahead alone: without votes, never without a reason, and everything else is as strict as ever."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.core.policy.groups import BreakGlassPolicy, Group
from bot.core.policy.model import ListedUnit, Rule
from bot.core.requests import Followup, FollowupKind, Outcome, Request, Stage, Tally
from bot.errors import UsageError
from bot.ports import Query
from tests.workflow.approval.test_count_votes import is_masked, is_untouched, just_before_acting
from tests.workflow.conftest import Opening
from tests.workflow.hands import edit
from tests.workflow.slack import ALICE, BOB, CAROL, DAVE, INCIDENT, People
from tests.workflow.world import GUARDED, POLICY, World

WHY = "INC-42: nobody answers"
NEVER = Rule("payroll", units=("beat.timer",), ask=frozenset({"eng"}), approve=("sre",), allows_break_glass=False)


@pytest.fixture(scope="module")
def world(open_world: Opening) -> Iterator[World]:
    """A running bot; alice, who asks, and bob, who approves, may go ahead alone, and dave is told of it."""
    people = People()
    people.groups |= {"oncall": {ALICE.id, BOB.id}, "leads": {DAVE.id}}
    policy = replace(
        POLICY,
        groups=(*POLICY.groups, Group("oncall"), Group("leads")),
        rules=(*POLICY.rules, NEVER),
        guarded=(*GUARDED, ListedUnit("primary.service", "it carries the mail")),
        break_glass=BreakGlassPolicy(frozenset({"oncall"}), channels=("CSEC",), people=("leads",)),
    )
    with open_world(people=people, policy=policy) as one:
        yield one


def break_glass(world: World, request: Request, *, text: str = WHY, console_works: bool = False) -> Followup:
    """Bob presses the button under Details."""
    digest = world.store.get(request.id).target.digest[:12]
    return world.follow_up(
        request, FollowupKind.BREAK_GLASS, by=BOB, text=text, digest=digest, console_works=console_works
    )


def notes(world: World, request: Request) -> list[tuple[str, str, str]]:
    """Where each note about it stands, and whether it is in a thread, with its words."""
    found = [said for said in world.slack.messages.values() if said.mark.startswith(f"{request.id}:note")]
    return [(said.channel, said.thread, said.text.text) for said in found]


def test_who_may_masks_for_real_without_a_vote_and_whoever_was_skipped_is_told_once(world: World) -> None:
    done = world.until_final(world.ask_mask("tuned", break_glass=True))

    assert (done.target.outcome, done.counted_votes) == (Outcome.PROVEN, ())
    assert is_masked(world.hosts["web-01"], "tuned.service")
    card = world.card(done)
    assert card.startswith("MASKED AND PROVEN")
    assert "*BREAK-GLASS*  <@UALICE> used break-glass" in card
    assert "*Why*  INC-42: runaway job" in card
    assert "[Unmask] [Set an expiry] [Sign off] [Details]" in card

    world.until(lambda: len(notes(world, done)) >= 2, "notes")
    (here, elsewhere) = sorted(notes(world, done))
    assert here[:2] == (INCIDENT.channel, "")
    assert here[2].startswith("<@UBOB> <@UCAROL> <@UDAVE> BREAK-GLASS: alice uses break-glass for `mask web-01 tuned")
    assert "Missing: 1 approval from @sre." in here[2]
    assert elsewhere[0] == "CSEC"
    assert "<@" not in elsewhere[2]
    (event,) = [record for record in world.store.records() if record["type"] == "break_glass.used"]
    assert (event["actor"]["user"], event["data"]["skipped"]) == ("UALICE", ["UBOB", "UCAROL", "UDAVE"])
    assert event["data"]["why"] == "INC-42: runaway job"


def test_nobody_goes_ahead_alone_with_what_is_critical(world: World) -> None:
    refused = world.until_final(world.ask_mask("ssh", break_glass=True))
    assert (refused.stage, "critical list" in refused.because) == (Stage.REFUSED, True)
    assert is_untouched(world.hosts["web-01"], "ssh.service")
    world.ephemeral(ALICE, "critical list")


def test_nor_with_what_the_host_cannot_do(world: World) -> None:
    refused = world.until_final(world.ask_mask("no-such-unit", break_glass=True))
    assert (refused.stage, "is not found" in refused.because) == (Stage.REFUSED, True)


def test_who_may_not_waits_for_votes_like_everybody_and_is_told_why(world: World) -> None:
    asked = world.mask("restless", by=CAROL, break_glass=True)
    world.ephemeral(CAROL, "You may not use break-glass. @oncall may.")
    waiting = world.store.get(asked.id)
    assert (waiting.stage, waiting.break_glass, waiting.open_followups) == (Stage.WAITING, None, ())
    assert is_untouched(world.hosts["web-01"], "restless.service")

    world.vote(asked, by=BOB)
    assert world.until_final(asked).target.outcome is Outcome.PROVEN


def test_without_a_reason_nothing_begins(world: World) -> None:
    asked = world.mask("cron", host="web-02")
    for text in ("", "   ", "too short"):
        with pytest.raises(UsageError, match="at least 10 characters"):
            break_glass(world, asked, text=text)
    assert is_untouched(world.hosts["web-02"], "cron.service")
    world.desk.withdraw(asked.id, by=ALICE.id)


def test_a_rule_that_says_never_holds(world: World) -> None:
    asked = world.mask("beat.timer", break_glass=True)
    world.ephemeral(ALICE, "Rule `payroll` does not allow break-glass.")
    assert world.store.get(asked.id).stage is Stage.WAITING
    world.desk.withdraw(asked.id, by=ALICE.id)


def test_only_the_missing_votes_are_replaced_and_a_guarded_unit_needs_the_word_on_console_access(world: World) -> None:
    asked = world.mask("primary")
    world.vote(asked, by=BOB, console_works=True)
    world.when(asked, lambda now: now.have == 1, "bob's vote")

    assert "confirm that console access works today" in break_glass(world, asked).refusal
    assert is_untouched(world.hosts["web-01"], "primary.service")

    break_glass(world, asked, console_works=True)  # bob, who approved it already, is one of the two it needs
    done = world.until_final(asked)
    assert done.target.outcome is Outcome.PROVEN
    assert is_masked(world.hosts["web-01"], "primary.service")
    assert done.break_glass
    assert (done.break_glass.need, done.break_glass.have) == (2, 1)
    mark = f"{done.id}:line"
    world.until(lambda: bool(world.slack.marked(mark)), "a line")
    assert "alice, approved by bob, BREAK-GLASS by bob" in world.slack.marked(mark)[0].text.text


def test_the_word_on_console_access_can_be_given_as_it_is_asked(world: World) -> None:
    asked = world.mask("primary", host="web-02", break_glass=True)
    world.ephemeral(ALICE, "Confirm with `--console-works`, or in the form under `Details`.")
    world.desk.withdraw(asked.id, by=ALICE.id)

    done = world.until_final(world.ask_mask("primary", host="web-02", break_glass=True, console_works=True))
    assert done.target.outcome is Outcome.PROVEN
    assert done.break_glass
    assert (done.break_glass.by, done.break_glass.console_works, done.counted_votes) == (ALICE.id, True, ())


def test_who_lost_the_right_before_it_ran_does_not_go_ahead(world: World) -> None:
    oncall = world.people.groups["oncall"]
    asked = world.mask("tuned", host="db-01")
    with just_before_acting(world, "tuned.service", lambda: oncall.discard(BOB.id)):
        break_glass(world, asked)
        anew = world.when(asked, lambda now: bool(now.changed_since), "a second question")
    oncall.add(BOB.id)
    assert anew.stage is Stage.WAITING
    assert is_untouched(world.hosts["db-01"], "tuned.service")
    world.desk.withdraw(asked.id, by=ALICE.id)


def test_a_unit_that_is_not_what_it_was_is_asked_about_anew(world: World) -> None:
    host = world.hosts["web-02"]
    asked = world.mask("watched.path", host="web-02")

    def edited() -> None:
        edit(host, "/lib/systemd/system/watched.path")

    with just_before_acting(world, "watched.path", edited):
        break_glass(world, asked)
        anew = world.when(asked, lambda now: bool(now.changed_since), "a second question")
    assert "for another plan: does not count" in world.card(anew)
    assert is_untouched(host, "watched.path")

    break_glass(world, asked)
    assert world.until_final(asked).target.outcome is Outcome.PROVEN


def test_it_is_signed_off_by_who_could_have_approved_and_by_nobody_with_a_part_in_it(world: World) -> None:
    asked = world.mask("generated", host="db-01")
    break_glass(world, asked)
    done = world.until_final(asked)
    assert done.owes_sign_off
    assert done.id in [one.id for one in world.store.find(Query(sign_offs_owed=True))]

    sre = world.people.groups["sre"]
    sre.add(ALICE.id)
    answers = {
        who.name: world.follow_up(done, FollowupKind.SIGN_OFF, by=who, text="fine").refusal
        for who in (BOB, ALICE, DAVE)
    }
    sre.discard(ALICE.id)
    assert answers["bob"] == "You used break-glass, so somebody else must sign it off."
    assert answers["alice"].startswith("You asked for this")
    assert answers["dave"] == "You could not have approved this, so you cannot sign it off. @sre may."
    assert "used break-glass" in world.ephemeral(BOB, "somebody else must sign")

    assert world.follow_up(done, FollowupKind.SIGN_OFF, by=CAROL, text="page me next time").tally is Tally.COUNTED
    world.until(lambda: "*Sign-off*  by <@UCAROL>" in world.card(done), "a card that says who signed")
    card = world.card(done)
    assert "page me next time" in card
    assert "[Unmask] [Set an expiry] [Keep] [Details]" in card
    assert done.id not in [one.id for one in world.store.find(Query(sign_offs_owed=True))]
    with pytest.raises(UsageError, match="carol has already signed it off"):
        world.follow_up(done, FollowupKind.SIGN_OFF, by=BOB)
    (event,) = [record for record in world.store.records() if record["type"] == "break_glass.signed_off"]
    assert (event["actor"]["user"], event["data"]["remark"], event["data"]["break_glass_by"]) == (
        "UCAROL",
        "page me next time",
        "UBOB",
    )


def test_a_mask_that_was_handed_over_is_undone_by_its_new_owner_without_a_vote(world: World) -> None:
    mask = world.masked("template@1", host="web-02")
    assert world.follow_up(mask, FollowupKind.HAND_OVER, by=ALICE, to=CAROL.id).tally is Tally.COUNTED
    world.until(lambda: "asked, handed over to <@UCAROL>" in world.card(mask), "the owner on the card")

    back = world.until_final(world.undo(mask, by=CAROL))
    assert (back.target.outcome, back.counted_votes) == (Outcome.RESTORED, ())
    assert "masked and proven" not in world.card(world.store.get(mask.id))
    with pytest.raises(UsageError, match="This cannot be handed over"):
        world.follow_up(mask, FollowupKind.HAND_OVER, by=CAROL, to=ALICE.id)


def test_who_went_ahead_alone_takes_it_back_without_a_vote(world: World) -> None:
    (mask,) = [one for one in world.requests() if one.target.unit.text == "generated.service"]
    back = world.until_final(world.undo(mask, by=BOB))
    assert back.target.outcome is Outcome.RESTORED
    assert is_untouched(world.hosts["db-01"], "generated.service")
