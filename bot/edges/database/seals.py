"""Seals of rows: what is read from the tables counts only if a bot with our keys wrote it there."""

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy import Connection

from bot.core.audit.seal_keys import KeyRing
from bot.core.requests import Tally

log = structlog.get_logger()
_REQUEST, _PERIODIC, _MESSAGE = "request", "periodic task", "message"  # domains
_OPTION = "maskbot_seals"
SEAL = "seal"  # the key of a message's seal in its document


class Seals:
    """Seals rows and verifies them. What is found to be forged is noted once, for whoever tells the operators."""

    def __init__(self, keys: KeyRing) -> None:
        self.keys = keys
        self._lock = threading.Lock()
        self._known: set[tuple[str, str]] = set()
        self._news: list[tuple[str, str]] = []

    def on(self, connection: Connection) -> Connection:
        """The connection, with these seals for whoever reads and writes over it."""
        return connection.execution_options(**{_OPTION: self})

    def of_request(self, row: Mapping[str, Any], target: Any, votes: Iterable[Any]) -> str:
        """The seal of a request's row, with its target and its counted votes."""
        return self._seal(_REQUEST, _request_text(row, target, votes))

    def of_task(self, name: str, document: Any) -> str:
        """The seal of a periodic task."""
        return self._seal(_PERIODIC, _text(name, document))

    def of_message(self, document: Any) -> str:
        """The seal of a message below which the bot puts buttons."""
        return self._seal(_MESSAGE, _text(document))

    def fault_of_message(self, document: Mapping[str, Any], *, name: str) -> str:
        """Why no buttons belong below a message as it is stored; empty if they do. Older versions sealed none."""
        if SEAL not in document:
            return "it has no seal"
        without = {key: value for key, value in document.items() if key != SEAL}
        return self._noted(f"message {name}", self._fault(_MESSAGE, _text(without), str(document[SEAL])))

    def fault_of_request(self, row: Mapping[str, Any], votes: Sequence[Any]) -> str:
        """Why a request cannot be believed as it is stored, together with its target; empty if it can."""
        if not isinstance(row["document"], dict) or row["document"].get("id") != row["id"]:
            why = "it is another request's"
        elif not all(isinstance(vote, dict) and "tally" in vote for vote in votes):
            why = "a vote on it cannot be read"
        else:
            why = self._fault(_REQUEST, _request_text(row, row["target"], votes), row["seal"]) or _misplaced(row)
        return self._noted(f"request {row['id']}", why)

    def fault_of_task(self, name: str, document: Any, seal: str) -> str:
        """Why a periodic task cannot be believed as it is stored; empty if it can."""
        return self._noted(f"task {name}", self._fault(_PERIODIC, _text(name, document), seal))

    def news(self) -> list[tuple[str, str]]:
        """What was found to be forged since the last call, each once, and why."""
        with self._lock:
            found, self._news = self._news, []
        return found

    def _seal(self, domain: str, text: str) -> str:
        made = self.keys.seal(domain, text)
        return f"{made.kid}:{made.mac}"

    def _fault(self, domain: str, text: str, seal: str | None) -> str:
        kid, _, mac = str(seal or "").partition(":")
        return self.keys.fault(domain, text, kid, mac)

    def _noted(self, what: str, why: str) -> str:
        if why:
            with self._lock:
                if (what, why) not in self._known:
                    log.error("row is not what a bot wrote", row=what, why=why)
                    self._known.add((what, why))
                    self._news.append((what, why))
        return why


def seals_of(connection: Connection) -> Seals:
    """The seals of a connection's transaction."""
    found: Seals = connection.get_execution_options()[_OPTION]
    return found


def _request_text(row: Mapping[str, Any], target: Any, votes: Iterable[Any]) -> str:
    """Everything of a request that a bot acts on. Votes that are not counted yet are verified against their events."""
    counted = sorted(_text(vote) for vote in votes if vote["tally"] == Tally.COUNTED.value)
    return _text(row["id"], row["stage"], row["version"], row["document"], target, counted)


def _misplaced(row: Mapping[str, Any]) -> str:
    """Why a request would be found where it does not belong: by columns that say something else than what is sealed."""
    try:
        said, about = row["document"], row["target"] or {}
        sealed = (said["key"], said["ask"]["rollout"], about["host"], about["unit"]["text"])
    except (KeyError, TypeError):
        return ""  # sealed by another version, whose fields are other ones
    found_by = (row["key"], row["rollout"], row["target_host"], row["target_unit"])
    return "" if found_by == sealed else "its columns say something else than what was sealed"


def _text(*parts: Any) -> str:
    return json.dumps(parts, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=repr)
