"""What was masked lately, counted on either database: what began, and what is about to, but never the one that asks."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.core.requests import Change, Request, Stage, Verb
from bot.core.systemd.units import UnitName
from bot.edges.database import Database
from bot.ports import Query
from tests.edges.asked import ALICE, CRON, NOW, a_request
from tests.edges.conftest import Hands

MINUTE = timedelta(minutes=1)
ATD = UnitName("atd.service")


def approved(store: Database, number: int, *, host: str, minutes: float = 0, **changed: Any) -> Request:
    """A mask that may run: asked so many minutes after the first."""
    asked = a_request(number, host=host, asked_at=NOW + minutes * MINUTE, **changed)
    recorded, _ = store.add(asked, events=[])
    return store.save(recorded.move(Stage.APPROVED, due_at=NOW))


def mask_begun_before(store: Database, number: int, *, host: str, ago: float = 0, **changed: Any) -> Request:
    """A mask that began so many minutes ago, and is over."""
    one = approved(store, number, host=host, **changed)
    running = store.save(one.move(Stage.RUNNING, begun_at=NOW - ago * MINUTE, due_at=NOW))
    return store.save(running.move(Stage.DONE))


def lately(store: Database, beside: Request) -> set[tuple[str, str]]:
    return set(store.masked_lately(NOW - 10 * MINUTE, beside=beside))


def test_what_began_within_the_time_counts_once_for_each_host_and_unit(store: Database, clock: Hands) -> None:
    mask_begun_before(store, 1, host="web-01", ago=9)
    mask_begun_before(store, 2, host="web-01", ago=1)
    mask_begun_before(store, 3, host="web-01", unit=ATD)
    mask_begun_before(store, 4, host="web-02", ago=11)
    mine = approved(store, 9, host="db-01", minutes=1)
    clock.wait(60)
    assert lately(store, mine) == {("web-01", str(CRON)), ("web-01", str(ATD))}


def test_what_runs_counts_and_the_one_that_asks_does_not(store: Database) -> None:
    mine = approved(store, 1, host="web-01")
    running = store.save(mine.move(Stage.RUNNING, begun_at=NOW, due_at=NOW))
    assert lately(store, running) == set()
    assert lately(store, approved(store, 2, host="web-02", minutes=1)) == {("web-01", str(CRON))}


def test_of_what_is_approved_only_what_was_asked_before_and_is_due_counts(store: Database, clock: Hands) -> None:
    first, second = approved(store, 1, host="web-01"), approved(store, 2, host="web-02")
    later = approved(store, 3, host="web-03", minutes=1)
    store.save(replace(approved(store, 4, host="web-04"), due_at=NOW + 60 * MINUTE))
    clock.wait(1)
    assert lately(store, first) == set()
    assert lately(store, second) == {("web-01", str(CRON))}
    assert lately(store, later) == {("web-01", str(CRON)), ("web-02", str(CRON))}


def test_an_unmask_never_counts(store: Database) -> None:
    ask = replace(a_request().ask, change=Change(Verb.UNMASK, "web-01", CRON))
    mask_begun_before(store, 1, host="web-01", ask=ask)
    approved(store, 2, host="web-02", ask=ask)
    assert lately(store, approved(store, 3, host="db-01", minutes=1)) == set()


def test_a_request_is_found_by_what_it_was_recorded_under(store: Database) -> None:
    for number in (1, 2):
        store.add(a_request(number), events=[])
    assert [one.id for one in store.find(Query(key="key-2"))] == ["r2"]
    assert store.count(Query(requester=ALICE, since=NOW)) == 2
