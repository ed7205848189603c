"""A stop that is ended by force: only for a mask that waits, only of the run that people saw, and only once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.input.grammar import ChangeCommand, parse
from bot.core.policy.decide import decide
from bot.core.policy.model import Moment, NeedsApproval, Refuse
from bot.core.requests import Change, Duration, Outcome, Request, Sent, SlowWait, Stage, Target, Verb
from bot.core.steps import Done, Step, StepContext, next_step, observe
from bot.core.steps.kinds import Kill, StepLimits, Wait
from bot.core.systemd.units import ActiveState, FileKind, Layer, LoadState, Snapshot, UnitName
from bot.core.time.human_time import Now
from bot.errors import UsageError
from tests.core.situations import NOW, POLICY, PROD, looked, our_mask, request, snapshot

UNIT = UnitName("cron.service")
STOPPING = snapshot(active=ActiveState.DEACTIVATING, sub="stop-sigterm", invocation="a1", pending_job="7")
DOWN = snapshot(active=ActiveState.FAILED, sub="failed", invocation="a1", result="signal")
FORCE = Change(Verb.MASK, "web-01", UNIT, force=True)


def kill(exit_code: int | None = 0, *, ago: float = 1, output: str = "") -> Sent:
    return Sent("kill", (), NOW - timedelta(seconds=ago), exit_code, output)


def step(now: Snapshot, *sent: Sent, is_wanted: bool = True) -> Step:
    target = Target("web-01", UNIT, planned=STOPPING, before=STOPPING, sent=sent)
    return next_step(StepContext(FORCE, target, limits=StepLimits(patience=10), is_wanted=is_wanted), now, NOW)


class TestTheSteps:
    """One SIGKILL, and then systemd's own way to the end."""

    def test_what_still_stops_is_killed_once_and_waited_for(self) -> None:
        assert step(STOPPING) == Kill()
        assert isinstance(step(STOPPING, kill()), Wait)
        assert step(DOWN, kill()) == Done(Outcome.KILLED)

    @pytest.mark.parametrize(
        "now",
        [DOWN, replace(STOPPING, invocation="b2"), snapshot(invocation="b2"), snapshot(invocation="a1")],
        ids=["down", "stopping once more", "runs again", "never stopped"],
    )
    def test_what_has_ended_by_itself_is_left_alone(self, now: Snapshot) -> None:
        assert step(now) == Done(Outcome.NO_CHANGE, "Its stop had ended by itself. Nothing was killed.")

    def test_what_no_mask_waits_for_any_more_is_not_killed_but_a_kill_that_was_sent_is_seen_to_its_end(self) -> None:
        done = step(STOPPING, is_wanted=False)
        assert done == Done(Outcome.NO_CHANGE, "The mask that waited for it was withdrawn. Nothing was killed.")
        assert isinstance(step(STOPPING, kill(), is_wanted=False), Wait)

    def test_a_kill_that_may_never_have_left_is_sent_again_a_few_times(self) -> None:
        assert step(STOPPING, kill(None)) == Kill()
        assert isinstance(step(STOPPING, *[kill(None)] * 3), Wait)

    def test_where_no_answer_came_it_is_not_claimed_to_be_ours(self) -> None:
        done = step(DOWN, kill(None))
        assert done == Done(
            Outcome.KILLED, "SIGKILL was sent, but no answer came, so the unit may have ended by itself."
        )

    def test_a_kill_that_was_refused_has_changed_nothing(self) -> None:
        assert step(STOPPING, kill(1, output="Failed to kill unit")) == Done(Outcome.FAILED, "Failed to kill unit")

    def test_what_no_signal_ends_is_left_to_the_mask_that_waits(self) -> None:
        done = step(STOPPING, kill(ago=11))
        assert isinstance(done, Done)
        assert done.outcome is Outcome.KILLED
        assert "still stopping the unit" in done.note

    def test_a_link_that_somebody_makes_meanwhile_is_not_taken_for_ours(self) -> None:
        target = Target("web-01", UNIT, Layer.PERSISTENT, sent=(kill(), Sent("link", (), NOW)))
        seen = snapshot(layers={Layer.PERSISTENT: FileKind.MASK})
        assert observe(target, FORCE, seen).made is None


def mask(**target: Any) -> Request:
    """Our mask, which waits for its unit to stop."""
    told = Sent("stop", (), NOW, 0)
    running = replace(our_mask(), stage=Stage.RUNNING, finished_at=None)
    return running.on_target(**{"outcome": None, "waiting": SlowWait(NOW, NOW), "sent": (told,)} | target)


def answer_to(seen: Snapshot, mask: Request | None, moment: Moment = Moment.LOOKED, **changed: Any) -> object:
    wanted = request(force=True).on_target(planned=STOPPING)
    policy = changed.pop("policy", POLICY)
    return decide(looked(seen, wanted, moment, own_mask=mask, **changed), policy)


