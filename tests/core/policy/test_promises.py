"""What the policy promises whatever happens: properties, not examples."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.core.people.identity import Person, Place
from bot.core.policy.decide import decide
from bot.core.policy.groups import BreakGlassPolicy
from bot.core.policy.model import Allow, Facts, Moment, NeedsApproval, Policy, Refuse, Rule
from bot.core.policy.rules.break_glass import BREAK_GLASS
from bot.core.policy.rules.undo import UNDO
from bot.core.requests import Change, Request, Verb
from bot.core.systemd.units import ActiveState, FileKind, Layer, LoadState, RelatedUnit, Snapshot, UnitName
from tests.core.situations import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    MEMBERS,
    POLICY,
    broken,
    facts,
    our_mask,
    request,
    snapshot,
)

CRITICAL = ("ssh.service", "sshd.service", "ssh.socket", "dbus.service", "dbus.socket", "getty@tty1.service")
ORDINARY = ("cron.service", "worker.service", "worker@1.service", "docker.service", "backup.timer")
PEOPLE = (ALICE, BOB, CAROL, DAVE, replace(BOB, is_guest=True), replace(CAROL, groups=frozenset()))

people = st.sampled_from(PEOPLE)
moments = st.sampled_from(Moment)
rules = st.lists(
    st.builds(
        Rule,
        name=st.just("any"),
        environments=st.sampled_from((frozenset[str](), frozenset({"prod"}), frozenset({"stage"}))),
        units=st.sampled_from((("*",), ("cron*",), ("*.timer",))),
        verbs=st.sampled_from((frozenset(Verb), frozenset({Verb.MASK}))),
        ask=st.sampled_from((frozenset({"eng"}), frozenset({"sre"}), frozenset[str]())),
        forbid=st.sampled_from(("", "", "", "payday")),
        need=st.integers(0, 3),
        approve=st.sampled_from((("sre",), ("eng", "sre"), ("nobody",))),
        allows_break_glass=st.booleans(),
    ),
    max_size=3,
)
break_glass_policies = st.sampled_from((frozenset[str](), frozenset({"sre"}), frozenset({"eng"}))).map(BreakGlassPolicy)
policies = st.builds(
    lambda listed, given: replace(
        POLICY, rules=tuple(replace(rule, name=f"r{n}") for n, rule in enumerate(listed)), break_glass=given
    ),
    rules,
    break_glass_policies,
)


def related(units: Sequence[str]) -> st.SearchStrategy[tuple[RelatedUnit, ...]]:
    one = st.sampled_from(units).map(lambda u: RelatedUnit(u, frozenset({u}), LoadState.LOADED, ActiveState.ACTIVE))
    return st.lists(one, max_size=2).map(tuple)


@st.composite
def snapshots(draw: st.DrawFn, unit: str, names: Sequence[str]) -> Snapshot:
    """A unit in any state, with any files at its layers, in any company."""
    kinds = st.dictionaries(st.sampled_from(Layer), st.sampled_from(FileKind))
    seen = snapshot(unit, layers=draw(kinds), would_stop=draw(related(ORDINARY)), starts=draw(related(ORDINARY)))
    return replace(
        seen,
        names=frozenset({unit, *names}),
        asked=UnitName(draw(st.sampled_from((unit, *names)))),
        load=draw(st.sampled_from(LoadState)),
        active=draw(st.sampled_from(ActiveState)),
        can_stop=draw(st.booleans()),
        transient=draw(st.booleans()),
        pending_job=draw(st.sampled_from(("", "7"))),
    )


@st.composite
def situations(draw: st.DrawFn, seen: Snapshot | None, asked: Request) -> Facts:
    """Anybody asks, has approved or goes ahead alone, at any moment, in a channel or on the command line."""
    alone = draw(st.none() | people)
    reason, console_works = draw(st.sampled_from(("", "nobody is awake"))), draw(st.booleans())
    return facts(
        broken(asked, alone, reason, console_works=console_works) if alone else asked,
        draw(moments),
        snapshot=seen,
        requester=draw(people),
        place=draw(st.sampled_from((Place("C1", name="inc-1"), Place("shell"), Place("C2", name="random")))),
        approvers=tuple(draw(st.lists(people, max_size=4))),
        members=draw(st.sampled_from((MEMBERS, {}))),
        break_glass=alone,
        own_mask=draw(st.sampled_from((None, our_mask()))),
    )


@st.composite
def critical_masks(draw: st.DrawFn) -> Facts:
    """A mask of a unit that is critical under one of its names, whichever of them was typed."""
    names = [draw(st.sampled_from(CRITICAL)), *draw(st.lists(st.sampled_from(ORDINARY), max_size=3))]
    names = draw(st.permutations(names))
    seen = draw(snapshots(names[0], names[1:]))
    change = Change(Verb.MASK, "web-01", seen.asked, runtime=draw(st.booleans()), keep_running=draw(st.booleans()))
    asked = request(str(seen.asked))
    return draw(situations(seen, replace(asked, ask=replace(asked.ask, change=change))))


@given(critical_masks(), policies)
def test_no_critical_unit_is_masked_under_any_name_by_anybody_with_any_approval(asked: Facts, policy: Policy) -> None:
    assert isinstance(decide(asked, policy), Refuse)


@given(st.sampled_from(CRITICAL), st.data(), policies)
def test_nor_one_that_would_stop_with_another(critical: str, data: st.DataObject, policy: Policy) -> None:
    seen = data.draw(snapshots("cron.service", ()))
    assert seen.around is not None
    victim = RelatedUnit("alias.service", frozenset({critical}), LoadState.LOADED, ActiveState.ACTIVE)
    taken = replace(seen, around=replace(seen.around, would_stop=(*seen.around.would_stop, victim)))
    assert isinstance(decide(data.draw(situations(taken, request())), policy), Refuse)


@st.composite
def any_question(draw: st.DrawFn) -> Facts:
    unit = draw(st.sampled_from(ORDINARY))
    seen = draw(st.none() | snapshots(unit, ()))
    return draw(situations(seen, request(unit, draw(st.sampled_from(Verb)))))


@given(any_question(), policies)
def test_nothing_is_allowed_without_enough_entitled_people_none_of_them_the_requester(
    asked: Facts, policy: Policy
) -> None:
    answer = decide(asked, policy)
    if not isinstance(answer, Allow) or answer.rule in (UNDO, BREAK_GLASS):
        return
    (need,) = (rule.need for rule in policy.rules if rule.name == answer.rule)
    others = [person for person in asked.approvers if person.id.key != asked.requester.id.key]
    assert len({person.id.key for person in others if entitled(person)}) >= need


@given(any_question(), policies)
def test_nobody_goes_ahead_alone_whom_the_policy_does_not_name_or_without_a_reason(
    asked: Facts, policy: Policy
) -> None:
    answer = decide(asked, policy)
    if isinstance(answer, Allow) and answer.rule == BREAK_GLASS:
        assert asked.break_glass
        assert asked.request.break_glass
        assert asked.break_glass.groups & policy.break_glass.groups
        assert entitled(asked.break_glass)
        assert asked.request.break_glass.reason


@given(any_question(), policies)
def test_going_ahead_alone_replaces_votes_and_opens_nothing_else(asked: Facts, policy: Policy) -> None:
    answer = decide(asked, policy)
    if isinstance(answer, Allow) and answer.rule == BREAK_GLASS:
        assert isinstance(decide(replace(asked, break_glass=None, moment=Moment.ACT), policy), Allow | NeedsApproval)


def entitled(person: Person) -> bool:
    return not person.is_guest and bool(person.groups)


@given(any_question(), policies, st.integers(0, 3))
def test_one_more_no_in_the_file_never_opens_anything(asked: Facts, policy: Policy, where: int) -> None:
    no = Rule("no", units=("cron*",), forbid="no")
    stricter = replace(policy, rules=(*policy.rules[:where], no, *policy.rules[where:]))
    before, after = decide(asked, policy), decide(asked, stricter)
    assert isinstance(after, Refuse) or after == before


@given(any_question(), policies)
def test_one_approval_less_never_opens_anything(asked: Facts, policy: Policy) -> None:
    fewer = decide(replace(asked, approvers=asked.approvers[1:]), policy)
    if isinstance(fewer, Allow):
        assert isinstance(decide(asked, policy), Allow)


@given(any_question(), policies)
def test_whoever_votes_opens_nothing_by_that_alone(asked: Facts, policy: Policy) -> None:
    without = decide(replace(asked, voter=None), policy)
    for voter in PEOPLE:
        answer = decide(replace(asked, voter=voter), policy)
        assert isinstance(answer, Refuse) or answer == without


@given(any_question(), policies)
def test_need_is_never_met_by_what_is_still_asked_for(asked: Facts, policy: Policy) -> None:
    answer = decide(asked, policy)
    if isinstance(answer, NeedsApproval):
        assert 0 <= answer.have < answer.need
