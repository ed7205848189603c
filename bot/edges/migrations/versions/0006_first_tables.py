"""The first tables. Nothing leads here from the revisions up to 0005 of builds before the first release."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = None
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make all tables, and the start of the chain."""
    _requests()
    _targets()
    _votes()
    _messages()
    _tasks()
    _chain()


def _requests() -> None:
    op.create_table(
        "requests",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("requester_org", sa.Text(), nullable=False),
        sa.Column("requester_user", sa.Text(), nullable=False),
        sa.Column("asked_at", _TIME, nullable=False),
        sa.Column("live_mask", sa.Boolean(), nullable=False),
        sa.Column("rollout", sa.Text(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("seal", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_requests"),
        sa.UniqueConstraint("key", name="uq_requests_key"),
    )
    op.create_index("ix_requests_asked_at", "requests", ["asked_at"])
    op.create_index("ix_requests_stage", "requests", ["stage"])
    op.create_index("ix_requests_rollout", "requests", ["rollout"])
    live = sa.text("live_mask")
    op.create_index("ix_requests_live_mask", "requests", ["asked_at"], sqlite_where=live, postgresql_where=live)


def _targets() -> None:
    op.create_table(
        "targets",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("running", sa.Boolean(), nullable=False),
        sa.Column("due_at", _TIME),
        sa.Column("changed_since_claim", sa.Boolean(), nullable=False),
        sa.Column("owner", sa.Text()),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_until", _TIME),
        sa.Column("begun_at", _TIME),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name="fk_targets_request_id_requests"),
        sa.PrimaryKeyConstraint("request_id", name="pk_targets"),
    )
    op.create_index("ix_targets_begun_at", "targets", ["begun_at"])
    op.create_index("ix_targets_due_at", "targets", ["due_at"])
    op.create_index("ix_targets_host_unit", "targets", ["host", "unit"])
    running = sa.text("running")
    op.create_index(
        "one_running_per_host", "targets", ["host"], unique=True, sqlite_where=running, postgresql_where=running
    )


def _votes() -> None:
    op.create_table(
        "votes",
        sa.Column("id", _COUNTER, nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("voter_org", sa.Text(), nullable=False),
        sa.Column("voter_user", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("cast_at", _TIME, nullable=False),
        sa.Column("tally", sa.Text(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name="fk_votes_request_id_requests"),
        sa.PrimaryKeyConstraint("id", name="pk_votes"),
        sa.UniqueConstraint("request_id", "voter_org", "voter_user", "digest", name="one_vote_per_person_and_plan"),
    )


def _messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", _COUNTER, nullable=False),
        sa.Column("request_id", sa.Text()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("own_place", sa.Boolean(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("due_at", _TIME),
        sa.Column("not_before", _TIME),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tried_at", _TIME),
        sa.Column("owner", sa.Text()),
        sa.Column("lease_until", _TIME),
        sa.Column("overwritten", sa.Boolean()),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("ts", sa.Text(), nullable=False),
        sa.Column("posted_at", _TIME),
        sa.Column("posted_version", sa.Integer(), nullable=False),
        sa.Column("urgent_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name="fk_messages_request_id_requests"),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
    )
    op.create_index("ix_messages_due_at", "messages", ["due_at"])
    op.create_index("ix_messages_request_id", "messages", ["request_id"])
    card = sa.text("kind = 'card'")
    op.create_index(
        "one_card_per_request", "messages", ["request_id"], unique=True, sqlite_where=card, postgresql_where=card
    )


def _tasks() -> None:
    op.create_table(
        "periodic_tasks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("due_at", _TIME),
        sa.Column("owner", sa.Text()),
        sa.Column("lease_until", _TIME),
        sa.Column("seal", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_periodic_tasks"),
    )
    op.create_index("ix_periodic_tasks_due_at", "periodic_tasks", ["due_at"])


def _chain() -> None:
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("prev", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("mac", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_events"),
    )
    op.create_index("ix_events_request_id", "events", ["request_id"])
    accepted = sa.text("type = 'audit.break_accepted'")
    op.create_index("ix_events_accepted_breaks", "events", ["seq"], sqlite_where=accepted, postgresql_where=accepted)
    head = op.create_table(
        "chain_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_chain_head_one_row"),
        sa.PrimaryKeyConstraint("id", name="pk_chain_head"),
    )
    op.bulk_insert(head, [{"id": 1, "seq": 0, "hash": "0" * 64}])
