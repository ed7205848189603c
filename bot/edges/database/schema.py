"""The schema, brought up to date when a process starts, in one transaction."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from bot.errors import ConfigError

_MIGRATIONS = Path(__file__).parents[1] / "migrations"
_ADVISORY_LOCK = 0x6D61736B  # any number that all replicas share


def upgrade(connection: Connection) -> None:
    """Bring the schema to our version, in the transaction of this connection; replicas that start together take turns.

    Raises `ConfigError` if a newer maskbot has been here.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    known = {revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()}
    found = MigrationContext.configure(connection).get_current_revision()
    if found and found not in known:
        raise ConfigError(f"The database was upgraded by a newer maskbot (revision {found}). Run that version.")
    command.upgrade(config, "head")
