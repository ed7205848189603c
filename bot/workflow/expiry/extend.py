"""Extend or keep a mask: requested and approved like a mask, and then only recorded.

Nothing is done on the host, so it is not checked: the policy judges the unit as it was when the mask was approved. So a
mask can be extended while its host is unreachable, and the unit does not start by surprise when the host is back.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from bot.core.cards.request_status import how_it_stands
from bot.core.cards.titles import subject
from bot.core.people.identity import Caller
from bot.core.requests import Ask, Duration, Request
from bot.errors import UsageError
from bot.workflow.process.deps import Deps
from bot.workflow.requests.lookup import beside_first_card, stored_request


def extension_of(mask: Request, duration: Duration | None, who: Caller, reason: str) -> Ask:
    """The request for the same mask with another expiry, or with none."""
    change = replace(mask.ask.change, unit=mask.target.unit, duration=duration, scheduled_window=None)
    ask = Ask(change, who.id, who.name, who.place, reason, extends=mask.id, instead_of=mask.aftercare.expires_at)
    return replace(ask, selection=mask.ask.selection)


def keep_request(mask: Request, review: datetime, who: Caller, reason: str) -> Ask:
    """The request for the same hold with another review date."""
    hold = replace(mask.hold, review=review) if mask.hold else None
    change = replace(mask.ask.change, unit=mask.target.unit, scheduled_window=None, hold=hold)
    instead_of = mask.hold.review if mask.hold else None
    ask = Ask(change, who.id, who.name, who.place, reason, extends=mask.id, instead_of=instead_of)
    return replace(ask, selection=mask.ask.selection)


class Extensions:
    """The desk's part for extending and keeping masks."""

    def __init__(self, deps: Deps, submit: Callable[..., Request]) -> None:
        self._deps = deps
        self._submit = submit

    def mask_to_extend(self, request_id: str) -> Request:
        """A mask of ours that expires. Raises `UsageError` if it does not, or is gone."""
        mask = stored_request(self._deps, request_id)
        if mask.ask.rollout and mask.is_live_mask:
            raise UsageError("It ends with its whole rollout: use Extend or Keep on the card of that.")
        if not mask.is_live_mask or mask.aftercare.expires_at is None:
            raise UsageError("There is no expiry to extend: " + how_it_stands(mask))
        return mask

    def mask_to_keep(self, request_id: str) -> Request:
        """A mask of ours that can be kept: a hold, or one that expires. Raises `UsageError`."""
        mask = stored_request(self._deps, request_id)
        if mask.hold and mask.ask.rollout:
            whole = stored_request(self._deps, mask.ask.rollout)
            raise UsageError(f"This mask is held with {subject(whole)}: use Keep on the card of that hold.")
        return mask if mask.hold else self.mask_to_extend(request_id)

    def extend(self, request_id: str, duration: Duration, caller: Caller, *, reason: str = "") -> Request:
        """Ask for a later expiry; a length counts from the present expiry, or from now if that has passed."""
        mask, now = self.mask_to_extend(request_id), self._deps.clock.now()
        until = duration.expires_at(max(mask.aftercare.expires_at or now, now)).replace(microsecond=0)
        ask = extension_of(mask, Duration(until=until), beside_first_card(self._deps, mask, caller), reason)
        return self._submit(ask, key=caller.key)

    def keep(self, request_id: str, reason: str, caller: Caller, *, review: datetime | None = None) -> Request:
        """Ask that a mask gets no expiry any more, or that a hold goes on until its next review."""
        mask = self.mask_to_keep(request_id)
        if mask.hold and review is None:
            raise UsageError("Say when its owners review it, like 90d.")
        who = beside_first_card(self._deps, mask, caller)
        ask = keep_request(mask, review, who, reason) if review else extension_of(mask, None, who, reason)
        return self._submit(ask, key=caller.key)
