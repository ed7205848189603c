"""`via:` in `hosts.yaml`: the other host of the inventory through which a host is reached."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from config.policy_types import near
from config.strict_yaml import Document

MOST_HOPS = 4  # each costs a login, with its time limits


class Entry(Protocol):
    """A host of the file."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def via(self) -> str | None:
        """The name of the host through which it is reached."""


def wrong_jumps(document: Document, entries: Sequence[Entry]) -> Iterator[str]:
    """Name hosts that do not exist, circles and chains that are too long."""
    known = {entry.name: entry for entry in entries}
    for position, entry in enumerate(entries):
        why = _why_wrong(entry, known)
        if why:
            yield document.complaint(("hosts", position, "via"), why)


def _why_wrong(entry: Entry, known: Mapping[str, Entry]) -> str:
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
