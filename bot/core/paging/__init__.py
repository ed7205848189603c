"""Pages: what a pager is told, in the words of each kind of receiver, and signed."""

from bot.core.paging.address import is_loopback, why_not
from bot.core.paging.alert import Alert, details, key_of, over, summary
from bot.core.paging.formats import FORMATS, Call, Format, render
from bot.core.paging.signing import SIGNATURE, TIMESTAMP, signed

__all__ = [
    "FORMATS",
    "SIGNATURE",
    "TIMESTAMP",
    "Call",
    "Format",
    "Alert",
    "details",
    "is_loopback",
    "key_of",
    "over",
    "render",
    "signed",
    "summary",
    "why_not",
]
