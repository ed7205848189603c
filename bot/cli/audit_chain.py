"""Verify the audit chain, and export it as lines of JSON."""

import getpass
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import typer
from sqlalchemy.exc import SQLAlchemyError

from bot.app.anchor_file import anchor_file
from bot.app.compose import open_store
from bot.core.audit.anchor import Anchor
from bot.core.audit.audit_shipping import as_json, made_at
from bot.core.audit.chain import BrokenChain, Head, VerifiedChain
from bot.edges.clock import SystemClock
from bot.edges.database import Database
from bot.edges.database.engine import describe, file_of, parse_url
from bot.edges.ops import log
from bot.errors import MaskbotError, UsageError
from config.settings import load_settings


def verify_chain(anchor: str, *, as_json: bool) -> int:
    """Verify the chain to its end, and that it contains an anchor: the one that was typed, or the one in the file."""
    now = SystemClock().now()
    known = Anchor(_anchor(anchor), now) if anchor else anchor_file(load_settings()).read()
    with _open() as store:
        found = store.verify_chain(known)
        accepted = store.stored_chain.accepted_break()
    if as_json:
        typer.echo(json.dumps(_as_json(found, accepted), indent=2))
        return 1 if isinstance(found, BrokenChain) else 0
    if isinstance(found, BrokenChain):
        typer.echo(f"The audit chain is BROKEN at record {found.seq}: {found.why}.", err=True)
        return 1
    since = f" since record {accepted['seq']}, where a break was accepted" if accepted else ""
    typer.echo(f"The audit chain is intact{since}: {found.count} records.")
    typer.echo(f"anchor: {found.head.seq}:{found.head.hash}")
    return 0


def _as_json(found: BrokenChain | VerifiedChain, accepted: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if isinstance(found, BrokenChain):
        return {"ok": False, "record": found.seq, "why": found.why}
    anchor = f"{found.head.seq}:{found.head.hash}"
    return {"ok": True, "records": found.count, "anchor": anchor, "since": accepted["seq"] if accepted else None}


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
            typer.echo(as_json(record))
    return 0


def _from(store: Database, begin: datetime) -> Iterator[Mapping[str, Any]]:
    """The records since then, and those that do not say when they were made: somebody broke them."""
    return (record for record in store.records() if (made_at(record) or begin) >= begin)


@contextmanager
def _open() -> Iterator[Database]:
    """The database, for reading, beside a running bot. Whoever may read the file may read the audit log."""
    url = parse_url((settings := load_settings()).database_url.get_secret_value())
    if (file := file_of(url)) and not file.exists():
        raise MaskbotError(f"There is no database {file.absolute()}. MASKBOT_DATABASE_URL names the bot's.")
    log.set_up(level="error", as_json=False)
    store = open_store(settings)
    try:
        yield store
    except SQLAlchemyError as error:
        why = f"has no readable audit chain ({type(error).__name__})"
        raise MaskbotError(f"{describe(url)} {why}. MASKBOT_DATABASE_URL names the bot's database.") from error
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
