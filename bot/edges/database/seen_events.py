"""What a process has seen of the events about each request: whoever hides one cannot make it forget that."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.errors import NotSealed


@dataclass(frozen=True, slots=True)
class Seen:
    """The verified events about one request: the first, the newest, and how many there are."""

    first: int
    newest: int
    count: int = 1

    def require_in(self, found: Sequence[Mapping[str, Any]], request_id: str, *, are_all: bool) -> None:
        """Raise `NotSealed` if one of them is missing among those found, which are all or the newest ones."""
        if self.newest > max((record["seq"] for record in found), default=0):
            raise NotSealed(f"Event {self.newest} about request {request_id} is hidden.")
        if are_all and self.count > sum(record["seq"] >= self.first for record in found):
            raise NotSealed(f"An event about request {request_id} is hidden.")


class SeenEvents:
    """By request. Several threads may note the same events; each goes through all of them in their order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._about: dict[str, Seen] = {}

    def about(self, request_id: str) -> Seen | None:
        """Those about a request, if there are any."""
        return self._about.get(request_id)

    def note(self, request_id: str, seq: int) -> None:
        """Note an event, once."""
        with self._lock:
            seen = self._about.get(request_id)
            if seen is None:
                self._about[request_id] = Seen(seq, seq)
            elif seq > seen.newest:
                self._about[request_id] = replace(seen, newest=seq, count=seen.count + 1)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._about.clear()
