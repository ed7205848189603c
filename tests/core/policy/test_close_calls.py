"""The cases next to the usual ones: what a small mistake in a rule would let through, or turn away."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.people.identity import Person, Place
from bot.core.policy.calendar_and_limits import BlastRadius, ExtraApprovals, Freeze, MaintenanceWindow
from bot.core.policy.decide import (
    decide,
    explain,
    why_not_break_glass,
    why_not_own,
    why_not_see_all,
    why_not_sign_off,
    why_not_use_kill_switch,
)
from bot.core.policy.groups import BreakGlassPolicy, Group, OnCallSource
from bot.core.policy.hold import HoldPolicy
from bot.core.policy.home import Health, HomeView
from bot.core.policy.mask_layer import choose_layer, with_plan
from bot.core.policy.model import (
    Allow,
    Decision,
    Facts,
    ListedUnit,
    Moment,
    NeedsApproval,
    Policy,
    Refuse,
    Routing,
    Rule,
    Unknown,
)
from bot.core.policy.requirements import updated_approval, with_original_requirements
from bot.core.policy.rules import (
    approval,
    approval_deadlines,
    break_glass,
    calendar_and_limits,
    channel,
    critical_units,
    dead_ends,
    existence,
    expiry,
    force_stop,
    guard_rights,
    hold,
    maskable,
    ownership,
    rollout,
    scheduled_window,
    undo,
    unit_kind,
    unit_names,
    unmaskable,
)
from bot.core.requests import (
    Aftercare,
    Duration,
    Extension,
    Hold,
    NewKind,
    Outcome,
    Request,
    ScheduledWindow,
    Sent,
    SlowWait,
    Stage,
    Tally,
    Verb,
    Verdict,
    Vote,
)
from bot.core.systemd.guard import NEVER, RIGHTS
from bot.core.systemd.own_machine import OwnMachine
from bot.core.systemd.units import ActiveState, FileKind, Layer, LoadState, Snapshot, UnitName
from bot.core.time.calendar import Once
from tests.core.situations import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    NOW,
    POLICY,
    PROD,
    WEB,
    broken,
    facts,
    handed,
    looked,
    masked,
    our_mask,
    related_unit,
    request,
    snapshot,
    waiting,
)

UNMASK = Verb.UNMASK
GUEST = replace(ALICE, is_guest=True)
OPEN = replace(POLICY, break_glass=BreakGlassPolicy(groups=frozenset({"sre"}), min_reason_length=10))


def waited_for() -> Request:
    """A mask that waits for a slow stop."""
    running = replace(our_mask(), stage=Stage.RUNNING, finished_at=None)
    return running.on_target(outcome=None, waiting=SlowWait(NOW, NOW), sent=(Sent("stop", (), NOW, 0),))


def reapplied() -> Request:
    """The bot's own request that puts a hold's mask back."""
    return replace(request(), ask=replace(request().ask, by_itself=True, repeats="r0"))


def around(what: str, found: Any) -> Snapshot:
    """A unit of which a full look shows that."""
    known: dict[str, Any] = {what: found}
    return snapshot(**known)


def code(answer: Decision | None) -> str:
    return answer.code if isinstance(answer, Refuse) else ""


class TestStrangers:
    """A guest is a stranger in each of these questions, whatever groups they are in."""

    def test_details_are_not_for_them(self) -> None:
        assert code(why_not_see_all(facts(requester=replace(BOB, is_guest=True)), POLICY)) == "not_a_member"

    @pytest.mark.parametrize("who", [BOB, DAVE])
    def test_the_kill_switch_is_not_theirs(self, who: Person) -> None:
        assert code(why_not_use_kill_switch(facts(requester=replace(who, is_guest=True)), POLICY)) == "not_a_member"

    def test_where_membership_is_not_known_the_kill_switch_waits(self) -> None:
        unknown = {"sre": Unknown("Nobody knows.", for_now=True)}
        assert code(why_not_use_kill_switch(facts(requester=DAVE, unknown=unknown), POLICY)) == "group_unknown_yet"

    def test_they_sign_nothing_off(self) -> None:
        owed = facts(broken(request()), voter=replace(BOB, is_guest=True))
        assert code(why_not_sign_off(owed, POLICY)) == "not_a_member"

    def test_they_do_not_go_ahead_alone(self) -> None:
        guest = replace(BOB, is_guest=True)
        asked = facts(broken(request(), guest), Moment.BREAK_GLASS, break_glass=guest)
        assert code(decide(asked, OPEN)) == "not_a_member"

    def test_they_own_nothing(self) -> None:
        assert code(why_not_own(facts(waiting(), requester=replace(BOB, is_guest=True)), POLICY)) == "not_a_member"


class TestNoRule:
    """What no rule covers is nobody's."""

    NONE = replace(OPEN, rules=())

    def test_nobody_goes_ahead_alone(self) -> None:
        asked = facts(broken(request(), BOB), Moment.BREAK_GLASS, break_glass=BOB)
        assert code(why_not_break_glass(asked, self.NONE)) == "no_rule"

    def test_nobody_takes_it_over(self) -> None:
        assert code(why_not_own(facts(waiting(), requester=BOB), self.NONE)) == "no_rule"

    def test_it_is_no_question_who_could_approve(self) -> None:
        assert dead_ends.in_question(facts(), self.NONE) == ()


