"""Look at a database as a start would find it, and change nothing: can it be read, and do its seals count?"""

from contextlib import closing

from sqlalchemy import URL, Connection, select

from bot import __version__
from bot.core.audit.anchor import Anchor
from bot.core.audit.chain import BrokenChain, Origin
from bot.core.audit.seal_keys import LOST_KEY, KeyRing
from bot.edges.database import schema
from bot.edges.database.engine import DatabaseLimits, file_of
from bot.edges.database.file import is_there
from bot.edges.database.seals import Seals
from bot.edges.database.stored_chain import StoredChain
from bot.edges.database.tables import events
from bot.edges.database.transactions import Transactions
from bot.errors import ConfigError


def require_usable(url: URL, keys: KeyRing) -> None:
    """Raise `ConfigError` or `StoreBusy` if a bot could not start with it. One that a start would make is fine."""
    if (file := file_of(url)) and not is_there(file):
        return
    with closing(_open(url, keys)) as transactions, transactions.reading() as connection:
        if schema.is_current(connection):
            _require_our_seals(connection, keys)


def verify(url: URL, keys: KeyRing, anchor: Anchor | None) -> BrokenChain | None:
    """Where the audit log of a usable database is broken, as a start would find it."""
    if (file := file_of(url)) and not is_there(file):
        return None
    with closing(_open(url, keys)) as transactions:
        with transactions.reading() as connection:
            if not schema.is_current(connection):  # what a start upgrades cannot be read before
                return None
        found = StoredChain(transactions, keys, Origin("", __version__)).verify(anchor)
    return found if isinstance(found, BrokenChain) else None


def _open(url: URL, keys: KeyRing) -> Transactions:
    return Transactions(url, DatabaseLimits(), Seals(keys), reads_only=True)


def _require_our_seals(connection: Connection, keys: KeyRing) -> None:
    """That the keys are those of another installation, or the old one was replaced: no end of the log has one of them.

    Anything else that is wrong with its seals is told by a bot that runs.
    """
    known, kid = {key.id for key in keys.keys}, select(events.c.kid).limit(1)
    ends = [connection.execute(kid.order_by(order)).scalar() for order in (events.c.seq, events.c.seq.desc())]
    if ends[1] is not None and not known & {*ends}:
        raise ConfigError(
            f"it is sealed with a key that is not among MASKBOT_SEAL_KEYS ({ends[1]}): "
            f"put its old line back, below any new one; {LOST_KEY}"
        )
