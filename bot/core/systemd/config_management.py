"""Detect configuration management on a host, which may remove a mask because it does not know of it."""

from collections.abc import Mapping
from types import MappingProxyType

from bot.core.systemd.output import Record, require

# The units of their own packages. A cron job cannot be told from other cron jobs.
AGENTS: Mapping[str, str] = MappingProxyType(
    {
        "puppet.service": "puppet",
        "pe-puppet.service": "puppet",
        "chef-client.service": "chef",
        "chef-client.timer": "chef",
        "cinc-client.service": "cinc",
        "cinc-client.timer": "cinc",
        "salt-minion.service": "salt",
        "ansible-pull.service": "ansible-pull",
        "ansible-pull.timer": "ansible-pull",
        "cfengine3.service": "cfengine",
        "cf-execd.service": "cfengine",
    }
)
_RUNS = ("active", "activating", "reloading")
_STARTS = ("enabled", "enabled-runtime")


def agents(units: Mapping[str, Record]) -> tuple[str, ...]:
    """The agents among these units that run or would start at boot, by the names that people use."""
    return tuple(sorted({AGENTS[name] for name, unit in units.items() if name in AGENTS and _works(unit)}))


def _works(unit: Record) -> bool:
    if require(unit, "LoadState") != "loaded":
        return False
    return require(unit, "ActiveState") in _RUNS or unit.get("UnitFileState") in _STARTS
