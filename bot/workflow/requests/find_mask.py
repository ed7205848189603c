"""Find our mask of a unit by any of its names: a masked unit has lost its aliases on the host, but the record has
them.
"""

from collections.abc import Sequence

from bot.core.requests import Change, Request
from bot.core.systemd.units import UnitName
from bot.ports import Query
from bot.workflow.process.deps import Deps

_MOST = 1000


def live_masks_in_manager(deps: Deps, change: Change) -> list[Request]:
    """Our live masks in the manager that a change is about, newest first."""
    live = deps.store.find(Query(host=change.host, live_masks=True, limit=_MOST))
    return [mask for mask in live if mask.ask.change.user == change.user]


def real_unit_name(live: Sequence[Request], change: Change) -> UnitName:
    """The real name of the unit: that of our live mask which covers this name; else the name itself."""
    if any(mask.target.unit == change.unit for mask in live):
        return change.unit
    return next((mask.target.unit for mask in live if str(change.unit) in names_of(mask)), change.unit)


def names_of(mask: Request) -> frozenset[str]:
    """Every known name that the mask covers."""
    seen = [look.names for look in (mask.target.planned, mask.target.before) if look]
    return frozenset({str(mask.ask.change.unit), str(mask.target.unit)}).union(*seen)
