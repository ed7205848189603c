"""Time-based one-time passwords (RFC 6238): SHA-1, six digits, steps of 30 seconds, as authenticator apps have them."""

import base64
import hmac
import struct
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import quote, urlencode

DIGITS, PERIOD, SECRET_BYTES = 6, 30, 20
STEPS_AROUND = 1  # a code of the step before or after counts too: clocks differ, and typing takes time
ISSUER = "maskbot"


def code_at(secret: bytes, step: int, *, digits: int = DIGITS) -> str:
    """The code of one step (RFC 4226, section 5.3)."""
    digest = hmac.digest(secret, struct.pack(">Q", step), "sha1")
    begin = digest[-1] & 15
    number = int.from_bytes(digest[begin : begin + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}d}"


def step_at(moment: datetime) -> int:
    """The number of the step that a moment belongs to."""
    return int(moment.timestamp()) // PERIOD


def matching_steps(secret: bytes, code: str, now: datetime) -> tuple[int, ...]:
    """The steps around now that have this code. Each is compared in constant time, and all are compared."""
    return tuple(step for step in _around(now) if hmac.compare_digest(code_at(secret, step), code))


def _around(now: datetime) -> Iterator[int]:
    yield from range(step_at(now) - STEPS_AROUND, step_at(now) + STEPS_AROUND + 1)


def typed_secret(secret: bytes) -> str:
    """The secret as people type it into an app, in groups of four."""
    text = _base32(secret)
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def address(secret: bytes, account: str) -> str:
    """The secret as an `otpauth:` address, which authenticator apps open or read as a QR code."""
    settings = {"secret": _base32(secret), "issuer": ISSUER, "algorithm": "SHA1", "digits": DIGITS, "period": PERIOD}
    return f"otpauth://totp/{ISSUER}:{quote(account, safe='')}?{urlencode(settings)}"


def _base32(secret: bytes) -> str:
    return base64.b32encode(secret).decode("ascii")  # 20 bytes need no padding
