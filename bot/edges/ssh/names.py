"""Resolve the DNS name of a host within a time limit, and connect to the first of its addresses that answers."""

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from bot.core.hosts.address import is_ip_address

Found = list[tuple[Any, ...]]  # as getaddrinfo(3) returns it
Lookup = Callable[[str], Found]


class Unresolved(Exception):
    """A name has no address, or none in time."""


def look_up(name: str) -> Found:
    """Ask the system's resolver (hosts(5), DNS). It has no limit of its own that a program can set."""
    return list(socket.getaddrinfo(name, None, type=socket.SOCK_STREAM))


class _Question(threading.Thread):
    """One question to the resolver. It may outlast whoever waits for it; then the next one waits for the same."""

    def __init__(self, name: str, lookup: Lookup) -> None:
        super().__init__(name="ssh-name", daemon=True)
        self._name, self._lookup = name, lookup
        self.addresses: tuple[str, ...] = ()
        self.why = "no answer"

    def run(self) -> None:
        try:
            found = self._lookup(self._name)
            self.addresses = tuple(dict.fromkeys(str(one[4][0]) for one in found))
        except OSError as error:
            self.why = error.strerror or "no such name"
        except UnicodeError:
            self.why = "no such name"


class Names:
    """Resolves names, each with one question at a time. The pinned key is what is trusted, not the answer."""

    def __init__(self, lookup: Lookup = look_up) -> None:
        self._lookup = lookup
        self._lock = threading.Lock()
        self._open: dict[str, _Question] = {}

    def addresses(self, name: str, *, seconds: float) -> tuple[str, ...]:
        """The addresses of a name in the resolver's order; a literal address is its own. Raises `Unresolved`."""
        if is_ip_address(name):
            return (name,)
        with self._lock:
            question = self._open.get(name)
            if question is None or not question.is_alive():
                question = self._open[name] = _Question(name, self._lookup)
                question.start()
        question.join(seconds)
        if question.is_alive():
            raise Unresolved(f"no answer in {seconds:g} s")
        if not question.addresses:
            raise Unresolved(question.why)
        return question.addresses


def connect_to_any(addresses: tuple[str, ...], port: int, *, seconds: float) -> socket.socket:
    """Connect to the first address that accepts, within `seconds` for all. Raises the last one's `OSError`."""
    end = time.monotonic() + seconds
    failed: OSError = TimeoutError()
    for position, address in enumerate(addresses):
        share = (end - time.monotonic()) / (len(addresses) - position)
        if share <= 0:
            break
        try:
            return socket.create_connection((address, port), timeout=share)
        except OSError as error:
            failed = error
    raise failed
