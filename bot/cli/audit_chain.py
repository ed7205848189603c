"""Verify the audit chain, and export it as lines of JSON."""

import getpass
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import typer
from sqlalchemy.exc import SQLAlchemyError

from bot.app.anchor_file import anchor_file
from bot.app.compose import open_store
from bot.core.audit.anchor import Anchor
from bot.core.audit.chain import BrokenChain, Head, canonical
from bot.edges.clock import SystemClock
from bot.edges.database import Database
from bot.errors import MaskbotError, UsageError
from config.settings import load_settings


def verify_chain(anchor: str) -> int:
    """Verify the chain to its end, and that it contains an anchor: the one that was typed, or the one in the file."""
    now = SystemClock().now()
    known = Anchor(_anchor(anchor), now) if anchor else anchor_file(load_settings()).read()
    with _open() as store:
        found = store.verify_chain(known)
        accepted = store.stored_chain.accepted_break()
    if isinstance(found, BrokenChain):
        typer.echo(f"The audit chain is BROKEN at record {found.seq}: {found.why}.", err=True)
        return 1
    since = f" since record {accepted['seq']}, where a break was accepted" if accepted else ""
    typer.echo(f"The audit chain is intact{since}: {found.count} records.")
    typer.echo(f"anchor: {found.head.seq}:{found.head.hash}")
    return 0


def accept_break(reason: str) -> int:
    """Record that an operator accepts a break, so that the chain is judged from there on."""
    if not reason.strip():
        raise UsageError("Say why with --reason: it is recorded beside the break.")
    with _open() as store:
        broken = store.stored_chain.accept_break(
            reason.strip(), by=getpass.getuser(), at=SystemClock().now(), anchor=anchor_file(load_settings()).read()
        )
    if broken is None:
        typer.echo("The audit chain is intact: there is no break to accept.")
        return 1
    typer.echo(f"Accepted the break at record {broken.seq}: {broken.why}. A running bot goes on within a minute.")
    return 0


def export(since: str) -> int:
    """Every record, oldest first, as one line of JSON each."""
    begin = _moment(since) if since else datetime.min.replace(tzinfo=UTC)
    with _open() as store:
        for record in _from(store, begin):
            typer.echo(canonical(record))
    return 0


def _from(store: Database, begin: datetime) -> Iterator[Mapping[str, Any]]:
    return (record for record in store.records() if datetime.fromisoformat(record["ts"]) >= begin)


@contextmanager
def _open() -> Iterator[Database]:
    """The database, for reading, beside a running bot. Whoever may read the file may read the audit log."""
    store = open_store(load_settings())
    try:
        yield store
    except SQLAlchemyError as error:
        raise MaskbotError(f"This database has no readable audit chain ({type(error).__name__}).") from error
    finally:
        store.close()


def _anchor(typed: str) -> Head:
    """`SEQ:HASH`, as `audit verify` prints it."""
    number, _, digest = typed.partition(":")
    if not number.isdecimal() or not digest:
        raise UsageError("An anchor is a number and a hash, as `maskbot audit verify` prints them: 42:0a1b...")
    return Head(int(number), digest)


def _moment(typed: str) -> datetime:
    try:
        moment = datetime.fromisoformat(typed)
    except ValueError:
        raise UsageError(
            f"`{typed[:80]}` is not a time. Write it like 2024-05-01 or 2024-05-01T12:00:00+02:00."
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
