"""Who may ask, where, who may decide, and until when."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.people.identity import HOME, Person, PersonId, Place, Shift
from bot.core.policy.decide import decide, why_not_look, why_not_see_all
from bot.core.policy.model import Allow, Facts, Moment, NeedsApproval, Policy, Refuse, Unknown
from bot.core.policy.rules.dead_ends import are_enough, in_question
from bot.core.policy.rules.identity import shut_out
from bot.core.requests import Stage, Verb
from bot.core.systemd.units import Layer
from tests.core.situations import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    INCIDENT,
    MEMBERS,
    NOW,
    POLICY,
    PROD,
    TEAM,
    facts,
    handed,
    looked,
    masked,
    our_mask,
    person,
    request,
    snapshot,
    waiting,
)

TWO = replace(POLICY, rules=(replace(PROD, need=2),))


def refusal(asked: Facts, policy: Policy = POLICY) -> Refuse:
    answer = decide(asked, policy)
    assert isinstance(answer, Refuse), answer
    return answer


def vote(voter: Person | None, policy: Policy = POLICY, **changed: object) -> object:
    """What is said to a vote on alice's waiting request."""
    return decide(looked(snapshot(), waiting(), Moment.VOTE, voter=voter, **changed), policy)


def test_an_ordinary_mask_needs_one_approval_of_the_rules_group() -> None:
    answer = decide(facts(), POLICY)
    assert isinstance(answer, NeedsApproval)
    assert (answer.rule, answer.need, answer.have, answer.groups) == ("prod", 1, 0, ("sre",))
    assert answer.because == "rule prod needs 1 of @sre"
    assert not answer.guarded


STRANGERS = {
    "is a guest": (person("eve", "eng", "sre", is_guest=True), "not_a_member"),
    "is a bot": (person("robot", "eng", "sre", is_bot=True), "not_a_member"),
    "is deactivated": (person("gone", "eng", "sre", is_deleted=True), "not_a_member"),
    "belongs to a foreign team": (person("mallory", "eng", "sre", is_foreign=True), "foreign_team"),
    "has an id of a team we do not know": (replace(BOB, id=replace(BOB.id, team="TEVIL")), "foreign_team"),
}


@pytest.mark.parametrize(("stranger", "code"), STRANGERS.values(), ids=STRANGERS)
def test_nobody_may_ask_who(stranger: Person, code: str) -> None:
    answer = refusal(facts(requester=stranger))
    assert answer.code == code
    assert answer.reason.startswith("You are ")


@pytest.mark.parametrize(("stranger", "code"), STRANGERS.values(), ids=STRANGERS)
def test_nobody_may_vote_who(stranger: Person, code: str) -> None:
    answer = vote(stranger)
    assert isinstance(answer, Refuse)
    assert answer.code == code


@pytest.mark.parametrize(("stranger", "code"), STRANGERS.values(), ids=STRANGERS)
def test_no_approval_counts_at_the_moment_of_acting_from_whoever(stranger: Person, code: str) -> None:
    answer = decide(looked(snapshot(), moment=Moment.ACT, approvers=(stranger,)), POLICY)
    assert isinstance(answer, NeedsApproval), code
    assert answer.have == 0


def test_a_requester_who_was_deactivated_meanwhile_stops_the_request() -> None:
    gone = replace(ALICE, is_deleted=True)
    answer = refusal(looked(snapshot(), moment=Moment.ACT, requester=gone, approvers=(BOB,)))
    assert (answer.code, answer.reason) == ("not_a_member", "The requester is deactivated in Slack.")


def test_a_person_of_a_known_enterprise_is_ours_in_each_of_its_workspaces() -> None:
    from_elsewhere = replace(ALICE, id=replace(ALICE.id, team="T2", enterprise="E1"))
    assert isinstance(decide(facts(requester=from_elsewhere), replace(POLICY, teams=frozenset({"E1"}))), NeedsApproval)


def test_without_a_list_of_teams_the_directory_alone_says_who_is_foreign() -> None:
    assert isinstance(decide(facts(), replace(POLICY, teams=frozenset())), NeedsApproval)


ALLOWED_PLACES = {
    "a channel by its id": Place("C9", name="operations"),
    "a channel by how its name begins": Place("C1", name="inc-42"),
    "a thread in it": Place("C1", thread="1.2", name="inc-42"),
    "the command line": Place("shell"),
}


