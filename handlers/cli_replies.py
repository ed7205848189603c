"""The messages to the command line: a request's state, a sign of life while it waits, and the end with the exit
code.
"""

from collections.abc import Mapping
from typing import Any

from bot.core.requests import Request
from handlers import json_view

Words = Mapping[str, Any]
DONE, FAILED, MISUSE = 0, 1, 2
BEAT: Words = {"event": "beat"}  # a write shows whether the caller is still there
UNKNOWN = "The running bot does not know this command. It may be another version."


def request_message(request: Request) -> Words:
    """The state of a request."""
    return {"event": "request", "request": json_view.request(request)}


def usage_error(error: Exception) -> Words:
    """A usage error, with the commands as they are typed in a terminal."""
    return end_message(str(error).replace("`/mask ", "`maskbot mask ").replace("`/unmask ", "`maskbot unmask "), MISUSE)


def end_message(text: str, code: int) -> Words:
    """The last message."""
    return {"event": "end", "text": text, "exit": code}