class TestOwners:
    """Whom a request may be handed to."""

    def owner(self, person: Person, **known: Any) -> Refuse | None:
        return why_not_own(facts(waiting(), requester=person, **known), POLICY)

    def test_who_owns_it_is_told_so(self) -> None:
        assert code(self.owner(ALICE)) == "owns_it"

    def test_who_could_not_have_asked_is_refused(self) -> None:
        no = self.owner(DAVE)
        assert no is not None
        assert (no.code, no.reason[:26]) == ("may_not_ask", "dave could not have asked ")

    @pytest.mark.parametrize(("for_now", "why"), [(True, "group_unknown_yet"), (False, "group_unknown")])
    def test_whose_group_is_not_known_is_told_that_alone(self, why: str, *, for_now: bool) -> None:
        no = self.owner(DAVE, unknown={"eng": Unknown("Nobody knows.", for_now=for_now)})
        assert no is not None
        assert (no.code, no.reason) == (why, "Nobody knows.")

    def test_who_used_break_glass_does_not_own_it(self) -> None:
        answer = ownership.new_owner_has_not_voted(facts(broken(waiting(), BOB), requester=BOB), POLICY)
        assert code(answer) == "approved_it"
        assert ownership.new_owner_has_not_voted(facts(waiting(), requester=BOB), POLICY) is None


class TestApprovals:
    """Who counts, and how much is asked for."""

    def test_who_asked_is_a_requester_also_after_it_was_handed_over(self) -> None:
        assert approval.requesters(facts(requester=BOB))[-1] == BOB.id

    def test_the_rule_s_own_wish_for_different_groups_stays(self) -> None:
        distinct = replace(POLICY, rules=(replace(PROD, distinct=True, approve=("sre", "eng"), need=2),))
        assert approval.requirements_for(facts(waiting()), distinct).rule.distinct

    def test_different_groups_are_not_asked_for_where_nobody_did(self) -> None:
        two = replace(POLICY, rules=(replace(PROD, approve=("sre", "eng"), need=2),))
        assert not approval.requirements_for(facts(waiting()), two).rule.distinct

    def test_a_critical_unit_guards_its_unmask_alone(self) -> None:
        assert approval.guarded_because(facts(request("ssh.service")), POLICY) == ""
        assert approval.guarded_because(facts(request("ssh.service", UNMASK)), POLICY) != ""
        assert approval.guarded_because(facts(request("docker.service", UNMASK)), POLICY) != ""

    def test_without_a_voter_nobody_has_voted_before(self) -> None:
        vote = Vote(BOB.id, "bob", Verdict.APPROVE, NOW, "d", tally=Tally.COUNTED)
        assert approval.voter_has_not_voted_before(facts(replace(waiting(), votes=(vote,))), POLICY) is None

    def test_too_few_are_too_few_whether_or_not_all_groups_are_known(self) -> None:
        two = replace(POLICY, rules=(replace(PROD, need=3),))
        unknown = {"sre": Unknown("Nobody knows.", for_now=True)}
        answer = approval.quorum(facts(waiting(), approvers=(BOB, CAROL), unknown=unknown), two)
        assert isinstance(answer, NeedsApproval)

    def test_one_word_about_the_console_is_enough(self) -> None:
        votes = tuple(
            Vote(
                one.id,
                one.name,
                Verdict.APPROVE,
                NOW,
                digest="d",
                groups=("sre",),
                console_works=works,
                tally=Tally.COUNTED,
            )
            for one, works in ((BOB, True), (CAROL, False))
        )
        given = replace(waiting(request("docker.service").on_target(digest="d")), votes=votes)
        assert approval.is_covered(given, facts(request("docker.service")), POLICY)
        silent = replace(given, votes=tuple(replace(vote, console_works=False) for vote in votes))
        assert not approval.is_covered(silent, facts(request("docker.service")), POLICY)

    @pytest.mark.parametrize(
        ("number", "said"),
        [(0, "none approvals"), (1, "one approval"), (4, "four approvals"), (5, "five approvals"), (6, "6 approvals")],
    )
    def test_they_are_counted_in_words(self, number: int, said: str) -> None:
        assert approval.approvals(number) == said

    def test_a_later_policy_makes_no_unit_unguarded_and_none_overlooked(self) -> None:
        asked = waiting().approval
        assert asked is not None
        answer = NeedsApproval("prod", "", 1, 0, ("sre",), timedelta(minutes=9), timedelta(minutes=9), guarded="now")
        assert updated_approval(asked, answer, policy="new").guarded == "now"
        assert (
            updated_approval(replace(asked, guarded="then"), replace(answer, guarded=""), policy="new").guarded
            == "then"
        )

    def test_what_was_asked_of_different_groups_or_with_a_code_once_stays_so(self) -> None:
        asked = replace(waiting().approval, was_distinct=True, was_step_up=True)  # type: ignore[type-var]
        kept = with_original_requirements(replace(waiting(), approval=asked), policy="new").approval
        assert kept is not None
        assert (kept.was_distinct, kept.was_step_up) == (True, True)