@pytest.mark.parametrize("place", ALLOWED_PLACES.values(), ids=ALLOWED_PLACES)
def test_the_bot_acts_in(place: Place) -> None:
    assert isinstance(decide(facts(place=place), POLICY), NeedsApproval)


REFUSED_PLACES = {
    "a channel that nobody named": (Place("C2", name="random"), "channel_not_allowed"),
    "a direct message": (Place("D1"), "channel_not_allowed"),
    "a channel with the prefix inside its name": (Place("C2", name="not-inc-42"), "channel_not_allowed"),
    "a shared channel": (replace(INCIDENT, is_internal=False), "channel_shared"),
    "the command line, whose channel is shared": (Place("shell", is_internal=False), "channel_shared"),
    "an archived channel": (replace(INCIDENT, is_archived=True), "channel_archived"),
    "a channel it is not in": (replace(INCIDENT, is_member=False), "not_in_channel"),
}


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize(("place", "code"), REFUSED_PLACES.values(), ids=REFUSED_PLACES)
def test_the_bot_does_not_act_in(place: Place, code: str, moment: Moment) -> None:
    assert refusal(facts(moment=moment, place=place)).code == code


def test_where_the_bot_does_not_act_it_says_where_it_does() -> None:
    elsewhere = Place("C2", name="random")
    assert refusal(facts(place=elsewhere)).hint == "Ask in a channel whose name begins with `inc-`."
    by_id = replace(POLICY, channel_prefixes=())
    assert refusal(facts(place=elsewhere), by_id).hint == "Ask in a channel that the policy names."


@pytest.mark.parametrize("teams", [(), ("T1",), ("E1", "T9")])
def test_the_people_of_the_bots_own_workspace_are_not_shut_out(teams: tuple[str, ...]) -> None:
    assert shut_out(replace(POLICY, teams=frozenset(teams)), {"T1", "E1"}, "T1") == ""


def test_a_policy_for_other_workspaces_shuts_out_everybody_in_the_bots_own() -> None:
    said = shut_out(replace(POLICY, teams=frozenset({"T9", "T8"})), {"T1", ""}, "T1 (Acme)")
    assert said == "the bot is in T1 (Acme), and policy.yaml names T8, T9: nobody there may do anything"


def test_who_asked_does_not_decide() -> None:
    answer = vote(replace(BOB, id=ALICE.id))
    assert isinstance(answer, Refuse)
    assert answer.code == "self_approval"


def test_neither_who_asked_nor_any_of_those_it_was_handed_to_ever_decides() -> None:
    asked = handed(waiting(), BOB, CAROL)
    alice = replace(ALICE, groups=frozenset({"sre"}))
    answers = [
        decide(looked(snapshot(), asked, Moment.VOTE, requester=CAROL, voter=voter), POLICY)
        for voter in (alice, BOB, CAROL)
    ]
    refused = [(answer.code, answer.hint) for answer in answers if isinstance(answer, Refuse)]
    assert refused == [("self_approval", ""), ("self_approval", ""), ("self_approval", "You may withdraw it.")]
    assert all("before it was handed over" in answer.reason for answer in answers[:2] if isinstance(answer, Refuse))


def test_an_approval_of_somebody_who_owned_it_since_does_not_count() -> None:
    asked = handed(request(), BOB)
    answer = decide(looked(snapshot(), asked, Moment.ACT, requester=BOB, approvers=(BOB, ALICE)), POLICY)
    assert isinstance(answer, NeedsApproval)
    assert answer.have == 0


def test_a_new_owner_takes_our_mask_back_without_a_vote_like_the_old_one() -> None:
    mask = handed(replace(our_mask(), votes=()), CAROL)
    for who, answer in ((ALICE, Allow), (CAROL, Allow), (BOB, NeedsApproval)):
        undo = looked(masked(Layer.PERSISTENT), request(verb=Verb.UNMASK, by=who), requester=who, own_mask=mask)
        assert isinstance(decide(undo, POLICY), answer)


def test_who_is_in_none_of_the_approving_groups_does_not_decide() -> None:
    answer = vote(DAVE)
    assert answer == Refuse("may_not_approve", "You may not approve or deny this (rule `prod`).", "@sre may.")


def test_where_no_group_approves_nobody_decides() -> None:
    answer = vote(BOB, replace(POLICY, rules=(replace(PROD, approve=()),)))
    assert isinstance(answer, Refuse)
    assert answer.hint == "Nobody may."


