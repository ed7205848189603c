"""The PostgreSQL database that tests share is as new for each of them, whatever the one before did to it."""

import pytest

from tests.lab.migrated import Migrated

pytestmark = pytest.mark.postgresql
ADD = "INSERT INTO messages (kind, own_place, document, attempts, channel, ts, posted_version, urgent_version)"
TO_ROWS = (
    f"{ADD} VALUES ('note', true, '{{}}', 0, '', '', -1, 0)",
    "UPDATE chain_head SET seq = 7",
    "DELETE FROM alembic_version",
)
TO_TABLES = ("ALTER TABLE votes ADD COLUMN later integer", "DROP INDEX ix_messages_due_at", "DROP TABLE votes CASCADE")


@pytest.mark.parametrize("change", [*TO_ROWS, *TO_TABLES])
def test_what_a_test_changed_is_as_before(migrated: Migrated, change: str) -> None:
    with migrated.cluster.connected("test") as connection:
        connection.execute(change.encode())

    migrated.restore()

    assert Migrated.of(migrated.cluster, "test") == migrated
    with migrated.cluster.connected("test") as connection:
        (number,) = connection.execute("SELECT nextval('messages_id_seq')").fetchone() or (0,)
        assert number == 1
    migrated.restore()
