"""For how long: a later end of a mask, none any more, or another look at a hold. Asked for like any change."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from bot.core.changes import Request, Term
from bot.core.people import PersonId, Place
from bot.errors import UsageError
from bot.workflow.parts import Parts
from bot.workflow.pressed import beside, how_it_stands, stored
from bot.workflow.prolonging import keeping, prolonging


class Lasting:
    """The part of the desk for it."""

    def __init__(self, parts: Parts, submit: Callable[..., Request]) -> None:
        self._parts = parts
        self._submit = submit

    def ending(self, request_id: str) -> Request:
        """A mask of ours that ends by itself. Raises `UsageError` if it does not, or is gone."""
        mask = stored(self._parts, request_id)
        if not mask.is_live_mask or mask.standing.ends_at is None:
            raise UsageError("There is no end to put off: " + how_it_stands(mask))
        return mask

    def kept(self, request_id: str) -> Request:
        """A mask of ours that may be kept: a hold, or one that ends by itself. Raises `UsageError`."""
        mask = stored(self._parts, request_id)
        if mask.hold and mask.ask.is_part:
            raise UsageError(f"It is held with all of @{mask.hold.hosts}: Keep is on the first card of that hold.")
        return mask if mask.hold else self.ending(request_id)

    def extend(  # noqa: PLR0913 - an extension is all of this
        self, request_id: str, term: Term, *, by: PersonId, name: str, place: Place, key: str, reason: str = ""
    ) -> Request:
        """Ask for a later end of a mask; a length counts from the end that it has, or from now if that has passed."""
        mask, now = self.ending(request_id), self._parts.clock.now()
        until = term.ends_at(max(mask.standing.ends_at or now, now)).replace(microsecond=0)
        ask = prolonging(mask, Term(until=until), by, name)
        asked = replace(ask, place=beside(self._parts, mask, place), reason=reason)
        return self._submit(asked, key=key)

    def keep(  # noqa: PLR0913 - the same
        self,
        request_id: str,
        reason: str,
        *,
        by: PersonId,
        name: str,
        place: Place,
        key: str,
        review: datetime | None = None,
    ) -> Request:
        """Ask that a mask does not end by itself any more, or that a hold goes on until its owners look at it again."""
        mask = self.kept(request_id)
        if mask.hold and review is None:
            raise UsageError("Say when its owners look at it again, like 90d.")
        ask = keeping(mask, review, by, name) if review else prolonging(mask, None, by, name)
        asked = replace(ask, place=beside(self._parts, mask, place), reason=reason)
        return self._submit(asked, key=key)