class TestDeadlines:
    """When it is too late."""

    def test_what_asks_for_no_approval_has_no_time_to_decide(self) -> None:
        assert (
            approval_deadlines.there_is_still_time_to_decide(facts(replace(request(), stage=Stage.WAITING)), POLICY)
            is None
        )

    def test_an_approval_ages_at_the_moment_of_acting_alone(self) -> None:
        old = replace(waiting(), act_by=NOW - timedelta(minutes=1))
        assert code(approval_deadlines.approval_is_still_good(facts(old, Moment.ACT), POLICY)) == "approval_timed_out"
        assert approval_deadlines.approval_is_still_good(facts(old, Moment.VOTE), POLICY) is None

    def test_a_window_may_be_as_long_and_as_far_ahead_as_the_policy_says(self) -> None:
        longest, ahead = POLICY.scheduled_windows.longest, POLICY.scheduled_windows.ahead

        def asked(opens: timedelta, lasts: timedelta, moment: Moment = Moment.ASK) -> str:
            window = ScheduledWindow(NOW + opens, NOW + opens + lasts)
            return code(scheduled_window.window_is_allowed(facts(request(scheduled_window=window), moment), POLICY))

        assert asked(ahead, longest) == ""
        assert asked(ahead, longest + timedelta(minutes=1)) == "window_too_long"
        assert asked(ahead + timedelta(minutes=1), longest) == "window_too_far"

    @pytest.mark.parametrize(
        ("opens", "moment", "said"),
        [
            (timedelta(hours=-1), Moment.ACT, "window_passed"),
            (timedelta(minutes=1), Moment.ACT, "window_not_open"),
            (timedelta(days=99), Moment.ASK, "window_too_far"),
        ],
    )
    def test_a_change_that_is_approved_keeps_to_its_window(self, opens: timedelta, moment: Moment, said: str) -> None:
        window = ScheduledWindow(NOW + opens, NOW + opens + timedelta(minutes=30))
        asked = waiting(request(scheduled_window=window))
        assert code(decide(looked(snapshot(), asked, moment, approvers=(BOB,)), POLICY)) == said

    def test_without_a_window_nothing_waits_for_one(self) -> None:
        assert scheduled_window.window_is_open(facts(moment=Moment.ACT), POLICY) is None


class TestBreakGlass:
    """Who goes ahead alone."""

    def answer(self, used: Facts, policy: Policy = OPEN) -> Refuse | None:
        return why_not_break_glass(used, policy)

    def used(self, by: Person = BOB, reason: str = "nobody is awake", **known: Any) -> Facts:
        return facts(broken(request(), by, reason), Moment.BREAK_GLASS, break_glass=by, **known)

    def test_nobody_is_asked_about_where_nobody_uses_it(self) -> None:
        assert self.answer(facts(moment=Moment.BREAK_GLASS)) is None

    @pytest.mark.parametrize("for_now", [True, False])
    def test_where_their_group_is_not_known_any_more_it_says_so(self, *, for_now: bool) -> None:
        asked = self.used(DAVE, unknown={"sre": Unknown("Nobody knows.", for_now=for_now)})
        assert code(break_glass.break_glass_is_allowed(asked, OPEN)) == (
            "group_unknown_yet" if for_now else "group_unknown"
        )
        assert break_glass.break_glass_is_allowed(self.used(DAVE), OPEN) is None

    def test_who_may_needs_no_group_that_is_not_known(self) -> None:
        assert self.answer(self.used(unknown={"sre": Unknown("Nobody knows.", for_now=True)})) is None

    def test_the_hint_names_who_may(self) -> None:
        assert self.answer(self.used(DAVE)) == Refuse(
            "break_glass_not_permitted", "You may not use break-glass.", "@sre may."
        )
        nobody = self.answer(self.used(DAVE), POLICY)
        assert nobody is not None
        assert nobody.hint == "Nobody may: the policy names no group for it."

    @pytest.mark.parametrize(
        ("reason", "said"), [("0123456789", ""), ("012345678", "no_reason"), (" 01234567 ", "no_reason")]
    )
    def test_the_reason_is_as_long_as_the_policy_says(self, reason: str, said: str) -> None:
        assert code(self.answer(self.used(reason=reason))) == said

    def test_who_signs_off_is_told_what_keeps_them_from_it(self) -> None:
        assert code(why_not_sign_off(facts(request(), voter=BOB), POLICY)) == "no_sign_off"
        owed = broken(request(), BOB)
        assert code(why_not_sign_off(facts(owed, voter=ALICE), POLICY)) == "own_sign_off"
        assert code(why_not_sign_off(facts(owed, voter=BOB), POLICY)) == "own_sign_off"
        assert code(why_not_sign_off(facts(handed(owed, CAROL), voter=CAROL), POLICY)) == "own_sign_off"
        no = why_not_sign_off(facts(owed, voter=DAVE), POLICY)
        assert no == Refuse("may_not_sign", "You could not have approved this, so you cannot sign it off.", "@sre may.")
        assert why_not_sign_off(facts(owed, voter=CAROL), replace(POLICY, rules=())) is None
        nobody = why_not_sign_off(facts(owed, voter=CAROL), replace(POLICY, rules=(replace(PROD, approve=()),)))
        assert nobody is not None
        assert nobody.hint == "Nobody may."


