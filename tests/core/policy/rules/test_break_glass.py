"""Going ahead alone: for whom the policy names, with a reason, in place of missing votes and of nothing else."""

from dataclasses import replace

import pytest

from bot.core.people.identity import Person
from bot.core.policy.decide import decide, why_not_break_glass, why_not_own, why_not_sign_off
from bot.core.policy.groups import BreakGlassPolicy
from bot.core.policy.model import Allow, Decision, Facts, Moment, NeedsApproval, Policy, Refuse, Rule, Unknown
from bot.core.policy.rules.break_glass import BREAK_GLASS
from bot.core.requests import Request, Stage, Tally, Verb, Verdict, Vote
from bot.core.systemd.units import Layer, Snapshot
from tests.core.situations import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    MEMBERS,
    NOW,
    POLICY,
    PROD,
    broken,
    facts,
    handed,
    looked,
    masked,
    person,
    request,
    snapshot,
    waiting,
)

OPEN = replace(POLICY, break_glass=BreakGlassPolicy(frozenset({"oncall"})))
OLIVE = person("olive", "eng", "oncall")
EVE = replace(person("eve", "oncall"), is_guest=True)


def with_break_glass(
    who: Person = OLIVE,
    policy: Policy = OPEN,
    *,
    seen: Snapshot | None = None,
    asked: Request | None = None,
    moment: Moment = Moment.BREAK_GLASS,
    **used: object,
) -> Decision:
    """What somebody is told who wants to go ahead alone with what alice asked for."""
    seen = seen or snapshot()
    asked = broken(asked or waiting(request(str(seen.asked))), who, **used)  # type: ignore[arg-type]
    return decide(looked(seen, asked, moment, break_glass=who), policy)


def refused(answer: Decision | None) -> tuple[str, str]:
    assert isinstance(answer, Refuse), answer
    return answer.code, f"{answer.reason} {answer.hint}".strip()


def test_whom_the_policy_names_goes_ahead_without_a_vote() -> None:
    assert with_break_glass() == Allow(BREAK_GLASS, "olive used break-glass")
    assert with_break_glass(moment=Moment.ACT) == Allow(BREAK_GLASS, "olive used break-glass")


def test_with_what_they_asked_for_themselves_as_well() -> None:
    own = waiting(request(by=OLIVE))
    assert isinstance(
        decide(looked(snapshot(), broken(own, OLIVE), Moment.BREAK_GLASS, requester=OLIVE, break_glass=OLIVE), OPEN),
        Allow,
    )


@pytest.mark.parametrize(
    ("who", "code"),
    [(OLIVE, ""), (BOB, "break_glass_not_permitted"), (EVE, "not_a_member")],
    ids=lambda one: str(one)[:5],
)
def test_who_could_is_told_without_looking_at_anybody_else(who: Person, code: str) -> None:
    stranger = replace(ALICE, is_guest=True)
    given = looked(snapshot(), broken(waiting(), who), Moment.BREAK_GLASS, requester=stranger, break_glass=who)
    no = why_not_break_glass(given, OPEN)
    assert (no.code if no else "") == code


@pytest.mark.parametrize("moment", [Moment.BREAK_GLASS, Moment.ACT])
def test_where_it_is_not_known_who_is_in_the_group_it_waits_until_it_is(moment: Moment) -> None:
    asked = broken(waiting(), DAVE)
    given = looked(snapshot(), asked, moment, break_glass=DAVE, unknown={"oncall": Unknown("nobody knows")})
    assert refused(decide(given, OPEN)) == ("group_unknown", "nobody knows")


NOT_ALONE = {
    "who is in none of the groups": (
        with_break_glass(ALICE),
        "break_glass_not_permitted",
        "You may not use break-glass. @oncall may.",
    ),
    "anybody, where the policy names no group": (
        with_break_glass(policy=POLICY),
        "break_glass_not_permitted",
        "You may not use break-glass. Nobody may: the policy names no group for it.",
    ),
    "a guest": (with_break_glass(EVE), "not_a_member", "You are a guest here; guests may neither ask nor approve."),
    "who gives no reason": (with_break_glass(reason="   "), "no_reason", "a reason of at least 10 characters."),
    "who says too little": (
        with_break_glass(reason="db on fire"[:-1]),
        "no_reason",
        "a reason of at least 10 characters.",
    ),
    "anybody, where a rule says never": (
        with_break_glass(
            policy=replace(OPEN, rules=(replace(PROD, need=0), Rule("db", ask=frozenset(), allows_break_glass=False)))
        ),
        "break_glass_forbidden",
        "Rule `db` does not allow break-glass.",
    ),
    "with a critical unit": (
        with_break_glass(seen=snapshot("ssh.service")),
        "critical_unit",
        "Nobody can approve this.",
    ),
    "with what nobody may ask for": (
        with_break_glass(policy=replace(OPEN, rules=(PROD, Rule("no", forbid="payday")))),
        "forbidden",
        "Rule `no` forbids it: payday.",
    ),
    "with what is masked already": (
        with_break_glass(seen=masked(Layer.PERSISTENT)),
        "already_masked",
        "is already masked on web-01",
    ),
    "with a guarded unit and no word about the console": (
        with_break_glass(seen=snapshot("docker.service")),
        "console_not_vouched",
        "confirm that console access works today.",
    ),
}


