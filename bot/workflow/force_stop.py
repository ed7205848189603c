"""Masks that wait for a slow stop: find them, withdraw them by an unmask, or force the stop."""

from collections.abc import Callable
from dataclasses import replace

from bot.core.cards.force_stop import not_masked_yet, nothing_waits
from bot.core.cards.request_status import how_it_stands
from bot.core.people.identity import Caller, PersonId
from bot.core.policy.rules.force_stop import STOP_IS_OVER
from bot.core.requests import Ask, Change, Request, Stage, Verb
from bot.core.steps.force_stop import OVER, WITHDRAWN
from bot.errors import UsageError
from bot.ports import Query
from bot.workflow.process.deps import Deps
from bot.workflow.requests.lookup import beside_first_card, stored_request
from bot.workflow.requests.results import Closing

_OPEN = frozenset({Stage.ASKED, Stage.WAITING, Stage.APPROVED})


class SlowStops:
    """The desk's part for slow stops."""

    def __init__(self, deps: Deps, submit: Callable[..., Request], withdraw: Callable[..., None]) -> None:
        self._deps = deps
        self._submit = submit
        self._withdraw = withdraw

    def force(self, request_id: str, caller: Caller) -> Request:
        """Ask for a forced end of the stop that a mask waits for. Raises `UsageError`."""
        mask = stored_request(self._deps, request_id)
        if not mask.can_be_forced:
            raise UsageError("There is no stop to force: " + how_it_stands(mask))
        who = beside_first_card(self._deps, mask, caller)
        ask = Ask(_forcing(mask), who.id, who.name, who.place, mask.ask.reason, forces=mask.id)
        return self._submit(ask, key=who.key)

    def withdraw_instead(self, change: Change, *, by: PersonId) -> Request | None:
        """Withdraw the waiting mask of the unit that an unmask is about; None if no mask waits.

        Raises `UsageError` for those who may not withdraw it.
        """
        mask = mask_that_waits(self._deps, change) if change.verb is Verb.UNMASK else None
        if mask is None or mask.target.called_off:
            return mask
        try:
            self._withdraw(mask.id, by=by)
        except UsageError as error:
            raise UsageError(not_masked_yet(mask, str(error))) from error
        return mask


def mask_that_waits(deps: Deps, change: Change) -> Request | None:
    """Our mask of this unit, under any of its names, if it waits for the unit's own stop."""
    running = deps.store.find(Query(host=change.host, stages=frozenset({Stage.RUNNING})))
    slow = (one for one in running if one.waits_for_its_stop and one.ask.change.user == change.user)
    return next((one for one in slow if str(change.unit) in _names(one)), None)


def bound_to_waiting_mask(deps: Deps, ask: Ask) -> Ask:
    """A request with `--force`, bound to the mask that waits. Raises `UsageError` if none does."""
    if not ask.change.force or ask.forces:
        return ask
    mask = mask_that_waits(deps, ask.change)
    if mask is None:
        raise UsageError(nothing_waits(ask.change))
    return replace(ask, change=_forcing(mask), forces=mask.id)


def wake_force_requests(deps: Deps, mask: Request) -> None:
    """After the mask went on or was withdrawn: make requests to force its stop due, so that they end."""
    there = deps.store.find(Query(host=mask.target.host, unit=mask.target.unit, stages=_OPEN))
    for force in (one for one in there if one.ask.forces == mask.id):
        deps.store.make_due(force.id)


def end_if_over(deps: Deps, request: Request) -> Request | Closing:
    """End a request to force a stop if that stop has ended by itself meanwhile."""
    mask = deps.store.get(request.ask.forces)
    if mask.can_be_forced:
        return request
    because = WITHDRAWN if mask.target.called_off else OVER
    return Closing(request, Stage.CANCELLED, because, STOP_IS_OVER)


def _forcing(mask: Request) -> Change:
    return Change(Verb.MASK, mask.target.host, mask.target.unit, user=mask.ask.change.user, force=True)


def _names(mask: Request) -> set[str]:
    seen = mask.target.planned
    return {str(mask.target.unit), str(mask.ask.change.unit), *(seen.names if seen else ())}
