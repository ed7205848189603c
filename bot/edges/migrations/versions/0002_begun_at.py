"""When each mask began, so that those of the last minutes can be counted."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What began before stays out of the count."""
    op.add_column("targets", sa.Column("begun_at", sa.DateTime(timezone=True)))
    op.create_index("ix_targets_begun_at", "targets", ["begun_at"])