@pytest.mark.parametrize(("answer", "code", "said"), NOT_ALONE.values(), ids=NOT_ALONE)
def test_not_alone_goes(answer: Decision, code: str, said: str) -> None:
    found = refused(answer)
    assert found[0] == code
    assert said in found[1]


def test_a_guarded_unit_is_masked_alone_by_who_vouches_for_the_console() -> None:
    assert isinstance(with_break_glass(seen=snapshot("docker.service"), console_works=True), Allow)


def test_the_word_of_who_asked_is_not_that_of_somebody_else_who_goes_alone() -> None:
    asked = waiting(request("docker.service"))
    vouched = replace(asked, ask=replace(asked.ask, break_glass=True, console_works=True))
    assert refused(with_break_glass(seen=snapshot("docker.service"), asked=vouched))[0] == "console_not_vouched"


@pytest.mark.parametrize("vouched", [True, False])
def test_where_nobody_else_could_approve_who_goes_alone_vouches_as_they_ask(vouched: bool) -> None:  # noqa: FBT001
    asked = request("docker.service", by=OLIVE)
    typed = replace(asked, ask=replace(asked.ask, break_glass=True, console_works=vouched, reason="nobody is awake"))
    given = looked(snapshot("docker.service"), typed, Moment.LOOKED, requester=OLIVE, members={"sre": frozenset()})
    assert isinstance(decide(given, OPEN), NeedsApproval) is vouched


def test_the_requester_has_to_be_allowed_to_ask_all_the_same() -> None:
    asked = broken(waiting(), OLIVE)
    answer = decide(looked(snapshot(), asked, Moment.BREAK_GLASS, requester=DAVE, break_glass=OLIVE), OPEN)
    assert refused(answer)[0] == "may_not_ask"


NOT_TOLD = {"oncall": Unknown("Nobody could tell who is in @oncall.")}
NO_APPROVERS = {"sre": Unknown("Nobody could tell who is in @sre.")}


def test_where_nobody_can_tell_who_is_in_the_group_nobody_is_told_that_they_may_not() -> None:
    asked = broken(waiting(), ALICE)
    for moment in (Moment.BREAK_GLASS, Moment.ACT):
        answer = decide(looked(snapshot(), asked, moment, break_glass=ALICE, unknown=NOT_TOLD), OPEN)
        assert refused(answer) == ("group_unknown", "Nobody could tell who is in @oncall.")
    signing = looked(snapshot(), asked, Moment.VOTE, voter=DAVE, unknown=NO_APPROVERS)
    assert refused(why_not_sign_off(signing, OPEN))[0] == "group_unknown"
    handing = looked(snapshot(), waiting(), Moment.VOTE, requester=DAVE, unknown={"eng": Unknown("Nobody knows.")})
    assert refused(why_not_own(handing, OPEN)) == ("group_unknown", "Nobody knows.")


LOST = {
    "the right": replace(OLIVE, groups=frozenset({"eng"})),
    "the account": replace(OLIVE, is_deleted=True),
    "the workspace": replace(OLIVE, is_foreign=True),
}


@pytest.mark.parametrize("now", LOST.values(), ids=LOST)
def test_who_lost_it_before_it_ran_does_not_count_any_more(now: Person) -> None:
    assert isinstance(
        decide(looked(snapshot(), broken(request(), OLIVE), Moment.ACT, break_glass=now), OPEN), NeedsApproval
    )


def test_who_broke_the_glass_for_another_plan_does_not_count() -> None:
    """Whoever gathers the facts leaves `break_glass` out then."""
    another = broken(request(), OLIVE, digest="another")
    assert not another.is_break_glass
    assert isinstance(decide(looked(snapshot(), another, Moment.ACT), OPEN), NeedsApproval)


def test_a_dead_end_does_not_stop_who_goes_ahead_alone() -> None:
    nobody = MEMBERS | {"sre": frozenset()}
    mine = request(by=OLIVE)
    asked = replace(mine, ask=replace(mine.ask, break_glass=True, reason="the database is on fire"))

    def answer(asked: Request, who: Person = OLIVE) -> Decision:
        return decide(facts(asked, requester=who, members=nobody), OPEN)

    assert isinstance(answer(asked), NeedsApproval)
    assert refused(answer(mine))[0] == "nobody_could_approve"
    assert refused(answer(asked, ALICE))[0] == "nobody_could_approve"