def test_a_vote_makes_nothing_run_before_it_is_counted() -> None:
    assert isinstance(vote(BOB), NeedsApproval)
    assert isinstance(vote(None, approvers=(BOB,)), Allow)


QUORUMS = {
    "bob alone": ((BOB,), 1),
    "bob twice": ((BOB, BOB), 1),
    "bob under two workspaces of one enterprise": (
        tuple(replace(BOB, id=replace(BOB.id, team=team, enterprise=TEAM)) for team in ("T8", "T9")),
        1,
    ),
    "bob, and dave who is in no group": ((BOB, DAVE), 1),
    "bob, and the requester herself": ((BOB, replace(ALICE, groups=frozenset({"sre"}))), 1),
    "bob, and carol who left the group": ((BOB, replace(CAROL, groups=frozenset({"eng"}))), 1),
    "bob and carol": ((BOB, CAROL), 2),
}


@pytest.mark.parametrize(("approvers", "have"), QUORUMS.values(), ids=QUORUMS)
def test_each_entitled_person_counts_once(approvers: tuple[Person, ...], have: int) -> None:
    answer = decide(looked(snapshot(), moment=Moment.ACT, approvers=approvers), TWO)
    match answer:
        case Allow(rule=rule, because=because):
            assert (have, rule, because) == (2, "prod", "rule prod has the two approvals that it asks for")
        case NeedsApproval():
            assert (answer.have, answer.need) == (have, 2)
            assert have < 2
        case _:
            pytest.fail(str(answer))


BOTH = replace(POLICY, rules=(replace(PROD, need=2, approve=("sre", "dba"), distinct=True),))
DORA, ERIN = person("dora", "dba"), person("erin", "eng", "sre", "dba")

DISTINCT = {
    "nobody": ((), 0),
    "bob of sre": ((BOB,), 1),
    "erin, who is in both": ((ERIN,), 1),
    "bob and carol, both of sre": ((BOB, CAROL), 1),
    "bob and erin": ((BOB, ERIN), 2),
    "erin and dora": ((ERIN, DORA), 2),
    "bob and dora": ((BOB, DORA), 2),
    "bob, and the requester who is in both": ((BOB, replace(ALICE, groups=frozenset({"sre", "dba"}))), 1),
    "bob, and dora who is a guest": ((BOB, replace(DORA, is_guest=True)), 1),
    "erin under two ids, one of them without its enterprise": (
        (ERIN, replace(ERIN, id=replace(ERIN.id, enterprise="E1"))),
        1,
    ),
}


@pytest.mark.parametrize(("approvers", "have"), DISTINCT.values(), ids=DISTINCT)
def test_where_groups_have_to_be_distinct_each_person_stands_for_one(approvers: tuple[Person, ...], have: int) -> None:
    answer = decide(looked(snapshot(), moment=Moment.ACT, approvers=approvers), BOTH)
    if isinstance(answer, NeedsApproval):
        assert (answer.have, answer.need, answer.distinct) == (have, 2, True)
        assert answer.because == "rule prod needs 2 of @sre and @dba from different groups"
    else:
        assert isinstance(answer, Allow)
        assert have == 2


def test_of_two_rules_that_need_as_many_the_one_that_wants_distinct_groups_decides() -> None:
    answer = decide(facts(members=MEMBERS | {"dba": {DORA.id}}), replace(BOTH, rules=(TWO.rules[0], *BOTH.rules)))
    assert isinstance(answer, NeedsApproval)
    assert answer.distinct


def test_whose_approval_does_not_stand_any_more_is_told() -> None:
    carol = replace(CAROL, groups=frozenset({"eng"}))
    answer = decide(looked(snapshot(), moment=Moment.ACT, approvers=(BOB, carol)), TWO)
    assert isinstance(answer, NeedsApproval)
    assert answer.lost == (CAROL.id,)


def test_one_person_is_known_as_one_whether_their_enterprise_is_or_not() -> None:
    """Else somebody on Enterprise Grid could ask in Slack and approve on the command line."""
    answer = vote(replace(BOB, id=replace(ALICE.id, enterprise="E1")))
    assert isinstance(answer, Refuse)
    assert answer.code == "self_approval"


DEAD_ENDS = {
    "nobody is in the second group": (set(), 1),
    "the requester alone is in the second group": ({ALICE.id}, 1),
    "somebody else is in the second group": ({DORA.id}, 2),
    "one of the first group is in the second": ({BOB.id}, 2),
}


