"""The content of an alert that pages somebody, and of the message that resolves it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.requests import Request


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert, or with the same key its resolution. All of it is plain text, some of it foreign."""

    key: str
    summary: str
    at: datetime
    source: str = "maskbot"  # what it is about: a host
    link: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    is_over: bool = False


def key_of(request: Request) -> str:
    """The key that an alert and its resolution share: one alert per request at a time."""
    return f"maskbot-{request.id}"
