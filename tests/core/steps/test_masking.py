"""From an ordinary unit to a masked one, whatever happens on the way."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.core.requests import Outcome, Sent, Target
from bot.core.steps import Done, StepContext, StepLimits, next_step
from bot.core.steps.kinds import Probe, Stop, TryStart, Wait
from bot.core.systemd.units import ActiveState, Layer
from tests.core.walks import DOWN, PATHS, UP, WORKER, Site, Walk, masking
from tests.model.files import ETC

FOREVER = "TimeoutStopSec=infinity"
READ_ONLY = "Read-only file system"


def slow(seconds: int, limit: str = FOREVER) -> str:
    """Takes so long to stop."""
    return f"ExecStop=/usr/bin/sleep {seconds}\n{limit}"


def test_the_unit_is_stopped_with_its_own_settings_before_it_is_masked() -> None:
    site = Site()
    walk = masking(site)
    assert walk.run() == Done(Outcome.PROVEN)
    assert walk.steps == ["probe", "stop", "link", "reload", "try-start"]
    assert site.ran_its_own
    assert not walk.target.settings_lost


def test_what_is_down_already_is_not_stopped() -> None:
    walk = masking(Site(is_up=False))
    assert walk.run().outcome is Outcome.PROVEN
    assert walk.steps == ["link", "reload", "try-start"]


def test_a_unit_that_may_keep_running_is_never_stopped() -> None:
    site = Site()
    walk = masking(site, keep_running=True)
    assert walk.run().outcome is Outcome.PROVEN
    assert "stop" not in walk.steps
    assert site.active is UP


def test_the_link_that_cannot_be_made_stops_nothing() -> None:
    site = Site()
    walk = masking(site)
    site.files.trouble = READ_ONLY
    done = walk.run()
    assert done.outcome is Outcome.FAILED
    assert done.note == f"{ETC}: {READ_ONLY}"
    assert walk.steps == ["probe"]
    assert site.active is UP


@pytest.mark.parametrize(("takes", "fails"), [(0, READ_ONLY), (4, "File exists")])
def test_a_link_that_could_be_made_before_the_stop_and_not_after_it_leaves_it_unprotected(
    takes: int, fails: str
) -> None:
    site = Site(slow(takes))
    walk = masking(site).until("stop")
    if fails == READ_ONLY:
        site.files.trouble = fails
    else:
        site.files.write(PATHS[Layer.PERSISTENT], "[Service]\n")
    done = walk.run()
    assert (done.outcome, done.note.rpartition(": ")[2]) == (Outcome.NOT_PROTECTED, fails)
    assert site.ran_its_own


def test_a_link_that_cannot_be_made_of_a_unit_that_is_down_has_changed_nothing() -> None:
    site = Site(is_up=False)
    site.files.trouble = READ_ONLY
    done = masking(site).run()
    assert (done.outcome, done.note.rpartition(": ")[2]) == (Outcome.FAILED, READ_ONLY)


def test_a_slow_stop_is_waited_for_and_not_repeated() -> None:
    walk = masking(Site("ExecStop=/usr/bin/sleep 4\n" * 3 + "TimeoutStopSec=5"))
    assert walk.run().outcome is Outcome.PROVEN
    assert walk.steps.count("stop") == 1


@pytest.mark.parametrize("takes", [27, 700, 90_000])
def test_a_stop_ends_when_systemd_says_so_and_not_when_its_limit_is_over(takes: int) -> None:
    site = Site("ExecStop=/usr/bin/sleep 7\n" * (takes // 7) + slow(takes % 7, "TimeoutStopSec=8"))
    walk = masking(site)
    walk.limits = StepLimits(longest_wait=takes / 100)
    assert walk.run() == Done(Outcome.PROVEN)
    assert walk.steps == ["probe", "stop", "link", "reload", "try-start"]
    assert site.ran_its_own
    assert site.seconds >= takes


def test_what_is_slow_says_so_and_keeps_nobody_from_the_host() -> None:
    walk = masking(Site(slow(60)))
    waits = [step for step, _ in (walk.step() for _ in range(40)) if isinstance(step, Wait)]
    assert [wait.is_slow for wait in waits] == sorted(wait.is_slow for wait in waits)
    assert waits[-1].is_slow
    assert not waits[0].is_slow


@pytest.mark.parametrize("takes", [0, 7, 700])
def test_reloads_of_somebody_else_take_nothing_from_a_stop(takes: int) -> None:
    site = Site(slow(takes))
    walk = masking(site)
    walk.meanwhile = site.manager.reload  # again and again, as configuration management does
    assert walk.run() == Done(Outcome.PROVEN)
    assert site.ran_its_own
    assert not walk.target.settings_lost


def test_a_stop_that_waits_for_others_is_waited_for() -> None:
    site = Site(slow(5), {"later.service": f"After={WORKER}\nPartOf={WORKER}\n{slow(40)}"})
    walk = masking(site)
    assert walk.run() == Done(Outcome.PROVEN)
    assert walk.steps.count("stop") == 1
    assert site.ran_its_own
    assert site.seconds >= 45


BUSY = [ActiveState.MAINTENANCE, ActiveState.RELOADING, ActiveState.REFRESHING]


@pytest.mark.parametrize("busy", BUSY)
def test_what_reloads_or_is_cleaned_up_is_stopped_once_that_is_over(busy: ActiveState) -> None:
    site = Site(slow(3))
    walk = masking(site)
    site.force(busy)
    assert isinstance(walk.step()[0], Wait)
    assert walk.steps == []
    site.force(UP)
    assert walk.run() == Done(Outcome.PROVEN)
    assert walk.steps.count("stop") == 1
    assert site.ran_its_own


def coming_back(site: Site, times: int) -> Callable[[], None]:
    """Something starts it as soon as it is down, so often, unless a mask is loaded."""
    left = [None] * times

    def start() -> None:
        if left and site.active is DOWN and not site.is_masked:
            left.pop()
            site.root("start worker.service")

    return start


def test_what_reloads_after_it_was_started_again_is_waited_for_too() -> None:
    site = Site("ExecReload=/usr/bin/sleep 1")
    walk = masking(site).until("stop")
    for verb in ("start", "reload"):
        site.root(f"{verb} worker.service")
    assert isinstance(walk.step()[0], Wait)
    assert walk.run() == Done(Outcome.PROVEN)
    assert site.manager.marks.count("worker.service") == 2


def test_a_start_that_hangs_is_stopped() -> None:
    site = Site("ExecStartPre=/usr/bin/sleep 9000", is_up=False)
    site.root("start worker.service")
    assert site.active is ActiveState.ACTIVATING
    walk = masking(site)
    assert walk.run() == Done(Outcome.PROVEN)
    assert walk.steps.count("stop") == 1


@pytest.mark.parametrize("reloaded", [True, False])
@pytest.mark.parametrize("takes", [0, 12])
def test_what_starts_between_link_and_reload_gets_its_settings_back_before_it_is_stopped_again(
    takes: int, *, reloaded: bool
) -> None:
    site = Site(slow(takes))
    walk = masking(site).until("link")
    site.root("start worker.service")
    if reloaded:
        site.manager.reload()
    site.manager.marks.clear()
    assert walk.run() == Done(Outcome.PROVEN)
    back = ["unlink persistent", *(["reload"] if reloaded else []), "stop", "link", "reload", "try-start"]
    assert walk.steps[3:] == back
    assert site.ran_its_own
    assert not walk.target.settings_lost
    assert walk.target.made == site.layer(Layer.PERSISTENT)


def test_what_starts_after_every_link_is_masked_in_the_end_and_said_to_run() -> None:
    site = Site()
    walk = masking(site)
    walk.around = {"link": (lambda: None, lambda: site.root("start worker.service"))}
    assert walk.run().outcome is Outcome.MASKED_RESTARTED
    assert walk.steps.count("unlink persistent") == 3
    assert site.is_masked


def test_a_mask_that_somebody_makes_during_the_stop_is_proven_and_is_not_ours() -> None:
    site = Site(slow(20))
    walk = masking(site).until("stop")
    site.put_mask(Layer.PERSISTENT)
    done = walk.run()
    assert done == Done(Outcome.PROVEN, "Somebody else made this mask while the unit was being stopped.")
    assert "link" not in walk.steps
    assert walk.target.made is None


def test_a_link_that_somebody_made_anew_is_not_taken_away_where_the_unit_runs_again() -> None:
    site = Site()
    walk = masking(site).until("link")
    walk.next(site.look())
    site.put_mask(Layer.PERSISTENT)
    site.root("start worker.service")
    theirs = site.layer(Layer.PERSISTENT)
    walk.run()
    assert walk.steps.count("stop") == 2
    assert "unlink persistent" not in walk.steps
    assert site.layer(Layer.PERSISTENT) == theirs


def test_a_mask_in_another_layer_during_the_stop_does_not_keep_ours_away() -> None:
    site = Site(f"{slow(20)}\nExecStop=/usr/bin/true")
    walk = masking(site).until("stop")
    site.put_mask(Layer.RUNTIME, loaded=True)
    assert walk.run() == Done(Outcome.PROVEN)
    assert walk.target.made == site.layer(Layer.PERSISTENT)
    assert walk.target.settings_lost
    assert not site.ran_its_own


def test_what_comes_back_is_stopped_again_three_times() -> None:
    walk = masking(site := Site())
    walk.meanwhile = coming_back(site, 3)
    assert walk.run().outcome is Outcome.PROVEN
    assert walk.steps.count("stop") == 4
    assert site.manager.marks.count("worker.service") == 4


def test_what_always_comes_back_is_masked_and_said_to_run() -> None:
    walk = masking(site := Site())
    walk.meanwhile = coming_back(site, 99)
    done = walk.run()
    assert done.outcome is Outcome.MASKED_RESTARTED
    assert walk.steps.count("stop") == 4
    assert "try-start" not in walk.steps


def test_a_refused_stop_has_changed_nothing() -> None:
    site = Site("RefuseManualStop=yes")
    walk = masking(site)
    done = walk.run()
    assert done.outcome is Outcome.FAILED
    assert "Operation refused" in done.note
    assert walk.steps == ["probe", "stop"]
    assert not site.has_links


def test_a_later_stop_that_is_refused_leaves_it_masked_and_running() -> None:
    site = Site()
    walk = masking(site).until("stop")
    site.root("start worker.service")
    site.edit("RefuseManualStop=yes\n")
    assert walk.run().outcome is Outcome.MASKED_RESTARTED
    assert walk.steps.count("stop") == 2


def test_what_never_goes_down_is_masked_and_said_to_run() -> None:
    """Each stop waits for what is slower, and before that a start of somebody takes its place."""
    later = f"After={WORKER}\nPartOf={WORKER}\n{slow(4)}"
    site = Site(beside={"later.service": later})
    walk = masking(site)
    both = "start worker.service later.service"
    walk.around = {"stop": (lambda: None, lambda: site.root(both))}
    assert walk.run() == Done(Outcome.MASKED_RUNNING)
    assert walk.steps.count("stop") == 4


def test_stopped_but_not_masked_is_said_so() -> None:
    site = Site()
    site.manager.is_run_full = True
    walk = masking(site)
    done = walk.run()
    assert done.outcome is Outcome.NOT_PROTECTED
    assert "Reload daemon failed" in done.note
    assert walk.steps.count("reload") == 3


def test_a_mask_that_is_not_loaded_under_a_running_unit_is_said_so() -> None:
    site = Site()
    site.manager.is_run_full = True
    assert masking(site, keep_running=True).run().outcome is Outcome.NOT_LOADED


@pytest.mark.parametrize("keep_running", [False, True])
@pytest.mark.parametrize("layer", [Layer.PERSISTENT, Layer.RUNTIME])
def test_a_mask_made_by_somebody_else_meanwhile_is_no_change_of_ours(layer: Layer, *, keep_running: bool) -> None:
    site = Site(is_up=False)
    walk = masking(site, keep_running=keep_running)
    site.put_mask(layer, loaded=True)
    assert walk.run().outcome is Outcome.NO_CHANGE
    assert walk.steps == []
    assert walk.target.made is None


def test_a_mask_until_the_next_reboot_that_was_there_before_is_made_a_lasting_one() -> None:
    site = Site(is_up=False)
    site.put_mask(Layer.RUNTIME, loaded=True)
    walk = masking(site)
    assert walk.run().outcome is Outcome.PROVEN
    assert walk.steps[0] == "link"
    assert site.layer(Layer.PERSISTENT) == walk.target.made


def test_a_link_that_an_earlier_try_of_ours_left_is_loaded_and_proven() -> None:
    site = Site()
    first = masking(site)
    site.manager.is_run_full = True
    assert first.run().outcome is Outcome.NOT_PROTECTED
    site.manager.is_run_full = False
    again = masking(site)
    again.target = replace(again.target, made=first.target.made, before=first.target.before)
    assert again.run().outcome is Outcome.PROVEN
    assert again.steps == ["reload", "try-start"]


@pytest.mark.parametrize(("is_up", "outcome"), [(True, Outcome.NOT_PROTECTED), (False, Outcome.FAILED)])
def test_a_mask_taken_away_while_it_is_made_protects_nothing(outcome: Outcome, *, is_up: bool) -> None:
    site = Site(is_up=is_up)
    walk = masking(site).until("link")
    walk.next(site.look())
    site.files.remove(PATHS[Layer.PERSISTENT])
    done = walk.run()
    assert done.outcome is outcome
    assert "removed the mask" in done.note


def slips_through(site: Site) -> tuple[Callable[[], None], Callable[[], None]]:
    """Somebody takes the mask away for the moment of a start."""

    def away() -> None:
        site.files.remove(PATHS[Layer.PERSISTENT])
        site.manager.reload()

    return away, lambda: site.put_mask(Layer.PERSISTENT, loaded=True)


def test_a_proof_that_starts_the_unit_stops_it_and_is_no_proof() -> None:
    site = Site()
    walk = masking(site)
    walk.around = {"try-start": slips_through(site)}
    done = walk.run()
    assert done.outcome is Outcome.NOT_PROTECTED
    assert "was not refused" in done.note
    assert walk.steps[-2:] == ["try-start", "stop"]
    assert site.active is DOWN


def test_a_proof_that_starts_nothing_and_is_not_refused_is_no_proof_either() -> None:
    site = Site()
    walk = masking(site, keep_running=True)
    walk.around = {"try-start": slips_through(site)}
    assert walk.run().outcome is Outcome.NOT_LOADED
    assert "stop" not in walk.steps


@pytest.mark.parametrize(("refuses", "wanted"), [("yes", True), ("no", False)])
def test_without_a_try_the_proof_says_that_there_was_none(refuses: str, *, wanted: bool) -> None:
    walk = masking(Site(f"RefuseManualStart={refuses}"))
    walk.try_start = wanted
    assert walk.run() == Done(Outcome.PROVEN, "A start was not tried.")
    assert "try-start" not in walk.steps


def test_a_start_that_settles_after_the_proof_is_stopped() -> None:
    site = Site()
    walk = masking(site)
    walk.around = {"try-start": slips_through(site)}
    walk.until("try-start")
    assert site.look().active is UP
    assert walk.step()[0] == Stop()


class TestAfterACrash:
    """The record holds the intent, and nothing says whether it was carried out: only the look does."""

    @pytest.mark.parametrize("lost", range(5))
    @pytest.mark.parametrize("was_sent", [True, False])
    def test_an_unanswered_step_is_looked_at_and_the_walk_comes_to_its_end(self, lost: int, *, was_sent: bool) -> None:
        site = Site()
        walk = masking(site)
        walk.dies_at(["probe", "stop", "link", "reload", "try-start"][lost], was_sent=was_sent)
        assert walk.run() == Done(Outcome.PROVEN)
        assert site.active is DOWN

    def test_a_probe_that_never_gets_an_answer_is_given_up(self) -> None:
        assert _next_after(Site(), *["probe"] * 3) == Done(Outcome.FAILED, "")

    def test_a_link_that_never_gets_an_answer_is_given_up(self) -> None:
        assert _next_after(Site(is_up=False), "link", "link", "link") == Done(Outcome.FAILED, "")

    def test_a_proof_that_never_gets_an_answer_is_given_up(self) -> None:
        walk = masking(Site(is_up=False))
        for _ in range(3):
            walk.dies_at("try-start", was_sent=False)
        said = "The test start got no answer; the mask is proven by its properties only."
        assert walk.run() == Done(Outcome.PROVEN, said)
        assert walk.steps.count("try-start") == 3

    def test_a_mask_loaded_by_somebody_before_the_stop_still_stops_the_unit(self) -> None:
        site = Site()
        walk = masking(site)
        walk.step()
        site.put_mask(Layer.RUNTIME, loaded=True)
        assert walk.run().outcome is Outcome.PROVEN
        assert walk.target.settings_lost
        assert not site.ran_its_own


def _next_after(site: Site, *steps: str) -> object:
    """What comes next where none of these steps got an answer."""
    walk = masking(site)
    walk.target = replace(walk.target, sent=tuple(Sent(step, (), site.now) for step in steps))
    return walk.next(site.look())


def test_a_mask_without_a_layer_is_a_mistake_of_ours() -> None:
    site = Site()
    context = StepContext(masking(site).change, Target("web-01", WORKER))
    with pytest.raises(ValueError, match="layer"):
        next_step(context, site.look(), site.now)


def test_a_pending_job_is_waited_for() -> None:
    site = Site()
    walk = masking(site).until("stop")
    site.root("start worker.service")
    assert isinstance(walk.next(replace(site.look(), pending_job="17")), Wait)


def test_the_same_look_gives_the_same_step() -> None:
    site = Site()
    walk = masking(site)
    assert walk.next(site.look()) == walk.next(site.look()) == Probe()


def test_the_proof_is_tried_once() -> None:
    walk = masking(Site())
    walk.run()
    assert walk.steps.count(TryStart.name) == 1
    assert ActiveState.FAILED.is_down


def mask_with_aliases(*names: str) -> Walk:
    """A mask of worker.service, which has other names."""
    site = Site()
    for name in names:
        site.files.link(f"/lib/systemd/system/{name}", "worker.service")
    site.manager.reload()
    return masking(site)


def test_a_start_by_each_name_is_tried_also_by_those_that_only_the_look_before_knew() -> None:
    walk = mask_with_aliases("w.service")
    assert walk.target.before
    walk.target = replace(walk.target, before=replace(walk.target.before, names=frozenset({"old.service"})))
    assert walk.run() == Done(Outcome.PROVEN)
    assert walk.steps[-3:] == ["try-start", "try-start old.service", "try-start w.service"]


def test_a_name_by_which_it_starts_all_the_same_is_stopped_and_no_proof() -> None:
    walk = mask_with_aliases("w.service")
    walk.around = {"try-start w.service": slips_through(walk.site)}
    done = walk.run()
    assert done.outcome is Outcome.NOT_PROTECTED
    assert walk.steps[-2:] == ["try-start w.service", "stop"]
    assert walk.site.active is DOWN
