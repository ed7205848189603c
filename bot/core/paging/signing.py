"""Sign alerts, so that a receiver can verify their sender and time."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

TIMESTAMP, SIGNATURE = "X-Maskbot-Timestamp", "X-Maskbot-Signature"


def signature_headers(body: bytes, secret: str, now: datetime) -> Mapping[str, str]:
    """The headers: Unix time, and HMAC-SHA256 over `v1:`, that time, `:` and the body, as `v1=` in hexadecimal."""
    sent = str(int(now.timestamp()))
    digest = hmac.new(secret.encode(), b"v1:" + sent.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {TIMESTAMP: sent, SIGNATURE: f"v1={digest}"}
