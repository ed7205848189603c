"""Examine every file and folder of one installation: `maskbot check`, the start and `maskbot doctor` say the same."""

import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bot.edges.private_files import Fault, Use, faults, faults_above
from config.secret_files import SECRETS_DIR, secret_paths
from config.settings import Settings


def examine_files(
    settings: Settings, configuration: Iterable[Path], kept: Path | None, environ: Mapping[str, str]
) -> list[Fault]:
    """Every fault, each once. `configuration` are its files, `kept` the last answer of a source of hosts."""
    bot = _bot(settings)
    named = [
        *((path, Use.CONFIGURATION) for path in configuration),
        (settings.config_dir, Use.CONFIGURATION),
        *((Path(word), Use.CONFIGURATION) for word in settings.ssh_signer_command[:1]),
        *((path, Use.SECRET) for path in _secrets(settings, environ)),
        *((path, Use.RECORDS) for path in _records(settings, kept)),
    ]
    return _examined(dict.fromkeys(named), bot)


def _examined(named: Collection[tuple[Path, Use]], bot: int) -> list[Fault]:
    """The faults of these files and folders, and of those above them, each once."""
    found = [fault for path, use in named for fault in faults(path, use, bot=bot)]
    for path, use in named:
        known = {fault.path for fault in found}
        found += [fault for fault in faults_above(path, use, bot=bot) if fault.path not in known]
    return found


def examine_programs(settings: Settings, programs: Iterable[Path]) -> list[Fault]:
    """Every fault of the commands that the configuration names: what they print is believed like the files."""
    return _examined([(path, Use.CONFIGURATION) for path in programs], _bot(settings))


def _bot(settings: Settings) -> int:
    """The user id of the bot: ours, or for root the owner of the bot's database."""
    own = os.geteuid()
    if own == 0 and (database := database_file(settings)):
        for path in (database, database.parent):
            if path.exists():
                return path.stat().st_uid
    return own


def _secrets(settings: Settings, environ: Mapping[str, str]) -> Iterator[Path]:
    if settings.ssh_key_file:
        yield settings.ssh_key_file
    for path in secret_paths(environ):
        yield path
        if path.parent.is_dir() and not path.parent.stat().st_mode & stat.S_ISVTX:  # there nobody replaces our file
            yield path.parent
    if named := environ.get(SECRETS_DIR):
        yield Path(named)


def _records(settings: Settings, kept: Path | None) -> Iterator[Path]:
    """The database with all that stands beside it under its name (locks, journals, backups), the socket's folder.

    Everybody may open the socket itself, which may stand there too: the kernel says who calls.
    """
    yield settings.socket.parent
    if kept:
        yield kept
        yield kept.parent
    if database := database_file(settings):
        yield database.parent
        if os.access(database.parent, os.R_OK):
            yield from (path for path in sorted(database.parent.glob(f"{database.stem}*")) if not path.is_socket())


def database_file(settings: Settings) -> Path | None:
    """The file of a SQLite database."""
    url = urlsplit(settings.database_url.get_secret_value())
    if not url.scheme.startswith("sqlite") or not url.path[1:]:
        return None
    return Path(unquote(url.path[1:]))
