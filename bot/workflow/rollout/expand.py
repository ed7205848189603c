"""Expand what a rollout is asked for into its targets."""

from bot.core.hosts.inventory import is_group
from bot.core.requests import Selection
from bot.core.systemd.units import UnitName
from bot.errors import UsageError
from bot.workflow.process.deps import Deps


def expand(deps: Deps, selection: Selection) -> tuple[tuple[str, UnitName], ...]:
    """Host and unit of every target, in order."""
    hosts = dict[str, None]()
    for name in selection.hosts:
        group = name.removeprefix("@")
        found = [one.name for one in deps.in_force.inventory.hosts if group in one.groups] if is_group(name) else [name]
        hosts |= dict.fromkeys(found)
    if not hosts:
        raise UsageError("It names no host.")
    return tuple((host, unit) for host in hosts for unit in selection.units)