class TestCriticalUnits:
    """What an unmask may touch, and everything that a mask may take along."""

    AROUND: Mapping[str, Any] = {  # each would keep a mask from being asked for
        "starts": (related_unit("ssh.service"),),
        "would_stop": (related_unit("dbus.service"),),
        "login_units": frozenset({"cron.service"}),
        "may_carry_us": frozenset({"cron.service"}),
    }

    @pytest.mark.parametrize("what", AROUND)
    def test_only_masks_are_refused_and_by_each_of_the_rules(self, what: str) -> None:
        seen = around(what, self.AROUND[what])
        assert critical_units.is_never_allowed(looked(seen), POLICY)
        assert not critical_units.is_never_allowed(looked(seen, request(verb=UNMASK)), POLICY)

    def test_what_would_reboot_the_host_is_never_allowed(self) -> None:
        assert critical_units.is_never_allowed(looked(snapshot(actions=("FailureAction=reboot",))), POLICY)

    @pytest.mark.parametrize("what", ["", "starts", "would_stop"])
    def test_the_unit_that_carries_the_bot_is_found_however_it_would_end(self, what: str) -> None:
        own = OwnMachine("b00t", frozenset({"bot.service"}))
        carrier = related_unit("bot.service")
        seen = around(what, (carrier,)) if what else snapshot("bot.service")
        assert code(critical_units.the_bot_survives(looked(seen, own_machine=own), POLICY)) == "carries_the_bot"
        back = request(str(seen.asked), UNMASK)
        assert critical_units.the_bot_survives(looked(seen, back, own_machine=own), POLICY) is None
        assert critical_units.is_never_allowed(looked(seen, own_machine=own), POLICY)

    def test_what_ends_the_host_says_when(self) -> None:
        for actions, when in (
            (("StartLimitAction=reboot",), "when it is started again,"),
            (("StartLimitAction=reboot", "FailureAction=reboot"), "when it ends,"),
        ):
            answer = critical_units.host_survives_its_end(looked(snapshot(actions=actions)), POLICY)
            assert answer is not None
            assert when in answer.reason

    def test_a_reason_ends_with_one_full_stop(self) -> None:
        assert critical_units.reason_of(ListedUnit("x", "it is {host}."), facts()) == "it is web-01"

    def test_a_related_unit_is_known_by_its_own_name_too(self) -> None:
        other = replace(related_unit("dbus.service"), names=frozenset())
        assert code(critical_units.nothing_critical_stops_with_it(looked(snapshot(would_stop=(other,))), POLICY))

    def test_every_name_of_a_unit_counts(self) -> None:
        seen = replace(snapshot("c.service"), asked=UnitName("d.service"), names=frozenset({"e.service"}))
        asked = request("a.service").on_target(unit=UnitName("b.service"))
        assert {*"abcde"} == {name[0] for name in unit_names.names_of(replace(facts(asked), snapshot=seen))}


class TestPlaces:
    """Where something may be asked."""

    def test_a_place_without_a_name_has_no_prefix(self) -> None:
        anywhere = replace(POLICY, channel_prefixes=("",))
        assert code(channel.channel_is_allowed(facts(place=Place("C7")), anywhere)) == "channel_not_allowed"

    def test_a_shared_channel_of_the_command_line_is_named(self) -> None:
        policy = replace(POLICY, shell_channel="C5")
        shell = channel.channel_is_internal(facts(place=Place("shell", is_internal=False)), policy)
        other = channel.channel_is_internal(facts(place=Place("C1", is_internal=False)), policy)
        assert shell is not None
        assert other is not None
        assert "C5" in shell.reason
        assert "This channel" in other.reason


class TestTheUnit:
    """What a look shows, and what it leaves open."""

    def test_a_name_that_its_mask_would_not_cover_is_not_masked(self) -> None:
        seen = replace(snapshot("real.service"), twins=("second.service",))
        assert code(decide(looked(seen, request("second.service")), POLICY)) == "second_name"

    def test_a_new_mask_waits_for_the_copies_of_the_audit_log_and_its_undo_does_not(self) -> None:
        assert code(decide(looked(snapshot(), unshipped="siem is 3 minutes behind"), POLICY)) == "audit_unavailable"
        back = looked(masked(Layer.PERSISTENT), request(verb=UNMASK), own_mask=our_mask(), unshipped="siem is behind")
        assert isinstance(decide(back, POLICY), Allow)

    def test_without_a_look_no_machine_is_the_wrong_one(self) -> None:
        pinned = replace(WEB, machine_id="m1")
        assert existence.host_is_the_right_one(facts(host=pinned), POLICY) is None

    @pytest.mark.parametrize(
        ("active", "doing"),
        [(ActiveState.ACTIVATING, "starting"), (ActiveState.ACTIVE, "being started, stopped or reloaded")],
    )
    def test_a_busy_unit_is_said_to_be_what_it_is(self, active: ActiveState, doing: str) -> None:
        busy = snapshot(active=active, pending_job="7")
        answer = existence.unit_is_not_busy(looked(busy, request(keep_running=True)), POLICY)
        assert answer is not None
        assert f" is {doing} right now" in answer.reason
        back = request(verb=UNMASK, keep_running=True)
        assert existence.unit_is_not_busy(looked(busy, back), POLICY) is None

    def test_a_watchdog_matters_to_a_mask_under_a_running_unit_alone(self) -> None:
        asked = request(keep_running=True)
        watched = snapshot(watchdog_usec=3_000_000, notify_access="main")
        answer = maskable.watchdog_stays_quiet(looked(watched, asked), POLICY)
        assert answer is not None
        assert "within 3 s" in answer.reason
        for seen, by in (
            (None, asked),
            (replace(watched, watchdog_usec=0), asked),
            (watched, replace(asked, ask=replace(asked.ask, change=replace(asked.ask.change, verb=UNMASK)))),
        ):
            assert maskable.watchdog_stays_quiet(facts(by, snapshot=seen), POLICY) is None
        assert maskable.watchdog_stays_quiet(looked(replace(watched, watchdog_usec=1), asked), POLICY)

    def test_only_a_mask_stops_a_unit(self) -> None:
        asked = request(verb=UNMASK).ask.change
        assert not maskable.would_be_stopped(asked, snapshot())
        assert maskable.nothing_keeps_it_up(facts(), POLICY) is None

    def test_a_socket_that_is_not_looked_around_has_no_busy_service(self) -> None:
        seen = replace(snapshot("a.socket"), around=None)
        assert maskable.can_be_started_again(looked(seen), POLICY) is None

    def test_what_cannot_be_started_again_says_what_to_do(self) -> None:
        gone = snapshot(need_daemon_reload=True, fragment_hash="")
        answer = maskable.can_be_started_again(looked(gone), POLICY)
        assert answer is not None
        assert answer.hint.startswith("`--keep-running`")
        busy = snapshot("a.socket", starts=(related_unit("a.service"),))
        answer = maskable.can_be_started_again(looked(busy), POLICY)
        assert answer is not None
        assert answer.hint == "Mask a.service with `--set`, which masks both."

    @pytest.mark.parametrize(
        "seen",
        [
            replace(snapshot(need_daemon_reload=True, fragment=""), around=None),
            snapshot(need_daemon_reload=True, fragment="", fragment_hash=""),
            replace(snapshot(need_daemon_reload=True), around=None),
            snapshot(fragment=""),
        ],
    )
    def test_no_file_is_called_gone_that_was_never_seen(self, seen: Snapshot) -> None:
        assert maskable.can_be_started_again(looked(seen), POLICY) is None

    def test_an_example_of_a_template_has_one_name_in_it(self) -> None:
        answer = unit_kind.unit_is_no_template(facts(request("a@.service")), POLICY)
        assert answer is not None
        assert "a@NAME.service" in answer.reason + answer.hint

    @pytest.mark.parametrize("asked", ["x.slice", "cron.service"])
    def test_the_type_of_each_of_its_names_counts(self, asked: str) -> None:
        seen = replace(snapshot("cron.service" if asked == "x.slice" else "x.slice"), asked=UnitName(asked))
        assert unit_kind.unit_type_is_allowed(looked(seen, request(asked)), POLICY) is not None


