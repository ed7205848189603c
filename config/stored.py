"""What is stored already, as a start would find it: the database, and the anchor of its audit log."""

import os
from collections.abc import Iterator
from pathlib import Path

from bot.core.audit.anchor import Anchor, read_anchor
from bot.core.audit.seal_keys import KeyRing
from bot.edges.database import before_start
from bot.edges.database.engine import describe, file_of, parse_url
from bot.errors import ConfigError, MaskbotError, StoreBusy
from config.loading import ConfigProblem
from config.settings import Settings

_ROOM = 1 << 20  # bytes; on a full disk a SQLite file is not even opened (measured)


def anchor_path(settings: Settings) -> Path:
    """The anchor file of an installation: beside a SQLite file, otherwise beside the command line's socket."""
    database = file_of(parse_url(settings.database_url.get_secret_value()))
    return settings.audit_anchor_file or (database or settings.socket).with_suffix(".anchor")


def read_anchor_file(path: Path, keys: KeyRing) -> Anchor | None:
    """The anchor; None if there is no file. Raises `ConfigError` if the file is none of ours."""
    try:
        return read_anchor(path.read_text(encoding="ascii"), keys)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{path}, which keeps the end of the audit log, cannot be trusted: {error}. "
            "If MASKBOT_SEAL_KEYS was changed, put the old line back, below the new one; "
            "if it was not, somebody may have changed the file"
        ) from None


def has_recorded(settings: Settings) -> bool | None:
    """Whether there is a file in which a bot has recorded something, under some key; None where it is no file."""
    try:
        file = file_of(parse_url(settings.database_url.get_secret_value()))
    except ConfigError:  # said elsewhere
        return None
    return None if file is None else file.exists() and file.stat().st_size > 0


def examine_stored(settings: Settings, keys: KeyRing) -> Iterator[ConfigProblem]:
    """Find why a bot cannot start with its database, without changing it; a database server is asked, too."""
    url = parse_url(settings.database_url.get_secret_value())
    try:
        before_start.require_usable(url, keys)
        read_anchor_file(anchor_path(settings), keys)
    except StoreBusy as error:
        yield no_answer(settings, error)
    except OSError as error:
        yield ConfigProblem("error", f"{error.filename}: {error.strerror}")
    except ConfigError as error:
        text = str(error).removesuffix(".")
        is_named = any(str(path) in text for path in (url.database, anchor_path(settings)))
        yield ConfigProblem("error", text if is_named else f"{describe(url)}: {text}")


def no_answer(settings: Settings, error: StoreBusy) -> ConfigProblem:
    """A database that cannot be used now: where it is, why, and what to do. No password is in it."""
    url = parse_url(settings.database_url.get_secret_value())
    file = file_of(url)
    look = f"Check what else uses it, and whether its disk has room: df -h {file and file.parent}"
    fix = look if file else "Start it, or correct MASKBOT_DATABASE_URL."
    return ConfigProblem("error", f"{describe(url)}: {_why(error)}", fix)


def examine_disk(file: Path) -> Iterator[ConfigProblem]:
    """Find a disk on which a bot could record nothing. Root may use what is kept from others there."""
    there = next(one for one in file.absolute().parents if one.exists())
    disk = os.statvfs(there)
    left = disk.f_frsize * (disk.f_bavail if os.geteuid() else disk.f_bfree)
    if left < _ROOM:
        yield ConfigProblem("error", f"{file}: its disk is full ({left >> 10} KB left)", f"Make room: df -h {there}")


def examine_audit_log(settings: Settings, keys: KeyRing) -> Iterator[ConfigProblem]:
    """Verify all of the audit log, as a start does, if what is stored can be used."""
    url = parse_url(settings.database_url.get_secret_value())
    try:
        broken = before_start.verify(url, keys, read_anchor_file(anchor_path(settings), keys))
    except MaskbotError as error:
        yield ConfigProblem("error", str(error))
        return
    if broken:
        text = f"the audit log is broken at record {broken.seq}: {broken.why}; a bot would carry out nothing"
        fix = "Find out why. `maskbot audit verify` says the same, `maskbot audit accept-break -h` how to go on."
        yield ConfigProblem("error", text, fix)


def _why(error: StoreBusy) -> str:
    """What the server or the driver said first; no password is in it."""
    said = str(getattr(error.__cause__, "orig", "") or error)
    return said.strip().splitlines()[0].removesuffix(".")
