"""The way back: our own mask with everything as it was before, somebody else's by its links alone."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.requests import Change, Outcome, Sent, Target, Verb
from bot.core.steps import Done, StepContext, StepLimits, next_step
from bot.core.steps.kinds import LookFully, Start, Stop, Wait
from bot.core.steps.restoring import starts_again
from bot.core.systemd.side_effects import NextElapse, SideEffects
from bot.core.systemd.units import ActiveState, Layer, LoadState, RelatedUnit, Snapshot, UnitName
from tests.core.situations import masked, related_unit, snapshot
from tests.core.walks import DOWN, NOON, PATHS, UP, WANTED, WORKER, Site, Walk, masking, undoing, unmasking
from tests.core.walks import masked as made
from tests.model.files import ETC, GENERATED, NULL, VENDOR, Files

METRICS = {"metrics.service": f"Requires={WORKER}\nAfter={WORKER}"}
LINK = f"{WANTED}/{WORKER}"
CHECKED = "ExecStartPre=/usr/bin/test -e /opt/configuration"
CRASHES = "Restart=always"


def configured() -> Files:
    """A disk with the configuration that a start may ask for."""
    files = Files()
    files.write("/opt/configuration", "here")
    return files


def test_what_ran_runs_again() -> None:
    site = Site()
    undo = undoing(made(site))
    assert undo.run() == Done(Outcome.RESTORED)
    assert undo.steps == ["unlink persistent", "reload", "start worker.service"]
    assert site.active is UP
    assert not site.is_masked


def test_what_did_not_run_stays_down() -> None:
    undo = undoing(made(Site(is_up=False)))
    assert undo.run() == Done(Outcome.RESTORED)
    assert undo.steps == ["unlink persistent", "reload"]


@pytest.mark.parametrize(("settings", "is_now"), [("", UP), (f"{CHECKED}\n{CRASHES}", ActiveState.ACTIVATING)])
@pytest.mark.parametrize(
    ("has_failed", "ends"), [(False, Outcome.RESTORED), (True, Outcome.RESTORED_PARTLY)], ids=["timer", "nobody"]
)
def test_what_runs_again_by_its_timer_is_as_it_was(
    ends: Outcome, settings: str, is_now: ActiveState, *, has_failed: bool
) -> None:
    site = Site(settings, {"worker.timer": "OnCalendar=daily"}, is_up=False)
    if has_failed:
        site.manager.fail("worker.timer")
    undo = undoing(made(site)).until("reload")
    site.root("start worker.service")
    assert site.active is is_now
    assert undo.run().outcome is ends


def test_what_stopped_with_it_is_started_after_it() -> None:
    site = Site(beside=METRICS | {"idle.service": f"PartOf={WORKER}"})
    site.root("stop idle.service")
    mask = made(site)
    undo = undoing(mask)
    assert site.manager.running("metrics.service").active == DOWN
    assert starts_again(mask.target, site.look(full=True)) == ("worker.service", "metrics.service")
    assert undo.run() == Done(Outcome.RESTORED)
    assert undo.steps[-2:] == ["start worker.service", "start metrics.service"]
    assert starts_again(mask.target, site.look(full=True)) == ()
    assert (
        starts_again(mask.target, None) == starts_again(replace(mask.target, before=None), site.look(full=True)) == ()
    )
    assert [site.manager.running(f"{name}.service").active for name in ("metrics", "idle")] == [UP, DOWN]


def test_what_failed_meanwhile_is_reset_before_it_is_started() -> None:
    site = Site()
    mask = made(site, keep_running=True)
    site.manager.fail("worker.service")
    undo = undoing(mask)
    assert undo.run().outcome is Outcome.RESTORED
    assert undo.steps[-2:] == ["reset-failed worker.service", "start worker.service"]


def test_a_start_that_earlier_ones_forbid_is_made_once_more_after_a_reset() -> None:
    site = Site()
    undo = undoing(made(site)).until("start worker.service")
    site.manager.fail("worker.service")
    site.manager.units["worker.service"] = replace(site.manager.units["worker.service"], result="start-limit-hit")
    assert undo.run().outcome is Outcome.RESTORED
    assert undo.steps[-3:] == ["start worker.service", "reset-failed worker.service", "start worker.service"]


def test_a_start_that_its_limit_forbids_again_is_told() -> None:
    site = Site()
    undo = undoing(made(site)).until("start worker.service")
    for last in ("start worker.service", "start worker.service"):
        assert undo.steps[-1] == last
        site.manager.fail("worker.service")
        site.manager.units["worker.service"] = replace(site.manager.units["worker.service"], result="start-limit-hit")
        if undo.steps.count(last) == 1:
            undo.until("reset-failed worker.service")
            undo.step()
    assert undo.run() == Done(Outcome.RESTORED_PARTLY, "It was active and is failed now")


@pytest.mark.parametrize("takes", [3, 140, 9000])
def test_a_start_ends_when_systemd_says_so_however_long_it_takes(takes: int) -> None:
    site = Site(f"ExecStartPre=/usr/bin/sleep {takes}")
    undo = undoing(made(site))
    undo.limits = StepLimits(longest_wait=max(2, takes / 100))
    assert undo.run() == Done(Outcome.RESTORED)
    assert undo.steps.count("start worker.service") == 1
    assert site.seconds >= takes


def test_a_job_in_the_middle_of_its_run_runs_again_to_its_end() -> None:
    site = Site("Type=oneshot\nExecStartPre=/usr/bin/sleep 30")
    site.root("start worker.service")
    mask = made(site)
    assert mask.target.before
    assert mask.target.before.active is ActiveState.ACTIVATING
    again = "It was in the middle of its run before: it has run again from its beginning, with success."
    assert undoing(mask).run() == Done(Outcome.RESTORED, again)
    assert site.seconds >= 30


def test_a_slow_start_keeps_nobody_from_the_host() -> None:
    undo = undoing(made(Site("ExecStartPre=/usr/bin/sleep 140")))
    waits = [step for step, _ in (undo.step() for _ in range(60)) if isinstance(step, Wait)]
    assert waits[-1].is_slow
    assert not waits[0].is_slow


def test_a_start_that_fails_is_told_as_what_it_is() -> None:
    site = Site(f"ExecStartPre=/usr/bin/sleep 3\n{CHECKED}", files=configured())
    mask = made(site)
    site.files.remove("/opt/configuration")
    undo = undoing(mask)
    assert undo.run() == Done(Outcome.RESTORED_PARTLY, "It was active and is failed now")
    assert undo.steps[-1] == "start worker.service"


def test_what_crashes_in_a_loop_since_is_not_waited_for_for_ever() -> None:
    site = Site(f"{CHECKED}\n{CRASHES}", files=configured())
    mask = made(site)
    site.files.remove("/opt/configuration")
    assert undoing(mask).run() == Done(Outcome.RESTORED_PARTLY, "It was active and is activating now")
    assert site.seconds >= 10


def test_what_stopped_with_it_and_crashes_in_a_loop_since_is_told() -> None:
    settings = f"{METRICS['metrics.service']}\n{CHECKED}\n{CRASHES}"
    site = Site(beside={"metrics.service": settings}, files=configured())
    mask = made(site)
    site.files.remove("/opt/configuration")
    undo = undoing(mask)
    assert undo.run() == Done(Outcome.RESTORED_PARTLY, "metrics.service was active and is activating now")
    assert site.seconds >= 10


def test_what_is_queued_to_start_beside_it_is_waited_for() -> None:
    slow = "ExecStartPre=/usr/bin/sleep 5"
    beside = {"metrics.service": f"{METRICS['metrics.service']}\nAfter=slow.service", "slow.service": slow}
    site = Site(beside=beside)
    mask = made(site)
    for verb in ("stop", "start"):
        site.root(f"{verb} slow.service")
    undo = undoing(mask).until("start metrics.service")
    assert site.manager.running("metrics.service").active == DOWN
    assert isinstance(undo.step()[0], Wait)
    assert undo.run() == Done(Outcome.RESTORED)
    assert undo.steps.count("start metrics.service") == 1


@pytest.mark.parametrize("queued", [0, 20])
def test_what_is_still_on_its_way_down_is_restored_once_it_is_down(queued: int) -> None:
    dies = "ExecStart=/bin/sh -c 'trap \"sleep 60; exit 0\" TERM; sleep infinity'"
    site = Site(dies, {"later.service": f"After={WORKER}\nExecStop=/usr/bin/sleep {queued}"})
    mask = made(site, keep_running=True)
    for name in ("later", "worker"):
        site.root(f"stop {name}.service")
    assert site.active is (UP if queued else ActiveState.DEACTIVATING)
    undo = undoing(mask)
    assert undo.run() == Done(Outcome.RESTORED)
    assert undo.steps == ["unlink persistent", "reload", "start worker.service"]
    assert site.active is UP
    assert site.seconds >= queued + 60


def test_a_way_back_that_finds_the_unit_stopping_waits_from_where_it_began() -> None:
    site = Site("ExecStop=/usr/bin/sleep 60\nTimeoutStopSec=infinity")
    change = Change(Verb.UNMASK, "web-01", WORKER)
    mask = Target("web-01", WORKER, Layer.PERSISTENT, before=site.look(full=True))
    site.root("stop worker.service")
    context = StepContext(change, Target("web-01", WORKER), mask, begun=NOON)
    for seconds, is_slow in ((5, False), (30, True)):
        step = next_step(context, site.look(full=True), NOON + timedelta(seconds=seconds))
        assert isinstance(step, Wait)
        assert step.is_slow is is_slow


class TestCalledOff:
    """A mask that is withdrawn while its unit is slow to stop."""

    @staticmethod
    def called_off(site: Site) -> Walk:
        walk = masking(site)
        while site.seconds < 20:
            walk.step()
        walk.target = replace(walk.target, called_off=site.now)
        return walk

    def test_it_runs_again_once_it_is_down(self) -> None:
        site = Site("ExecStop=/usr/bin/sleep 60", METRICS)
        walk = self.called_off(site)
        assert walk.run() == Done(Outcome.CALLED_OFF)
        assert walk.steps == ["probe", "stop", "start worker.service", "start metrics.service"]
        assert site.ran_its_own
        assert site.active is UP
        assert not site.has_links

    def test_what_does_not_run_again_is_told(self) -> None:
        site = Site(f"{CHECKED}\nExecStop=/usr/bin/sleep 60", files=configured())
        walk = self.called_off(site)
        site.files.remove("/opt/configuration")
        assert walk.run() == Done(Outcome.CALLED_OFF_PARTLY, "It was active and is failed now")

    @pytest.mark.parametrize("last", ["link", "reload"])
    def test_a_mask_that_was_made_meanwhile_is_taken_away_again(self, last: str) -> None:
        site = Site()
        walk = masking(site).until(last)
        walk.target = replace(walk.target, called_off=site.now)
        assert walk.run() == Done(Outcome.CALLED_OFF)
        assert site.active is UP
        assert not site.is_masked
        assert not site.has_links


def test_what_crashed_in_a_loop_before_is_not_waited_for() -> None:
    site = Site(f"{CHECKED}\n{CRASHES}")
    undo = undoing(made(site))
    assert undo.run() == Done(Outcome.RESTORED)
    assert site.active is ActiveState.ACTIVATING
    assert site.now == NOON


def test_a_start_that_does_not_help_is_told_with_what_is_not_as_it_was() -> None:
    site = Site(beside=METRICS)
    undo = undoing(made(site)).until("start metrics.service")
    site.root("stop worker.service")
    done = Done(
        Outcome.RESTORED_PARTLY, "It was active and is inactive now; metrics.service was active and is inactive now"
    )
    assert undo.run() == done


@pytest.mark.parametrize("folder", ["multi-user.target.wants", "multi-user.target.requires", "primary.service.wants"])
def test_an_enablement_link_to_where_the_mask_was_stays(folder: str) -> None:
    site = Site()
    site.files.link(f"{ETC}/{folder}/worker.service", PATHS[Layer.PERSISTENT])
    undo = undoing(made(site))
    assert undo.run() == Done(Outcome.RESTORED)
    assert undo.steps == ["unlink persistent", "reload", "start worker.service"]
    assert f"{ETC}/{folder}/worker.service" in site.files.entries


def test_an_enablement_link_that_somebody_removed_is_told() -> None:
    site = Site()
    other = f"{ETC}/multi-user.target.requires/worker.service"
    site.files.link(other, f"{VENDOR}/worker.service")
    mask = made(site)
    site.files.remove(other)
    done = undoing(mask).run()
    assert done.outcome is Outcome.RESTORED_PARTLY
    assert "multi-user.target.requires/worker.service is gone" in done.note


def test_a_unit_with_a_name_that_we_send_to_nobody_is_told_and_not_started() -> None:
    odd = "\\x2esnapshots.service"
    undo = undoing(made(Site(beside={odd: f"PartOf={WORKER}"} | METRICS)))
    assert undo.run() == Done(Outcome.RESTORED_PARTLY, f"{odd} was active and is inactive now")
    assert undo.steps[-2:] == ["start worker.service", "start metrics.service"]


def test_a_mask_that_somebody_made_anew_is_not_ours_to_remove() -> None:
    site = Site()
    mask = made(site)
    site.put_mask(Layer.PERSISTENT)
    undo = undoing(mask)
    assert undo.run().outcome is Outcome.NOT_OURS
    assert undo.steps == []


def test_a_mask_that_somebody_took_away_is_not_followed_by_a_start() -> None:
    site = Site()
    mask = made(site)
    site.root("unmask worker.service")
    assert undoing(mask).run().outcome is Outcome.NOT_OURS
    assert site.active is DOWN


def test_a_link_that_we_never_saw_may_be_anybodys() -> None:
    mask = made(Site())
    mask.target = replace(mask.target, made=None)
    assert undoing(mask).run().outcome is Outcome.NOT_OURS


@pytest.mark.parametrize("of_ours", [True, False])
def test_a_link_that_does_not_go_is_told_in_the_hosts_words(*, of_ours: bool) -> None:
    mask = made(Site())
    walk = undoing(mask) if of_ours else unmasking(mask.site)
    troubles = iter(("Read-only file system", "Structure needs cleaning", "Input/output error"))
    walk.around = {"unlink persistent": (lambda: setattr(mask.site.files, "trouble", next(troubles)), lambda: None)}
    done = walk.run()
    assert (done.outcome, done.note.rpartition(": ")[2]) == (Outcome.FAILED, "Input/output error"), "the newest one"
    assert walk.steps == ["unlink persistent"] * 3


def test_what_was_stopped_but_not_masked_is_started_again() -> None:
    site = Site()
    site.manager.is_run_full = True
    mask = masking(site)
    assert mask.run().outcome is Outcome.NOT_PROTECTED
    site.files.remove(PATHS[Layer.PERSISTENT])  # somebody took the link away
    assert undoing(mask, Outcome.NOT_PROTECTED).run() == Done(Outcome.RESTORED)
    assert site.active is UP


def test_a_crash_between_unlink_and_start_is_resumed() -> None:
    undo = undoing(made(Site()))
    undo.dies_at("unlink persistent", was_sent=True)
    assert undo.run() == Done(Outcome.RESTORED)


BACK = (
    "unlink persistent",
    "reload",
    "reset-failed worker.service",
    "start worker.service",
    "start metrics.service",
)


@pytest.mark.parametrize("was_sent", [False, True])
@pytest.mark.parametrize("last", BACK)
def test_a_crash_at_any_step_leaves_nothing_undone_and_no_start_done_twice(last: str, *, was_sent: bool) -> None:
    site = Site(beside=METRICS)
    site.files.link(LINK, PATHS[Layer.PERSISTENT])
    mask = made(site)
    site.manager.fail("worker.service")
    undo = undoing(mask)
    undo.dies_at(last, was_sent=was_sent)

    assert undo.run() == Done(Outcome.RESTORED)
    assert set(undo.steps) == set(BACK)
    assert undo.steps.count(last) == (1 if was_sent and "reload" not in last else 2)
    assert site.files.links_to("worker.service") == [(LINK, PATHS[Layer.PERSISTENT])]


def test_a_start_of_which_no_answer_ever_comes_is_not_tried_for_ever() -> None:
    undo = undoing(made(Site()))
    for _ in range(3):
        undo.dies_at("start worker.service", was_sent=False)
    assert undo.run() == Done(Outcome.RESTORED_PARTLY, "It was active and is inactive now")
    assert undo.steps.count("start worker.service") == 3


def foreign(*layers: Layer) -> Site:
    """A host where somebody masked worker.service, which is down."""
    site = Site(is_up=False)
    for layer in layers:
        site.put_mask(layer, loaded=True)
    return site


def test_a_foreign_mask_goes_by_its_links_and_nothing_is_started() -> None:
    site = foreign(Layer.PERSISTENT, Layer.RUNTIME)
    walk = unmasking(site)
    assert walk.run() == Done(Outcome.UNMASKED)
    assert walk.steps == ["unlink persistent", "unlink runtime", "reload"]
    assert site.active is DOWN


def test_a_foreign_mask_made_after_people_agreed_stays() -> None:
    site = foreign(Layer.PERSISTENT)
    walk = unmasking(site)
    site.put_mask(Layer.PERSISTENT)
    assert walk.run() == Done(Outcome.FAILED, "The mask was replaced since it was approved, so it was left alone.")
    assert walk.steps == []


def test_a_foreign_mask_that_went_after_people_agreed_is_called_removed() -> None:
    site = foreign(Layer.PERSISTENT)
    walk = unmasking(site)
    site.root(f"unmask {WORKER}")
    assert walk.run() == Done(Outcome.UNMASKED)
    assert walk.steps == []


def test_a_foreign_mask_of_which_a_part_is_left_is_not_called_unchanged() -> None:
    site = foreign(Layer.PERSISTENT, Layer.RUNTIME)
    walk = unmasking(site)
    walk.step()
    site.files.trouble = "Read-only file system"
    done = walk.run()
    assert (done.outcome, done.note.rpartition(": ")[2]) == (Outcome.NOT_UNMASKED, "Read-only file system")


def test_a_mask_that_comes_from_elsewhere_as_well_is_not_called_unchanged() -> None:
    site = foreign(Layer.PERSISTENT)
    site.files.link(f"{GENERATED}/worker.service", NULL)
    assert unmasking(site).run() == Done(
        Outcome.NOT_UNMASKED, "Its links are removed, but systemd still calls it masked."
    )


def test_an_empty_file_is_never_removed() -> None:
    site = Site(is_up=False)
    site.files.write(PATHS[Layer.PERSISTENT], "")
    site.manager.reload()
    walk = unmasking(site)
    assert walk.run().outcome is Outcome.FAILED
    assert walk.steps == []


@pytest.mark.parametrize("undo", [True, False])
def test_a_way_back_without_its_before_is_a_mistake_of_ours(*, undo: bool) -> None:
    target = Target("web-01", WORKER)
    context = StepContext(Change(Verb.UNMASK, "web-01", WORKER), target, target if undo else None)
    with pytest.raises(ValueError, match="before"):
        next_step(context, Site().look(), NOON)


def test_a_unit_on_its_way_up_is_not_started_twice() -> None:
    site = Site("ExecStartPre=/usr/bin/sleep 1")
    undo = undoing(made(site)).until("start worker.service")
    assert isinstance(undo.next(site.look(full=True)), Wait)


def test_settings_that_are_not_what_they_were_are_told() -> None:
    mask = made(Site())
    assert mask.target.before is not None
    other = replace(mask.target.before, load=LoadState.BAD_SETTING, file_state="static")
    mask.target = replace(mask.target, before=other)
    done = undoing(mask).run()
    assert done.outcome is Outcome.RESTORED_PARTLY
    assert done.note.startswith("Its load state was bad-setting and is loaded now; At boot it was static and is ")


def test_what_stopped_with_it_is_brought_back_though_systemd_has_forgotten_it() -> None:
    site = Site()
    for name, relation in {"bound.service": "BindsTo", "part@.service": "PartOf"}.items():
        site.files.write(f"{VENDOR}/{name}", f"{relation}={WORKER}\n")
    site.root("start bound.service part@1.service")
    mask = made(site)
    around = site.look(full=True).around
    assert around
    assert around.would_stop == ()
    undo = undoing(mask)
    assert undo.run() == Done(Outcome.RESTORED)
    assert undo.steps[-3:] == ["start worker.service", "start bound.service", "start part@1.service"]


def _socket() -> StepContext:
    """The undo of a mask of a socket, once the link is gone."""
    before = snapshot("echo.socket", sub="listening")
    made = masked(Layer.PERSISTENT).layer(Layer.PERSISTENT)
    mask = Target("web-01", before.id, Layer.PERSISTENT, before=before, made=made, outcome=Outcome.PROVEN)
    sent = (Sent("unlink persistent", (), NOON, 0), Sent("reload", (), NOON, 0))
    change = Change(Verb.UNMASK, "web-01", before.id)
    return StepContext(change, Target("web-01", before.id, sent=sent), mask)


def test_a_socket_that_lost_its_listener_is_stopped_and_started() -> None:
    context, deaf = _socket(), snapshot("echo.socket", sub="running")
    assert next_step(context, deaf, NOON) == Stop()
    stopped = replace(context, target=replace(context.target, sent=(*context.target.sent, Sent("stop", (), NOON, 0))))
    assert next_step(stopped, replace(deaf, active=DOWN), NOON) == Start("echo.socket")
    assert next_step(context, snapshot("echo.socket", sub="listening"), NOON) == Done(Outcome.RESTORED)


def _until_reboot(boot: str, **changed: Any) -> StepContext:
    unit = UnitName("cron.service")
    seen = masked(Layer.RUNTIME, boot_id=boot)
    record = {"before": snapshot(), "after": seen, "made": seen.layer(Layer.RUNTIME), "outcome": Outcome.PROVEN}
    mask = Target("web-01", unit, Layer.RUNTIME, **record | changed)  # type: ignore[arg-type]
    return StepContext(Change(Verb.UNMASK, "web-01", unit), Target("web-01", unit), mask)


def test_a_mask_until_the_next_reboot_is_over_after_it() -> None:
    now = snapshot(boot_id="another")
    assert next_step(_until_reboot("b00t"), replace(now, around=None), NOON) == LookFully()
    over = Done(Outcome.UNMASKED, "The mask lasted until the next reboot, and the host was rebooted.")
    assert next_step(_until_reboot("b00t"), now, NOON) == over
    assert next_step(_until_reboot("another"), now, NOON).outcome is Outcome.NOT_OURS  # type: ignore[union-attr]
    assert next_step(_until_reboot("b00t", after=None), now, NOON).outcome is Outcome.NOT_OURS  # type: ignore[union-attr]


def test_a_timer_whose_turn_is_counted_anew_is_as_before_and_said() -> None:
    timer, later = (
        snapshot("beat.timer", side_effects=SideEffects(next_turn=NextElapse(after_boot=at * 10**6))) for at in (60, 72)
    )
    context = _socket()
    undoes = replace(context.undoes, before=timer) if context.undoes else None
    assert next_step(replace(context, undoes=undoes), timer, NOON) == Done(Outcome.RESTORED)
    assert next_step(replace(context, undoes=undoes), later, NOON) == Done(
        Outcome.RESTORED, "Its next turn is counted again, 12 seconds later than before."
    )


def test_a_calendar_timer_that_comes_at_another_moment_is_not_as_before() -> None:
    days = ("2027-02-03", "2027-02-04")
    timer, other = (
        snapshot("a.timer", side_effects=SideEffects(next_turn=NextElapse(at=f"Wed {day} 04:05:00 UTC")))
        for day in days
    )
    context = _socket()
    undoes = replace(context.undoes, before=timer) if context.undoes else None
    assert next_step(replace(context, undoes=undoes), other, NOON) == Done(
        Outcome.RESTORED_PARTLY,
        "its next turn was Wed 2027-02-03 04:05:00 UTC, is Wed 2027-02-04 04:05:00 UTC",
    )


def test_a_socket_that_was_down_before_is_left_as_it_is() -> None:
    context = _socket()
    assert context.undoes
    assert context.undoes.before
    down = replace(context.undoes, before=replace(context.undoes.before, active=DOWN, sub="dead"))
    assert next_step(replace(context, undoes=down), snapshot("echo.socket", active=DOWN, sub="dead"), NOON) == Done(
        Outcome.RESTORED
    )


class Test_a_service_and_its_socket:
    """Both were masked together, the socket first: its link goes last, and the service starts once it listens."""

    RUNS, GONE = related_unit("echo.service"), related_unit("echo.service", active=DOWN)
    LISTENS = related_unit("echo.socket")
    IS_MASKED = RelatedUnit("echo.socket", frozenset({"echo.socket"}), LoadState.MASKED, DOWN)
    NOT_YET = "It starts again once echo.socket listens, which is masked still."

    def undo(self, unit: str, planned: Snapshot, before: Snapshot, *beside: str) -> StepContext:
        made = masked(Layer.PERSISTENT).layer(Layer.PERSISTENT)
        name = UnitName(unit)
        mask = Target("web-01", name, Layer.PERSISTENT, planned=planned, before=before, made=made)
        sent = (Sent("unlink persistent", (), NOON, 0), Sent("reload", (), NOON, 0))
        change = Change(Verb.UNMASK, "web-01", name, beside=beside)
        return StepContext(change, Target("web-01", name, sent=sent), replace(mask, outcome=Outcome.PROVEN))

    def service(self, planned: RelatedUnit, *then: RelatedUnit, **before: Any) -> StepContext:
        known = snapshot("echo.service", triggers=(planned,)), snapshot("echo.service", triggers=then, **before)
        return self.undo("echo.service", *known, "echo.socket")

    def socket(self, *beside: str) -> StepContext:
        seen = snapshot("echo.socket", sub="running", starts=(self.RUNS,))
        return self.undo("echo.socket", seen, seen, *beside)

    def test_the_service_is_not_started_while_its_socket_is_masked(self) -> None:
        now = snapshot("echo.service", active=DOWN, others=(self.IS_MASKED,))
        assert next_step(self.service(self.LISTENS), now, NOON) == Done(Outcome.RESTORED, self.NOT_YET)
        idle = self.service(self.LISTENS, active=DOWN)
        assert next_step(idle, now, NOON) == Done(Outcome.RESTORED)

    def test_it_is_where_that_was_not_masked_with_it_or_did_not_listen(self) -> None:
        waits = replace(self.IS_MASKED, unit="echo.timer", names=frozenset({"echo.timer"}))
        now, start = snapshot("echo.service", active=DOWN, others=(self.IS_MASKED, waits)), Start("echo.service")
        down = related_unit("echo.socket", active=DOWN)
        timer = related_unit("echo.timer")
        for context in (self.service(down), self.service(timer), self.service(self.LISTENS, down)):
            assert next_step(context, now, NOON) == start
        for others in ((), (self.LISTENS,)):
            there = snapshot("echo.service", active=DOWN, others=others)
            assert next_step(self.service(self.LISTENS), there, NOON) == start

    def test_the_socket_starts_it_again_after_itself(self) -> None:
        now = snapshot("echo.socket", active=DOWN, sub="dead", others=(self.GONE,))
        assert next_step(self.socket("echo.service"), now, NOON) == Start("echo.socket")
        listens = replace(now, active=UP, sub="listening")
        assert next_step(self.socket("echo.service"), listens, NOON) == Start("echo.service")
        runs = snapshot("echo.socket", sub="running", others=(self.RUNS,), starts=(self.RUNS,))
        assert next_step(self.socket("echo.service"), runs, NOON) == Done(Outcome.RESTORED)

    def test_a_service_that_does_not_run_again_is_told(self) -> None:
        context = self.socket("echo.service")
        started = tuple(Sent("start echo.service", (), NOON, 0) for _ in range(5))
        tried = replace(context, target=replace(context.target, sent=(*context.target.sent, *started)))
        listens = snapshot("echo.socket", sub="listening", others=(self.GONE,))
        said = Done(Outcome.RESTORED_PARTLY, "echo.service was active and is inactive now")
        assert next_step(tried, listens, NOON) == said

    def test_what_was_not_masked_with_it_or_is_masked_still_is_left_to_the_socket(self) -> None:
        listens = snapshot("echo.socket", sub="listening", others=(self.GONE,))
        assert next_step(self.socket(), listens, NOON) == Done(Outcome.RESTORED)
        still = replace(self.GONE, load=LoadState.MASKED)
        for others in ((still,), ()):
            now = snapshot("echo.socket", sub="listening", others=others)
            assert next_step(self.socket("echo.service"), now, NOON) == Done(Outcome.RESTORED)

    def test_a_service_that_did_not_run_before_is_not_missed(self) -> None:
        seen = snapshot("echo.socket", sub="listening", starts=(self.GONE,))
        now = snapshot("echo.socket", sub="listening", others=(self.GONE,), starts=(self.GONE,))
        assert next_step(self.undo("echo.socket", seen, seen, "echo.service"), now, NOON) == Done(Outcome.RESTORED)

    def test_without_surroundings_in_the_look_before_the_socket_starts_alone(self) -> None:
        seen = replace(snapshot("echo.socket", sub="running"), around=None)
        now = snapshot("echo.socket", active=DOWN, sub="dead", others=(self.GONE,))
        assert next_step(self.undo("echo.socket", seen, seen, "echo.service"), now, NOON) == Start("echo.socket")

    def test_a_timer_leaves_it_to_the_socket(self) -> None:
        seen = snapshot("echo.timer", starts=(self.RUNS,))
        now = snapshot("echo.timer", others=(self.GONE,))
        assert next_step(self.undo("echo.timer", seen, seen, "echo.service"), now, NOON) == Done(Outcome.RESTORED)
