"""From any name of a unit to our mask of it: a masked unit has lost its names on the host, and the record has them."""

from collections.abc import Sequence

from bot.core.requests import Change, Request
from bot.core.systemd.units import UnitName
from bot.ports import Query
from bot.workflow.process.deps import Deps

_MOST = 1000


def live_masks(deps: Deps, change: Change) -> list[Request]:
    """Our live masks in the manager that a change is about, newest first."""
    live = deps.store.find(Query(host=change.host, live_masks=True, limit=_MOST))
    return [mask for mask in live if mask.ask.change.user == change.user]


def unit_behind(live: Sequence[Request], change: Change) -> UnitName:
    """The unit that a change is about: of the live masks there, the one that goes by this name; else the name."""
    if any(mask.target.unit == change.unit for mask in live):
        return change.unit
    return next((mask.target.unit for mask in live if str(change.unit) in names_of(mask)), change.unit)


def names_of(mask: Request) -> frozenset[str]:
    """Every name that the mask covers, as far as it was known before."""
    seen = [look.names for look in (mask.target.planned, mask.target.before) if look]
    return frozenset({str(mask.ask.change.unit), str(mask.target.unit)}).union(*seen)
