"""The tables: columns for what queries use, JSON documents for the rest."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)


class UtcTime(TypeDecorator[datetime]):
    """A time in UTC. SQLite stores no time zone, so ours is always UTC there, as text that sorts like the time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to the database's value."""
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Convert from the database's value."""
        del dialect
        if value is None:
            return None
        moment: datetime = value
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


# Unlike BigInteger, Integer makes SQLite's own row id, which counts by itself.
_Counter = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

requests = Table(
    "requests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("stage", Text, nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("requester_org", Text, nullable=False),
    Column("requester_user", Text, nullable=False),
    Column("asked_at", UtcTime, nullable=False, index=True),
    Column("live_mask", Boolean, nullable=False),
    Column("rollout", Text, nullable=False, index=True),  # of one target: the id of its rollout; otherwise empty
    Column("document", JSON, nullable=False),
    Column("seal", Text, nullable=False),  # over the row, its target's document and its counted votes
)
Index("ix_requests_live_mask", requests.c.asked_at, sqlite_where=text("live_mask"), postgresql_where=text("live_mask"))

# Each request has one target, and that is what is claimed. Its due time stays in the past while it is claimed, so that
# whatever becomes of the owner, it is due again when the lease has run out.
targets = Table(
    "targets",
    metadata,
    Column("request_id", Text, ForeignKey("requests.id"), primary_key=True),
    Column("host", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("running", Boolean, nullable=False),
    Column("due_at", UtcTime, index=True),
    Column("changed_since_claim", Boolean, nullable=False),  # something happened since it was claimed
    Column("owner", Text),
    Column("fence", Integer, nullable=False),
    Column("lease_until", UtcTime),
    Column("begun_at", UtcTime, index=True),  # of a mask: when it began
    Column("document", JSON, nullable=False),
    Index("ix_targets_host_unit", "host", "unit"),
)
Index(
    "one_running_per_host",
    targets.c.host,
    unique=True,
    sqlite_where=text("running"),
    postgresql_where=text("running"),
)

votes = Table(
    "votes",
    metadata,
    Column("id", _Counter, primary_key=True),
    Column("request_id", Text, ForeignKey("requests.id"), nullable=False),
    Column("voter_org", Text, nullable=False),
    Column("voter_user", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("cast_at", UtcTime, nullable=False),
    Column("tally", Text, nullable=False),
    Column("document", JSON, nullable=False),
    UniqueConstraint("request_id", "voter_org", "voter_user", "digest", name="one_vote_per_person_and_plan"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", _Counter, primary_key=True),
    Column("request_id", Text, ForeignKey("requests.id"), index=True),  # null: it belongs to no request
    Column("kind", Text, nullable=False),
    Column("own_place", Boolean, nullable=False),  # posted somewhere else than with the card
    Column("document", JSON, nullable=False),
    Column("due_at", UtcTime, index=True),  # null: nothing to deliver at the moment
    Column("not_before", UtcTime),  # Slack's rate limit
    Column("attempts", Integer, nullable=False),
    Column("tried_at", UtcTime),  # the first of these attempts
    Column("owner", Text),
    Column("lease_until", UtcTime),
    Column("overwritten", Boolean),  # written since it was claimed, by a process whose lease had expired
    Column("channel", Text, nullable=False),
    Column("ts", Text, nullable=False),
    Column("posted_at", UtcTime),
    Column("posted_version", Integer, nullable=False),
    # the newest version that people wait for: a decision or a result
    Column("urgent_version", Integer, nullable=False),
)
Index(
    "one_card_per_request",
    messages.c.request_id,
    unique=True,
    sqlite_where=text("kind = 'card'"),
    postgresql_where=text("kind = 'card'"),
)

# What comes round again (a watch over a host, a handover) or is kept beside the requests (the kill switch).
periodic_tasks = Table(
    "periodic_tasks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("document", JSON, nullable=False),
    Column("version", Integer, nullable=False),
    Column("due_at", UtcTime, index=True),
    Column("owner", Text),
    Column("lease_until", UtcTime),
    Column("seal", Text, nullable=False),  # over the name and the document
)

# `body` is the very text that was hashed; `mac` is the keyed seal over `hash`, made with the key `kid`.
events = Table(
    "events",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("request_id", Text, nullable=False, index=True),
    Column("type", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("prev", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("kid", Text, nullable=False),
    Column("mac", Text, nullable=False),
)

# An index finds the few that there are in a long log.
IS_ACCEPTED_BREAK = text("type = 'audit.break_accepted'")
Index("ix_events_accepted_breaks", events.c.seq, sqlite_where=IS_ACCEPTED_BREAK, postgresql_where=IS_ACCEPTED_BREAK)

# One row, locked by whoever appends, so that two replicas cannot fork the chain.
chain_head = Table(
    "chain_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)
