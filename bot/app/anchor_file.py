"""The anchor file: the newest head of the audit log, beside the bot and outside its database."""

from datetime import datetime
from pathlib import Path

import structlog

from bot.core.audit.anchor import Anchor, read_anchor, write_anchor
from bot.core.audit.chain import Head
from bot.core.audit.seal_keys import KeyRing
from bot.edges.database.engine import file_of, parse_url
from bot.edges.ops.whole_file import replace_file
from bot.errors import ConfigError
from config.settings import Settings
from config.start import seal_keys

log = structlog.get_logger()


class AnchorFile:
    """Keeps the newest head that a bot on this machine has verified, so that an older database is found out."""

    def __init__(self, path: Path, keys: KeyRing) -> None:
        self._path = path
        self._keys = keys
        self._kept: Head | None = None

    def read(self) -> Anchor | None:
        """The anchor; None if there is no file. Raises `ConfigError` if the file is none of ours."""
        try:
            return read_anchor(self._path.read_text(encoding="ascii"), self._keys)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"{self._path}, which keeps the end of the audit log, cannot be read ({error}). Look into it: somebody "
                "may have changed it. Without the file the bot starts, and compares with nothing."
            ) from None

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
    """The anchor file of an installation: beside a SQLite file, otherwise beside the command line's socket."""
    database = file_of(parse_url(settings.database_url.get_secret_value()))
    path = settings.audit_anchor_file or (database or settings.socket).with_suffix(".anchor")
    return AnchorFile(path, seal_keys(settings))
