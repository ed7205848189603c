"""`via:` in `hosts.yaml`: the other host of the inventory through which a host is reached."""

from collections.abc import Sequence
from typing import Protocol

from config.policy_types import near

MOST_HOPS = 4  # each costs a login, with its time limits


class Entry(Protocol):
    """A host of the file."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def via(self) -> str | None:
        """The name of the host through which it is reached."""


def wrong_jump(entry: Entry, entries: Sequence[Entry]) -> str:
    """Why the way to a host leads nowhere, in a circle or too far; empty if it does not."""
    known = {one.name: one for one in entries}
    passed, via = [entry.name], entry.via
    while via is not None:
        if via not in known:
            return f"no host has the name `{via}`.{near(via, known)}" if len(passed) == 1 else ""
        passed.append(via)
        if via in passed[:-1]:
            return f"leads in a circle: {', '.join(passed)}"
        if len(passed) > MOST_HOPS + 1:
            return f"leads through more than {MOST_HOPS} hosts"
        via = known[via].via
    return ""
