"""Extend or keep a mask, or change its kind: requested and approved like a mask, and then only recorded.

Nothing is done on the host, so it is not checked: the policy judges the unit as it was when the mask was approved. So a
mask can be extended while its host is unreachable, and the unit does not start by surprise when the host is back.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from bot.core.cards.request_status import how_it_stands
from bot.core.cards.titles import subject
from bot.core.people.identity import Caller
from bot.core.requests import Ask, Duration, Hold, NewKind, Request
from bot.errors import UsageError
from bot.workflow.process.deps import Deps
from bot.workflow.requests.lookup import beside_first_card, stored_request


def extension_of(mask: Request, duration: Duration | None, who: Caller, reason: str) -> Ask:
    """The request for the same mask with another expiry, or with none."""
    change = replace(mask.ask.change, unit=mask.target.unit, duration=duration, scheduled_window=None, adopt=False)
    ask = Ask(change, who.id, who.name, who.place, reason, extends=mask.id, instead_of=mask.aftercare.expires_at)
    is_first = duration is not None and ask.instead_of is None
    return replace(ask, selection=mask.ask.selection, new_kind=NewKind.ENDING if is_first else None)


def look_again_request(mask: Request, on: datetime, who: Caller, reason: str) -> Ask:
    """The request that a mask without expiry stays so, with its owner's next reminder on that day."""
    return replace(extension_of(mask, None, who, reason), new_kind=NewKind.LOOKED_AT, remind_at=on)


def hold_request(mask: Request, hold: Hold, who: Caller, reason: str) -> Ask:
    """The request that a mask becomes a hold."""
    ask = extension_of(mask, None, who, reason)
    return replace(ask, change=replace(ask.change, hold=hold), new_kind=NewKind.HELD)


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
        """A mask of ours that is no hold, whether it expires or not. Raises `UsageError` if there is none."""
        mask = stored_request(self._deps, request_id)
        if mask.ask.rollout and mask.is_live_mask:
            raise UsageError("It ends with its whole rollout: use Extend or Keep on the card of that.")
        if not mask.is_live_mask:
            raise UsageError("There is no mask to extend or to keep: " + how_it_stands(mask))
        if mask.hold:
            raise UsageError("It is a hold, which never expires: its owners keep it or lift it.")
        return mask

    def mask_to_hold(self, request_id: str) -> Request:
        """A mask of ours that can become a hold, where the policy names owners. Raises `UsageError`."""
        mask = self.mask_to_extend(request_id)
        if not mask.can_be_held:
            why = "Only a mask of our own that outlives reboots can become a hold, and none of a user's manager"
            raise UsageError(f"{why}: {how_it_stands(mask)}")
        if not self._deps.in_force.policy.holds.owners:
            raise UsageError("Nobody may own holds here: `holds` in policy.yaml names no owners.")
        return mask

    def mask_to_keep(self, request_id: str) -> Request:
        """A mask of ours that can be kept, of whatever kind. Raises `UsageError`."""
        mask = stored_request(self._deps, request_id)
        if mask.hold and mask.ask.rollout:
            whole = stored_request(self._deps, mask.ask.rollout)
            raise UsageError(f"This mask is held with {subject(whole)}: use Keep on the card of that hold.")
        return mask if mask.hold else self.mask_to_extend(request_id)

    def extend(self, request_id: str, duration: Duration, caller: Caller, *, reason: str = "") -> Request:
        """Ask for another expiry; a length counts from the present one, or from now if there is none ahead."""
        mask, now = self.mask_to_extend(request_id), self._deps.clock.now()
        until = duration.expires_at(max(mask.aftercare.expires_at or now, now)).replace(microsecond=0)
        ask = extension_of(mask, Duration(until=until), beside_first_card(self._deps, mask, caller), reason)
        return self._submit(ask, key=caller.key)

    def keep(self, request_id: str, reason: str, caller: Caller, *, review: datetime | None = None) -> Request:
        """Ask that a mask gets no expiry any more; that a hold goes on until its next review; or that one stays."""
        mask = self.mask_to_keep(request_id)
        who = beside_first_card(self._deps, mask, caller)
        if mask.aftercare.expires_at:
            return self._submit(extension_of(mask, None, who, reason), key=caller.key)
        if review is None:
            when = "its owners review it" if mask.hold else "to remind you of it again"
            raise UsageError(f"Say when {when}, like 90d.")
        ask = (keep_request if mask.hold else look_again_request)(mask, review, who, reason)
        return self._submit(ask, key=caller.key)

    def hold(self, request_id: str, hold: Hold, reason: str, caller: Caller) -> Request:
        """Ask that a mask becomes a hold."""
        mask = self.mask_to_hold(request_id)
        ask = hold_request(mask, hold, beside_first_card(self._deps, mask, caller), reason)
        return self._submit(ask, key=caller.key)
