"""Send alerts to a pager: one signed POST each, within a deadline, over https or to this machine itself."""

import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from bot.core.paging import Alert, Call, Format, render, signature_headers, why_not
from bot.edges.http.post import Poster, ReceiverUnreachable
from bot.errors import ConfigError, PagerError


@dataclass(frozen=True, slots=True)
class Receiver:
    """The receiver of alerts: its URL, its format and its secret, which is not shown."""

    url: str
    form: Format
    key: str = ""  # a routing key or an API key
    secret: str = ""  # of the signature

    def __repr__(self) -> str:
        return f"Receiver({urlsplit(self.url).hostname}, {self.form})"


class Webhook:
    """Implements `ports.Pager`. One call at a time, so that a receiver that hangs blocks one thread and no more."""

    def __init__(
        self,
        receiver: Receiver,
        *,
        now: Callable[[], datetime],
        deadline: float = 10.0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        if wrong := why_not(receiver.url):
            raise ConfigError(f"The pager's address {wrong}.")
        self._receiver = receiver
        self._now = now
        self._poster = Poster(deadline=deadline, context=context)
        self._busy = threading.Lock()

    def page(self, page: Alert) -> None:
        """Send an alert. Raises `PagerError`."""
        now, to = self._now(), self._receiver
        call = render(page, to.form, url=to.url, key=to.key, now=now)
        headers = dict(call.headers)
        if to.secret:
            headers |= signature_headers(call.body, to.secret, now)
        if not self._busy.acquire(blocking=False):
            raise PagerError("Another alert is being sent.", code="busy", retry_after=1.0)
        try:
            self._post(call, headers)
        finally:
            self._busy.release()

    def _post(self, call: Call, headers: Mapping[str, str]) -> None:
        try:
            answer = self._poster.post(call.url, call.body, headers)
        except ReceiverUnreachable as error:
            raise PagerError(f"The pager could not be reached ({error}).", code="unreachable") from error
        if not answer.is_accepted:
            raise PagerError(
                f"The pager answered {answer.status}.", code=f"http_{answer.status}", retry_after=answer.retry_after
            )