class TestMasks:
    """What is there to be removed, extended, put back."""

    def test_masked_already_and_left_running_as_it_was_asked(self) -> None:
        running = masked(Layer.PERSISTENT, active=ActiveState.ACTIVE)
        for keep in (True, False):
            answer = maskable.is_not_masked_already(looked(running, request(keep_running=keep)), POLICY)
            assert answer is not None
            assert answer.hint.startswith("It still runs.") is not keep

    @pytest.mark.parametrize(("reason", "said"), [("INC-1", "alice (INC-1), since"), (" ", "alice, since")])
    def test_a_mask_of_ours_is_named_with_its_reason_where_it_has_one(self, reason: str, said: str) -> None:
        own = our_mask()
        own = replace(own, ask=replace(own.ask, reason=reason))
        answer = maskable.is_not_masked_already(looked(masked(Layer.PERSISTENT), own_mask=own), POLICY)
        assert answer is not None
        assert f"asked by {said}" in answer.reason

    def test_a_mask_of_ours_that_has_not_ended_is_named_without_its_end(self) -> None:
        own = replace(our_mask(), finished_at=None)
        assert maskable.is_not_masked_already(looked(masked(Layer.PERSISTENT), own_mask=own), POLICY) is not None

    @pytest.mark.parametrize(("fragment", "who"), [("/lib/x.service", "/lib/x.service"), ("", "its mask")])
    def test_a_mask_that_is_no_link_of_ours_names_its_file(self, fragment: str, who: str) -> None:
        seen = snapshot(load=LoadState.MASKED, fragment=fragment)
        answer = unmaskable.there_is_a_mask(looked(seen, request(verb=UNMASK)), POLICY)
        assert answer is not None
        assert answer.hint == f"Only whoever put {who} there can change that."

    def test_an_empty_file_matters_to_an_unmask_alone(self) -> None:
        seen = snapshot(layers={Layer.PERSISTENT: FileKind.EMPTY})
        assert unmaskable.mask_is_a_link(looked(seen, own_mask=our_mask()), POLICY) is None
        assert unmaskable.mask_is_a_link(looked(seen, request(verb=UNMASK), own_mask=our_mask()), POLICY)

    def test_what_cannot_be_undone_is_not_half_done(self) -> None:
        over = replace(our_mask(outcome=Outcome.NO_CHANGE))
        answer = unmaskable.there_is_a_mask(looked(snapshot(), request(verb=UNMASK), own_mask=over), POLICY)
        assert code(answer) == "not_masked"

    def test_who_used_break_glass_takes_it_back_without_a_vote(self) -> None:
        own = broken(our_mask(), CAROL)
        back = facts(request(verb=UNMASK), requester=CAROL, own_mask=own)
        assert isinstance(undo.own_mask_is_undone(back, POLICY), Allow)
        assert undo.own_mask_is_undone(replace(back, own_mask=our_mask()), POLICY) is None

    def test_an_undo_is_free_up_to_the_last_moment(self) -> None:
        own = replace(our_mask(), undo_until=NOW)
        assert isinstance(undo.own_mask_is_undone(facts(request(verb=UNMASK), own_mask=own), POLICY), Allow)
        past = replace(own, undo_until=NOW - timedelta(seconds=1))
        assert undo.own_mask_is_undone(facts(request(verb=UNMASK), own_mask=past), POLICY) is None

    def test_without_anything_of_ours_nothing_is_extended(self) -> None:
        asked = request(duration=Duration(until=NOW + timedelta(minutes=5)))
        own = our_mask()
        own = replace(own, aftercare=replace(own.aftercare, approved_until=NOW + timedelta(hours=1)))
        extends = replace(asked, ask=replace(asked.ask, extends="r0"))
        assert isinstance(expiry.extension_is_free(facts(extends, own_mask=own), POLICY), Allow)
        assert expiry.extension_is_free(facts(asked, own_mask=own), POLICY) is None
        assert expiry.extension_is_free(facts(extends), POLICY) is None

    def test_an_expiry_that_nobody_approved_has_no_latest_end(self) -> None:
        own = our_mask()
        assert expiry.latest_without_approval(own, POLICY) is None
        known = replace(own, aftercare=replace(own.aftercare, approved_until=NOW), finished_at=None)
        assert expiry.latest_without_approval(known, POLICY) is None

    def test_an_undo_by_the_bot_itself_needs_no_mask_on_record(self) -> None:
        asked = request(verb=UNMASK)
        itself = replace(asked, ask=replace(asked.ask, by_itself=True, undoes="r0"))
        answer = expiry.expiry_was_approved(facts(itself), POLICY)
        assert answer is not None
        assert answer.because.startswith("time is up")

    @pytest.mark.parametrize(
        ("duration", "said"),
        [
            (Duration(lasts=POLICY.longest_mask), ""),
            (Duration(lasts=POLICY.longest_mask + timedelta(minutes=1)), "too_long"),
            (Duration(lasts=POLICY.shortest_mask), ""),
            (Duration(lasts=POLICY.shortest_mask / 2), "too_short"),
            (Duration(until=NOW), "expiry_is_past"),
            (Duration(), "expiry_is_past"),
        ],
    )
    def test_a_length_is_within_its_bounds(self, duration: Duration, said: str) -> None:
        for moment in (Moment.ASK, Moment.LOOKED):
            assert code(expiry.length_is_allowed(facts(request(duration=duration), moment), POLICY)) == said

    @pytest.mark.parametrize("ago", [timedelta(), timedelta(minutes=1)])
    def test_an_end_has_to_be_ahead_also_of_a_mask_that_has_begun(self, ago: timedelta) -> None:
        asked = request(duration=Duration(until=NOW - ago))
        extends = replace(asked, ask=replace(asked.ask, extends="r0"))
        begun = replace(our_mask(), aftercare=Aftercare(expires_at=NOW + timedelta(hours=1)))
        assert code(expiry.length_is_allowed(facts(extends, own_mask=begun), POLICY)) == "expiry_is_past"

    def test_only_an_extension_counts_from_the_mask_that_there_is(self) -> None:
        own = replace(our_mask(), finished_at=NOW - timedelta(days=30), aftercare=Aftercare(expires_at=NOW))
        asked = request(duration=Duration(until=NOW + timedelta(hours=1)))
        assert expiry.length_is_allowed(facts(asked, own_mask=own), POLICY) is None
        extends = replace(asked, ask=replace(asked.ask, extends="r0"))
        assert code(expiry.length_is_allowed(facts(extends, own_mask=own), POLICY)) == "too_long"
        assert expiry.length_is_allowed(facts(extends, own_mask=replace(own, finished_at=None)), POLICY) is None

    def test_a_length_counts_from_when_the_mask_got_an_end_and_not_from_its_last_extension(self) -> None:
        ends, until = NOW + timedelta(hours=1), request(duration=Duration(until=NOW + timedelta(hours=2)))
        given, longer = (
            Extension("r2", BOB.id, "bob", NOW - timedelta(days=ago), ends, new_kind=kind)
            for ago, kind in ((30, NewKind.ENDING), (1, None))
        )
        extends = replace(until, ask=replace(until.ask, extends="r0"))
        for extensions, said in (((given, longer), "too_long"), ((longer,), "")):
            own = replace(our_mask(), aftercare=Aftercare(expires_at=ends, extensions=extensions))
            assert code(expiry.length_is_allowed(facts(extends, own_mask=own), POLICY)) == said

    def test_a_hold_is_offered_where_each_strict_rule_takes_one(self) -> None:
        rules = tuple(replace(PROD, name=str(will), requires_expiry=True, hold_will_do=will) for will in (True, False))
        for strict, offers in ((rules[:1], True), (rules, False)):
            answer = expiry.mask_expires_where_required(facts(), replace(POLICY, rules=strict))
            assert answer is not None
            assert ("--hold" in answer.hint) is offers

    @pytest.mark.parametrize(("verb", "unit"), [(Verb.MASK, "real.service"), (UNMASK, "alias.service")])
    def test_the_plan_of_an_unmask_is_about_the_unit_that_the_link_masks(self, verb: Verb, unit: str) -> None:
        seen = replace(snapshot("real.service"), layers=masked(Layer.PERSISTENT, unit="alias.service").layers)
        assert with_plan(request("alias.service", verb), seen).target.unit == UnitName(unit)

    def test_a_guard_s_no_keeps_nobody_from_an_unmask(self) -> None:
        seen = masked(Layer.PERSISTENT, rights=frozenset({NEVER, *RIGHTS}))
        back = looked(seen, request(verb=UNMASK), own_mask=our_mask())
        assert guard_rights.host_grants_the_rights(back, POLICY) is None
        assert code(guard_rights.host_grants_the_rights(looked(seen), POLICY)) == "host_policy"


