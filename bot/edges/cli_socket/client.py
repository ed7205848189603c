"""Client of the command line's socket; small, so that asking a running bot is quick."""

import json
import os
import pwd
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from bot.errors import MaskbotError

Words = Mapping[str, Any]
_GONE = "The bot stopped while you waited. Recorded requests continue when it runs again."


class NobodyThere(MaskbotError):
    """No bot answers on the socket."""


def call(path: Path, words: Words) -> Iterator[Words]:
    """Ask the running bot and pass its answers on. Raises `NobodyThere` if none is running."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
        except PermissionError:
            who = login_of(os.geteuid())
            mend = "Run this as the bot's own user, or as root; MASKBOT_SOCKET may name a place that others reach"
            raise NobodyThere(f"{who} may not reach the bot at {path}. {mend}.") from None
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            raise NobodyThere(f"No bot answers at {path} ({why}). Start it with `maskbot run`.") from None
        with suppress(ConnectionError):  # a call that is refused is ended before the command is read
            connection.sendall(json.dumps(words).encode() + b"\n")
        with suppress(ConnectionError), connection.makefile("rb") as lines:
            for line in lines:
                yield json.loads(line)
    yield {"event": "end", "text": _GONE, "exit": 1}  # the reader may stop listening after the last line


def login_of(uid: int) -> str:
    """The login name of an operating-system user; one without a name is mapped to nobody."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"
