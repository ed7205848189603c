"""The entry point of Alembic: uses the given connection and its open transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
