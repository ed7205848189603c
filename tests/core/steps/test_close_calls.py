"""The cases next to the usual ones: what a small mistake in a step would do to a host, or say of it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.core.requests import Change, Outcome, Sent, Target, Verb
from bot.core.steps import Done, Step, StepContext, StepLimits, next_step, observe
from bot.core.steps.comparing import has_run_again, not_as_before, not_known, related_units
from bot.core.steps.force_stop import is_same_stop
from bot.core.steps.kinds import (
    Link,
    LookFully,
    Probe,
    Reload,
    ResetFailed,
    Start,
    Stop,
    TryStart,
    Unlink,
    Wait,
    is_on_its_way_down,
    try_start_was_sent,
)
from bot.core.steps.restoring import is_over, next_undo_step, next_unmask_step
from bot.core.steps.stopping import since_link, still_up
from bot.core.steps.timer_turns import fired_timers, moved_timers, restarted_timers
from bot.core.systemd.guard import REFUSED
from bot.core.systemd.side_effects import ElapseBase, NextElapse, SideEffects
from bot.core.systemd.units import ActiveState, FileKind, Layer, LayerFile, Snapshot, UnitName
from tests.core.situations import FOLDERS, NOW, masked, related_unit, snapshot

CRON = UnitName("cron.service")
UP, DOWN = ActiveState.ACTIVE, ActiveState.INACTIVE
MASK, UNMASK = Change(Verb.MASK, "web-01", CRON), Change(Verb.UNMASK, "web-01", CRON)
MADE = LayerFile(Layer.PERSISTENT, f"{FOLDERS[Layer.PERSISTENT]}/cron.service", FileKind.MASK, identity="1")
LINKED = replace(masked(Layer.PERSISTENT), layers=(MADE,))  # and loaded, and down
LOADED = snapshot(active=DOWN, sub="dead")
ELSEWHERE = replace(LINKED, fragment="/etc/systemd/system.control/cron.service")  # another mask is the one that counts


def sent(*steps: Any) -> tuple[Sent, ...]:
    """Steps, or a step with its exit code and words; answered with 0 unless it is said, one a second, up to now."""
    each = [(one, 0, "") if isinstance(one, str) else (*one, "")[:3] for one in steps]
    times = (NOW - timedelta(seconds=ago) for ago in range(len(each), 0, -1))
    return tuple(Sent(name, (), at, code, words) for at, (name, code, words) in zip(times, each, strict=True))


def step(now: Snapshot, *steps: Any, change: Change = MASK, try_start: bool = True, **known: Any) -> Step:
    """The step of a mask that follows what was sent."""
    target = Target("web-01", CRON, Layer.PERSISTENT, **{"before": snapshot(), **known}, sent=sent(*steps))
    return next_step(StepContext(change, target, try_start=try_start), now, NOW)


class TestMasking:
    """Stop, link, reload, prove."""

    def test_a_link_that_is_not_loaded_is_no_mask_of_somebody_else(self) -> None:
        running = replace(snapshot(), layers=(MADE,))
        assert step(running) == Probe()

    def test_the_link_is_read_when_systemd_says_so_or_has_reloaded_since(self) -> None:
        assert step(ELSEWHERE, "link", made=MADE) == Reload()
        assert step(LINKED, "link", made=MADE) == TryStart()
        assert step(ELSEWHERE, "link", "reload", made=MADE) == TryStart()
        assert isinstance(step(ELSEWHERE, "link", "reload", "try-start", made=MADE), Done)

    @pytest.mark.parametrize(
        ("code", "made", "follows"),
        [
            (None, None, Link()),
            (None, MADE, Done(Outcome.FAILED, "Somebody removed the mask while it was being made.")),
            (0, None, Done(Outcome.FAILED, "Somebody removed the mask while it was being made.")),
            (1, None, Done(Outcome.FAILED, "no space")),
        ],
    )
    def test_a_link_that_is_not_there_was_taken_or_never_made(self, code: int, made: LayerFile, follows: Step) -> None:
        assert step(LOADED, ("link", code, "no space"), made=made) == follows

    def test_a_mask_that_came_before_any_look_is_not_ours(self) -> None:
        there = masked(Layer.CONTROL)
        assert step(there, before=None) == Done(
            Outcome.NO_CHANGE, "The unit was already masked when the bot came to it."
        )

    def test_only_reloads_are_counted_as_reloads(self) -> None:
        there = replace(LOADED, layers=(MADE,))
        assert step(there, "link", "stop", "stop", "stop", made=MADE) == Reload()

    @pytest.mark.parametrize(
        ("active", "before", "outcome"),
        [(DOWN, ("stop",), Outcome.NOT_PROTECTED), (DOWN, (), Outcome.NOT_LOADED), (UP, ("stop",), Outcome.NOT_LOADED)],
    )
    def test_what_is_not_loaded_has_lost_its_unit_only_to_a_stop(
        self, active: ActiveState, before: tuple[str, ...], outcome: Outcome
    ) -> None:
        there = replace(LOADED, active=active, layers=(MADE,))
        reloads = (("reload", 1, "first"), ("reload", 1, "second"), ("reload", 1, "last"))
        keep = replace(MASK, keep_running=True)
        assert step(there, *before, "link", *reloads, made=MADE, change=keep) == Done(outcome, "last")

    def test_the_proof_tries_a_start_also_where_nobody_looked_before(self) -> None:
        assert step(LINKED, "link", "reload", made=MADE, before=None) == TryStart()

    def test_without_a_try_no_other_name_is_tried_either(self) -> None:
        named = replace(LINKED, names=frozenset({"cron.service", "other.service"}))
        assert step(named, "link", "reload", made=MADE, try_start=False) == Done(
            Outcome.PROVEN, "A start was not tried."
        )
        assert step(named, "link", "reload", ("try-start", 1), made=MADE) == TryStart("other.service")

    def test_a_start_that_the_guard_refuses_was_not_tried(self) -> None:
        done = step(LINKED, "link", "reload", ("try-start", REFUSED), made=MADE)
        assert done == Done(Outcome.PROVEN, "A start was not tried.")


class TestStopping:
    """Down, with its own settings."""

    def test_what_reloads_is_waited_for_from_the_beginning(self) -> None:
        target = Target("web-01", CRON, Layer.PERSISTENT, before=snapshot())
        busy, begun = snapshot(active=ActiveState.RELOADING), NOW - timedelta(seconds=100)
        assert next_step(StepContext(MASK, target, begun=begun), busy, NOW) == Wait(2.0, is_slow=True)
        assert next_step(StepContext(MASK, target), busy, NOW) == Wait(0.02)

    @pytest.mark.parametrize("active", [ActiveState.RELOADING, ActiveState.REFRESHING, ActiveState.MAINTENANCE])
    def test_what_must_not_be_stopped_now_is_stopped_later(self, active: ActiveState) -> None:
        assert isinstance(step(snapshot(active=active), "probe"), Wait)
        assert step(snapshot(), "probe") == Stop()

    def test_what_is_started_again_and_again_is_looked_at_often(self) -> None:
        ending = snapshot(active=ActiveState.DEACTIVATING)
        late = tuple(replace(one, at=NOW - timedelta(seconds=100)) for one in sent("probe", "stop", "stop"))
        for stops, seconds in ((late[:2], 2.0), (late, 0.1)):
            target = Target("web-01", CRON, Layer.PERSISTENT, before=snapshot(), sent=stops)
            assert next_step(StepContext(MASK, target), ending, NOW) == Wait(seconds, is_slow=True)

    def test_a_start_that_slipped_through_is_stopped_once_and_keeps_its_mask(self) -> None:
        runs = replace(LINKED, active=UP)
        steps = ("probe", "stop", "link", "reload", ("try-start", 0))
        assert step(runs, *steps, made=MADE) == Stop()
        for more in (("stop",), ("stop", "reload")):
            assert step(runs, *steps, *more, made=MADE) == Done(
                Outcome.NOT_PROTECTED, "The test start was not refused."
            )

    def test_what_runs_on_says_what_the_stop_said(self) -> None:
        def up(*steps: Any, **known: Any) -> Done:
            return still_up(Target("web-01", CRON, sent=sent(*steps), **known), snapshot(invocation="a"))

        assert up(("stop", 1, "no")) == Done(Outcome.MASKED_RUNNING, "no")
        assert up() == Done(Outcome.MASKED_RUNNING, "")
        assert up(before=snapshot(invocation="b")).outcome is Outcome.MASKED_RESTARTED

    def test_a_loaded_mask_is_in_the_way_only_once_our_link_is_gone_and_nothing_was_reloaded(self) -> None:
        runs = replace(masked(), active=UP)  # loaded, and its link is gone
        assert step(runs) == Probe()
        assert step(runs, "probe", "link", "unlink persistent") == Reload()
        assert step(runs, "probe", "link", "unlink persistent", "probe") == Reload()
        assert step(runs, "probe", "link", "unlink persistent", "reload") == Stop()

    def test_a_link_that_is_another_one_now_is_not_unlinked(self) -> None:
        runs = replace(masked(), active=UP)
        assert step(runs, "probe", "link", "unlink persistent", made=MADE) == Reload()

    def test_what_was_sent_since_the_link_is_what_follows_it(self) -> None:
        def since(*steps: str) -> list[str]:
            return [one.step for one in since_link(Target("web-01", CRON, sent=sent(*steps)))]

        assert since("reload", "link") == []
        assert since("link", "reload", "unlink persistent", "stop") == ["stop"]
        assert since("reload", "stop") == ["reload", "stop"]


class TestKinds:
    """What was sent, and how long it is waited for."""

    @pytest.mark.parametrize(
        ("waited", "often", "seconds", "is_slow"),
        [
            (0.0, False, 0.02, False),
            (1.0, False, 0.25, False),
            (1.0, True, 0.1, False),
            (9.9, False, 2.0, False),
            (10.0, False, 2.0, True),
        ],
    )
    def test_pauses_grow_to_their_limit(self, waited: float, seconds: float, *, often: bool, is_slow: bool) -> None:
        since = NOW - timedelta(seconds=waited)
        assert StepLimits().wait(since, NOW, often=often) == Wait(seconds, is_slow=is_slow)

    @pytest.mark.parametrize(
        ("now", "goes_down"),
        [
            (snapshot(active=ActiveState.DEACTIVATING), True),
            (snapshot(active=ActiveState.MAINTENANCE), True),
            (snapshot(pending_job="7"), True),
            (snapshot(), False),
        ],
    )
    def test_what_goes_down_says_so(self, now: Snapshot, *, goes_down: bool) -> None:
        assert is_on_its_way_down(now) is goes_down

    def test_one_try_is_a_try(self) -> None:
        assert try_start_was_sent(Target("web-01", CRON, sent=sent("stop", "try-start")))
        assert not try_start_was_sent(Target("web-01", CRON, sent=sent("stop")))

    def test_unless_it_is_said_a_start_is_tried_and_a_forced_stop_is_wanted(self) -> None:
        context = StepContext(MASK, Target("web-01", CRON))
        assert context.try_start
        assert context.is_wanted

    def test_no_stop_is_the_same_as_one_that_nobody_saw(self) -> None:
        assert not is_same_stop(None, snapshot(active=ActiveState.DEACTIVATING))

    def test_a_look_notes_the_link_of_a_mask_alone(self) -> None:
        target = Target("web-01", CRON, Layer.PERSISTENT, sent=sent("link"))
        assert observe(target, MASK, LINKED).made == MADE
        assert observe(target, UNMASK, LINKED).made is None
        assert observe(replace(target, layer=None), MASK, LINKED).made is None

    def test_a_link_that_stayed_is_still_ours_and_a_later_one_is_not(self) -> None:
        target = Target("web-01", CRON, Layer.PERSISTENT, made=MADE, sent=sent("link", "unlink persistent"))
        assert observe(target, MASK, LINKED).made == MADE
        other = replace(LINKED, layers=(replace(MADE, identity="2"),))
        assert observe(target, MASK, other).made is None

    def test_what_may_keep_running_loses_no_settings(self) -> None:
        target, runs = Target("web-01", CRON, Layer.PERSISTENT), replace(LINKED, active=UP)
        assert observe(target, MASK, runs).settings_lost
        assert not observe(target, replace(MASK, keep_running=True), runs).settings_lost


class TestUndo:
    """Our own mask goes, and what ran runs."""

    OURS = Target("web-01", CRON, Layer.PERSISTENT, before=snapshot(), made=MADE, outcome=Outcome.PROVEN)
    GONE = ("unlink persistent", "reload")

    def step(self, now: Snapshot, *steps: Any, at: datetime = NOW, **mask: Any) -> Step:
        target = Target("web-01", CRON, sent=sent(*steps))
        return next_step(StepContext(UNMASK, target, replace(self.OURS, **mask)), now, at)

    @pytest.mark.parametrize("undoes", [None, replace(OURS, layer=None), replace(OURS, before=None)])
    def test_without_its_record_it_is_a_mistake_of_ours(self, undoes: Target | None) -> None:
        with pytest.raises(ValueError, match="an undo needs the mask"):
            next_undo_step(StepContext(UNMASK, Target("web-01", CRON), undoes), snapshot(), NOW)

    def test_only_a_mask_until_the_next_reboot_needs_a_full_look_to_be_over(self) -> None:
        short = replace(snapshot(), around=None)
        assert self.step(short) == Done(Outcome.NOT_OURS, "The mask is gone: somebody else or a reboot removed it.")
        assert self.step(short, layer=Layer.RUNTIME) == LookFully()

    def test_a_mask_is_over_once_it_was_a_runtime_mask_and_is_gone_and_the_boot_is_another(self) -> None:
        link = replace(MADE, layer=Layer.RUNTIME)
        mask = replace(self.OURS, layer=Layer.RUNTIME, made=link, after=masked(Layer.RUNTIME))
        now = snapshot(boot_id="another")
        assert is_over(mask, now)
        assert not is_over(replace(mask, made=None), now)
        assert not is_over(replace(mask, made=MADE), now)
        assert not is_over(replace(mask, after=None), now)
        assert not is_over(replace(mask, after=replace(masked(), around=None)), now)
        assert not is_over(mask, replace(now, around=None))
        assert not is_over(mask, masked(Layer.RUNTIME, boot_id="another"))

    def test_a_mask_that_was_called_off_and_whose_link_stays_is_not_loaded(self) -> None:
        tries = sent(*[("unlink persistent", 1, "no")] * 3)
        target = replace(self.OURS, called_off=NOW, sent=tries)
        assert next_step(StepContext(MASK, target), LINKED, NOW) == Done(Outcome.NOT_LOADED, "no")

    def test_the_link_of_somebody_else_goes_as_theirs(self) -> None:
        there = masked(Layer.PERSISTENT)
        target = Target("web-01", CRON, before=there)
        assert next_unmask_step(StepContext(UNMASK, target), there) == Unlink(Layer.PERSISTENT, foreign=True)
        tried = [("unlink persistent", 1, words) for words in ("first", "second", "last")]
        stays = StepContext(UNMASK, replace(target, sent=sent(*tried)))
        assert next_unmask_step(stays, there) == Done(Outcome.FAILED, "last")

    def test_a_socket_that_did_not_listen_before_is_not_stopped_for_it(self) -> None:
        deaf = snapshot("echo.socket", sub="running")
        assert not isinstance(self.step(deaf, *self.GONE, before=replace(deaf, active=DOWN)), Stop)

    def test_what_starts_slowly_is_waited_for_unless_it_crashes(self) -> None:
        slow = snapshot(active=ActiveState.ACTIVATING, sub="start")
        late = NOW + timedelta(seconds=100)
        assert self.step(slow, *self.GONE, at=late) == Wait(2.0, is_slow=True)
        crashes = self.step(replace(slow, sub="auto-restart"), *self.GONE, at=late)
        assert isinstance(crashes, Done)

    def test_a_start_that_failed_is_not_reset_unless_earlier_ones_forbid_it(self) -> None:
        failed = snapshot(active=ActiveState.FAILED, sub="failed", result="exit-code")
        assert self.step(failed, *self.GONE) == ResetFailed("cron.service")
        started = (*self.GONE, ("start cron.service", 1))
        assert isinstance(self.step(failed, *started), Done)
        assert self.step(replace(failed, result="start-limit-hit"), *started) == ResetFailed("cron.service")

    def test_the_start_limit_of_the_unit_says_nothing_of_another(self) -> None:
        other = related_unit("db.service")
        before = snapshot(would_stop=(other,))
        now = snapshot(result="start-limit-hit", others=(replace(other, active=ActiveState.FAILED),))
        started = (*self.GONE, ("start db.service", 1))
        assert isinstance(self.step(now, *started, before=before), Done)

    def test_the_time_counts_from_the_newest_command_or_from_now(self) -> None:
        starts = snapshot(active=ActiveState.ACTIVATING)
        steps = tuple(
            replace(one, at=NOW - timedelta(seconds=ago)) for one, ago in zip(sent(*self.GONE), (100, 4), strict=True)
        )
        context = StepContext(UNMASK, Target("web-01", CRON, sent=steps), self.OURS)
        assert next_step(context, starts, NOW) == Wait(1.0)
        halfway = replace(self.OURS, outcome=Outcome.NOT_PROTECTED)
        nothing = StepContext(UNMASK, Target("web-01", CRON), halfway)
        assert next_step(nothing, starts, NOW) == Wait(0.02)

    def test_what_still_stops_beside_it_is_waited_for(self) -> None:
        other = related_unit("db.service")
        now = snapshot(others=(replace(other, active=ActiveState.DEACTIVATING),))
        assert isinstance(self.step(now, *self.GONE, before=snapshot(would_stop=(other,))), Wait)

    def test_its_timer_is_started_before_it(self) -> None:
        timer = related_unit("cron.timer")
        assert self.step(LOADED, *self.GONE, before=snapshot(triggers=(timer,))) == Start("cron.timer")

    def test_without_its_neighbours_on_record_it_alone_is_started(self) -> None:
        short = replace(snapshot(), around=None)
        assert self.step(LOADED, *self.GONE, before=short) == Start("cron.service")

    def test_a_timer_that_fired_at_the_undo_is_told_at_its_end(self) -> None:
        since = snapshot("a.timer", uptime=1)
        now = snapshot("a.timer", side_effects=SideEffects(next_turn=NextElapse(fired=2)))
        target = Target("web-01", now.id, before=since, sent=sent(*self.GONE))
        done = next_step(StepContext(UNMASK, target, replace(self.OURS, before=snapshot("a.timer"))), now, NOW)
        assert done == Done(Outcome.RESTORED, "It fired at the undo, and has started its unit.")


class TestComparing:
    """What is not as before."""

    def compared(
        self, before: Snapshot, now: Snapshot, *, after: Snapshot | None = None, undo: Snapshot | None = None
    ) -> list[str]:
        mask = Target("web-01", before.id, before=before, after=after)
        return [*not_as_before(mask, Target("web-01", before.id, before=undo), now)]

    def test_without_the_record_or_a_full_look_it_is_a_mistake_of_ours(self) -> None:
        for before, now in ((None, snapshot()), (snapshot(), replace(snapshot(), around=None))):
            with pytest.raises(ValueError, match="full look"):
                list(not_as_before(Target("web-01", CRON, before=before), Target("web-01", CRON), now))

    def test_a_run_has_ended_again_only_if_each_part_of_it_is_so(self) -> None:
        before = snapshot(active=ActiveState.ACTIVATING, result="success")
        now, undo = snapshot(active=DOWN, result="success"), Target("web-01", CRON, sent=sent("start cron.service"))
        skipped = SideEffects(is_skipped=True)
        assert has_run_again(before, undo, now)
        assert not has_run_again(replace(before, active=UP), undo, now)
        assert not has_run_again(replace(before, result="exit-code"), undo, now)
        assert not has_run_again(before, undo, replace(now, result="exit-code"))
        assert not has_run_again(before, undo, replace(now, active=UP))
        assert not has_run_again(before, undo, replace(now, side_effects=skipped))
        assert not has_run_again(before, replace(undo, sent=()), now)
        assert not has_run_again(before, replace(undo, sent=sent("stop")), now)
        assert has_run_again(before, replace(undo, sent=sent("stop", "start cron.service")), now)

    def test_a_boot_that_is_not_known_is_called_so(self) -> None:
        assert self.compared(snapshot(file_state=""), snapshot()) == ["At boot it was unknown and is enabled now"]
        assert self.compared(snapshot(), snapshot(file_state="")) == ["At boot it was enabled and is unknown now"]

    def test_what_runs_was_not_skipped(self) -> None:
        now = snapshot(side_effects=SideEffects(is_skipped=True))
        assert self.compared(snapshot(active=DOWN), now) == ["It was inactive and is active now"]

    @pytest.mark.parametrize(
        ("before", "now"),
        [
            (snapshot(side_effects=SideEffects(is_frozen=True)), snapshot(side_effects=SideEffects(is_frozen=True))),
            (
                snapshot(side_effects=SideEffects(turn=ElapseBase.MONOTONIC)),
                snapshot(side_effects=SideEffects(turn=ElapseBase.MONOTONIC)),
            ),
        ],
    )
    def test_what_is_the_same_is_not_named(self, before: Snapshot, now: Snapshot) -> None:
        assert self.compared(before, now) == []

    def test_a_timer_that_is_down_has_no_turn_anyway(self) -> None:
        before = snapshot("a.timer", side_effects=SideEffects(turn=ElapseBase.MONOTONIC))
        assert self.compared(before, snapshot("a.timer", active=DOWN)) == ["It was active and is inactive now"]

    def test_a_socket_that_did_not_listen_before_is_not_deaf(self) -> None:
        deaf = snapshot("a.socket", sub="running")
        assert self.compared(replace(deaf, active=DOWN), deaf) == ["It was inactive and is active now"]

    def test_a_trigger_explains_that_it_runs_and_not_that_it_does_not(self) -> None:
        timers = (related_unit("a.timer"), related_unit("b.timer", active=DOWN))
        assert self.compared(snapshot(), snapshot(active=DOWN, triggers=timers)) == [
            "It was active and is inactive now"
        ]
        assert self.compared(snapshot(active=DOWN), snapshot(triggers=timers)) == []

    def test_what_has_no_file_or_was_not_looked_at_fully_is_not_compared(self) -> None:
        assert [*not_known(snapshot(fragment="", fragment_hash=""), snapshot(fragment="", fragment_hash=""))] == []
        assert [*not_known(replace(snapshot(), around=None), snapshot())] == []
        assert related_units(replace(snapshot(), around=None)) == ()

    def test_a_record_without_neighbours_is_compared_by_itself(self) -> None:
        same = snapshot(fragment_hash="", wants_links=())
        assert [one for one in self.compared(replace(same, around=None), same) if "program" not in one] == []

    @pytest.mark.parametrize(
        ("was", "is_now", "named"),
        [(UP, UP, True), (DOWN, UP, False), (UP, DOWN, False), (DOWN, DOWN, False)],
    )
    def test_only_what_runs_before_and_after_runs_as_edited(
        self, was: ActiveState, is_now: ActiveState, *, named: bool
    ) -> None:
        edits: dict[str, Any] = {"is_edited": True, "pending_reload": ("db.service",)}
        db = replace(related_unit("db.service", active=was), invocation="a")
        before = snapshot(active=was, invocation="a", would_stop=(db,), **edits)
        now = snapshot(active=is_now, invocation="b", others=(replace(db, active=is_now, invocation="b"),))
        said = [one for one in self.compared(before, now) if "as edited" in one]
        assert [one.partition(" ")[0] for one in said] == (["it", "db.service"] if named else [])

    def test_a_unit_that_is_gone_does_not_run_as_edited(self) -> None:
        before = snapshot(
            would_stop=(replace(related_unit("db.service"), invocation="a"),), pending_reload=("db.service",)
        )
        assert self.compared(before, snapshot()) == ["db.service was active and is gone now"]

    @pytest.mark.parametrize(("unit", "was"), [("x.service", "running"), ("x.timer", "elapsed")])
    def test_only_a_trigger_that_waited_has_elapsed(self, unit: str, was: str) -> None:
        before = snapshot(would_stop=(replace(related_unit(unit), sub=was),))
        now = snapshot(others=(replace(related_unit(unit), sub="elapsed"),))
        assert self.compared(before, now) == []

    @pytest.mark.parametrize("kind", ["timer", "socket", "path"])
    def test_a_trigger_that_waited_and_has_elapsed_is_named(self, kind: str) -> None:
        before = snapshot(triggers=(replace(related_unit(f"x.{kind}"), sub="waiting"),))
        now = snapshot(others=(replace(related_unit(f"x.{kind}"), sub="elapsed"),))
        [said] = self.compared(before, now)
        assert said.startswith(f"x.{kind} was waiting and is elapsed now")

    def test_the_unit_itself_is_not_named_among_the_others(self) -> None:
        undo = masked(up=("cron.service", "ssh.service"))
        now = snapshot(
            up=("ssh.service",), side_effects=SideEffects(conflicts=("cron.service",)), moving=("cron.service",)
        )
        before = snapshot(up=("ssh.service",))
        assert self.compared(before, now, after=before, undo=undo) == []


class TestTimers:
    """Their next turns."""

    THEN, NEXT = "Wed 2027-02-03 04:05:00 UTC", "Thu 2027-02-04 04:05:00 UTC"
    SECOND = 10**6

    def timer(self, turn: NextElapse, **around: Any) -> Snapshot:
        return snapshot("a.timer", side_effects=SideEffects(next_turn=turn), **around)

    def notes(self, had: NextElapse, has: NextElapse, at: datetime = NOW, **around: Any) -> list[str]:
        before, now = self.timer(had), self.timer(has, **around)
        return [*moved_timers(before, now, at), *restarted_timers(before, now, at)]

    @pytest.mark.parametrize("at", [NOW, datetime(2027, 3, 1, tzinfo=NOW.tzinfo)])
    @pytest.mark.parametrize("is_random", [True, False])
    @pytest.mark.parametrize(("had", "has"), [(THEN, ""), ("", THEN), (THEN, THEN), ("", "")])
    def test_a_turn_that_is_new_gone_or_the_same_has_not_moved(
        self, had: str, has: str, at: datetime, *, is_random: bool
    ) -> None:
        assert self.notes(NextElapse(at=had), NextElapse(at=has, is_random=is_random), at) == []

    def test_a_turn_has_come_at_its_own_moment(self) -> None:
        at = datetime(2027, 2, 3, 4, 5, tzinfo=NOW.tzinfo)
        [said] = self.notes(NextElapse(at=self.THEN), NextElapse(at=self.NEXT), at)
        assert said.startswith("Its turn at")

    def test_a_moment_that_cannot_be_read_has_not_come(self) -> None:
        assert self.notes(NextElapse(at="odd"), NextElapse(at=self.NEXT)) == [f"its next turn was odd, is {self.NEXT}"]

    @pytest.mark.parametrize(("had", "has"), [(0, 60), (60, 0), (0, 0)])
    def test_a_count_that_is_new_or_gone_is_not_counted_again(self, had: int, has: int) -> None:
        before, now = (NextElapse(after_boot=one * self.SECOND) for one in (had, has))
        assert self.notes(before, now) == []

    def test_a_second_is_noticed_and_less_is_not(self) -> None:
        for more, said in ((self.SECOND, 1), (self.SECOND - 1, 0)):
            had, has = NextElapse(after_boot=60 * self.SECOND), NextElapse(after_boot=60 * self.SECOND + more)
            assert len(self.notes(had, has)) == said

    def test_a_turn_whose_time_has_come_is_counted_from_this_start(self) -> None:
        had, has = NextElapse(after_boot=60 * self.SECOND), NextElapse(after_boot=90 * self.SECOND)
        again = ["Its next turn is counted again, from this start."]
        assert self.notes(had, has, uptime=60 * self.SECOND) == again
        assert self.notes(had, has, uptime=60 * self.SECOND - 1) != again

    def test_without_a_full_look_the_boot_counts_as_the_same(self) -> None:
        had, has = NextElapse(after_boot=1), NextElapse(after_boot=1 + 90 * self.SECOND)
        before, now = (replace(self.timer(turn), around=None) for turn in (had, has))
        [said] = restarted_timers(before, now, NOW)
        assert said.endswith("later than before.")

    def test_without_a_full_look_nobody_knows_what_fired(self) -> None:
        undo, now = self.timer(NextElapse(), uptime=1), self.timer(NextElapse(fired=2))
        assert [*fired_timers(now, undo, now)]
        assert [*fired_timers(now, undo, replace(now, around=None))] == []
        assert [*fired_timers(now, replace(undo, around=None), now)] == []
