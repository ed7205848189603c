"""What the command line is told: a request, a beat while it waits, and a last word with the exit code."""

from collections.abc import Mapping
from typing import Any

from bot.core.requests import Request
from handlers import json_view

Words = Mapping[str, Any]
DONE, FAILED, MISUSE = 0, 1, 2
BEAT: Words = {"event": "beat"}  # a caller who has gone is noticed by telling them something


def said(request: Request) -> Words:
    """A request as it stands."""
    return {"event": "request", "request": json_view.request(request)}


def misuse(error: Exception) -> Words:
    """What is wrong with the words by themselves, as somebody at a terminal would type them."""
    return end(str(error).replace("`/mask ", "`maskbot mask ").replace("`/unmask ", "`maskbot unmask "), MISUSE)


def end(text: str, code: int) -> Words:
    """The last word."""
    return {"event": "end", "text": text, "exit": code}
