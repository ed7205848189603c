"""What is due is worked on by one owner at a time, and by nobody who lost his claim."""

import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, insert

from bot.core.requests import Request, SlowWait, Stage
from bot.edges.database import Database, rows, tables
from bot.edges.database.engine import parse_url
from bot.errors import HostBusy, LostClaim
from bot.ports import Claim
from tests.edges.asked import BOB, CAROL, NOW, a_request, a_vote, an_event
from tests.edges.conftest import Hands, Opening
from tests.edges.sealing import sealed

SECOND = timedelta(seconds=1)


def claimed(store: Database, owner: str = "one") -> Claim:
    claim = store.claim(owner)
    assert claim is not None
    return claim


def test_a_new_request_is_due_at_once(store: Database) -> None:
    asked, _ = store.add(a_request(), events=[])
    assert claimed(store) == Claim(asked, "one", 1)


def test_nothing_is_claimed_twice(store: Database) -> None:
    store.add(a_request(), events=[])
    claimed(store)
    assert store.claim("two") is None


def test_what_has_been_due_longest_comes_first(store: Database, clock: Hands) -> None:
    for number, seconds in ((1, 2), (2, 1), (3, 3), (4, 60)):
        store.add(a_request(number, due_at=NOW + seconds * SECOND), events=[])
    clock.wait(10)
    assert [claimed(store).request.id for _ in range(3)] == ["r2", "r1", "r3"]
    assert store.claim("one") is None


def test_what_is_released_is_due_when_its_owner_said(store: Database, clock: Hands) -> None:
    store.add(a_request(), events=[])
    store.release(claimed(store), due_at=clock.now() + 5 * SECOND)
    assert store.claim("two") is None
    clock.wait(5)
    assert claimed(store, "two").fence == 2


def test_what_waits_for_something_to_happen_is_not_due(store: Database, clock: Hands) -> None:
    store.add(a_request(), events=[])
    store.release(claimed(store), due_at=None)
    clock.wait(10_000_000)
    assert store.claim("one") is None


def test_a_vote_makes_its_request_due(store: Database) -> None:
    store.add(a_request(), events=[])
    store.release(claimed(store), due_at=None)
    store.record_vote("r1", a_vote(), events=[])
    assert claimed(store).request.votes == (a_vote(),)


def test_a_vote_that_came_in_meanwhile_makes_it_due_at_once(store: Database) -> None:
    store.add(a_request(), events=[])
    claim = claimed(store)
    store.record_vote("r1", a_vote(), events=[])
    store.release(claim, due_at=None)
    assert claimed(store).request.votes == (a_vote(),)


def test_a_vote_that_was_seen_and_put_off_is_put_off(store: Database, clock: Hands) -> None:
    store.add(a_request(), events=[])
    store.record_vote("r1", a_vote(), events=[])
    claim = claimed(store)
    assert claim.request.votes == (a_vote(),)
    store.release(claim, due_at=clock.now() + 5 * SECOND)
    assert store.claim("one") is None


def test_a_second_vote_does_not_push_the_first_one_back(store: Database, clock: Hands) -> None:
    store.add(a_request(1), events=[])
    store.add(a_request(2, due_at=NOW + SECOND), events=[])
    store.record_vote("r1", a_vote(BOB), events=[])
    clock.wait(10)
    store.record_vote("r1", a_vote(CAROL), events=[])
    assert claimed(store).request.id == "r1"


def test_saving_under_a_claim_leaves_the_claim_as_it_is(store: Database) -> None:
    store.add(a_request(), events=[])
    claim = claimed(store)
    store.save(claim.request.move(Stage.WAITING, due_at=None), claim=claim)
    assert store.claim("two") is None
    assert store.renew([claim]) == []
    store.release(claim, due_at=None)


def test_a_save_by_somebody_else_says_when_it_is_due(store: Database, clock: Hands) -> None:
    asked, _ = store.add(a_request(), events=[])
    store.save(replace(asked, due_at=clock.now() + 5 * SECOND))
    assert store.claim("one") is None
    clock.wait(5)
    claimed(store)


