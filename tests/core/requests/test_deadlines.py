"""Changes that are asked for a time: approved in daylight, good for their window, and for no other moment."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.core.cards import replies
from bot.core.policy.decide import decide
from bot.core.policy.model import Allow, Decision, Moment, NeedsApproval, Refuse
from bot.core.policy.requirements import approval_required
from bot.core.requests import (
    Change,
    Duration,
    Hold,
    HoldState,
    Request,
    ScheduledWindow,
    Stage,
    Verb,
    deadlines,
)
from bot.core.requests.plan import differences, plan_digest, plan_of
from bot.core.systemd.units import Layer, UnitName
from tests.core.situations import BOB, NOW, POLICY, facts, looked, our_mask, request, snapshot, waiting

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TONIGHT = ScheduledWindow(NOW + 19 * HOUR, NOW + 20 * HOUR)
OPEN = ScheduledWindow(NOW - 10 * MINUTE, NOW + 50 * MINUTE)


def at(window: ScheduledWindow | None, asked: Request | None = None, **options: Any) -> Request:
    asked = asked or request()
    return replace(asked, ask=replace(asked.ask, change=replace(asked.ask.change, scheduled_window=window, **options)))


def answer(window: ScheduledWindow, moment: Moment = Moment.LOOKED, now: datetime = NOW, **options: Any) -> Decision:
    asked = at(window, waiting(), **options)
    if moment is Moment.ACT:
        given = looked(snapshot(), replace(asked, stage=Stage.APPROVED), moment, now=now, approvers=(BOB,))
    else:
        given = looked(snapshot(), asked, moment, now=now)
    return decide(given, POLICY)


def code(decision: Decision) -> str:
    return decision.code if isinstance(decision, Refuse) else ""


class TestTimes:
    """When people decide, when it runs, and how long that is good."""

    def test_without_a_window_everything_counts_from_now(self) -> None:
        assert deadlines.approve_by(None, NOW, 15 * MINUTE) == NOW + 15 * MINUTE
        assert deadlines.good_until(None, NOW, 10 * MINUTE) == NOW + 10 * MINUTE
        assert (deadlines.due(None, NOW), deadlines.is_ahead(None, NOW)) == (NOW, False)
        assert deadlines.escalation_start(NOW, NOW + 15 * MINUTE, 15 * MINUTE) == NOW

    def test_people_have_until_it_opens_to_decide(self) -> None:
        assert deadlines.approve_by(TONIGHT, NOW, 15 * MINUTE) == TONIGHT.opens

    @pytest.mark.parametrize(
        ("opens_in", "lasts", "minutes"), [(5, 60, 15), (-10, 60, 15), (-10, 20, 10), (5, 7, 12), (15, 60, 15)]
    )
    def test_asked_shortly_before_they_have_as_long_as_ever_but_never_past_its_end(
        self, opens_in: int, lasts: int, minutes: int
    ) -> None:
        opens = NOW + opens_in * MINUTE
        assert (
            deadlines.approve_by(ScheduledWindow(opens, opens + lasts * MINUTE), NOW, 15 * MINUTE)
            == NOW + minutes * MINUTE
        )

    def test_nobody_is_called_before_the_last_stretch(self) -> None:
        assert deadlines.escalation_start(NOW, TONIGHT.opens, 15 * MINUTE) == TONIGHT.opens - 15 * MINUTE

    def test_an_approval_is_good_for_the_window_and_taken_up_when_it_opens(self) -> None:
        assert deadlines.good_until(TONIGHT, NOW, 10 * MINUTE) == TONIGHT.closes
        assert (deadlines.due(TONIGHT, NOW), deadlines.is_ahead(TONIGHT, NOW)) == (TONIGHT.opens, True)
        assert (deadlines.due(OPEN, NOW), deadlines.is_ahead(OPEN, NOW)) == (NOW, False)
        assert not deadlines.is_ahead(TONIGHT, TONIGHT.opens)

    def test_an_approved_request_knows_from_when_and_how_long(self) -> None:
        planned = deadlines.approve(at(TONIGHT, waiting()), "enough", NOW, 10 * MINUTE)
        assert (planned.stage, planned.because, planned.approved_at) == (Stage.APPROVED, "enough", NOW)
        assert (planned.act_by, planned.due_at) == (TONIGHT.closes, TONIGHT.opens)
        at_once = deadlines.approve(waiting(), "enough", NOW, 10 * MINUTE)
        assert (at_once.act_by, at_once.due_at) == (NOW + 10 * MINUTE, NOW)

    def test_what_is_asked_once_more_keeps_its_window_while_that_is_not_over(self) -> None:
        first = at(TONIGHT)
        assert deadlines.repeat_change(first, TONIGHT.opens) == first.ask.change
        assert deadlines.repeat_change(first, TONIGHT.closes).scheduled_window is None
        assert deadlines.repeat_change(request(), NOW) == request().ask.change

    def test_a_mask_that_became_a_hold_is_asked_for_as_a_hold_and_without_its_old_end(self) -> None:
        hold, first = Hold("sre", NOW + DAY), request(duration=Duration(lasts=MINUTE))
        again = deadlines.repeat_change(replace(first, hold_state=HoldState(made_later=hold)), NOW)
        assert (again.hold, again.duration) == (hold, None)
        assert deadlines.repeat_change(first, NOW).duration == Duration(lasts=MINUTE)

    def test_what_waits_for_its_window_is_in_nobodys_way(self) -> None:
        next_night = ScheduledWindow(TONIGHT.opens + DAY, TONIGHT.closes + DAY)
        assert deadlines.are_apart(TONIGHT, None, NOW)
        assert deadlines.are_apart(None, TONIGHT, NOW)
        assert deadlines.are_apart(TONIGHT, next_night, NOW)
        assert deadlines.are_apart(next_night, TONIGHT, NOW)
        assert not deadlines.are_apart(OPEN, None, NOW)
        assert not deadlines.are_apart(TONIGHT, ScheduledWindow(TONIGHT.opens + MINUTE, TONIGHT.closes), NOW)
        assert not deadlines.are_apart(None, None, NOW)

    def test_what_is_asked_of_the_approvers_follows_from_it(self) -> None:
        needs = answer(TONIGHT)
        assert isinstance(needs, NeedsApproval)
        assert approval_required(needs, policy="p", now=NOW, window=TONIGHT).approve_by == TONIGHT.opens
        assert approval_required(needs, policy="p", now=NOW).approve_by == NOW + 15 * MINUTE


class TestRules:
    """What the policy says to a window, at each moment."""

    @pytest.mark.parametrize("moment", [Moment.ASK, Moment.LOOKED])
    def test_an_ordinary_one_is_put_to_the_approvers(self, moment: Moment) -> None:
        assert isinstance(answer(TONIGHT, moment), NeedsApproval)

    @pytest.mark.parametrize(
        ("window", "said"),
        [
            (ScheduledWindow(NOW + DAY, NOW + DAY + 13 * HOUR), "window_too_long"),
            (ScheduledWindow(NOW + 31 * DAY, NOW + 31 * DAY + HOUR), "window_too_far"),
            (ScheduledWindow(NOW - 2 * HOUR, NOW), "window_passed"),
        ],
    )
    def test_one_that_is_too_long_too_far_away_or_over_is_refused(self, window: ScheduledWindow, said: str) -> None:
        assert code(answer(window)) == said

    def test_what_was_allowed_when_it_was_asked_is_not_refused_for_its_length_later(self) -> None:
        assert isinstance(answer(ScheduledWindow(NOW - HOUR, NOW + 19 * HOUR), Moment.ACT), Allow)

    def test_it_runs_while_it_is_open_and_at_no_other_time(self) -> None:
        assert code(answer(TONIGHT, Moment.ACT, TONIGHT.opens - MINUTE)) == "window_not_open"
        assert isinstance(answer(TONIGHT, Moment.ACT, TONIGHT.opens), Allow)
        assert isinstance(answer(TONIGHT, Moment.ACT, TONIGHT.closes - MINUTE), Allow)
        assert code(answer(TONIGHT, Moment.ACT, TONIGHT.closes)) == "window_passed"

    def test_an_undo_keeps_to_its_window_too(self) -> None:
        undo = at(TONIGHT, request(verb=Verb.UNMASK))
        asked = facts(replace(undo, ask=replace(undo.ask, undoes="r0")), Moment.ACT, own_mask=our_mask())
        assert code(decide(asked, POLICY)) == "window_not_open"
        assert isinstance(decide(replace(asked, now=TONIGHT.opens), POLICY), Allow)

    def test_a_mask_that_ends_has_to_end_after_it_could_begin(self) -> None:
        assert code(answer(TONIGHT, duration=Duration(until=TONIGHT.opens - MINUTE))) == "expiry_is_past"
        assert isinstance(answer(TONIGHT, duration=Duration(until=TONIGHT.opens + HOUR)), NeedsApproval)
        assert isinstance(answer(TONIGHT, duration=Duration(lasts=2 * HOUR)), NeedsApproval)


def test_the_window_is_a_part_of_the_plan() -> None:
    tonight, tomorrow = (
        at(ScheduledWindow(TONIGHT.opens + days * DAY, TONIGHT.closes + days * DAY)) for days in (0, 1)
    )
    plans = [plan_of(one.ask.change, snapshot(), Layer.PERSISTENT) for one in (request(), tonight, tomorrow)]

    assert all(differences(one, other) for one in plans for other in plans if one is not other)
    digests = {plan_digest(one.ask.change, snapshot(), Layer.PERSISTENT) for one in (request(), tonight, tomorrow)}
    assert len(digests) == 3


def test_what_takes_a_mask_back_waits_for_no_window_and_has_no_end() -> None:
    mask = Change(
        Verb.MASK, "web-01", UnitName("sshd.service"), user="deploy", duration=Duration(lasts=HOUR),
        scheduled_window=TONIGHT, runtime=True, keep_running=True,
    )  # fmt: skip

    assert str(mask).endswith("--runtime --keep-running --user deploy --for 1h --at 2026-03-01T22:00Z --window 1h")
    assert str(mask.as_undo(UnitName("ssh.service"))) == "unmask web-01 ssh.service --runtime --user deploy"


def test_the_time_is_echoed_as_it_was_understood() -> None:
    change = at(TONIGHT).ask.change
    assert replies.acknowledge(change) == (
        "Got it: `mask web-01 cron.service --at 2026-03-01T22:00Z --window 1h`. "
        "Its window is Sunday 1 March 22:00 to 23:00 UTC. Checking the host."
    )
    summer = ScheduledWindow(datetime(2026, 7, 1, 22, tzinfo=UTC), datetime(2026, 7, 1, 23, 30, tzinfo=UTC))
    assert replies.window_in_words(summer, ZoneInfo("Europe/Berlin")) == (
        "Thursday 2 July 00:00 to 01:30 Europe/Berlin (22:00 UTC)"
    )