class TestHolds:
    """Who holds, and what is put back."""

    HELD = replace(POLICY, holds=HoldPolicy(owners=frozenset({"sre"})))

    def asked(self, verb: Verb = Verb.MASK, **changed: Any) -> Facts:
        return facts(request(verb=verb, hold=replace(Hold("sre", NOW + timedelta(days=1)), **changed)))

    def test_an_unmask_holds_nothing(self) -> None:
        assert hold.may_be_held(self.asked(UNMASK, owners="nobody"), self.HELD) is None
        assert hold.review_is_ahead(self.asked(UNMASK, review=NOW), self.HELD) is None

    def test_the_review_may_be_as_far_ahead_as_the_policy_says(self) -> None:
        furthest = self.HELD.holds.review_within
        assert hold.review_is_ahead(self.asked(review=NOW + furthest), self.HELD) is None
        far = self.asked(review=NOW + furthest + timedelta(minutes=1))
        assert code(hold.review_is_ahead(far, self.HELD)) == "review_too_far"

    def test_without_our_mask_nothing_is_put_back(self) -> None:
        asked = reapplied()
        assert hold.hold_may_be_reapplied(facts(asked), self.HELD) is None

    def test_before_the_full_look_what_is_put_back_was_approved(self) -> None:
        asked = reapplied()
        short = replace(snapshot(), around=None)
        assert isinstance(hold.hold_may_be_reapplied(looked(short, asked, own_mask=our_mask()), self.HELD), Allow)

    def test_of_many_that_would_stop_five_are_named(self) -> None:
        was = our_mask().on_target(before=snapshot())
        asked = reapplied()
        seen = snapshot(would_stop=tuple(related_unit(f"{name}.service") for name in "abcdef"))
        answer = hold.hold_may_be_reapplied(looked(seen, asked, own_mask=was), self.HELD)
        assert isinstance(answer, Refuse)
        assert "e.service would stop" in answer.reason

    @pytest.mark.parametrize(("rollout", "button"), [("", "Mask again"), ("r9", "Retry failed only")])
    def test_what_has_changed_is_asked_for_with_the_button_that_its_card_has(self, rollout: str, button: str) -> None:
        was = our_mask().on_target(before=snapshot(machine_id="m2"))
        was = replace(was, ask=replace(was.ask, rollout=rollout))
        answer = hold.hold_may_be_reapplied(looked(snapshot(), reapplied(), own_mask=was), self.HELD)
        assert isinstance(answer, Refuse)
        assert answer.hint.startswith(f"Use {button} on ")

    def test_a_state_that_is_not_known_is_none_that_was_approved(self) -> None:
        asked = reapplied()
        for before in (None, replace(snapshot(), around=None)):
            was = our_mask().on_target(before=before)
            answer = hold.hold_may_be_reapplied(looked(snapshot(), asked, own_mask=was), self.HELD)
            assert isinstance(answer, Refuse)
            assert "its state at the approval is not known." in answer.reason