def test_a_save_by_somebody_else_meanwhile_is_looked_at_after(store: Database) -> None:
    store.add(a_request(), events=[])
    claim = claimed(store)
    store.save(claim.request.move(Stage.WITHDRAWN))
    store.release(claim, due_at=None)
    assert claimed(store).request.stage is Stage.WITHDRAWN


def test_a_save_by_somebody_else_does_not_hide_a_vote(store: Database) -> None:
    asked, _ = store.add(a_request(), events=[])
    store.record_vote("r1", a_vote(), events=[])
    store.save(replace(asked, due_at=None))
    assert claimed(store).request.votes == (a_vote(),)


def test_a_request_can_be_hurried_unless_it_is_over(store: Database) -> None:
    for number in (1, 2):
        store.add(a_request(number, due_at=NOW + 3600 * SECOND), events=[])
    store.save(store.get("r2").move(Stage.WITHDRAWN))
    store.make_due("r1")
    store.make_due("r2")
    assert claimed(store).request.id == "r1"
    assert store.claim("one") is None


def test_all_requests_of_some_stages_can_be_hurried_also_one_that_is_claimed(store: Database) -> None:
    for number in (1, 2, 3):
        store.add(a_request(number, due_at=NOW + 3600 * SECOND), events=[])
    store.save(store.get("r1").move(Stage.WAITING))
    store.save(store.get("r2").move(Stage.APPROVED, due_at=NOW))
    claim = claimed(store)

    store.make_all_due({Stage.WAITING, Stage.APPROVED})

    assert claimed(store, "two").request.id == "r1"
    store.release(claim, due_at=NOW + 3600 * SECOND)
    assert claimed(store, "two").request.id == "r2"
    assert store.claim("two") is None


def test_a_lease_that_has_run_out_passes_to_another_owner(store: Database, opened: Opening) -> None:
    store.add(a_request(), events=[])
    brief = opened(lease=timedelta(0))
    old = claimed(brief, "gone")
    new = claimed(store, "two")
    assert (new.owner, new.fence) == ("two", old.fence + 1)


def test_nothing_is_written_under_a_lost_claim(store: Database, opened: Opening) -> None:
    store.add(a_request(), events=[])
    old = claimed(opened(lease=timedelta(0)), "gone")
    new = claimed(store, "two")
    assert store.renew([old]) == [old]
    with pytest.raises(LostClaim):
        store.save(old.request.move(Stage.WAITING), events=[an_event()], claim=old)
    with pytest.raises(LostClaim):
        store.release(old, due_at=None)
    assert store.get("r1").stage is Stage.ASKED
    assert store.chain() == []
    assert store.renew([old, new]) == [old]


def test_a_released_claim_is_a_lost_one(store: Database) -> None:
    store.add(a_request(), events=[])
    claim = claimed(store)
    store.release(claim, due_at=None)
    assert store.renew([claim]) == [claim]


def test_a_renewed_lease_holds(store: Database, opened: Opening) -> None:
    store.add(a_request(), events=[])
    claim = claimed(opened(lease=timedelta(0)))
    assert store.renew([claim]) == []
    assert store.claim("two") is None


def test_one_change_runs_on_a_host_and_the_next_when_it_is_over(store: Database) -> None:
    first, second, elsewhere = (
        store.add(a_request(number, host=host, stage=Stage.APPROVED), events=[])[0]
        for number, host in ((1, "web-01"), (2, "web-01"), (3, "db-01"))
    )
    first = store.save(first.move(Stage.RUNNING))
    store.save(elsewhere.move(Stage.RUNNING))
    with pytest.raises(HostBusy, match="web-01"):
        store.save(second.move(Stage.RUNNING), events=[an_event("exec.intent")])
    assert store.get("r2").stage is Stage.APPROVED
    assert store.chain() == []
    store.save(first.move(Stage.DONE))
    assert store.save(second.move(Stage.RUNNING)).stage is Stage.RUNNING


