"""Times from times: when a mask ends, when its owner hears of it, when the host is looked at again."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.core.requests import Aftercare, Change, Duration, Extension, Outcome, Request, Stage, Verb
from bot.core.requests.expiry import AftercarePolicy, begin_aftercare, extend, is_late, next_look, postpone_undo
from bot.core.requests.timers import next_due
from bot.core.systemd.units import UnitName
from tests.core.situations import ALICE, NOW, our_mask

CARE = AftercarePolicy()
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def done(duration: Duration | None = None, verb: Verb = Verb.MASK, outcome: Outcome = Outcome.PROVEN) -> Request:
    """A change that was finished right now."""
    mask = our_mask(outcome=outcome)
    change = Change(verb, "web-01", UnitName("cron.service"), duration=duration)
    return replace(mask, ask=replace(mask.ask, change=change), finished_at=NOW)


def later(until: datetime | None, at: datetime = NOW) -> Extension:
    return Extension("r7", ALICE.id, ALICE.name, at, until)


class TestWhatBegins:
    """Once a change is done."""

    @pytest.mark.parametrize("duration", [Duration(lasts=2 * HOUR), Duration(until=NOW + 2 * HOUR)])
    def test_an_end_counts_from_the_proof_and_is_announced_before(self, duration: Duration) -> None:
        aftercare = begin_aftercare(done(duration), NOW, CARE)
        assert (aftercare.expires_at, aftercare.approved_until) == (NOW + 2 * HOUR, NOW + 2 * HOUR)
        assert aftercare.remind_at == NOW + 2 * HOUR - 15 * MINUTE

    def test_a_short_one_is_announced_nearer_to_its_end(self) -> None:
        assert begin_aftercare(done(Duration(lasts=20 * MINUTE)), NOW, CARE).remind_at == NOW + 15 * MINUTE

    def test_one_without_an_end_is_brought_to_mind_after_a_day(self) -> None:
        aftercare = begin_aftercare(done(), NOW, CARE)
        assert (aftercare.expires_at, aftercare.remind_at) == (None, NOW + 24 * HOUR)

    @pytest.mark.parametrize("outcome", [Outcome.NOT_PROTECTED, Outcome.NOT_LOADED])
    def test_what_went_wrong_halfway_ends_as_well(self, outcome: Outcome) -> None:
        aftercare = begin_aftercare(done(Duration(lasts=HOUR), outcome=outcome), NOW, CARE)
        assert (aftercare.expires_at, aftercare.look_at) == (NOW + HOUR, None)

    def test_an_undo_has_no_end_and_is_looked_at_afterwards(self) -> None:
        assert begin_aftercare(done(verb=Verb.UNMASK, outcome=Outcome.RESTORED), NOW, CARE) == Aftercare(
            look_at=NOW + MINUTE
        )

    @pytest.mark.parametrize("duration", [None, Duration(lasts=HOUR)])
    def test_a_mask_after_which_the_bot_cannot_log_in_ends_at_once(self, duration: Duration | None) -> None:
        aftercare = begin_aftercare(done(duration), NOW, CARE, "the login was refused")
        assert aftercare == Aftercare(NOW, no_login="the login was refused", look_at=NOW + MINUTE)

    def test_where_nothing_was_changed_nothing_begins(self) -> None:
        assert begin_aftercare(done(Duration(lasts=HOUR), outcome=Outcome.FAILED), NOW, CARE) == Aftercare()

    def test_nobody_looks_where_the_settings_say_no(self) -> None:
        assert begin_aftercare(done(), NOW, AftercarePolicy(aftercheck=())).look_at is None


class TestLooks:
    """One, five and fifteen minutes after."""

    def test_each_has_its_time_and_what_was_missed_is_not_made_up_for(self) -> None:
        assert next_look(done(), NOW + 1 * MINUTE, CARE) == NOW + 5 * MINUTE
        assert next_look(done(), NOW + 14 * MINUTE, CARE) == NOW + 15 * MINUTE
        assert next_look(done(), NOW + 15 * MINUTE, CARE) is None

    def test_what_never_ended_is_not_looked_at(self) -> None:
        assert next_look(replace(done(), finished_at=None), NOW, CARE) is None


class TestOverdue:
    """What could not be brought back is tried again."""

    def test_the_pauses_grow_to_their_limit(self) -> None:
        aftercare = Aftercare(expires_at=NOW)
        pauses = []
        now = NOW
        for _ in range(9):
            aftercare = postpone_undo(aftercare, "web-01 does not answer.", now, CARE)
            assert aftercare.try_at
            pauses.append(int((aftercare.try_at - now).total_seconds()))
            now = aftercare.try_at
        assert pauses == [5, 5, 10, 20, 40, 80, 160, 300, 300]

    def test_its_owner_hears_of_it_at_once_and_then_by_the_clock(self) -> None:
        first = postpone_undo(Aftercare(expires_at=NOW), "no answer", NOW, CARE)
        assert first.remind_at == NOW
        told = replace(first, remind_at=NOW + HOUR)
        assert postpone_undo(told, "still none", NOW + MINUTE, CARE).remind_at == NOW + HOUR

    def test_an_undo_that_takes_longer_than_the_longest_pause_is_late(self) -> None:
        assert not is_late(done(), None, NOW + 5 * MINUTE, CARE)
        assert is_late(done(), None, NOW + 6 * MINUTE, CARE)
        assert not is_late(done(), NOW + HOUR, NOW + HOUR + 5 * MINUTE, CARE)

    def test_a_pause_needs_no_end_on_record(self) -> None:
        assert postpone_undo(Aftercare(), "no answer", NOW, CARE).try_at == NOW + timedelta(seconds=5)


class TestProlonged:
    """Another end, and nothing left of the old one."""

    def test_a_later_end_is_announced_anew_and_clears_what_was_overdue(self) -> None:
        overdue = postpone_undo(Aftercare(NOW, no_login="refused", approved_until=NOW), "no answer", NOW, CARE)
        aftercare = extend(overdue, later(NOW + 2 * HOUR), CARE, is_approved=False)
        assert (aftercare.expires_at, aftercare.approved_until) == (NOW + 2 * HOUR, NOW)
        assert (aftercare.overdue, aftercare.no_login, aftercare.tries, aftercare.try_at) == ("", "", 0, None)
        assert aftercare.remind_at == NOW + 2 * HOUR - 15 * MINUTE

    def test_what_was_voted_on_is_approved_from_then_on(self) -> None:
        aftercare = extend(Aftercare(NOW, approved_until=NOW), later(NOW + HOUR), CARE, is_approved=True)
        assert aftercare.approved_until == NOW + HOUR

    def test_what_is_kept_is_brought_to_mind_like_what_never_had_an_end(self) -> None:
        aftercare = extend(Aftercare(NOW, approved_until=NOW), later(None), CARE, is_approved=True)
        assert (aftercare.expires_at, aftercare.remind_at) == (None, NOW + 24 * HOUR)


class TestClocks:
    """A request that is done is due at the earliest of them."""

    def test_the_next_try_comes_before_the_end_that_has_passed(self) -> None:
        aftercare = Aftercare(expires_at=NOW, try_at=NOW + MINUTE, remind_at=NOW + HOUR, look_at=NOW + 5 * MINUTE)
        mask = replace(done(), aftercare=aftercare)
        assert next_due(mask) == NOW + MINUTE
        assert next_due(replace(mask, aftercare=replace(aftercare, try_at=None))) == NOW
        assert next_due(replace(mask, aftercare=replace(aftercare, try_at=NOW + 2 * HOUR))) == NOW + 5 * MINUTE

    def test_what_was_undone_is_not_due_again(self) -> None:
        mask = replace(done(), aftercare=Aftercare(NOW, remind_at=NOW, look_at=NOW), undone_by="r9")
        assert mask.stage is Stage.DONE
        assert next_due(mask) is None
