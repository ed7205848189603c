"""Short-lived permissions that Slack issues: trigger ids (3 s, once) and response_urls (30 min, five times)."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

TRIGGER_SECONDS = 3.0
RESPONSE_SECONDS = 30 * 60.0
RESPONSE_USES = 5


@dataclass(slots=True)
class _Pass:
    user: str
    until: float
    uses: int


@dataclass(slots=True)
class Passes:
    """Issued when an envelope is sent to the bot."""

    clock: Callable[[], float] = time.monotonic
    triggers: dict[str, _Pass] = field(default_factory=dict)
    responses: dict[str, _Pass] = field(default_factory=dict)  # by the last part of the address

    def issue(self, payload: dict[str, object], user: str) -> None:
        """Record what the bot may do after this payload."""
        now = self.clock()
        if trigger := payload.get("trigger_id"):
            self.triggers[str(trigger)] = _Pass(user, now + TRIGGER_SECONDS, 1)
        if address := payload.get("response_url"):
            self.responses[str(address).rpartition("/")[2]] = _Pass(user, now + RESPONSE_SECONDS, RESPONSE_USES)

    def use_trigger(self, trigger: str) -> tuple[str, str]:
        """The user for whom a form may be opened, or else the error of views.open."""
        return self._use(self.triggers.get(trigger), "invalid_trigger_id", "exchanged_trigger_id", "expired_trigger_id")

    def use_response(self, address: str) -> tuple[str, str]:
        """The user who caused it, or else the answer of an expired response_url."""
        return self._use(self.responses.get(address), "invalid_url", "used_url", "expired_url")

    def _use(self, issued: _Pass | None, unknown: str, used: str, expired: str) -> tuple[str, str]:
        if issued is None:
            return "", unknown
        if issued.uses == 0:
            return "", used
        if self.clock() > issued.until:
            return "", expired
        issued.uses -= 1
        return issued.user, ""