class TestLimits:
    """Freezes, windows and bounds."""

    def test_different_groups_bound_what_is_asked_for_and_never_lower_it(self) -> None:
        rule = replace(PROD, distinct=True, approve=("sre", "eng"))
        more = calendar_and_limits.Reason(ExtraApprovals(more=5), None)  # type: ignore[arg-type]
        assert calendar_and_limits.apply_reasons(rule, 1, (more,)) == (("sre", "eng"), 2)
        assert calendar_and_limits.apply_reasons(rule, 3, (more,)) == (("sre", "eng"), 3)

    def test_where_nobody_has_to_approve_no_bound_asks_for_more(self) -> None:
        none = replace(POLICY, guarded_need=0, rules=(replace(PROD, need=0),))
        assert calendar_and_limits.highest(none).need == 0

    def test_without_a_count_no_bound_is_explained(self) -> None:
        bounds = replace(POLICY, limits=replace(POLICY.limits, hosts=1, units_per_host=1))
        assert explain(facts(), bounds)

    def test_a_bound_is_explained_by_bounds_alone(self) -> None:
        bounds = replace(POLICY, limits=replace(POLICY.limits, hosts=1))
        said = [
            one for one in explain(facts(blast_radius=BlastRadius(hosts=2, units=1)), bounds) if "2 hosts" in one.why
        ]
        assert said

    def test_each_step_that_was_passed_is_explained(self) -> None:
        said = explain(facts(), POLICY)
        assert said[0].step == "requester is one of us"
        forbids = replace(POLICY, rules=(replace(PROD, forbid="not now"),))
        for asked, policy in ((facts(requester=GUEST), POLICY), (facts(), forbids)):
            [decided] = [one for one in explain(asked, policy) if one.decides]
            assert decided.why == decided.why.strip() != ""


