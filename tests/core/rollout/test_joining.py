"""A hold for many hosts goes on: what is asked for, what is tried again, and what its owners have to know."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.cards.rollout.reasons import is_full
from bot.core.requests import Hold, Outcome, Rollout, RolloutTarget, Stage, TargetStatus
from bot.core.rollout.joining import (
    LONGEST,
    approved_kinds,
    as_it_stands,
    is_missing,
    is_missing_somewhere,
    is_over_and_held,
    news,
    pause,
    targets_to_ask,
    that_fit,
    tried_at_once,
    tried_now,
)
from bot.core.rollout.next_wave import ANOTHER_FAILED, STOPPED
from bot.core.rollout.progress import Progress
from bot.core.systemd.units import UnitName
from tests.core.situations import NOW, waiting

CRON, HOUR = UnitName("cron.service"), timedelta(hours=1)
LATER = NOW + HOUR


def target(host: str, status: TargetStatus = TargetStatus.DONE, **changed: Any) -> RolloutTarget:
    return RolloutTarget(host, CRON, f"r-{host}", status, **changed)


def row(host: str, stage: Stage = Stage.REFUSED, **seen: Any) -> Progress:
    return Progress(f"r-{host}", host, "cron.service", stage, **seen)


def stands(one: RolloutTarget, now: Progress) -> RolloutTarget:
    (known,) = as_it_stands(Rollout(targets=(one,)), [now], LATER).targets
    return known


def asked(*targets: RolloutTarget, hosts: tuple[str, ...] = ("web-01",)) -> list[RolloutTarget]:
    return [*targets_to_ask(Rollout(targets=targets), [(host, CRON) for host in hosts], NOW)]


class TestHowItStands:
    """Each target as its request is now."""

    def test_one_that_ended_without_a_mask_is_tried_again_later(self) -> None:
        tried = target("web-01", TargetStatus.PLANNING, tries=1)
        ended = stands(tried, row("web-01", note="no"))
        assert (ended.status, ended.note, ended.again_at) == (TargetStatus.LEFT_OUT, "no", LATER)
        assert stands(replace(ended, again_at=NOW), row("web-01", note="no")).again_at == NOW
        assert stands(replace(tried, tries=0), row("web-01")).again_at is None  # it was left out from the beginning

    @pytest.mark.parametrize("stage", [Stage.DENIED, Stage.WITHDRAWN])
    def test_what_people_do_not_want_is_left_to_them(self, stage: Stage) -> None:
        tried = target("web-01", TargetStatus.ASKED_AGAIN, tries=2)
        ended = stands(tried, row("web-01", stage, note="denied"))
        assert (ended.status, ended.note, is_missing(ended)) == (TargetStatus.SKIPPED, "denied", False)
        assert stands(replace(tried, tries=0), row("web-01", stage)).status is TargetStatus.LEFT_OUT

    def test_what_people_approved_by_its_own_card_is_approved_for_others(self) -> None:
        asked_again = target("web-01", TargetStatus.ASKED_AGAIN, tries=1, kind="k")
        done = row("web-01", Stage.DONE, digest="d", outcome="proven", is_asked_again=True)
        assert stands(asked_again, done).digest == "d"
        assert stands(asked_again, replace(done, is_asked_again=False)).digest == ""
        assert stands(replace(asked_again, digest="e"), done).digest == "e"
        assert stands(asked_again, row("web-01", Stage.WAITING, is_asked_again=True)).digest == ""

    def test_one_whose_row_is_not_there_stays_as_it_is(self) -> None:
        done = target("web-02")
        assert stands(done, row("web-01")) == done


class TestWhatIsAskedFor:
    """What has joined, and what is missing."""

    def test_a_host_that_has_joined(self) -> None:
        assert asked(target("web-01"), hosts=("web-01", "web-02")) == [RolloutTarget("web-02", CRON, tries=1)]

    def test_what_is_in_force_or_open_or_was_lifted_is_not(self) -> None:
        for status in (TargetStatus.DONE, TargetStatus.UNDONE, TargetStatus.PLANNING, TargetStatus.ASKED_AGAIN):
            (now,) = tried_now(Rollout(targets=(target("web-01", status, tries=1),)), NOW).targets
            assert asked(now) == []

    def test_what_was_left_out_from_the_beginning_at_once(self) -> None:
        left_out = target("web-01", TargetStatus.LEFT_OUT, note="away", wave=1, digest="d", kind="k")
        (again,) = asked(left_out)
        assert (again.status, again.tries, again.wave, again.digest, again.kind) == (
            TargetStatus.PLANNING,
            1,
            0,
            "",
            "",
        )

    def test_what_was_tried_before_once_its_time_has_come_or_the_policy_is_another(self) -> None:
        missing = target("web-01", TargetStatus.FAILED, tries=1, again_at=LATER, outcome="failed")
        assert asked(missing) == []
        (now,) = tried_now(Rollout(targets=(missing,)), NOW).targets
        assert [one.tries for one in asked(now)] == [2]
        assert [one.again_at for one in asked(replace(missing, again_at=NOW))] == [None]

    def test_by_a_hold_whose_waves_are_over_and_by_no_other(self) -> None:
        change = replace(waiting().ask.change, hold=Hold("sre", LATER))
        held = replace(waiting(), ask=replace(waiting().ask, change=change))
        masked = Rollout(targets=(target("web-01", outcome=Outcome.PROVEN),))
        assert is_over_and_held(replace(held, stage=Stage.DONE, rollout=masked))
        assert not is_over_and_held(replace(held, stage=Stage.RUNNING, rollout=masked))
        assert not is_over_and_held(replace(held, stage=Stage.DONE))
        assert not is_over_and_held(replace(waiting(), stage=Stage.DONE, rollout=masked))

    def test_what_is_missing_once_somebody_wants_it(self) -> None:
        missing, done = target("web-01", TargetStatus.FAILED, tries=1, again_at=LATER), target("web-02")
        assert is_missing_somewhere(Rollout(targets=(done, missing)))
        assert not is_missing_somewhere(Rollout(targets=(done,)))
        now = tried_at_once(Rollout(targets=(missing,)), NOW)
        assert (now.joins_at, [one.tries for one in asked(*now.targets)]) == (NOW, [2])

    def test_no_host_that_has_left_and_nothing_that_people_stopped_or_that_was_left_halfway(self) -> None:
        assert asked(target("db-01", TargetStatus.LEFT_OUT)) == [RolloutTarget("web-01", CRON, tries=1)]
        assert asked(target("web-01", TargetStatus.SKIPPED, note=STOPPED)) == []
        assert asked(target("web-01", TargetStatus.SKIPPED, note=ANOTHER_FAILED)) != []
        assert asked(target("web-01", TargetStatus.FAILED, outcome="not_protected")) == []


def test_it_grows_no_further_than_one_request_may() -> None:
    rollout, named = Rollout(targets=(target("a"), target("gone"))), [(host, CRON) for host in ("a", "b", "c", "b")]
    assert that_fit(rollout, named, 4) == ([("a", CRON), ("b", CRON), ("c", CRON)], 0)
    assert that_fit(rollout, named, 3) == ([("a", CRON), ("b", CRON)], 1)
    assert that_fit(rollout, named, 1) == ([("a", CRON)], 2)
    assert is_full(1, 3).startswith("The hold does not go to 1 more target: it has as many as one request may have (3)")
    assert "2 more targets" in is_full(2, 3)


def test_its_owners_hear_of_each_reason_once() -> None:
    missing = target("web-01", TargetStatus.LEFT_OUT, tries=1, again_at=LATER, note="no")
    assert news(Rollout(targets=(missing,))) == (missing,)
    for known in (replace(missing, told="no"), replace(missing, tries=0), replace(missing, again_at=None)):
        assert news(Rollout(targets=(known,))) == ()
    assert news(Rollout(targets=(replace(missing, status=TargetStatus.DONE),))) == ()


def test_only_plans_that_people_approved_count() -> None:
    targets = (target("a", digest="d", kind="k"), target("b", kind="other"), target("c", digest="d"))
    assert approved_kinds(Rollout(targets=targets)) == {"k"}


def test_the_pause_grows_up_to_a_day() -> None:
    assert [pause(one * HOUR, HOUR) for one in (0, 5, 100)] == [HOUR, 5 * HOUR, LONGEST]
