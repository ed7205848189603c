"""Why more approvals are needed than the rule says: the freeze, maintenance window or limit, and until when."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from bot.core.cards.blocks import Markup, day, row, words
from bot.core.requests import ExtraApprovalReason

_LABELS = {"freeze": "Change freeze", "outside_window": "Outside", "blast_radius": "Limit"}
_UNTIL = {"outside_window": "{}; it opens {}"}


def rows(raised: Iterable[ExtraApprovalReason]) -> Iterator[Markup]:
    """One row for each reason."""
    for one in raised:
        yield row(_LABELS.get(one.code, "Also"), _why(one, one.until))


def _why(one: ExtraApprovalReason, until: datetime | None) -> Markup:
    why = one.why.removeprefix("change freeze ").removeprefix("outside ")  # the label says so already
    if until is None:
        return words("{}", why)
    return words(_UNTIL.get(one.code, "{}, until {}"), why, day(until))