@pytest.mark.parametrize(("dba", "most"), DEAD_ENDS.values(), ids=DEAD_ENDS)
def test_a_dead_end_is_seen_through_distinct_groups(dba: set[PersonId], most: int) -> None:
    answer = decide(facts(members=MEMBERS | {"dba": frozenset(dba)}), BOTH)
    if most == 2:
        assert isinstance(answer, NeedsApproval)
        return
    assert isinstance(answer, Refuse)
    assert answer.code == "nobody_could_approve"
    needs = "Rule `prod` needs two approvals from @sre and @dba from different groups"
    assert answer.reason == f"{needs}; at most 1 can come from different groups besides you."


def test_members_who_are_guests_bots_or_gone_make_no_quorum() -> None:
    answer = refusal(facts(unfit=frozenset({BOB.id, DAVE.id})), TWO)
    assert answer.code == "nobody_could_approve"
    assert answer.reason.endswith("; at most 1 can approve besides you (1 more cannot: guests, bots or deactivated).")


def test_whose_standing_is_to_be_asked_are_those_who_could_approve_one_of_each_group_in_turn() -> None:
    members = {"sre": frozenset({ALICE.id, BOB.id, CAROL.id}), "dba": frozenset({DORA.id, BOB.id})}
    assert in_question(facts(members=members), BOTH) == (BOB.id, DORA.id, CAROL.id)
    assert in_question(facts(members=members), replace(BOTH, rules=())) == ()
    assert are_enough([BOB.id, DORA.id], facts(members=members), BOTH)
    assert not are_enough([BOB.id, CAROL.id], facts(members={**members, "dba": frozenset()}), BOTH)


def test_a_dead_end_is_said_before_anybody_waits() -> None:
    answer = refusal(facts(members=MEMBERS | {"sre": frozenset({ALICE.id, BOB.id})}), TWO)
    assert answer.code == "nobody_could_approve"
    assert answer.reason == "Rule `prod` needs two approvals from @sre; at most 1 can approve besides you."
    assert answer.hint == "Add people to the group, or change the rule in policy.yaml (line 12)."


def test_a_rule_without_approving_groups_is_a_dead_end() -> None:
    answer = refusal(facts(), replace(POLICY, rules=(replace(PROD, approve=(), line=0),)))
    assert "from nobody" in answer.reason
    assert answer.hint.endswith("policy.yaml.")


def test_a_group_that_shrank_does_not_void_a_request_that_has_its_approvals() -> None:
    answer = decide(looked(snapshot(), moment=Moment.ACT, approvers=(BOB,), members={"sre": frozenset()}), POLICY)
    assert isinstance(answer, Allow)


UNKNOWN = {"sre": Unknown("Slack did not say who is in @sre.")}
WITHOUT_SRE = {"eng": MEMBERS["eng"]}


def not_known(answer: object) -> bool:
    return isinstance(answer, Refuse) and (answer.code, answer.reason) == ("group_unknown", UNKNOWN["sre"].why)


def test_where_it_is_not_known_who_could_approve_the_answer_is_no_with_the_reason() -> None:
    assert not_known(decide(facts(members=WITHOUT_SRE, unknown=UNKNOWN), POLICY))


def test_where_enough_others_could_approve_it_does_not_matter_who_is_not_known() -> None:
    either = replace(POLICY, rules=(replace(PROD, approve=("sre", "eng")),))
    assert isinstance(decide(facts(members=WITHOUT_SRE, unknown=UNKNOWN), either), NeedsApproval)


def test_a_group_that_is_not_known_keeps_nobody_from_asking_who_is_in_another() -> None:
    either = replace(POLICY, rules=(replace(PROD, ask=frozenset({"eng", "ops"})),))
    unknown = {"ops": Unknown("nobody knows", for_now=True)}
    assert isinstance(decide(facts(unknown=unknown), either), NeedsApproval)
    answer = decide(facts(requester=DAVE, unknown=unknown), either)
    assert answer == Refuse("group_unknown_yet", "nobody knows")


def test_a_vote_of_somebody_whose_group_is_not_known_is_not_counted() -> None:
    assert not_known(vote(replace(BOB, groups=frozenset({"eng"})), unknown=UNKNOWN))


