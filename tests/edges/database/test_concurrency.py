"""Many at once: threads with connections of their own press the same button, claim the same work, ask the same."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

import pytest

from bot.core.audit.chain import VerifiedChain, verify
from bot.core.people.identity import PersonId
from bot.core.policy.calendar_and_limits import RequestLimits
from bot.core.requests import Request, Stage, Vote
from bot.core.systemd.units import UnitName
from bot.edges.database import Database
from bot.errors import HostBusy, Stale
from bot.ports import Claim, Count, Counted, Message, MessageKind, Query
from tests.edges.asked import BOB, NOW, a_request, a_vote, an_event
from tests.edges.conftest import Hands, Opening
from tests.lab.keys import KEYS
from tests.lab.postgres import Postgres

T = TypeVar("T")


@pytest.fixture
def replicas(store: Database, opened: Opening, *, is_sqlite: bool) -> list[Database]:
    """Two of them on PostgreSQL; on a file one, whose threads have their own connections."""
    return [store, store if is_sqlite else opened(instance="bot-2")]


def at_once(count: int, work: Callable[[int], T]) -> list[T]:
    """Every thread starts when all are ready."""
    ready = threading.Barrier(count)

    def start(number: int) -> T:
        ready.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(start, range(count)))


def test_twenty_deliveries_of_one_request_record_it_once(replicas: list[Database]) -> None:
    def deliver(number: int) -> tuple[Request, bool]:
        request = replace(a_request(number), key="the same")
        return replicas[number % 2].add(request, events=[an_event()], messages=[Message(MessageKind.WHISPER)])

    answers = at_once(20, deliver)
    assert [is_new for _, is_new in answers].count(True) == 1
    assert len({request.id for request, _ in answers}) == 1
    assert len(replicas[0].chain()) == 1
    assert replicas[0].claim_message("poster")
    assert replicas[0].claim_message("poster") is None


def test_of_many_requests_at_once_no_more_come_in_than_there_is_room_for(replicas: list[Database]) -> None:
    class Full(Exception):
        """No room."""

    def there_is_room(count: Count) -> None:
        if count(Query(stages=frozenset({Stage.ASKED}))) >= 3:
            raise Full

    def ask(number: int) -> bool:
        try:
            replicas[number % 2].add(a_request(number), events=[an_event()], provided=there_is_room)
        except Full:
            return False
        return True

    assert at_once(12, ask).count(True) == 3
    assert replicas[0].count(Query()) == len(replicas[0].chain()) == 3


def test_a_second_delivery_needs_no_room(store: Database) -> None:
    def never(_: Count) -> None:
        raise AssertionError("it is already recorded")

    first, _ = store.add(a_request(), events=[an_event()])
    assert store.add(replace(a_request(2), key=first.key), events=[an_event()], provided=never) == (first, False)


@pytest.mark.fault(
    "F64", how="one person presses twice at once", saw="one approval; the second click says that it is already recorded"
)
def test_two_clicks_of_one_person_are_one_vote(replicas: list[Database]) -> None:
    replicas[0].add(a_request(), events=[])
    answers = at_once(8, lambda number: replicas[number % 2].record_vote("r1", a_vote(BOB), events=[an_event()]))
    assert Counter(answers) == {True: 1, False: 7}
    assert len(replicas[0].get("r1").votes) == len(replicas[0].chain()) == 1


def test_votes_of_different_people_at_once_are_all_there(replicas: list[Database]) -> None:
    replicas[0].add(a_request(), events=[])

    def vote(number: int) -> Vote:
        voter = a_vote(PersonId("T1", f"U{number}"))
        replicas[number % 2].record_vote("r1", voter, events=[an_event()])
        return voter

    assert set(at_once(8, vote)) == set(replicas[0].get("r1").votes)


@pytest.mark.fault("F55", how="replicas that count the same approvals at once", saw="one card that is approved once")
def test_one_of_many_who_approve_at_once_moves_the_request(replicas: list[Database]) -> None:
    waiting, _ = replicas[0].add(a_request(stage=Stage.WAITING), events=[])

    def approve(number: int) -> bool:
        try:
            replicas[number % 2].save(waiting.move(Stage.APPROVED), events=[an_event("approval.quorum")])
        except Stale:
            return False
        return True

    assert Counter(at_once(10, approve)) == {True: 1, False: 9}
    assert replicas[0].get("r1").version == len(replicas[0].chain()) == 1


def test_no_request_is_claimed_by_two(replicas: list[Database]) -> None:
    for number in range(6):
        replicas[0].add(a_request(number), events=[])

    def work(number: int) -> list[str]:
        claims = iter(lambda: replicas[number % 2].claim(f"owner-{number}"), None)
        return [claim.request.id for claim in claims]

    # PostgreSQL passes over what another is just claiming, so a thread may leave while one more is due: work(0).
    taken = Counter(request_id for ids in [*at_once(6, work), work(0)] for request_id in ids)
    assert taken == {f"r{number}": 1 for number in range(6)}


def test_no_message_is_said_by_two(replicas: list[Database]) -> None:
    for number in range(6):
        replicas[0].add(a_request(number, stage=Stage.WAITING), events=[])

    def say(number: int) -> list[int]:
        return [due.id for due in iter(lambda: replicas[number % 2].claim_message(f"poster-{number}"), None)]

    taken = Counter(message for ids in [*at_once(6, say), say(0)] for message in ids)
    assert sorted(taken.values()) == [1] * 6


def test_of_many_changes_on_one_host_one_runs(replicas: list[Database]) -> None:
    requests = [replicas[0].add(a_request(number, stage=Stage.APPROVED), events=[])[0] for number in range(6)]

    def run(number: int) -> bool:
        try:
            replicas[number % 2].save(requests[number].move(Stage.RUNNING), events=[an_event("exec.intent")])
        except HostBusy:
            return False
        return True

    assert Counter(at_once(6, run)) == {True: 1, False: 5}
    assert len(replicas[0].chain()) == 1


def test_of_many_masks_that_went_by_the_same_count_one_begins(replicas: list[Database]) -> None:
    hosts = [f"web-{number}" for number in range(6)]
    requests = [
        replicas[0].add(a_request(number, host=host, stage=Stage.APPROVED), events=[an_event()])[0]
        for number, host in enumerate(hosts)
    ]
    before = Counted(frozenset(hosts), replicas[0].head().seq, frozenset())

    def begin(number: int, counted: Counted = before) -> bool:
        running = requests[number].move(Stage.RUNNING, begun_at=NOW)
        started = replace(an_event("exec.started"), request_id=running.id)
        try:
            replicas[number % 2].save(running, events=[started], counted=counted)
        except HostBusy:
            return False
        return True

    begun = at_once(6, begin)
    assert Counter(begun) == {True: 1, False: 5}
    first, second, third = begun.index(True), *[number for number in range(6) if not begun[number]][:2]
    assert not begin(second, replace(before, hosts=frozenset({f"web-{first}"})))
    assert begin(second, replace(before, hosts=frozenset({f"web-{third}"})))  # none of those that were counted
    assert begin(third, replace(before, known=frozenset({f"r{first}", f"r{second}"})))  # counted as gone already


@pytest.mark.parametrize(
    ("limits", "host"),
    [(RequestLimits(hosts=2), "web-{number}"), (RequestLimits(units_per_host=2), "web-1")],
    ids=["hosts", "units of a host"],
)
def test_of_many_masks_that_went_by_the_same_limits_so_many_begin_as_they_allow(
    replicas: list[Database], limits: RequestLimits, host: str
) -> None:
    for number in range(6):
        asked = a_request(number, host=host.format(number=number), unit=UnitName(f"unit{number}.service"))
        replicas[0].add(replace(asked, stage=Stage.APPROVED), events=[an_event()])

    def begin(number: int) -> bool:
        store = replicas[number % 2]
        running = store.get(f"r{number}").move(Stage.RUNNING, begun_at=NOW)
        while True:
            try:
                store.save(store.save(running, counted=Counted(limits=limits)).move(Stage.DONE))
            except HostBusy as busy:
                if "Another change is running" not in str(busy):  # only one at a time runs on a host
                    return False
            else:
                return True

    assert Counter(at_once(6, begin)) == {True: 2, False: 4}


@pytest.mark.parametrize("number", range(5))
def test_a_claim_and_a_vote_at_once_lose_neither(replicas: list[Database], number: int) -> None:
    """Whichever comes first, the vote is seen: in the claimed request, or because it is due again."""
    replicas[0].add(a_request(number), events=[])

    def press(who: int) -> int:
        if who:
            replicas[1].record_vote(f"r{number}", a_vote(), events=[])
            return 0
        claim = claimed(replicas[0])
        replicas[0].release(claim, due_at=None)
        return len(claim.request.votes)

    seen = sum(at_once(2, press))
    assert seen or len(claimed(replicas[0]).request.votes) == 1


def claimed(store: Database) -> Claim:
    """PostgreSQL passes over what somebody is just writing to, so this asks again."""
    return next(claim for _ in range(1000) if (claim := store.claim("one")))


def test_everything_at_once_leaves_one_unbroken_chain(replicas: list[Database]) -> None:
    """Writers that lock the same rows in different orders would wait for each other for ever."""
    for number in range(4):
        replicas[0].add(a_request(number, host=f"web-{number}"), events=[])

    def press(number: int) -> int:
        store, request_id, done = replicas[number % 2], f"r{number % 4}", 0
        for turn in range(5):
            vote = a_vote(PersonId("T1", f"U{number}-{turn}"))
            done += store.record_vote(request_id, vote, events=[an_event("approval.voted")])
            store.record([an_event("config.loaded")])
            try:
                store.save(store.get(request_id), events=[an_event("request.saved")])
            except Stale:
                done -= 1
            if claim := store.claim(f"owner-{number}"):
                store.release(claim, due_at=None)
            if due := store.claim_message(f"poster-{number}"):
                store.mark_delivered(due, channel="C1", ts="1.2", version=0)
            done += 2
        return done

    expected = sum(at_once(8, press))
    assert verify(replicas[0].records(), KEYS, anchor=replicas[0].head()) == VerifiedChain(expected, replicas[0].head())


def test_who_waits_for_work_is_woken_by_it(store: Database) -> None:
    store.wait_for_work(0)
    woken = threading.Event()

    def wait() -> None:
        store.wait_for_work(0)  # what was recorded before this thread came
        started.set()
        store.wait_for_work(300)
        woken.set()

    started = threading.Event()
    waiter = threading.Thread(target=wait, daemon=True)
    waiter.start()
    assert started.wait(60)
    store.add(a_request(), events=[])
    assert woken.wait(60)
    waiter.join()


def test_what_was_recorded_while_nobody_waited_is_not_slept_over(store: Database) -> None:
    store.wait_for_work(0)
    store.add(a_request(), events=[])
    waiter = threading.Thread(target=store.wait_for_work, args=(300,), daemon=True)
    waiter.start()
    waiter.join(60)
    assert not waiter.is_alive()


@pytest.mark.postgresql
def test_replicas_that_start_at_once_on_an_empty_database_take_turns(cluster: Postgres, clock: Hands) -> None:
    url = cluster.make_database("fresh")

    def begin(number: int) -> None:
        store = Database(url, clock=clock, instance=f"bot-{number}", keys=KEYS)
        with store.exclusive():
            store.record([an_event()])

    at_once(4, begin)
    store = Database(url, clock=clock, instance="bot-5", keys=KEYS)
    with store.exclusive():
        assert [record["seq"] for record in store.records()] == [1, 2, 3, 4]
