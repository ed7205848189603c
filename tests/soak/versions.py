"""The next version of this code, made from it, so that one after the other of a fleet is replaced by it.

It is all that this one is, and what a next version may be under the rule of upgrades (docs/operations.md): it has a
migration more, and writes a column, a field of the request and one inside of what was asked that this one does not
know. Each is written once, when a request is recorded; so what is lost of them later is lost.
"""

import shutil
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path

from alembic.script import ScriptDirectory

from bot import __version__
from tests.lab.installation import ROOT, Bot
from tests.lab.machine import LabError
from tests.soak.fleet import Fleet

NEXT, REVISION = f"{__version__}.next", "9000"
MARK = "written by the next version"  # in the column `colour`, and in the fields `colour` and `ask.mood`
_MIGRATIONS = "bot/edges/migrations"
_MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "{revision}", "{head}", None, None


def upgrade() -> None:
    op.add_column("requests", sa.Column("colour", sa.Text()))
    op.create_index("ix_requests_colour", "requests", ["colour"])
    op.create_table("colours", sa.Column("name", sa.Text(), primary_key=True))
"""
_COLUMN = """
requests.append_column(Column("colour", Text, index=True))
"""
_ROW = """
_row = request_row


def request_row(request: Request) -> dict[str, Any]:
    row = _row(request)
    if request.version == 0:
        row["colour"] = row["document"]["colour"] = row["document"]["ask"]["mood"] = "{mark}"
    return row
"""


def next_version(folder: Path) -> Path:
    """Where it is, from now on."""
    for part in ("bot", "handlers", "config"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    head = ScriptDirectory(str(folder / _MIGRATIONS)).get_current_head()
    migration = _MIGRATION.format(revision=REVISION, head=head)
    (folder / _MIGRATIONS / "versions" / f"{REVISION}_next.py").write_text(migration)
    _append(folder / "bot/__init__.py", f'__version__ = "{NEXT}"\n')
    _append(folder / "bot/edges/database/tables.py", _COLUMN)
    _append(folder / "bot/edges/database/rows.py", _ROW.format(mark=MARK))
    return folder


def _append(file: Path, text: str) -> None:
    file.write_text(file.read_text() + text)


def be(bot: Bot, version: Path) -> None:
    """Its next start is one of this version; its files and its database are the same."""
    own = {"PYTHONPATH": str(version), "PYTHONSAFEPATH": "1"}  # and not the folder in which it is started
    bot.installation = replace(bot.installation, environment={**bot.installation.environment, **own})


def replaced(bot: Bot, version: Path) -> None:
    """One ends on SIGTERM, and one of this version begins in its place."""
    bot.stop()
    be(bot, version)
    bot.start()


class Rollout:
    """Happens in a soak: one bot after the other is replaced."""

    def __init__(self, fleet: Fleet, version: Path) -> None:
        self._fleet, self._version = fleet, version
        self._thread = threading.Thread(target=self._replace)
        self.counts: Counter[str] = Counter()
        self.troubles: list[str] = []

    def begin(self) -> None:
        """From now on."""
        self._thread.start()

    def end(self) -> None:
        """Once all are replaced."""
        self._thread.join()

    def _replace(self) -> None:
        for bot in self._fleet.bots:
            try:
                replaced(bot, self._version)
            except LabError as error:
                self.troubles.append(str(error))
            else:
                self.counts["replicas replaced"] += 1
