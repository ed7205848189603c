"""Sign payloads for HTTP delivery with the app's secret, as Slack does."""

import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from urllib.parse import urlencode

from tests.lab.slack.workspace import Json

FORM, JSON = "application/x-www-form-urlencoded", "application/json"


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """One POST."""

    headers: dict[str, str]
    body: bytes


def sign(payload: Json, secret: str, *, at: float | None = None, retry: int = 0) -> SignedRequest:
    """A command as fields, a click or a form as JSON in a field, an event as JSON (Slack, "Verifying requests")."""
    kind, text = _encode(payload)
    stamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), f"v0:{stamp}:{text}".encode(), hashlib.sha256).hexdigest()
    headers = {"Content-Type": kind, "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}
    if retry:
        headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": "http_timeout"}
    return SignedRequest(headers, text.encode())


def _encode(payload: Json) -> tuple[str, str]:
    if "command" in payload:
        return FORM, urlencode(payload)
    if payload.get("type") in {"event_callback", "url_verification"}:
        return JSON, json.dumps(payload)
    return FORM, urlencode({"payload": json.dumps(payload)})
