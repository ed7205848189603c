"""SQLite files for tests: each is a copy of one that the product's own migrations made, once for each process."""

import shutil
import tempfile
from functools import cache
from pathlib import Path

from bot.edges.clock import SystemClock
from bot.edges.database import Database
from tests.lab.keys import KEYS


def new_sqlite(file: Path) -> str:
    """Make a file that holds the tables and no rows, as the first start of a bot leaves it, and return its URL.

    A migration takes ten times as long as a copy; what it does is tested in tests/edges/database/test_schema.py.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_bytes(_migrated())
    file.chmod(0o600)
    return f"sqlite:///{file}"


@cache
def _migrated() -> bytes:
    folder = Path(tempfile.mkdtemp(prefix="maskbot-sqlite-"))
    try:
        with Database(
            f"sqlite:///{folder}/maskbot.db", clock=SystemClock(), instance="template", keys=KEYS
        ).exclusive():
            pass
        return (folder / "maskbot.db").read_bytes()
    finally:
        shutil.rmtree(folder)