def no(answer: object) -> str:
    assert isinstance(answer, Refuse), answer
    return answer.code


class TestTheQuestion:
    """It is asked for and approved like a mask; without a mask that waits nobody is asked."""

    @pytest.mark.parametrize("moment", [Moment.LOOKED, Moment.ACT])
    def test_it_needs_the_approval_that_a_mask_needs(self, moment: Moment) -> None:
        answer = answer_to(STOPPING, mask(), moment)
        assert isinstance(answer, NeedsApproval)
        assert (answer.rule, answer.need, answer.groups) == ("prod", 1, ("sre",))

    def test_where_every_mask_must_end_or_must_not_be_a_stop_can_be_ended_all_the_same(self) -> None:
        strict = replace(POLICY, rules=(replace(PROD, requires_expiry=True),))
        assert isinstance(answer_to(STOPPING, mask(), policy=strict), NeedsApproval)
        masked = replace(STOPPING, load=LoadState.MASKED, fragment="/etc/systemd/system/cron.service")
        assert isinstance(answer_to(masked, mask()), NeedsApproval)
        early = replace(STOPPING, fragment="/run/systemd/generator.early/cron.service")
        assert isinstance(answer_to(early, mask()), NeedsApproval)

    def test_it_needs_no_right_but_its_own(self) -> None:
        only = snapshot(active=ActiveState.DEACTIVATING, invocation="a1", rights=frozenset({"kill"}))
        assert isinstance(answer_to(only, mask()), NeedsApproval)
        without = snapshot(active=ActiveState.DEACTIVATING, invocation="a1", rights=frozenset({"mask", "stop"}))
        answer = answer_to(without, mask())
        assert isinstance(answer, Refuse)
        assert answer.reason.endswith("It lacks: kill.")

    @pytest.mark.parametrize(
        ("waits", "code"),
        [
            (None, "no_stop"),
            (mask(called_off=NOW), "stop_is_over"),
            (mask(waiting=None), "stop_is_over"),
            (mask(sent=()), "stop_is_over"),
            (our_mask(), "stop_is_over"),
        ],
        ids=["no mask", "withdrawn", "goes on", "was not told to stop", "is masked"],
    )
    def test_nothing_is_killed_for_no_mask(self, waits: Request | None, code: str) -> None:
        answer = answer_to(STOPPING, waits)
        assert no(answer) == code
        assert ("withdrawn" in str(answer)) == (waits is not None and waits.target.called_off is not None)

    @pytest.mark.parametrize("seen", [DOWN, replace(STOPPING, invocation="b2")], ids=["down", "another run"])
    def test_another_stop_than_the_one_that_people_saw_is_left_alone(self, seen: Snapshot) -> None:
        assert no(answer_to(seen, mask(), Moment.ACT)) == "stop_is_over"

    def test_what_nobody_may_mask_nobody_may_kill(self) -> None:
        seen = replace(STOPPING, names=frozenset({"cron.service", "sshd.service"}))
        assert no(answer_to(seen, mask())) == "critical_unit"


class TestTheWords:
    """`/mask web-01 cron --force`."""

    @staticmethod
    def read(text: str, verb: Verb = Verb.MASK) -> object:
        return parse(verb, text, ["web-01", "@web"], Now(NOW))

    def test_it_is_an_option_of_a_mask(self) -> None:
        order = self.read("web-01 cron --force it hangs")
        assert order == ChangeCommand(FORCE, "it hangs")
        assert str(FORCE) == "mask web-01 cron.service --force"

    @pytest.mark.parametrize(
        "beside", ["--runtime", "--keep-running", "--for 2h", "--at 22:00", "--hold sre --review 90d"]
    )
    def test_it_stands_alone(self, beside: str) -> None:
        with pytest.raises(UsageError, match="nothing else: leave out the other options"):
            self.read(f"web-01 cron --force {beside}")

    def test_it_is_for_one_host_and_for_no_unmask(self) -> None:
        with pytest.raises(UsageError, match="name one host and one unit"):
            self.read("@web cron --force")
        with pytest.raises(UsageError, match="belongs to `/mask`"):
            self.read("web-01 cron --force", Verb.UNMASK)


def test_a_mask_with_an_end_can_wait_for_its_stop_too() -> None:
    waits = mask()
    assert (waits.waits_for_its_stop, waits.can_be_called_off, waits.can_be_forced) == (True, True, True)
    ending = replace(
        waits, ask=replace(waits.ask, change=replace(waits.ask.change, duration=Duration(timedelta(hours=2))))
    )
    assert ending.can_be_forced
    forcing = replace(waits, ask=replace(waits.ask, change=FORCE))
    assert not forcing.waits_for_its_stop