class TestTheCalendar:
    """When freezes and windows begin and end."""

    HOURS = tuple(
        Once(at, at + timedelta(hours=1)) for at in (NOW.replace(tzinfo=None) + timedelta(hours=h) for h in (2, 4))
    )

    def test_the_soonest_turn_counts(self) -> None:
        freezes = tuple(Freeze(str(one.begins), (one,)) for one in self.HOURS)
        policy = replace(POLICY, freezes=freezes)
        assert calendar_and_limits.calendar_changes_at(facts(), policy) == NOW + timedelta(hours=2)

    def test_a_freeze_without_a_reason_has_no_empty_one(self) -> None:
        now = Once(NOW.replace(tzinfo=None), NOW.replace(tzinfo=None) + timedelta(hours=1))
        policy = replace(POLICY, freezes=(Freeze("quiet", (now,)),))
        [reason] = calendar_and_limits.reasons(facts(), policy)
        assert reason.raised.why == "change freeze quiet"

    def test_only_the_windows_that_a_rule_names_are_its_own(self) -> None:
        now = Once(NOW.replace(tzinfo=None), NOW.replace(tzinfo=None) + timedelta(hours=1))
        windows = (MaintenanceWindow("open", (now,)), MaintenanceWindow("later", self.HOURS))
        policy = replace(POLICY, maintenance_windows=windows, rules=(replace(PROD, maintenance_windows=("later",)),))
        [reason] = calendar_and_limits.reasons(facts(), policy)
        assert reason.raised.until == NOW + timedelta(hours=2)

    def test_a_freeze_is_not_explained_as_a_limit(self) -> None:
        now = Once(NOW.replace(tzinfo=None), NOW.replace(tzinfo=None) + timedelta(hours=1))
        policy = replace(POLICY, freezes=(Freeze("quiet", (now,)),), limits=replace(POLICY.limits, hosts=2))
        said = explain(facts(blast_radius=BlastRadius(hosts=1, units=1)), policy)
        assert [one.applies for one in said if "1 of 2 hosts" in one.why] == [False]


class TestDefaults:
    """What holds where nobody says anything, as docs/operations.md tells it."""

    def test_they_are_the_strict_ones(self) -> None:
        rule = Rule("x")
        assert (rule.units, rule.need, rule.allows_break_glass) == (("*",), 1, True)
        assert (rule.approve_within, rule.good_for) == (timedelta(minutes=15), timedelta(minutes=10))
        assert not (rule.distinct or rule.step_up or rule.requires_expiry or rule.hold_will_do)
        assert not Group("x").anybody_may_join
        assert OnCallSource().deadline == timedelta(seconds=5)
        assert BreakGlassPolicy() == BreakGlassPolicy(min_reason_length=10, step_up=False)
        assert HoldPolicy() == HoldPolicy(
            reapply=True, reapply_limit=3, reapply_within=timedelta(hours=1), review_within=timedelta(days=180)
        )
        assert (POLICY.shortest_mask, POLICY.longest_mask) == (timedelta(minutes=1), timedelta(days=30))
        assert (POLICY.guarded_need, POLICY.undo_without_approval_for) == (2, timedelta(hours=24))
        assert ({*POLICY.unit_types}, POLICY.instances) == ({"service", "socket", "timer", "path"}, True)
        assert (POLICY.free_extension, POLICY.tell_foreign_masks, POLICY.mode) == (1.0, True, "act")
        assert POLICY.limits.within == timedelta(minutes=10)
        assert (BlastRadius().hosts, BlastRadius().units) == (1, 1)
        home = HomeView(Health("1"))
        assert (home.health.open_requests, home.more_to_decide, home.more_masks, home.more_open) == (0, 0, 0, 0)
        assert not (facts().stepped_up or Unknown("x").for_now or Routing().from_private)


class TestLayers:
    """Where a link would have no effect."""

    def test_an_empty_file_is_in_the_way_like_any_other(self) -> None:
        seen = snapshot(layers={Layer.PERSISTENT: FileKind.EMPTY}, rights=frozenset())
        assert code(choose(seen)) == "needs_control_layer"

    def test_a_user_s_control_folder_is_one(self) -> None:
        assert code(choose(snapshot(fragment="/home/x/.config/systemd/user.control/cron.service"))) == "control_file"

    def test_where_no_link_would_hold_no_right_to_make_it_is_asked_for(self) -> None:
        rights = frozenset({"stop", "start", "reset-failed", "reload"})
        seen = snapshot(perpetual=True, rights=rights)
        assert guard_rights.host_grants_the_rights(looked(seen), POLICY) is None


def choose(seen: Snapshot) -> Refuse | None:
    answer = choose_layer(request().ask.change, seen)
    return answer if isinstance(answer, Refuse) else None


class TestTurns:
    """When nobody is needed, and when somebody is."""

    def test_our_own_undo_and_break_glass_need_nobody(self) -> None:
        back = facts(request(verb=UNMASK), own_mask=our_mask())
        assert dead_ends.in_question(back, POLICY) == ()
        alone = replace(request(), ask=replace(request().ask, break_glass=True, reason="nobody is awake"))
        assert dead_ends.in_question(facts(alone, requester=BOB), OPEN) == ()
        assert dead_ends.in_question(
            facts(replace(alone, ask=replace(alone.ask, break_glass=False)), requester=BOB), OPEN
        )

    def test_of_several_hosts_the_guarded_one_and_the_soonest_change_count(self) -> None:
        soon, late = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
        one = NeedsApproval("prod", "", 1, 0, ("sre",), timedelta(1), timedelta(1), calendar_changes_at=late)
        two = replace(one, guarded="console", calendar_changes_at=soon)
        answer = rollout.strictest_target([("a", one), ("b", two)], POLICY)
        assert isinstance(answer, NeedsApproval)
        assert (answer.guarded, answer.calendar_changes_at) == ("console", soon)

    def test_a_kill_before_the_look_is_about_the_stop_that_was_planned(self) -> None:
        assert force_stop.stop_is_waited_for(facts(request(force=True), own_mask=waited_for()), POLICY) is None
