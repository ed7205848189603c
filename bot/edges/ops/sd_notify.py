"""Notify systemd of readiness and liveness, if it started the bot (sd_notify(3)): datagrams to its socket.

With `Type=notify` systemd waits for READY; with `WatchdogSec` it ends a bot that has not reported in time.
"""

import os
import socket
from contextlib import suppress


class SdNotify:
    """Sends notifications if there is a socket. The variable is removed from the environment of child processes."""

    def __init__(self) -> None:
        self._address = os.environ.pop("NOTIFY_SOCKET", "")
        if self._address.startswith("@"):
            self._address = "\0" + self._address[1:]

    def ready(self) -> None:
        """The bot is ready."""
        self._say("READY=1")

    def alive(self) -> None:
        """The bot is alive."""
        self._say("WATCHDOG=1")

    def stopping(self) -> None:
        """The bot stops, and finishes running work."""
        self._say("STOPPING=1")

    def _say(self, word: str) -> None:
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as telling:
            telling.settimeout(0)
            telling.sendto(word.encode(), self._address)
