"""Somebody who writes the database of a bot, and may even copy what it sealed there."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.workflow.world import World

TABLES = {"requests": "id", "targets": "request_id", "votes": "request_id"}
Rows = dict[str, list[dict[str, Any]]]


class Forger:
    """Somebody with the database's file, and no key."""

    def __init__(self, url: str) -> None:
        self._file = Path(url.removeprefix("sqlite:///"))

    def __call__(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self._file, timeout=10)) as connection, connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(statement, values)]

    def vote(self, row: Mapping[str, Any], **changed: Any) -> None:
        """Put a vote into the table, with columns and parts of its document changed."""
        document = json.loads(row["document"])
        columns = {name: value for name, value in changed.items() if name in row}
        document |= {name: value for name, value in changed.items() if name not in columns or name == "digest"}
        new = {**row, **columns, "document": json.dumps(document), "tally": "recorded", "id": None}
        document["tally"] = "recorded"
        new["document"] = json.dumps(document)
        self("DELETE FROM votes WHERE request_id = :request_id AND voter_user = :voter_user", **new)
        self(
            "INSERT INTO votes (request_id, voter_org, voter_user, digest, cast_at, tally, document) VALUES "
            "(:request_id, :voter_org, :voter_user, :digest, :cast_at, :tally, :document)",
            **new,
        )
        self.wake(new["request_id"])

    def wake(self, request_id: str) -> None:
        self(
            "UPDATE targets SET due_at = '2000-01-01 00:00:00.000000', owner = NULL WHERE request_id = :it",
            it=request_id,
        )

    def copy(self, request_id: str) -> Rows:
        """The rows of a request, seals and all."""
        return {
            table: self(f"SELECT * FROM {table} WHERE {key} = :it", it=request_id)  # noqa: S608 -- fixed names
            for table, key in TABLES.items()
        }

    def put_back(self, request_id: str, rows: Rows) -> None:
        """Restore the rows of a request as they were."""
        self("DELETE FROM votes WHERE request_id = :it", it=request_id)
        for table in TABLES:
            for row in rows[table]:
                self(f"REPLACE INTO {table} ({', '.join(row)}) VALUES (:{', :'.join(row)})", **row)  # noqa: S608
        self.wake(request_id)


def sent(world: World) -> list[str]:
    """The commands that any host got."""
    return [f"{call.verb} {call.unit}" for call in world.wire.calls if call.verb]


def told(world: World, part: str) -> bool:
    """Whether the operators were told of a forgery, with this in the reason."""
    known = [record["data"]["why"] for record in world.store.chain() if record["type"] == "audit.forgery"]
    return any(part in why for why in known)
