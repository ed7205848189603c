"""What systemd is told, where it started the bot and wants to know (sd_notify(3)): datagrams to a socket of its own.

With `Type=notify` it waits for READY; with `WatchdogSec` it ends a bot that has not said for so long that it lives.
"""

import os
import socket
from contextlib import suppress


class Notify:
    """Says it where somebody listens, else nothing. The socket's name is taken away from what the bot starts."""

    def __init__(self) -> None:
        self._address = os.environ.pop("NOTIFY_SOCKET", "")
        if self._address.startswith("@"):
            self._address = "\0" + self._address[1:]

    def ready(self) -> None:
        """It is up."""
        self._say("READY=1")

    def alive(self) -> None:
        """It is of use still."""
        self._say("WATCHDOG=1")

    def stopping(self) -> None:
        """It finishes what is in hand."""
        self._say("STOPPING=1")

    def _say(self, word: str) -> None:
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as telling:
            telling.settimeout(0)
            telling.sendto(word.encode(), self._address)
