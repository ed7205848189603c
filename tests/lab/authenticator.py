"""An authenticator app on somebody's phone: it knows what was typed into it, and the time."""

import base64
from datetime import datetime, timedelta

from bot.core.step_up import totp


class PhoneApp:
    """Shows codes of the secret that its owner typed in."""

    def __init__(self, typed: str) -> None:
        self._secret = base64.b32decode(typed.replace(" ", ""))
        self._newest = 0  # step whose code was used

    def code(self, now: datetime, *, ahead: int = 0) -> str:
        """The code at that moment, or of so many steps later."""
        return totp.code_at(self._secret, totp.step_at(now) + ahead)

    def fresh_code(self, now: datetime) -> str:
        """One that was not used yet. It counts for half a minute at least, where the clock goes on meanwhile."""
        self._newest = max(totp.step_at(now), self._newest + 1)
        return totp.code_at(self._secret, self._newest)

    def wrong_code(self, now: datetime) -> str:
        """A code that the app shows at no moment around now."""
        right = {self.code(now + timedelta(minutes=1), ahead=ahead) for ahead in range(-8, 8)}
        return next(str(number) for number in range(736251, 736271) if str(number) not in right)
