"""What this process knows of its own state: signs of life of its threads, its token, messages it could not draw."""

import threading
from collections import Counter
from collections.abc import Mapping
from time import monotonic

# Slack's words for a token that is of no use any more, whatever is asked with it (Slack, "Web API", errors).
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
        """A thread that should come round again and again has done so."""
        with self._lock:
            self._beats[name] = monotonic()

    def ended(self) -> None:
        """No thread is expected to come round any more."""
        with self._lock:
            self._beats.clear()

    @property
    def ages(self) -> dict[str, float]:
        """How many seconds ago each was heard of."""
        now = monotonic()
        with self._lock:
            return {name: now - at for name, at in self._beats.items()}

    def not_drawn(self, kind: str) -> None:
        """A message of this kind could not be drawn, and something plainer took its place."""
        with self._lock:
            self._render_failures[kind] += 1

    @property
    def render_failures(self) -> Mapping[str, int]:
        """How many of each kind could not be drawn."""
        with self._lock:
            return dict(self._render_failures)

    @property
    def refused(self) -> str:
        """Slack's word for why it does not take the bot's token; empty while it does."""
        return self._refused

    def token_refused(self, code: str) -> None:
        """Slack does not take the token."""
        self._refused = code
        self.token_is_refused.set()

    def token_taken(self) -> None:
        """Slack takes the token, or a new one."""
        self._refused = ""
        self.token_is_refused.clear()
