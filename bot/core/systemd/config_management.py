"""Detect configuration management on a host, which may remove a mask because it does not know of it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from bot.core.systemd.units import ActiveState, LoadState

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
_RUNS = (ActiveState.ACTIVE, ActiveState.ACTIVATING, ActiveState.RELOADING)
_STARTS = ("enabled", "enabled-runtime")


class HasStates(Protocol):
    """A unit's states, as far as they are known."""

    @property
    def load(self) -> LoadState | None:
        """Whether systemd has its settings."""

    @property
    def active(self) -> ActiveState | None:
        """Whether it runs."""

    @property
    def file_state(self) -> str:
        """Whether it starts at boot."""


def agents(units: Mapping[str, HasStates]) -> tuple[str, ...]:
    """The agents among these units that run or would start at boot, by the names that people use."""
    return tuple(sorted({AGENTS[name] for name, unit in units.items() if name in AGENTS and _works(unit)}))


def _works(unit: HasStates) -> bool:
    return unit.load is LoadState.LOADED and (unit.active in _RUNS or unit.file_state in _STARTS)
