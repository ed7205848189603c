"""Which channels are shared with another organisation, as Slack said within the last minute."""

import threading
from datetime import datetime, timedelta

FRESH = timedelta(minutes=1)  # how long an answer of Slack counts; its events correct it at once


class ChannelStates:
    """Kept in memory: Slack is asked again after a restart."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shared: dict[str, tuple[bool, datetime]] = {}

    def note(self, channel: str, *, is_shared: bool, now: datetime) -> None:
        """Slack has said this, in an event or in the answer to a question of that time.

        The answer may be older than an event that came meanwhile.
        """
        with self._lock:
            if is_shared or self._shared.get(channel, (None, now))[1] <= now + FRESH:
                self._shared[channel] = (is_shared, now + FRESH)

    def forget(self, channel: str) -> None:
        """What Slack said of the channel counts no more."""
        with self._lock:
            self._shared.pop(channel, None)

    def is_shared(self, channel: str, now: datetime) -> bool | None:
        """Whether the channel is shared; None if Slack has to be asked."""
        with self._lock:
            found, until = self._shared.get(channel, (None, now))
        return found if until > now else None
