"""The store as the workflow sees it: each method is one transaction."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bot import __version__
from bot.core.audit.anchor import Anchor
from bot.core.audit.chain import BrokenChain, Event, Head, Origin, VerifiedChain
from bot.core.audit.seal_keys import KeyRing
from bot.core.health import Backlog
from bot.core.requests import Request, Stage, Vote
from bot.core.rollout.progress import Progress
from bot.edges.database import backlog, beginning, blast_radius, claims, debug_log, outbox, periodic, requests, rollouts
from bot.edges.database.engine import DatabaseLimits, parse_url
from bot.edges.database.seals import Seals
from bot.edges.database.stored_chain import Appending, StoredChain, linked
from bot.edges.database.takeover import take_over
from bot.edges.database.transactions import Transactions
from bot.edges.database.wakeup import Wakeup
from bot.ports import NOT_COUNTED, Claim, Clock, Count, Counted, DueMessage, Message, Periodic, Query, Work


class Database:
    """Implements `ports.Store`, which documents each method. Creating it opens no connection."""

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        instance: str,
        keys: KeyRing,
        lease: timedelta = timedelta(seconds=60),
        limits: DatabaseLimits | None = None,
    ) -> None:
        self._url = parse_url(url)
        self._clock = clock
        self._lease = lease
        self._limits = limits or DatabaseLimits()
        self._interval = self._limits.card_edit_interval
        self._seals = Seals(keys)
        self._transactions = Transactions(self._url, self._limits, self._seals)
        self.stored_chain = StoredChain(self._transactions, keys, Origin(instance, __version__))
        self._bell = Wakeup()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Use the database as a running bot does: alone if it is a file. Raises what `take_over` raises."""
        with closing(self), take_over(self._url, self._transactions):
            yield

    def close(self) -> None:
        """Close all connections; the next call would open new ones."""
        self._transactions.close()

    def is_anything_due(self) -> bool:
        now = self._clock.now()
        with self._transactions.reading() as connection:
            return any(kind.is_any_due(connection, now=now) for kind in (claims.ALL, outbox, periodic))

    def wait_for_work(self, seconds: float, kind: Work | None = None) -> None:
        self._bell.wait(seconds, kind)

    def wake(self) -> None:
        self._bell.ring(*Work)

    def add(
        self,
        request: Request,
        *,
        events: Sequence[Event],
        messages: Sequence[Message] = (),
        provided: Callable[[Count], None] | None = None,
    ) -> tuple[Request, bool]:
        request, events = linked(request, events)
        with self._changing(Work.REQUESTS, Work.MESSAGES) as (connection, now, chain):
            if not requests.add(connection, request, provided):
                return requests.with_key(connection, request.key), False
            outbox.show(connection, request, urgent=True, has_moved=True, now=now, interval=self._interval)
            outbox.add(connection, request, messages, now=now)
            chain.append(events)
            return requests.get(connection, request.id), True

    def get(self, request_id: str) -> Request:
        with self._transactions.reading() as connection:
            return requests.get(connection, request_id)

    def find(self, query: Query) -> list[Request]:
        with self._transactions.reading() as connection:
            return requests.find(connection, query)

    def progress(self, rollout: str, *, among: Collection[str] | None = None) -> list[Progress]:
        with self._transactions.reading() as connection:
            return rollouts.progress(connection, rollout, among)

    def masked_lately(self, since: datetime, *, beside: Request) -> frozenset[tuple[str, str]]:
        with self._transactions.reading() as connection:
            return blast_radius.masked_lately(connection, since=since, now=self._clock.now(), beside=beside)

    def count(self, query: Query) -> int:
        with self._transactions.reading() as connection:
            return requests.count(connection, query)

    def record_vote(self, request_id: str, vote: Vote, *, events: Sequence[Event]) -> bool:
        with self._changing(Work.REQUESTS) as (connection, now, chain):
            if is_new := requests.record_vote(connection, request_id, vote, now=now):
                chain.append(events)
            return is_new

    def save(
        self,
        request: Request,
        *,
        events: Sequence[Event] = (),
        messages: Sequence[Message] = (),
        claim: Claim | None = None,
        urgent: bool = True,
        counted: Counted = NOT_COUNTED,
    ) -> Request:
        request, events = linked(request, events)
        kinds = [Work.MESSAGES] * bool(messages) + [Work.REQUESTS] * (not claim)  # a claimed one is not to be had yet
        with self._changing(*kinds) as (connection, now, chain):
            stored, has_moved = requests.replace_stored(connection, request, claim)
            if outbox.show(connection, stored, urgent=urgent, has_moved=has_moved, now=now, interval=self._interval):
                chain.wakes.add(Work.MESSAGES)
            outbox.add(connection, stored, messages, now=now)
            beginning.count_again(connection, stored, counted, now=now)
            chain.append(events)
        if has_moved:
            debug_log.moved(stored)
        return stored

    def claim(self, owner: str, *, with_targets: bool = True) -> Claim | None:
        return self._take(claims.ALL if with_targets else claims.SINGLE, owner, self._lease)  # type: ignore[no-any-return]

    def renew(self, owned: Sequence[Claim]) -> list[Claim]:
        with self._transactions.writing() as connection:
            return claims.renew(connection, owned, lease=self._lease)

    def release(self, claim: Claim, *, due_at: datetime | None) -> None:
        with self._changing(Work.REQUESTS) as (connection, now, _):
            claims.release(connection, claim, due_at=due_at, now=now)

    def make_due(self, request_id: str) -> None:
        with self._changing(Work.REQUESTS) as (connection, now, _):
            claims.make_due(connection, request_id, now=now)

    def make_all_due(self, stages: Collection[Stage]) -> None:
        with self._changing(Work.REQUESTS) as (connection, now, _):
            claims.make_all_due(connection, stages, now=now)

    def claim_message(self, owner: str) -> DueMessage | None:
        return self._take(outbox, owner, self._limits.message_lease)  # type: ignore[no-any-return]

    def mark_delivered(self, due: DueMessage, *, channel: str, ts: str, version: int) -> str:
        with self._changing(Work.MESSAGES) as (connection, now, _):
            posted = outbox.PostedMessage(channel, ts, version)
            return outbox.mark_delivered(connection, due, posted, now=now, interval=self._interval)

    def mark_undelivered(self, due: DueMessage, *, retry_in: timedelta | None) -> None:
        with self._transactions.writing() as connection:
            outbox.mark_undelivered(connection, due, at=None if retry_in is None else self._clock.now() + retry_in)

    def card(self, request_id: str) -> tuple[str, str]:
        with self._transactions.reading() as connection:
            return outbox.card(connection, request_id)

    def has_posted(self, request_id: str, channel: str, ts: str) -> bool:
        with self._transactions.reading() as connection:
            return outbox.has_posted(connection, request_id, channel, ts)

    def get_periodic(self, name: str) -> Periodic | None:
        with self._transactions.reading() as connection:
            return periodic.get(connection, name)

    def find_periodic(self, kind: str) -> list[Periodic]:
        with self._transactions.reading() as connection:
            return periodic.of_kind(connection, kind)

    def save_periodic(
        self, task: Periodic, *, events: Sequence[Event] = (), messages: Sequence[Message] = (), forced: bool = False
    ) -> Periodic:
        with self._changing(Work.TASKS, Work.MESSAGES) as (connection, now, chain):
            kept = periodic.save(connection, task, forced=forced)
            outbox.announce(connection, messages, now=now)
            chain.append(events)
            return kept

    def claim_periodic(self, owner: str) -> Periodic | None:
        return self._take(periodic, owner, self._lease)  # type: ignore[no-any-return]

    def record(self, events: Sequence[Event], messages: Sequence[Message] = ()) -> None:
        with self._changing(Work.MESSAGES) as (connection, now, chain):
            outbox.announce(connection, messages, now=now)
            chain.append(events)

    def use_config(self, config_digest: str) -> None:
        self.stored_chain.use_config(config_digest)

    def backlog(self) -> Backlog:
        with self._transactions.reading() as connection:
            return backlog.look(connection, now=self._clock.now())

    def prove_writable(self) -> None:
        with self._transactions.writing() as connection:
            periodic.touch(connection, now=self._clock.now())

    def chain(self, *, after: int = 0, limit: int = 1000, sealed_only: bool = False) -> list[Mapping[str, Any]]:
        return self.stored_chain.read(after=after, limit=limit, sealed_only=sealed_only)

    def records(self, *, after: int = 0) -> Iterator[Mapping[str, Any]]:
        return self.stored_chain.records(after=after)

    def events_about(self, request_id: str, *, newest: int | None = None) -> list[Mapping[str, Any]]:
        return self.stored_chain.about(request_id, newest=newest)

    def head(self) -> Head:
        return self.stored_chain.head()

    def verify_chain(self, anchor: Anchor | None = None) -> VerifiedChain | BrokenChain:
        return self.stored_chain.verify(anchor)

    def chain_judged_since(self) -> int:
        return self.stored_chain.judged_since

    def forgeries(self) -> list[tuple[str, str]]:
        return self._seals.news()

    def _take(self, kind: Any, owner: str, lease: timedelta) -> Any:
        """Claim what has been due longest; as long as nothing is due, nothing is locked."""
        now = self._clock.now()
        with self._transactions.reading() as connection:
            if not kind.is_any_due(connection, now=now):
                return None
        with self._transactions.writing() as connection:
            return kind.take(connection, owner, now=now, lease=lease)

    @contextmanager
    def _changing(self, *kinds: Work) -> Iterator[tuple[Connection, datetime, Appending]]:
        """A writing transaction that wakes those who wait for such work at its end."""
        with self._transactions.writing() as connection:
            appending = Appending(self.stored_chain, connection, self._clock.now())
            yield connection, appending.now, appending
        self.stored_chain.note(appending.head)
        debug_log.recorded(appending.events)
        self._bell.ring(*kinds, *appending.wakes)