def sign(who: Person, asked: Request | None = None, policy: Policy = OPEN) -> Refuse | None:
    """What is said to a signature under the sign-off of what olive did alone with alice's request."""
    done = replace(asked or broken(request(), OLIVE), stage=Stage.DONE)
    return why_not_sign_off(looked(snapshot(), done, Moment.ACT, voter=who), policy)


def test_who_could_have_approved_signs_it_off() -> None:
    assert sign(BOB) is None


NO_SIGNATURE = {
    "who used break-glass": (sign(replace(OLIVE, groups=frozenset({"sre"}))), "own_sign_off"),
    "who asked": (sign(replace(ALICE, groups=frozenset({"sre"}))), "own_sign_off"),
    "whom it was handed to": (sign(CAROL, handed(broken(request(), OLIVE), CAROL)), "own_sign_off"),
    "who could not have approved": (sign(DAVE), "may_not_sign"),
    "a guest": (sign(replace(BOB, is_guest=True)), "not_a_member"),
    "anybody, where no sign-off is owed": (sign(BOB, request()), "no_sign_off"),
    "anybody, where nobody could approve": (
        sign(BOB, policy=replace(OPEN, rules=(replace(PROD, approve=()),))),
        "may_not_sign",
    ),
}


@pytest.mark.parametrize(("answer", "code"), NO_SIGNATURE.values(), ids=NO_SIGNATURE)
def test_it_is_not_signed_by(answer: Refuse | None, code: str) -> None:
    assert refused(answer)[0] == code


def test_it_can_be_signed_off_after_its_rule_is_gone_by_who_could_have_approved_then() -> None:
    gone = replace(OPEN, rules=())
    assert sign(BOB, policy=gone) is None
    assert refused(sign(DAVE, policy=gone)) == (
        "may_not_sign",
        "You could not have approved this, so you cannot sign it off. @sre may.",
    )


def test_nothing_is_signed_by_nobody_in_particular() -> None:
    asked: Facts = looked(snapshot(), broken(request(), OLIVE), Moment.ACT)
    assert refused(why_not_sign_off(asked, OPEN))[0] == "no_sign_off"


def test_a_sign_off_is_owed_until_it_is_signed_and_moves_on_with_the_change() -> None:
    asked = broken(request(), OLIVE)
    assert asked.owes_sign_off
    assert not replace(asked, repeated_by="r2").owes_sign_off
    assert not request().owes_sign_off


def own(who: Person, asked: Request | None = None) -> Refuse | None:
    """What is said when alice's request is to be handed to somebody."""
    return why_not_own(looked(snapshot(), asked or waiting(), Moment.VOTE, requester=who), POLICY)


def test_it_can_be_handed_to_whoever_could_have_asked() -> None:
    assert own(CAROL) is None


def voted(who: Person) -> Request:
    vote = Vote(who.id, who.name, Verdict.APPROVE, NOW, digest="d1", tally=Tally.COUNTED)
    return replace(waiting(request(), need=2).on_target(digest="d1"), votes=(vote,))


NO_OWNER = {
    "who may not ask": (
        own(DAVE),
        "may_not_ask",
        "dave could not have asked for this, so it cannot be handed to them. @eng may.",
    ),
    "a guest": (own(replace(CAROL, is_guest=True)), "not_a_member", "carol could not have asked for this"),
    "who has it": (own(ALICE), "owns_it", "alice already owns this."),
    "who approved it": (
        own(BOB, voted(BOB)),
        "approved_it",
        "bob approved or denied this, so they cannot own it as well.",
    ),
    "who used break-glass with it": (
        own(OLIVE, broken(waiting(), OLIVE)),
        "approved_it",
        "olive approved or denied this, so they cannot own it as well.",
    ),
}


@pytest.mark.parametrize(("answer", "code", "said"), NO_OWNER.values(), ids=NO_OWNER)
def test_it_cannot_be_handed_to(answer: Refuse | None, code: str, said: str) -> None:
    found = refused(answer)
    assert found[0] == code
    assert said in found[1]


def test_a_mask_that_is_made_can_be_handed_to_who_approved_it() -> None:
    assert own(OLIVE, replace(broken(waiting(), OLIVE), stage=Stage.DONE)) is None


def test_an_unmask_that_needs_votes_can_be_gone_ahead_with_alone() -> None:
    asked = waiting(request(verb=Verb.UNMASK))
    assert isinstance(with_break_glass(seen=masked(Layer.PERSISTENT), asked=asked), Allow)
