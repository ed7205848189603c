"""Requests and votes are recorded once, read back whole, and replaced only by who has read the newest version."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.people.identity import PersonId
from bot.core.requests import Outcome, Stage, Tally, Verdict
from bot.core.systemd.units import UnitName
from bot.edges.database import Database
from bot.errors import NoSuchRequest, Stale
from bot.ports import Query
from tests.edges.asked import ALICE, BOB, CAROL, CRON, NOW, a_request, a_vote, a_whole_request, an_event
from tests.edges.conftest import Hands, Opening


def test_a_request_is_read_back_as_it_was_recorded(store: Database) -> None:
    whole = a_whole_request()
    assert store.add(whole, events=[]) == (whole, True)
    assert store.get("r1") == whole


def test_another_process_reads_what_was_recorded(store: Database, opened: Opening) -> None:
    store.add(a_whole_request(), events=[])
    assert opened().get("r1") == a_whole_request()


def test_what_people_type_is_kept_to_the_letter(store: Database) -> None:
    nasty = "nul \x00, a lone half \ud800, \x1b[31m, '); DROP TABLE requests; -- \u202e"
    request = a_request()
    store.add(replace(request, ask=replace(request.ask, reason=nasty)), events=[an_event(reason=nasty)])
    assert store.get("r1").ask.reason == nasty
    assert store.chain()[0]["data"] == {"reason": nasty}


def test_the_same_key_again_finds_the_first_request_and_records_nothing(store: Database) -> None:
    first, _ = store.add(a_request(), events=[an_event()])
    assert store.add(replace(a_request(2), key=first.key), events=[an_event()]) == (first, False)
    assert len(store.find(Query())) == len(store.chain()) == 1


def test_a_request_nobody_made_is_not_there(store: Database) -> None:
    with pytest.raises(NoSuchRequest):
        store.get("r1")
    with pytest.raises(NoSuchRequest):
        store.save(a_request())
    with pytest.raises(NoSuchRequest):
        store.record_vote("r1", a_vote(), events=[])
    with pytest.raises(NoSuchRequest):
        store.make_due("r1")


def test_a_saved_request_has_the_next_version_and_all_that_changed(store: Database) -> None:
    asked, _ = store.add(a_request(), events=[])
    waiting = asked.on_target(unit=UnitName("crond.service"), digest="d2").move(Stage.WAITING, because="prod")
    saved = store.save(waiting)
    assert saved == replace(waiting, version=1) == store.get("r1")


def test_only_who_has_read_the_newest_version_may_replace_it(store: Database) -> None:
    asked, _ = store.add(a_request(), events=[])
    store.save(asked.move(Stage.WITHDRAWN), events=[an_event("request.withdrawn")])
    with pytest.raises(Stale):
        store.save(asked.move(Stage.WAITING), events=[an_event("request.looked_at")])
    assert store.get("r1").stage is Stage.WITHDRAWN
    assert [record["type"] for record in store.chain()] == ["request.withdrawn"]


def test_a_person_has_one_vote_on_a_plan(store: Database) -> None:
    store.add(a_request(), events=[])
    assert store.record_vote("r1", a_vote(BOB), events=[an_event("approval.voted")])
    assert not store.record_vote("r1", a_vote(BOB, Verdict.DENY), events=[an_event("approval.voted")])
    assert store.record_vote("r1", a_vote(CAROL), events=[an_event("approval.voted")])
    assert store.get("r1").votes == (a_vote(BOB), a_vote(CAROL))
    assert len(store.chain()) == 2


def test_a_person_is_the_same_in_every_workspace_of_one_enterprise(store: Database) -> None:
    store.add(a_request(), events=[])
    assert store.record_vote("r1", a_vote(PersonId("T1", "WBOB", "E1")), events=[])
    assert not store.record_vote("r1", a_vote(PersonId("T2", "WBOB", "E1")), events=[])


def test_a_changed_plan_is_voted_on_anew(store: Database) -> None:
    store.add(a_request(), events=[])
    assert store.record_vote("r1", a_vote(BOB), events=[])
    assert store.record_vote("r1", a_vote(BOB, digest="d2"), events=[])


def test_a_vote_changes_no_version(store: Database) -> None:
    asked, _ = store.add(a_request(), events=[])
    store.record_vote("r1", a_vote(), events=[])
    assert store.get("r1").version == asked.version
    assert store.save(asked.move(Stage.WAITING)).votes == (a_vote(),)


def test_saving_writes_what_became_of_a_vote_and_leaves_the_others(store: Database) -> None:
    store.add(a_request(), events=[])
    store.record_vote("r1", a_vote(BOB), events=[])
    read = store.get("r1")
    store.record_vote("r1", a_vote(CAROL), events=[])
    counted = a_vote(BOB, tally=Tally.COUNTED)
    assert store.save(replace(read, votes=(counted,))).votes == (counted, a_vote(CAROL))


def test_a_refused_vote_makes_room_for_a_new_one(store: Database) -> None:
    store.add(a_request(), events=[])
    store.record_vote("r1", a_vote(), events=[])
    refused = a_vote(tally=Tally.REFUSED, reason="could not verify you")
    saved = store.save(replace(store.get("r1"), votes=(refused,)))
    again = a_vote(at=NOW + timedelta(seconds=9))
    assert store.record_vote("r1", again, events=[])
    assert store.get("r1").votes == (again,)
    assert store.save(saved).votes == (again,)  # who has not seen the new vote does not undo it


def test_requests_are_found_newest_first_and_only_so_many(store: Database) -> None:
    for number in (1, 2, 3):
        store.add(a_request(number, asked_at=NOW + timedelta(minutes=number)), events=[])
    assert [request.id for request in store.find(Query(limit=2))] == ["r3", "r2"]
    assert store.count(Query(limit=2)) == 3
    assert store.count(Query(stages=frozenset({Stage.DONE}))) == 0
    assert store.count(Query(host="web-01", requester=ALICE)) == 3


def test_every_condition_of_a_query_holds(store: Database) -> None:
    cron = a_request(1)
    ssh = a_request(2, host="db-01", unit=UnitName("exim4.service"), asked_at=NOW + timedelta(hours=1))
    bobs = a_request(3, ask=replace(cron.ask, requester=BOB), stage=Stage.WAITING)
    for request in (cron, ssh, bobs):
        store.add(request, events=[])

    def found(**conditions: object) -> set[str]:
        return {request.id for request in store.find(Query(**conditions))}  # type: ignore[arg-type]

    assert found(host="web-01") == {"r1", "r3"}
    assert found(unit=CRON) == {"r1", "r3"}
    assert found(host="db-01", unit=CRON) == set()
    assert found(requester=ALICE) == {"r1", "r2"}
    assert found(requester=CAROL) == set()
    assert found(requester=ALICE, host="web-01") == {"r1"}
    assert found(stages=frozenset({Stage.WAITING, Stage.DONE})) == {"r3"}
    assert found(since=NOW + timedelta(minutes=1)) == {"r2"}
    assert found(live_masks=True) == set()


def test_our_live_masks_are_found_until_they_are_undone(store: Database) -> None:
    mask, _ = store.add(a_whole_request(), events=[])
    failed = replace(a_request(2, stage=Stage.DONE)).on_target(outcome=Outcome.FAILED)
    store.add(failed, events=[])
    assert store.find(Query(live_masks=True)) == [mask]
    store.save(replace(mask, undone_by="r9"))
    assert store.find(Query(live_masks=True)) == []


def test_sign_offs_are_found_while_they_are_owed(store: Database) -> None:
    whole = a_whole_request()
    assert whole.break_glass
    owed = replace(whole.break_glass, signed=None)
    request, _ = store.add(replace(whole, break_glass=owed), events=[])
    store.add(a_request(2, stage=Stage.DONE), events=[])
    assert store.find(Query(sign_offs_owed=True)) == [request]

    repeated = store.save(replace(request, repeated_by="r9"))
    assert store.find(Query(sign_offs_owed=True)) == []
    again = store.save(replace(repeated, repeated_by=""))
    assert store.find(Query(sign_offs_owed=True, stages=frozenset({Stage.DONE}))) == [again]
    signed = replace(owed, signed=whole.break_glass.signed, remind_at=None)
    store.save(replace(again, break_glass=signed))
    assert store.find(Query(sign_offs_owed=True)) == []


def test_the_clock_of_a_request_is_utc_wherever_it_comes_from(store: Database, clock: Hands) -> None:
    store.add(a_request(asked_at=clock.now().astimezone()), events=[])
    (found,) = store.find(Query(since=clock.now()))
    assert found.asked_at == clock.now()
    assert found.asked_at.utcoffset() == timedelta(0)
