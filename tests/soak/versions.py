"""A next version of this code, made from it, to replace the bots of a fleet one by one.

It is this version with the changes that an upgrade may bring (docs/operations.md): one more migration, and a column, a
field of the request and a field of its ask that this version does not know. Each is written only once, when a request
is recorded, so a test sees if this version loses it.
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
    """Make it, and return where it is."""
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
    """Let the bot's next start run this version, with the same files and database."""
    own = {"PYTHONPATH": str(version), "PYTHONSAFEPATH": "1"}  # and not the folder in which it is started
    bot.installation = replace(bot.installation, environment={**bot.installation.environment, **own})


def replaced(bot: Bot, version: Path) -> None:
    """Stop a bot by SIGTERM and start this version in its place."""
    bot.stop()
    be(bot, version)
    bot.start()


class Rollout:
    """Replaces one bot after the other while a soak runs."""

    def __init__(self, fleet: Fleet, version: Path) -> None:
        self._fleet, self._version = fleet, version
        self._thread = threading.Thread(target=self._replace)
        self.counts: Counter[str] = Counter()
        self.troubles: list[str] = []

    def begin(self) -> None:
        """Start replacing."""
        self._thread.start()

    def end(self) -> None:
        """Wait until all are replaced."""
        self._thread.join()

    def _replace(self) -> None:
        for bot in self._fleet.bots:
            try:
                replaced(bot, self._version)
            except LabError as error:
                self.troubles.append(str(error))
            else:
                self.counts["replicas replaced"] += 1