def test_a_change_that_waits_leaves_its_host_to_others_and_takes_it_back(store: Database) -> None:
    first, second = (store.add(a_request(number, stage=Stage.APPROVED), events=[])[0] for number in (1, 2))
    first = store.save(first.move(Stage.RUNNING))
    first = store.save(first.on_target(waiting=SlowWait(NOW, NOW)))
    second = store.save(second.move(Stage.RUNNING))
    with pytest.raises(HostBusy, match="web-01"):
        store.save(first.on_target(waiting=None))
    assert store.get("r1").target.waiting == SlowWait(NOW, NOW)
    store.save(second.move(Stage.DONE))
    assert store.save(first.on_target(waiting=None)).target.waiting is None


def test_a_crashed_run_keeps_its_host_and_is_due_again(store: Database, opened: Opening) -> None:
    store.add(a_request(1, stage=Stage.APPROVED), events=[])
    store.add(a_request(2, stage=Stage.APPROVED), events=[])
    crashed = opened(lease=timedelta(0))
    claim = claimed(crashed)
    crashed.save(claim.request.move(Stage.RUNNING, due_at=None), claim=claim)
    with pytest.raises(HostBusy):
        store.save(store.get("r2").move(Stage.RUNNING))
    assert {claimed(store).request.id, claimed(store).request.id} == {"r1", "r2"}


def test_a_new_start_on_a_file_takes_over_at_once(database_url: str, opened: Opening, *, is_sqlite: bool) -> None:
    dead = opened()
    with dead.exclusive():
        dead.add(a_request(), events=[])
        claimed(dead, "dead")
    risen = opened()
    with risen.exclusive():
        assert (risen.claim("risen") is not None) == is_sqlite  # replicas wait for the lease: the other may live


def test_five_thousand_waiting_requests_are_rows_and_a_poll_passes_over_them(
    store: Database, database_url: str, clock: Hands
) -> None:
    due_at = NOW + timedelta(hours=1)
    _insert(database_url, [a_request(number, stage=Stage.WAITING, due_at=due_at) for number in range(5000)])
    threads = {*threading.enumerate()}  # those of earlier tests may end meanwhile
    begun = time.perf_counter()
    assert [store.claim("one") for _ in range(20)] == [None] * 20
    assert time.perf_counter() - begun < 5
    clock.time = due_at
    claimed(store)
    assert {*threading.enumerate()} <= threads


def _insert(url: str, requests: list[Request]) -> None:
    """All at once: as many transactions as requests would take the test half a minute."""
    due = {"changed_since_claim": False, "fence": 0}
    targets = [
        rows.target_row(request) | due | {"request_id": request.id, "due_at": request.due_at} for request in requests
    ]
    engine = create_engine(parse_url(url))
    with engine.begin() as connection:
        new = [sealed(rows.request_row(request), rows.target_row(request)) for request in requests]
        connection.execute(insert(tables.requests), new)
        connection.execute(insert(tables.targets), targets)
    engine.dispose()


def test_a_request_that_this_version_cannot_read_stands_in_nobodys_way(store: Database, database_url: str) -> None:
    store.add(a_request(1), events=[])
    readable, _ = store.add(a_request(2, due_at=NOW), events=[])
    engine = create_engine(parse_url(database_url))
    with engine.begin() as connection:
        connection.execute(tables.targets.update().where(tables.targets.c.request_id == "r1").values(document={}))
    engine.dispose()
    found = [store.claim("one"), store.claim("one")]
    assert [claim.request for claim in found if claim] == [readable]


def test_who_has_enough_targets_of_rollouts_gets_what_is_asked_for_alone(store: Database) -> None:
    for number in (1, 2):
        asked = a_request(number)
        store.add(replace(asked, ask=replace(asked.ask, rollout="r9")), events=[])
    store.add(a_request(3), events=[])
    alone = store.claim("one", with_targets=False)
    assert alone and alone.request.id == "r3"
    assert store.claim("one", with_targets=False) is None
    both = (store.claim("one"), store.claim("one"))
    assert {claim.request.id for claim in both if claim} == {"r1", "r2"}  # due at the same time, so in any order