def test_an_approval_whose_group_is_not_known_right_now_is_neither_counted_nor_lost() -> None:
    """The approved request waits until it is known: nobody's right is gone."""
    bob = replace(BOB, groups=frozenset({"eng"}))
    given = looked(snapshot(), moment=Moment.ACT, approvers=(bob,), unknown=UNKNOWN)
    assert not_known(decide(given, POLICY))
    too_few = decide(given, TWO)
    assert isinstance(too_few, NeedsApproval)
    assert (too_few.have, too_few.lost) == (0, ())


def test_a_stranger_stays_one_whatever_is_not_known() -> None:
    guest = replace(BOB, groups=frozenset(), is_guest=True)
    answer = decide(looked(snapshot(), moment=Moment.ACT, approvers=(guest,), unknown=UNKNOWN), POLICY)
    assert isinstance(answer, NeedsApproval)
    assert answer.lost == (BOB.id,)


def test_details_are_for_nobody_whose_group_is_not_known() -> None:
    assert not_known(why_not_see_all(facts(requester=DAVE, unknown=UNKNOWN), POLICY))


def test_who_is_on_call_is_told_with_the_question() -> None:
    shifts = {"sre": (Shift(BOB.id, NOW + timedelta(hours=1)),), "eng": (Shift(ALICE.id),)}
    answer = decide(facts(shifts=shifts), POLICY)
    assert isinstance(answer, NeedsApproval)
    assert answer.on_call == shifts["sre"]


def test_groups_that_nobody_asked_slack_about_are_no_dead_end() -> None:
    assert isinstance(decide(facts(members={}), POLICY), NeedsApproval)


def test_a_vote_after_the_time_to_decide_is_refused_even_if_no_timer_fired() -> None:
    late = NOW + timedelta(minutes=15, seconds=1)
    answer = vote(BOB, now=late)
    assert answer == Refuse(
        "not_approved_in_time",
        "Nobody approved in time: the request timed out at 03:15 UTC.",
        "Ask again if you still need it.",
    )
    assert isinstance(vote(BOB, now=NOW + timedelta(minutes=15)), NeedsApproval)


def test_an_approval_that_was_not_used_in_time_is_not_used() -> None:
    approved = replace(waiting(), stage=Stage.APPROVED, act_by=NOW)
    in_time = looked(snapshot(), approved, Moment.ACT, approvers=(BOB,))
    assert isinstance(decide(in_time, POLICY), Allow)
    assert refusal(replace(in_time, now=NOW + timedelta(seconds=1))).code == "approval_timed_out"


@pytest.mark.parametrize(("stranger", "code"), STRANGERS.values(), ids=STRANGERS)
def test_nobody_may_look_who(stranger: Person, code: str) -> None:
    answer = why_not_look(facts(requester=stranger), POLICY)
    assert answer is not None
    assert answer.code == code


@pytest.mark.parametrize(("place", "code"), REFUSED_PLACES.values(), ids=REFUSED_PLACES)
def test_nobody_may_look_from(place: Place, code: str) -> None:
    answer = why_not_look(facts(place=place), POLICY)
    assert answer is not None
    assert answer.code == code


@pytest.mark.parametrize("one", [ALICE, BOB], ids=["an asker", "an approver"])
def test_details_are_for_those_who_may_ask_or_approve(one: Person) -> None:
    assert why_not_see_all(facts(requester=one), POLICY) is None


@pytest.mark.parametrize(
    ("stranger", "code"),
    [(DAVE, "may_not_see"), (replace(ALICE, is_guest=True), "not_a_member")],
    ids=["dave", "a guest"],
)
def test_and_for_nobody_else(stranger: Person, code: str) -> None:
    answer = why_not_see_all(facts(requester=stranger), POLICY)
    assert answer is not None
    assert answer.code == code


def test_who_may_not_ask_for_changes_may_look_all_the_same() -> None:
    assert why_not_look(facts(request("ssh.service"), requester=DAVE), POLICY) is None


def test_what_needs_no_approval_may_run_at_once() -> None:
    free = replace(POLICY, rules=(replace(PROD, need=0),))
    answer = decide(looked(snapshot(), request()), free)
    assert answer == Allow("prod", "rule prod asks for none")


def test_only_our_own_words_name_places_that_are_no_channels() -> None:
    assert HOME.is_home
    assert not HOME.is_shell
    assert not INCIDENT.is_home


def test_the_conversation_of_the_bot_with_one_person_is_no_channel() -> None:
    assert [Place(channel).is_direct for channel in ("D1", "C1", "home", "shell")] == [True, False, False, False]
