"""What somebody is woken up with, and what they are told once it is over."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.requests import Request


@dataclass(frozen=True, slots=True)
class Alert:
    """A page, or with the same key the word that it is over. All of it is plain text, some of it foreign."""

    key: str
    summary: str
    at: datetime
    source: str = "maskbot"  # what it is about: a host
    link: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    is_over: bool = False


def key_of(request: Request) -> str:
    """What a page and the word that it is over have in common: one page per request at a time."""
    return f"maskbot-{request.id}"
