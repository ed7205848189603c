"""`maskbot backup` and `restore`: copy the database, and put a copy back."""

import getpass
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import typer
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError

from bot.app.anchor_file import anchor_file
from bot.app.compose import open_store
from bot.cli.reconcile import reconcile
from bot.core.audit.chain import BrokenChain
from bot.core.audit.seal_keys import LOST_KEY
from bot.edges.clock import SystemClock
from bot.edges.database import Database
from bot.edges.database.copies import back_up
from bot.edges.database.copies import restore as put_back
from bot.edges.database.engine import file_of, parse_url
from bot.edges.ops import log
from bot.errors import ConfigError, MaskbotError
from config.secret_files import secret_place
from config.settings import Settings, load_settings

_Read = TypeVar("_Read")
_WITH_POSTGRESQL = (
    "The database is PostgreSQL, which has its own tools. To back it up: `pg_dump --format=custom --file=FILE`. "
    "To restore: stop every bot, `pg_restore --clean --if-exists FILE`, `maskbot audit verify`, "
    "`maskbot audit accept-break --reason ...` if the end is missing, and `maskbot reconcile`."
)

_BROKEN_COPY = (
    "Its audit chain is BROKEN at record {seq}: {why}. Until you accept that, the bot only checks and answers, and "
    "changes nothing: `maskbot audit accept-break --reason WHY`."
)
_MISSING_KEYS = (
    "{copy} was sealed with a key that is not here: {names}. Nothing was changed. Add the line that begins with "
    "`{first}:` to {place}, below the first line, from where the seal keys are kept, and run this again. Without it "
    f"nobody can tell which parts of the backup the bot wrote; {LOST_KEY}."
)


def backup(to: Path) -> int:
    """Copy the database into a new file, also while the bot runs. Raises `MaskbotError`."""
    settings, found = _settings(), list[BrokenChain]()
    back_up(_file(settings), to, lambda copy: _verify(settings, copy, found))
    for broken in found:
        typer.echo(f"{to} is written, but its audit chain is BROKEN at record {broken.seq}: {broken.why}.", err=True)
    if not found:
        typer.echo(f"wrote {to}, verified. It holds no seal key: keep those elsewhere.")
    return 1 if found else 0


def restore(copy: Path) -> int:
    """Put a copy back while no bot runs, and say what it does not know. Raises `MaskbotError`."""
    settings, found, now = _settings(), list[BrokenChain](), SystemClock().now()
    aside = f".before-{now:%Y%m%dT%H%M%S}"

    def verify(new: Path) -> None:
        _require_keys(settings, new, copy)
        _verify(settings, new, found)
        anchor_file(settings).read()  # fails now rather than once the copy is in place

    kept = put_back(copy, _file(settings), verify, aside=aside)
    typer.echo(f"restored {copy}." + (f" What was there before is kept as {kept}." if kept else ""))
    for broken in found:
        typer.echo(_BROKEN_COPY.format(seq=broken.seq, why=broken.why), err=True)
    if not found:
        _accept_earlier_end(settings, copy)
    return max(len(found), reconcile(as_json=False))


def _accept_earlier_end(settings: Settings, copy: Path) -> None:
    with closing(open_store(settings)) as store:
        why, now, anchor = f"restored {copy.name}", SystemClock().now(), anchor_file(settings).read()
        broken = store.stored_chain.accept_break(why, by=getpass.getuser(), at=now, anchor=anchor)
    if broken:
        typer.echo(f"accepted that the audit chain ends earlier: {broken.why} (record {broken.seq})")


def _settings() -> Settings:
    log.set_up(level="error", as_json=False)
    return load_settings()


def _file(settings: Settings) -> Path:
    """The database's file. Raises `MaskbotError` if it is none."""
    file = file_of(parse_url(settings.database_url.get_secret_value()))
    if file is None:
        raise MaskbotError(_WITH_POSTGRESQL)
    return file


def _verify(settings: Settings, copy: Path, found: list[BrokenChain]) -> None:
    """Read all of its audit chain. Raises `ConfigError` if it is no database of a bot."""
    chain = _read(settings, copy, lambda store: store.verify_chain())
    if isinstance(chain, BrokenChain):
        found.append(chain)


def _require_keys(settings: Settings, new: Path, copy: Path) -> None:
    """Raises `ConfigError` if the audit chain cannot be verified for want of a key."""
    if missing := _read(settings, new, lambda store: store.stored_chain.missing_keys()):
        place = secret_place(os.environ, "MASKBOT_SEAL_KEYS")
        names = ", ".join(missing)
        raise ConfigError(_MISSING_KEYS.format(copy=copy, names=names, first=missing[0], place=place))


def _read(settings: Settings, copy: Path, read: Callable[[Database], _Read]) -> _Read:
    """Read a copy. Raises `ConfigError` if it is no database of a bot."""
    there = settings.model_copy(update={"database_url": SecretStr(f"sqlite:///{copy}")})
    try:
        with closing(open_store(there)) as store:
            return read(store)
    except SQLAlchemyError as error:
        raise ConfigError(f"The backup has no readable audit chain ({type(error).__name__}).") from None
