"""Alerts for pagers: their content, the format of each kind of receiver, and their signature."""

from bot.core.paging.address import is_loopback, why_not
from bot.core.paging.alert import Alert, key_of
from bot.core.paging.formats import FORMATS, Call, Format, render
from bot.core.paging.signing import SIGNATURE, TIMESTAMP, signature_headers

__all__ = [
    "FORMATS",
    "SIGNATURE",
    "TIMESTAMP",
    "Call",
    "Format",
    "Alert",
    "is_loopback",
    "key_of",
    "render",
    "signature_headers",
    "why_not",
]
