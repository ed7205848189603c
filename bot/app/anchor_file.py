"""The anchor file: the newest head of the audit log, beside the bot and outside its database."""

from datetime import datetime
from pathlib import Path

import structlog

from bot.core.audit.anchor import Anchor, write_anchor
from bot.core.audit.chain import Head
from bot.core.audit.seal_keys import KeyRing
from bot.edges.ops.whole_file import replace_file
from config.settings import Settings
from config.start import seal_keys
from config.stored import anchor_path, read_anchor_file

log = structlog.get_logger()


class AnchorFile:
    """Keeps the newest head that a bot on this machine has verified, so that an older database is found out."""

    def __init__(self, path: Path, keys: KeyRing) -> None:
        self._path = path
        self._keys = keys
        self._kept: Head | None = None

    def read(self) -> Anchor | None:
        """The anchor; None if there is no file. Raises `ConfigError` if the file is none of ours."""
        return read_anchor_file(self._path, self._keys)

    def keep(self, head: Head, at: datetime) -> None:
        """Keep a head that was verified; if the file cannot be written, the older one stays."""
        if head == self._kept:
            return
        try:
            replace_file(self._path, write_anchor(Anchor(head, at), self._keys).encode())
            self._kept = head
        except OSError as error:
            log.error("audit anchor not kept", file=str(self._path), why=error.strerror)


def anchor_file(settings: Settings) -> AnchorFile:
    """The anchor file of an installation."""
    return AnchorFile(anchor_path(settings), seal_keys(settings))
