"""The digest of a rollout, the requests of its targets, and the approvals that a retry takes over."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.cards.rollout.reasons import goes_with, named_twice, too_many_with_triggers
from bot.core.cards.rollout.state_summary import nothing_planned, state_summary
from bot.core.requests import (
    BreakGlass,
    Duration,
    Request,
    Rollout,
    RolloutSettings,
    RolloutTarget,
    Selection,
    TargetStatus,
)
from bot.core.requests.expiry import AftercarePolicy, begin_aftercare
from bot.core.rollout.digest import rollout_digest, with_earlier_approvals
from bot.core.rollout.targets import ask_of, at_target, in_undo_order, triggers_of, with_triggers
from bot.core.systemd.units import Layer, UnitName
from tests.core.situations import ALICE, NOW, masked, our_mask, related_unit, request, snapshot, surroundings

CRON = UnitName("cron.service")
TWO_HOURS = Duration(lasts=timedelta(hours=2))
TWO = tuple(RolloutTarget(host, CRON, f"r-{host}", TargetStatus.READY, 1, f"plan {host}") for host in ("a", "b"))


def whole(**changed: Any) -> Request:
    asked = request()
    ask = replace(asked.ask, selection=Selection(("a", "b"), (CRON,)), break_glass=True)
    return replace(asked, id="R", ask=ask, rollout=Rollout(targets=TWO), **changed)


@pytest.mark.parametrize(
    "other",
    [
        Rollout(targets=(replace(TWO[0], digest="another plan"), TWO[1])),
        Rollout(targets=(TWO[0], replace(TWO[1], wave=2))),
        Rollout(targets=TWO[:1]),
        Rollout(targets=TWO[::-1]),
        Rollout(RolloutSettings(in_parallel=2), TWO),
    ],
)
def test_every_plan_their_order_and_the_waves_are_approved(other: Rollout) -> None:
    change = request().ask.change
    assert rollout_digest(change, other) != rollout_digest(change, Rollout(targets=TWO))
    assert rollout_digest(replace(change, runtime=True), other) != rollout_digest(change, other)


def test_how_far_it_has_come_does_not_change_what_was_approved() -> None:
    change, done = request().ask.change, tuple(replace(one, status=TargetStatus.DONE, note="!") for one in TWO)
    assert rollout_digest(change, Rollout(targets=done, wave=1)) == rollout_digest(change, Rollout(targets=TWO))


def test_each_target_is_asked_for_by_the_same_person_and_by_itself() -> None:
    ask = ask_of(whole(), TWO[1])
    assert (ask.change.host, ask.rollout, ask.selection, ask.break_glass) == ("b", "R", None, False)
    assert ask.requester == ALICE.id
    assert at_target(whole(), TWO[1]).target.host == "b"


def test_only_sockets_timers_and_paths_are_masked_with_what_they_start() -> None:
    starts = tuple(related_unit(name) for name in ("a.socket", "a.timer", "a.path", "other.service", "data.automount"))
    looked = request().on_target(before=snapshot(around=surroundings(triggers=starts)))
    assert [*map(str, triggers_of(looked))] == ["a.socket", "a.timer", "a.path"]
    assert triggers_of(request()) == []
    assert triggers_of(request().on_target(before=snapshot(around=None))) == []


def test_what_triggers_a_unit_comes_before_it_on_its_host_and_once() -> None:
    socket, timer, job = UnitName("cron.socket"), UnitName("cron.timer"), UnitName("job.service")
    found = with_triggers(
        Rollout(targets=(*TWO, RolloutTarget("b", timer), RolloutTarget("b", job, "r-job"))),
        lambda one: {"r-a": [socket], "r-b": [socket, timer], "r-job": [socket]}.get(one.request_id, []),
    )
    new = {host: RolloutTarget(host, socket) for host in ("a", "b")}
    assert found.targets == (
        new["a"], TWO[0], new["b"], RolloutTarget("b", timer), TWO[1], RolloutTarget("b", job, "r-job")
    )  # fmt: skip


def test_what_was_not_named_is_added_to_a_set_only_and_what_was_goes_first_anyway() -> None:
    socket, timer = UnitName("cron.socket"), UnitName("cron.timer")
    typed = Rollout(targets=(*TWO, RolloutTarget("b", timer)))
    found = with_triggers(typed, lambda one: [socket, timer] if one.request_id else [], also_new=False)
    assert found.targets == (TWO[0], RolloutTarget("b", timer), TWO[1])


def test_an_undo_goes_backwards_but_what_triggers_units_comes_last_on_each_host() -> None:
    socket, job = UnitName("cron.socket"), UnitName("job.service")
    made = [RolloutTarget(host, unit) for host in ("a", "b") for unit in (CRON, socket, job)]
    back = [(one.host, str(one.unit)) for one in in_undo_order(made)]
    each = ["job.service", "cron.service", "cron.socket"]
    assert back == [(host, unit) for host in ("b", "a") for unit in each]


class Test_a_retry:
    """It runs under the approvals of the first while they are good and the plans are the approved ones."""

    FIRST = replace(whole(), votes=our_mask().votes, act_by=NOW + timedelta(minutes=5)).on_target(digest="d1")
    AGAIN = replace(whole(), id="R2", rollout=Rollout(targets=TWO[1:])).on_target(digest="d2")

    def test_takes_the_votes_over(self) -> None:
        now = with_earlier_approvals(self.AGAIN, self.FIRST, NOW)
        assert [vote.digest for vote in now.votes] == ["d2"]
        assert now.act_by == self.FIRST.act_by

    def test_takes_break_glass_over(self) -> None:
        used = BreakGlass(ALICE.id, "alice", "nobody is awake", NOW, "d1")
        now = with_earlier_approvals(self.AGAIN, replace(self.FIRST, break_glass=used), NOW)
        assert now.break_glass == replace(used, digest="d2")

    @pytest.mark.parametrize(
        ("first", "again", "late"),
        [
            (FIRST, AGAIN, timedelta(minutes=6)),
            (replace(FIRST, act_by=None), AGAIN, timedelta()),
            (replace(FIRST, rollout=None), AGAIN, timedelta()),
            (FIRST, replace(AGAIN, rollout=None), timedelta()),
            (FIRST, replace(AGAIN, rollout=Rollout(targets=(replace(TWO[1], digest="moved"),))), timedelta()),
        ],
    )
    def test_is_approved_anew_otherwise(self, first: Request, again: Request, late: timedelta) -> None:
        assert with_earlier_approvals(again, first, NOW + late) == again


def test_what_is_alike_has_the_same_words() -> None:
    assert state_summary(snapshot()) == "running, starts" or state_summary(snapshot())
    stops = [related_unit(f"{number}.service") for number in range(7)]
    told = state_summary(snapshot(around=surroundings(would_stop=tuple(stops))))
    assert told.endswith("stops 0.service, 1.service, 2.service, 3.service, 4.service and 2 more")
    assert state_summary(masked(Layer.PERSISTENT)) == "masked, inactive"
    assert state_summary(snapshot(file_state="", around=None)) == "running"


def test_why_nothing_is_left_is_said_by_reason() -> None:
    out = [
        replace(one, status=TargetStatus.LEFT_OUT, note=why) for one, why in zip(TWO, ("It is gone.", ""), strict=True)
    ]
    said = nothing_planned(Rollout(targets=tuple(out)))
    assert said == "None of its targets can be changed. 1 of 2: It is gone. 1 of 2: not possible"


def test_too_much_is_said_with_what_would_do() -> None:
    said = too_many_with_triggers(Rollout(targets=TWO), 1)
    assert said.startswith("With what triggers the units that is 2 targets on 2 hosts, and one request may have 1.")
    assert "on 1 host, and" in too_many_with_triggers(Rollout(targets=TWO[:1]), 0)


def test_why_a_unit_of_a_set_is_left_out_is_said() -> None:
    assert named_twice("cron.service") == "it is cron.service, which is part of this already"
    assert goes_with("echo.service").startswith("its service echo.service runs and is not masked with it")


def test_a_target_ends_with_its_rollout_and_is_checked_by_itself() -> None:
    done = our_mask()
    part = replace(done, ask=replace(done.ask, rollout="R", change=replace(done.ask.change, duration=TWO_HOURS)))
    care = begin_aftercare(part, NOW, AftercarePolicy())
    assert (care.expires_at, care.remind_at) == (None, None)
    assert care.look_at is not None


def test_targets_are_found_by_their_request_and_put_in_their_place() -> None:
    both = Rollout(targets=TWO)
    assert both.of_request("r-b") == TWO[1]
    assert both.of_request("r-c") is None
    third = RolloutTarget("c", CRON)
    assert both.put(replace(TWO[0], note="!"), third).targets == (replace(TWO[0], note="!"), TWO[1], third)
