"""Holds for a group of hosts: how they are typed, what they ask for, and where they go by themselves."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.hosts.inventory import Host
from bot.core.input.grammar import ChangeCommand, parse
from bot.core.people.identity import Person
from bot.core.policy.calendar_and_limits import BlastRadius, ExtraApprovals, RequestLimits
from bot.core.policy.decide import decide
from bot.core.policy.groups import BreakGlassPolicy, Group
from bot.core.policy.hold import HoldPolicy
from bot.core.policy.model import Allow, Decision, ListedUnit, Moment, NeedsApproval, Refuse
from bot.core.requests import Hold, Request, ScheduledWindow, Verb
from bot.core.requests.expiry import AftercarePolicy, begin_aftercare
from bot.core.systemd.units import Layer, Snapshot
from bot.errors import UsageError
from tests.core.input.test_grammar import HOSTS
from tests.core.input.test_grammar import NOW as TYPED_AT
from tests.core.policy.rules.test_calendar_and_limits import QUIET
from tests.core.policy.rules.test_hold import code
from tests.core.situations import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    NOW,
    POLICY,
    PROD,
    WEB,
    facts,
    looked,
    masked,
    our_mask,
    related_unit,
    request,
    snapshot,
    waiting,
)

DAY = timedelta(days=1)
HOLD = Hold("sre", NOW + 90 * DAY, hosts="web")
HELD = replace(POLICY, holds=HoldPolicy(frozenset({"sre"})), groups=(Group("eng"), Group("sre")))
PLACES = (*HOSTS, "@db", "@web")
WEB_02 = replace(WEB, name="web-02")
VAULT = replace(WEB, name="vault-01", environment="vault")
STRICT = replace(PROD, name="strict", environments=frozenset({"vault"}), need=2)


def typed(text: str, verb: Verb = Verb.MASK) -> ChangeCommand:
    command = parse(verb, text, PLACES, TYPED_AT)
    assert isinstance(command, ChangeCommand)
    return command


def refusal(text: str, verb: Verb = Verb.MASK) -> str:
    with pytest.raises(UsageError) as raised:
        parse(verb, text, PLACES, TYPED_AT)
    return str(raised.value)


class TestTheWords:
    """`@web` in the place of a host."""

    @pytest.mark.parametrize(
        "text",
        [
            "@web cron --hold sre --review 90d it is evil",
            "<!subteam^S0WEB|@web> cron --hold=sre --review=90d it is evil",
        ],
    )
    def test_a_hold_may_name_a_group(self, text: str) -> None:
        asked = typed(text)
        assert str(asked.change) == "mask @web cron.service --hold sre --review 2026-06-12T15:00Z"
        assert (asked.change.hold and asked.change.hold.hosts, asked.reason) == ("web", "it is evil")

    def test_an_unmask_may_name_the_group_of_a_hold(self) -> None:
        assert str(typed("@web cron", Verb.UNMASK).change) == "unmask @web cron.service"

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("@wbe cron --hold sre --review 90d", "No host is in a group `@wbe`. Did you mean `@web`?"),
            ("@web,@db cron --hold sre --review 90d", "A hold is for one unit, on one host or on one group of hosts"),
            ("@web cron --hold sre --review 90d --set", "A hold is for one unit"),
            ("@web cron --hold sre --review 90d --at 22:00", "A hold for a group also covers hosts that join later"),
            (
                "@web cron --hold sre --review 90d --break-glass at once",
                "Break-glass does not work for the hold of a group",
            ),
            ("cron @web --hold sre --review 90d", "The host comes first"),
        ],
    )
    def test_what_makes_no_sense_is_said(self, text: str, said: str) -> None:
        assert said in refusal(text)

    def test_where_no_host_is_in_a_group_there_are_none(self) -> None:
        with pytest.raises(UsageError, match="No host is in a group `@web`"):
            parse(Verb.MASK, "@web cron --hold sre --review 90d", HOSTS, TYPED_AT)


class TestAskingForOne:
    """The strictest that any of its hosts asks for; what is refused on one is refused on all."""

    def ask(self, *others: Host, policy: Any = HELD, **more: Any) -> Decision:
        return decide(facts(request(hold=HOLD), **{"others": others} | more), policy)

    def test_the_most_votes_of_any_host_are_asked_for(self) -> None:
        policy = replace(HELD, rules=(PROD, STRICT))
        answer = self.ask(WEB_02, VAULT, policy=policy)
        assert isinstance(answer, NeedsApproval)
        assert (answer.need, answer.rule) == (2, "strict")

    def test_where_some_hosts_need_no_vote_the_others_do(self) -> None:
        policy = replace(HELD, rules=(replace(PROD, need=0), STRICT))
        assert isinstance(self.ask(WEB_02, policy=policy), Allow)
        assert isinstance(self.ask(VAULT, policy=policy), NeedsApproval)

    def test_a_no_for_one_is_a_no_for_all_and_names_the_host(self) -> None:
        no = replace(PROD, name="no", environments=frozenset({"vault"}), forbid="it is sealed")
        answer = self.ask(WEB_02, VAULT, policy=replace(HELD, rules=(PROD, no)))
        assert isinstance(answer, Refuse)
        assert answer.reason == "On vault-01: Rule `no` forbids it: it is sealed."
        answer = self.ask(WEB_02, policy=replace(HELD, critical=(ListedUnit("cron.service", "dear"),)))
        assert isinstance(answer, Refuse)
        assert answer.reason.startswith("cron.service is on the critical list")
        assert code(self.ask(VAULT)) == "no_rule"

    def test_people_are_asked_once_so_they_have_to_be_the_same(self) -> None:
        dba = replace(STRICT, need=1, approve=("dba",))
        members = {"dba": frozenset({DAVE.id}), "sre": frozenset({BOB.id})}
        answer = self.ask(VAULT, policy=replace(HELD, rules=(PROD, dba)), members=members)
        assert isinstance(answer, Refuse)
        assert answer.reason == "@sre approves it on web-01, and @dba on vault-01."

    def test_a_guarded_unit_and_a_freeze_anywhere_count_everywhere(self) -> None:
        lenient = replace(STRICT, need=1)
        freeze = replace(QUIET, environments=frozenset({"vault"}))
        answer = self.ask(WEB_02, VAULT, policy=replace(HELD, rules=(PROD, lenient), freezes=(freeze,)))
        assert isinstance(answer, NeedsApproval)
        assert (answer.need, answer.calendar_changes_at is not None) == (2, True)
        asked = decide(facts(request("docker.service", hold=HOLD), others=(WEB_02,)), HELD)
        assert isinstance(asked, NeedsApproval)
        assert "every container" in asked.guarded

    def test_its_voters_have_to_be_entitled_on_every_host(self) -> None:
        asked = waiting(request(hold=HOLD))
        voted = facts(asked, Moment.VOTE, others=(WEB_02,), voter=DAVE)
        assert code(decide(voted, HELD)) == "may_not_approve"
        assert isinstance(decide(replace(voted, voter=None, approvers=(BOB,)), HELD), Allow)

    def test_nobody_goes_ahead_alone_with_it(self) -> None:
        policy = replace(HELD, break_glass=BreakGlassPolicy(frozenset({"sre"})))
        alone = facts(request(hold=HOLD), Moment.BREAK_GLASS, others=(WEB_02,), break_glass=BOB)
        assert code(decide(alone, policy)) == "break_glass_forbidden"
        assert code(decide(replace(alone, others=()), policy)) == "break_glass_forbidden"

    def test_a_window_is_refused_whoever_asks_for_it(self) -> None:
        asked = request(hold=HOLD, scheduled_window=ScheduledWindow(NOW + DAY, NOW + DAY + timedelta(hours=1)))
        assert code(decide(facts(asked), HELD)) == "no_hold_here"


class TestGoingToOneMoreHost:
    """By itself, because the hold was approved for the group, where no more is asked for than it was given."""

    def spread(
        self,
        seen: Snapshot | None = None,
        policy: Any = HELD,
        host: Host = WEB_02,
        group_hold: Request | None = None,
        **more: Any,
    ) -> Decision:
        wanted = request(hold=replace(HOLD, group_request="r0")).on_target(layer=Layer.PERSISTENT)
        asked = replace(wanted, ask=replace(wanted.ask, by_itself=True))
        given = looked(seen or snapshot(), asked, requester=DAVE, host=host, group_hold=group_hold or self.group_hold())
        return decide(replace(given, **more), policy)

    def group_hold(self, *voters: Person, console_works: bool = False) -> Request:
        """Approved by bob, unless others are named."""
        mask = our_mask().on_target(before=snapshot())
        (vote,) = mask.votes
        votes = tuple(
            replace(vote, voter=one.id, groups=("sre",), console_works=console_works) for one in voters or (BOB,)
        )
        return replace(mask, ask=replace(mask.ask, change=replace(mask.ask.change, hold=HOLD)), votes=votes)

    def test_before_a_look_there_is_nothing_to_compare(self) -> None:
        assert isinstance(self.spread(snapshot=None), Allow)

    def test_it_needs_no_vote_and_nobodys_rights(self) -> None:
        answer = self.spread()
        assert isinstance(answer, Allow)
        assert answer.because == "approved with the hold for its group"

    def test_it_goes_nowhere_once_it_was_lifted_or_where_the_host_has_left(self) -> None:
        wanted = request(hold=replace(HOLD, group_request="r0"))
        asked = replace(wanted, ask=replace(wanted.ask, by_itself=True))
        assert code(decide(looked(snapshot(), asked, host=WEB_02), HELD)) == "not_held"
        assert code(self.spread(host=replace(WEB_02, groups=frozenset({"db"})))) == "not_in_group"

    def test_where_more_votes_are_asked_for_it_does_not_go(self) -> None:
        policy = replace(HELD, rules=(PROD, STRICT))
        answer = self.spread(policy=policy, host=VAULT)
        assert isinstance(answer, Refuse)
        assert answer.reason == "Rule `strict` needs more there than the hold was approved with: 2 of @sre."
        assert isinstance(self.spread(policy=policy, host=VAULT, group_hold=self.group_hold(BOB, CAROL)), Allow)
        others = replace(STRICT, need=1, approve=("dba",))
        assert code(self.spread(policy=replace(HELD, rules=(PROD, others)), host=VAULT)) == "asks_for_more"

    def test_a_unit_that_is_guarded_there_needs_the_votes_and_the_word(self) -> None:
        docker = snapshot("cron.service", aliases=("docker.service",))
        answer = self.spread(docker)
        assert isinstance(answer, Refuse)
        assert "2 of @sre (every container" in answer.reason
        assert code(self.spread(docker, group_hold=self.group_hold(BOB, CAROL))) == "asks_for_more"
        assert isinstance(self.spread(docker, group_hold=self.group_hold(BOB, CAROL, console_works=True)), Allow)

    def test_what_people_did_not_see_they_did_not_approve(self) -> None:
        answer = self.spread(snapshot(would_stop=(related_unit("payroll.service"),)))
        assert isinstance(answer, Refuse)
        assert answer.code == "not_as_approved"
        assert answer.reason.endswith("payroll.service would stop with it.")
        assert code(self.spread(snapshot("cronie.service", aliases=("cron.service",)))) == "not_as_approved"
        unknown = self.group_hold().on_target(before=snapshot(around=None))
        assert code(self.spread(snapshot(would_stop=(related_unit("payroll.service"),)), group_hold=unknown)) == (
            "not_as_approved"
        )

    def test_what_nobody_could_approve_holds_there(self) -> None:
        assert code(self.spread(snapshot(aliases=("sshd.service",)))) == "critical_unit"
        assert code(self.spread(snapshot(would_stop=(related_unit("dbus.service"),)))) == "critical_would_stop"
        assert code(self.spread(snapshot(lifeline=frozenset({"cron.service"})))) == "own_lifeline"
        no = replace(PROD, name="no", forbid="not now")
        assert code(self.spread(policy=replace(HELD, rules=(no, PROD)))) == "forbidden"
        assert code(self.spread(policy=replace(HELD, rules=()))) == "no_rule"
        assert code(self.spread(masked(Layer.PERSISTENT))) == "already_masked"

    def test_what_a_new_hold_would_need_there_it_needs_too(self) -> None:
        strict = replace(HELD, rules=(replace(PROD, requires_expiry=True),))
        assert code(self.spread(policy=strict)) == "needs_expiry"
        assert code(self.spread(policy=replace(HELD, holds=HoldPolicy()))) == "unknown_owners"

    def test_a_bound_on_how_much_is_masked_lets_it_go_on_later(self) -> None:
        bounded = replace(HELD, limits=RequestLimits(hosts=1, beyond=ExtraApprovals(more=1)))
        assert code(self.spread(policy=bounded, blast_radius=BlastRadius(hosts=2))) == "asks_for_more"
        assert isinstance(self.spread(policy=bounded, blast_radius=BlastRadius(hosts=1)), Allow)
        forbidden = replace(HELD, limits=RequestLimits(hosts=1, beyond=ExtraApprovals(forbid="too many")))
        assert code(self.spread(policy=forbidden, blast_radius=BlastRadius(hosts=2))) == "blast_radius"

    def test_only_the_whole_is_looked_at_again(self) -> None:
        mask = replace(self.group_hold(), undo_until=None)
        assert begin_aftercare(mask, NOW, AftercarePolicy()).remind_at == HOLD.review
        part = replace(mask.ask, change=replace(mask.ask.change, hold=replace(HOLD, group_request="r0")))
        assert begin_aftercare(replace(mask, ask=part), NOW, AftercarePolicy()).remind_at is None


class TestLiftingOne:
    """Its owners lift it everywhere; on each further host it then ends by itself."""

    def test_what_is_refused_on_one_host_is_refused_on_all(self) -> None:
        mask = our_mask()
        mask = replace(mask, ask=replace(mask.ask, change=replace(mask.ask.change, hold=HOLD)))
        ask = replace(request(verb=Verb.UNMASK, by=BOB).ask, undoes="r0")
        given = looked(masked(Layer.PERSISTENT), replace(request(), ask=ask), requester=BOB, own_mask=mask)
        assert isinstance(decide(replace(given, others=(WEB_02,)), HELD), NeedsApproval)
        sealed = replace(STRICT, forbid="it is sealed", verbs=frozenset({Verb.UNMASK}))
        answer = decide(replace(given, others=(VAULT,)), replace(HELD, rules=(PROD, sealed)))
        assert isinstance(answer, Refuse)
        assert answer.reason == "On vault-01: Rule `strict` forbids it: it is sealed."
        assert code(decide(replace(given, others=(VAULT,), requester=ALICE), HELD)) == "owners_only"

    def test_what_was_lifted_is_no_hold_any_more_and_ends(self) -> None:
        mask = our_mask().on_target(before=snapshot())
        change = replace(mask.ask.change, hold=replace(HOLD, group_request="r0"))
        part = replace(mask, ask=replace(mask.ask, change=change))
        ask = replace(request(verb=Verb.UNMASK).ask, undoes="r0", by_itself=True)
        given = looked(masked(Layer.PERSISTENT), replace(request(), ask=ask), own_mask=part)
        assert code(decide(given, HELD)) == "expiry_not_due"
        lifted = replace(part, aftercare=replace(part.aftercare, expires_at=NOW))
        assert (part.hold, lifted.hold) == (change.hold, None)
        answer = decide(replace(given, own_mask=lifted), HELD)
        assert isinstance(answer, Allow)
        assert answer.because == "the hold for its group was lifted"
