"""The desk's part for rollouts: what people do to them by their buttons."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from bot.core.cards import ownership
from bot.core.cards.request_status import how_it_stands
from bot.core.cards.rollout import reasons
from bot.core.people.identity import Caller
from bot.core.requests import Ask, FollowupCommand, FollowupKind, Request, Rollout, Selection, Stage, TargetStatus
from bot.core.requests.deadlines import repeat_change
from bot.core.rollout.joining import is_missing_somewhere, is_over_and_held
from bot.core.rollout.next_wave import failed_with_its_set
from bot.errors import UsageError
from bot.workflow.followups.record import Followups
from bot.workflow.process.deps import Deps
from bot.workflow.requests.lookup import beside_first_card, stored_request

_AFTER_THE_OTHER = timedelta(seconds=10)  # what is asked for instead of another is judged once that is withdrawn


class Rollouts:
    """Pause, go on, stop here, retry what failed, and mask what triggers a unit with it."""

    def __init__(
        self,
        deps: Deps,
        followups: Followups,
        submit: Callable[..., Request],
        mask_again: Callable[[str, Caller], Request],
        withdraw: Callable[..., None],
    ) -> None:
        self._deps = deps
        self._followups = followups
        self._submit = submit
        self._mask_again = mask_again
        self._withdraw = withdraw

    def go_on(self, request_id: str, caller: Caller) -> None:
        """Go on at once: after a pause, in spite of the failures until now, and where a hold is missing."""
        self._followups.add(request_id, FollowupCommand(FollowupKind.GO_ON), caller)

    def pause(self, request_id: str, caller: Caller) -> None:
        """Begin nothing more until somebody lets it go on."""
        self._followups.add(request_id, FollowupCommand(FollowupKind.PAUSE), caller)

    def stop_here(self, request_id: str, caller: Caller) -> None:
        """Begin nothing more at all; what is done stays as it is."""
        self._followups.add(request_id, FollowupCommand(FollowupKind.STOP_HERE), caller)

    def retry_failed(self, request_id: str, caller: Caller) -> Request:
        """Ask once more for the targets that failed; under the same approval, while it is good and the plans hold."""
        first = stored_request(self._deps, request_id)
        if is_over_and_held(first):
            return self._hold_again(first, caller)
        failed = (first.rollout or Rollout()).with_status(TargetStatus.FAILED)
        if not first.stage.is_final or not failed:
            raise UsageError(reasons.NOTHING_FAILED)
        again = failed_with_its_set(first.rollout or Rollout())
        hosts, units = dict.fromkeys(one.host for one in again), dict.fromkeys(one.unit for one in again)
        chosen = Selection(tuple(hosts), tuple(units), waves=first.ask.selection.waves if first.ask.selection else ())
        who = beside_first_card(self._deps, first, caller)
        change = repeat_change(first, self._deps.clock.now())
        ask = Ask(change, who.id, who.name, who.place, first.ask.reason, repeats=first.id, selection=chosen)
        return self._submit(ask, key=caller.key)

    def _hold_again(self, first: Request, caller: Caller) -> Request:
        """A hold tries at once where it is not in force; where its mask was taken off, people are asked for it."""
        rollout = first.rollout or Rollout()
        lost = rollout.with_status(TargetStatus.LOST)
        for one in lost:
            self._mask_again(one.request_id, replace(caller, key=f"{caller.key}:{one.request_id}"))
        if is_missing_somewhere(rollout) or not lost:
            self.go_on(first.id, caller)
        return first

    def mask_the_set(self, request_id: str, caller: Caller) -> Request:
        """Ask for the same mask together with what triggers its unit.

        A mask that waits for approval is replaced, by its owner alone: two requests for one unit would refuse each
        other. It is withdrawn only once the set is recorded, so that nothing is lost in between.
        """
        one = stored_request(self._deps, request_id)
        waits = one.stage is Stage.WAITING
        if waits and caller.id.key != one.owner.key:
            raise UsageError(ownership.only_the_owner(one, "ask for the set instead"))
        if not (waits or one.stage.is_final):
            raise UsageError("Too late to ask for the set instead: " + how_it_stands(one))
        who, change = beside_first_card(self._deps, one, caller), repeat_change(one, self._deps.clock.now())
        chosen = Selection((change.host,), (change.unit,), with_triggers=True)
        ask = Ask(change, who.id, who.name, who.place, one.ask.reason, selection=chosen)
        asked = self._submit(ask, key=caller.key, due_in=_AFTER_THE_OTHER * waits)
        if waits:
            self._withdraw(one.id, by=caller.id, because=ownership.set_instead(one))
            self._deps.store.make_due(asked.id)
        return asked
