"""Since when a message may have been posted, and whether somebody wrote to it late."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two columns that an older version, running beside this one, need not know."""
    op.add_column("messages", sa.Column("tried_at", sa.DateTime(timezone=True)))
    op.add_column("messages", sa.Column("overwritten", sa.Boolean()))
