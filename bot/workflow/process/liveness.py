"""Liveness of this process: beats of its threads, the state of its Slack token, and render failures."""

import threading
from collections import Counter
from collections.abc import Mapping
from time import monotonic

# Slack's error codes for a token that is of no use any more (Slack, "Web API", errors).
TOKEN_REFUSED = frozenset({"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"})


class Liveness:
    """Kept in memory: it is about this process alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._beats: dict[str, float] = {}
        self._refused = ""
        self._render_failures: Counter[str] = Counter()
        self.token_is_refused = threading.Event()

    def beat(self, name: str) -> None:
        """A thread that should come round regularly has done so."""
        with self._lock:
            self._beats[name] = monotonic()

    def thread_ended(self) -> None:
        """The thread has ended, so no beat is expected any more."""
        with self._lock:
            self._beats.clear()

    @property
    def ages(self) -> dict[str, float]:
        """Seconds since the last beat of each thread."""
        now = monotonic()
        with self._lock:
            return {name: now - at for name, at in self._beats.items()}

    def count_render_failure(self, kind: str) -> None:
        """A message of this kind could not be rendered, and a plainer version took its place."""
        with self._lock:
            self._render_failures[kind] += 1

    @property
    def render_failures(self) -> Mapping[str, int]:
        """The number of render failures of each kind."""
        with self._lock:
            return dict(self._render_failures)

    @property
    def token_error(self) -> str:
        """Slack's error code for the bot's token; empty while Slack accepts it."""
        return self._refused

    def token_refused(self, code: str) -> None:
        """Slack refuses the token."""
        self._refused = code
        self.token_is_refused.set()

    def token_accepted(self) -> None:
        """Slack accepts the token, or a new one."""
        self._refused = ""
        self.token_is_refused.clear()
