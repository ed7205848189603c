"""Upgrade the database schema when a process starts, in one transaction."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from bot.errors import ConfigError

MIGRATIONS = Path(__file__).parents[1] / "migrations"
_ADVISORY_LOCK = 0x6D61736B  # an arbitrary number that all replicas share


def upgrade(connection: Connection) -> None:
    """Upgrade the schema in this connection's transaction; replicas that start together take turns.

    Raises `ConfigError` if a newer maskbot has been here.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    if not is_current(connection):
        _migrate(connection)


def is_current(connection: Connection) -> bool:
    """Whether the schema is this version's, and not one to be upgraded. Raises `ConfigError` if it is neither."""
    known, found = _revisions(), _revision(connection)
    if found and found < known[0]:
        raise ConfigError(
            f"The database was made by a build before the first release (revision {found}), and is not read. "
            "Start with a new database."
        )
    if found and found not in known:
        raise ConfigError(f"The database was upgraded by a newer maskbot (revision {found}). Run that version.")
    return found == known[-1]


def _revisions() -> list[str]:
    """The known revisions, the newest last: each file is named after its revision."""
    return sorted(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _revision(connection: Connection) -> str | None:
    """The database's revision; None if it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, "head")
