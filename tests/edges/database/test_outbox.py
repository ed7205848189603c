"""Each request has one card, which is never behind for long; what belongs to it waits for it; nothing is forgotten."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import create_engine

from bot.core.people.identity import Place
from bot.core.requests import Request, Selection, Stage, Target
from bot.edges.database import Database, DatabaseLimits, tables
from bot.edges.database.engine import parse_url
from bot.ports import DueMessage, Message, MessageKind, Periodic
from tests.edges.asked import CRON, a_request, an_event
from tests.edges.conftest import Hands, Opening

CARD, LINE, EVIDENCE, WHISPER, NOTE, *_ = MessageKind
TS = "1700000000.000200"


def waiting(store: Database, number: int = 1) -> Request:
    asked, _ = store.add(a_request(number), events=[])
    return store.save(asked.move(Stage.WAITING))


def running(store: Database) -> Request:
    return store.save(store.save(waiting(store).move(Stage.APPROVED)).move(Stage.RUNNING))


def due(store: Database) -> DueMessage:
    message = store.claim_message("poster")
    assert message is not None
    return message


def say(store: Database, request: Request) -> DueMessage:
    """Post what is due as of this version of its request."""
    message = due(store)
    store.mark_delivered(message, channel="C1", ts=TS, version=request.version)
    return message


def kinds(store: Database) -> list[MessageKind]:
    """Everything that is due, in order; it stays claimed."""
    found = []
    while message := store.claim_message("poster"):
        found.append(message.message.kind)
    return found


def test_a_card_is_due_as_soon_as_there_is_something_to_show(store: Database) -> None:
    asked, _ = store.add(a_request(), events=[])
    assert store.claim_message("poster") is None
    store.save(asked.move(Stage.WAITING))
    assert due(store) == DueMessage(1, "r1", Message(CARD), attempts=0)


@pytest.mark.parametrize("stage", [Stage.REFUSED, Stage.WITHDRAWN, Stage.CANCELLED])
def test_what_ends_before_anybody_was_asked_has_no_card(store: Database, stage: Stage) -> None:
    asked, _ = store.add(a_request(), events=[])
    store.save(asked.move(stage))
    assert store.claim_message("poster") is None


@pytest.mark.parametrize("stage", [Stage.DENIED, Stage.TIMED_OUT, Stage.CANCELLED, Stage.WITHDRAWN])
def test_a_card_that_was_shown_shows_the_end(store: Database, stage: Stage) -> None:
    asked = waiting(store)
    say(store, asked)
    store.save(asked.move(stage))
    assert due(store).ts == TS


def test_a_request_has_one_card_however_it_came_to_it(store: Database) -> None:
    store.add(a_request(stage=Stage.WAITING), events=[], messages=[Message(CARD), Message(CARD)])
    store.save(store.get("r1").move(Stage.APPROVED), messages=[Message(CARD)])
    assert kinds(store) == [CARD]


def test_where_a_card_stands_is_known_once_it_is_posted(store: Database) -> None:
    asked = waiting(store)
    assert store.card("r1") == ("", "")
    say(store, asked)
    assert store.card("r1") == ("C1", TS)


def test_a_card_that_is_up_to_date_is_not_due(store: Database, clock: Hands) -> None:
    say(store, waiting(store))
    clock.wait(1000)
    assert store.claim_message("poster") is None


def test_a_new_stage_is_shown_at_once(store: Database) -> None:
    asked = waiting(store)
    say(store, asked)
    store.save(asked.move(Stage.APPROVED))
    assert due(store) == DueMessage(1, "r1", Message(CARD), 0, "C1", TS, posted_version=1)


def test_progress_is_shown_no_more_often_than_once_a_second(store: Database, clock: Hands) -> None:
    request = running(store)
    say(store, request)
    for _ in range(3):
        clock.wait(0.2)
        request = store.save(request)
    assert store.claim_message("poster") is None
    clock.wait(0.4)
    say(store, request)
    clock.wait(1000)
    assert store.claim_message("poster") is None


def test_a_card_that_nobody_waits_for_is_drawn_anew_when_its_last_edit_allows(store: Database, clock: Hands) -> None:
    request = waiting(store)
    say(store, request)
    store.save(request, urgent=False)
    assert store.claim_message("poster") is None
    clock.wait(5)
    assert due(store).posted_version == request.version


def test_progress_does_not_put_off_a_new_stage_that_nobody_has_seen(store: Database, clock: Hands) -> None:
    approved = store.save(waiting(store).move(Stage.APPROVED))
    say(store, approved)
    clock.wait(1)
    store.save(store.save(approved.move(Stage.RUNNING)))
    assert due(store).posted_version == approved.version


def test_the_result_does_not_wait_for_its_turn(store: Database) -> None:
    request = running(store)
    say(store, request)
    request = store.save(request)
    store.save(request.move(Stage.DONE))
    assert due(store).ts == TS


def test_progress_that_came_while_it_was_posted_is_shown_later(store: Database, clock: Hands) -> None:
    request = running(store)
    posting = due(store)
    store.save(request)
    store.mark_delivered(posting, channel="C1", ts=TS, version=request.version)
    assert store.claim_message("poster") is None
    clock.wait(5)
    assert due(store).posted_version == request.version


def test_a_result_that_came_while_it_was_posted_is_shown_at_once(store: Database) -> None:
    request = running(store)
    posting = due(store)
    store.save(request.move(Stage.DONE))
    store.mark_delivered(posting, channel="C1", ts=TS, version=request.version)
    assert due(store).posted_version == request.version


def rollout(store: Database) -> Request:
    """A rollout that people are asked about, and whose card shows that."""
    ask = replace(a_request().ask, selection=Selection(("@web",), (CRON,)))
    asked, _ = store.add(a_request(ask=ask, target=Target("", CRON)), events=[])
    request = store.save(asked.move(Stage.WAITING))
    say(store, request)
    return request


def test_a_rollouts_card_is_edited_once_a_second_also_if_people_wait_for_it(store: Database, clock: Hands) -> None:
    request, seen = rollout(store), [clock.now()]
    for stage in (Stage.APPROVED, Stage.RUNNING, None, None, Stage.DONE, None):
        for _ in range(4):
            clock.wait(0.1)
            request = store.save(request.move(stage) if stage and request.stage is not stage else request)
            if card := store.claim_message("poster"):
                request = store.save(request)  # while it is posted
                store.mark_delivered(card, channel="C1", ts=TS, version=request.version - 1)
                seen.append(clock.now())
    clock.wait(1)
    say(store, request)
    assert len(seen) >= 3
    assert min(later - one for one, later in pairwise(seen)) >= timedelta(seconds=1)
    clock.wait(5)
    assert store.claim_message("poster") is None


def test_a_rollouts_card_that_was_written_too_late_is_drawn_once_more_a_second_later(
    store: Database, opened: Opening, clock: Hands
) -> None:
    request = store.save(rollout(store).move(Stage.APPROVED))
    clock.wait(1)
    late = due(opened(limits=DatabaseLimits(message_lease=timedelta(0))))
    say(store, request)
    store.mark_delivered(late, channel="C1", ts=TS, version=request.version)
    assert store.claim_message("poster") is None
    clock.wait(1)
    say(store, request)
    clock.wait(5)
    assert store.claim_message("poster") is None


def test_a_card_is_not_taken_from_under_its_poster_by_a_newer_version(store: Database) -> None:
    request = waiting(store)
    due(store)
    store.save(request.move(Stage.APPROVED))
    assert store.claim_message("another") is None


def test_results_come_before_progress_however_long_that_has_waited(store: Database, clock: Hands) -> None:
    request = running(store)
    say(store, request)
    store.save(request)
    clock.wait(60)
    waiting(store, 2)
    assert [due(store).request_id, due(store).request_id] == ["r2", "r1"]


def test_what_belongs_beside_the_card_waits_until_the_card_stands(store: Database) -> None:
    asked = waiting(store)
    done = store.save(
        store.save(asked.move(Stage.APPROVED)).move(Stage.DONE), messages=[Message(LINE), Message(EVIDENCE)]
    )
    say(store, done)
    assert kinds(store) == [LINE, EVIDENCE]


def test_what_links_the_card_waits_for_it_wherever_it_is_said(store: Database) -> None:
    linking = Message(NOTE, place=Place("COPS"), body="A mask is asked for.", links_card=True)
    asked, _ = store.add(a_request(), events=[])
    waits = store.save(asked.move(Stage.WAITING), messages=[linking])
    say(store, waits)
    assert due(store).message == linking


def test_what_links_a_card_that_never_stands_is_not_said(store: Database) -> None:
    linking = Message(NOTE, place=Place("COPS"), body="A mask is asked for.", links_card=True)
    asked, _ = store.add(a_request(), events=[])
    store.save(asked.move(Stage.CANCELLED), messages=[linking, Message(LINE, place=Place("COPS"))])
    assert store.claim_message("poster") is None


def test_what_belongs_to_no_request_needs_no_card(store: Database) -> None:
    note = Message(NOTE, body="Nothing new is masked until the kill switch is off.")
    store.save_periodic(Periodic("kill_switch"), messages=[note])
    assert due(store).message == note


def test_what_has_a_place_of_its_own_needs_no_card(store: Database) -> None:
    elsewhere = Message(NOTE, place=Place("D1"))
    asked, _ = store.add(a_request(), events=[])
    store.save(asked.move(Stage.CANCELLED), messages=[elsewhere, Message(EVIDENCE)])
    assert due(store).message == elsewhere
    assert store.claim_message("poster") is None


def test_nobody_hears_that_a_page_is_over_before_they_were_paged(store: Database, clock: Hands) -> None:
    page, over = Message(MessageKind.PAGE, to="r1"), Message(MessageKind.PAGE, to="r1", is_over=True)
    first = waiting(store)
    say(store, first)
    first = store.save(first, messages=[page], urgent=False)
    trigger = due(store)
    store.save(first, messages=[over, Message(LINE)], urgent=False)
    other = waiting(store, number=2)
    store.save(other, messages=[over], urgent=False)
    assert kinds(store) == [LINE, CARD, MessageKind.PAGE]  # the page is of the other request

    store.mark_undelivered(trigger, retry_in=timedelta(seconds=2))
    assert store.claim_message("poster") is None
    clock.wait(2)
    trigger = due(store)
    assert not trigger.message.is_over
    store.mark_delivered(trigger, channel="pager", ts="paged", version=0)
    assert due(store).message.is_over


def test_a_whisper_is_said_once_as_it_was_written(store: Database) -> None:
    whisper = Message(WHISPER, to="UALICE", body='{"text": "no"}', place=Place("C1", thread=TS))
    store.add(a_request(), events=[], messages=[whisper])
    said = due(store)
    assert said.message == whisper
    store.mark_delivered(said, channel="C1", ts="", version=0)
    assert store.claim_message("poster") is None


def test_two_posters_never_say_the_same(store: Database) -> None:
    waiting(store)
    due(store)
    assert store.claim_message("another") is None


def test_a_message_whose_poster_died_is_due_again_and_says_so(store: Database, opened: Opening) -> None:
    waiting(store)
    mortal = opened(limits=DatabaseLimits(message_lease=timedelta(0)))
    assert due(mortal).attempts == 0
    assert due(store).attempts == 1


def test_who_lost_a_message_cannot_say_where_it_stands(store: Database, opened: Opening) -> None:
    asked = waiting(store)
    late = due(opened(limits=DatabaseLimits(message_lease=timedelta(0))))
    now = due(store)
    store.mark_delivered(late, channel="C1", ts="late", version=asked.version)
    store.mark_undelivered(late, retry_in=None)
    assert store.card("r1") == ("", "")
    store.mark_delivered(now, channel="C1", ts=TS, version=asked.version)
    assert store.card("r1") == ("C1", TS)


def test_a_message_that_may_have_been_posted_says_since_when(store: Database, clock: Hands) -> None:
    waiting(store)
    first, began = due(store), clock.now()
    assert first.tried_at is None
    for _ in range(2):
        store.mark_undelivered(first, retry_in=timedelta(seconds=2))
        clock.wait(2)
        first = due(store)
        assert first.tried_at == began
    store.mark_delivered(first, channel="C1", ts=TS, version=0)
    assert due(store).tried_at is None


def test_what_an_older_version_tried_is_looked_for_as_well(store: Database, database_url: str, clock: Hands) -> None:
    """It counted its attempts, and did not note when they were."""
    waiting(store)
    store.mark_undelivered(due(store), retry_in=timedelta(0))
    engine = create_engine(parse_url(database_url))
    with engine.begin() as connection:
        connection.execute(tables.messages.update().values(tried_at=None, overwritten=None))
    engine.dispose()
    tried_at = due(store).tried_at
    assert tried_at is not None
    assert tried_at < clock.now() - timedelta(hours=12)


def test_who_is_late_learns_where_it_stands_and_a_card_is_drawn_once_more(store: Database, opened: Opening) -> None:
    """He may have written an older picture over the newest one."""
    asked = waiting(store)
    late = due(opened(limits=DatabaseLimits(message_lease=timedelta(0))))
    assert store.mark_delivered(due(store), channel="C1", ts=TS, version=asked.version) == TS
    assert store.claim_message("poster") is None
    assert store.mark_delivered(late, channel="C1", ts="late", version=asked.version) == TS
    assert store.mark_delivered(due(store), channel="C1", ts=TS, version=asked.version) == TS
    assert store.claim_message("poster") is None


def test_who_is_late_while_another_draws_has_the_card_drawn_once_more(store: Database, opened: Opening) -> None:
    asked = waiting(store)
    late = due(opened(limits=DatabaseLimits(message_lease=timedelta(0))))
    now = due(store)
    assert store.mark_delivered(late, channel="C1", ts="late", version=asked.version) == ""
    store.mark_delivered(now, channel="C1", ts=TS, version=asked.version)
    store.mark_delivered(due(store), channel="C1", ts=TS, version=asked.version)
    assert store.claim_message("poster") is None


def test_what_is_said_once_is_not_said_again_because_somebody_was_late(store: Database, opened: Opening) -> None:
    store.add(a_request(), events=[], messages=[Message(WHISPER)])
    late = due(opened(limits=DatabaseLimits(message_lease=timedelta(0))))
    store.mark_delivered(due(store), channel="C1", ts=TS, version=0)
    assert store.mark_delivered(late, channel="C1", ts="late", version=0) == TS
    assert store.claim_message("poster") is None


def test_a_new_start_on_a_file_posts_what_the_dead_one_held(
    database_url: str, opened: Opening, *, is_sqlite: bool
) -> None:
    dead = opened()
    with dead.exclusive():
        waiting(dead)
        due(dead)
    risen = opened()
    with risen.exclusive():
        again = risen.claim_message("poster")
    assert (again.attempts if again else None) == (1 if is_sqlite else None)


def test_a_message_that_could_not_be_said_waits_as_long_as_slack_asked(store: Database, clock: Hands) -> None:
    asked = waiting(store)
    store.mark_undelivered(due(store), retry_in=timedelta(seconds=7))
    store.save(asked.move(Stage.APPROVED))  # even if there is news
    clock.wait(6)
    assert store.claim_message("poster") is None
    clock.wait(1)
    assert due(store).attempts == 1


def test_attempts_count_from_the_last_time_it_was_said(store: Database) -> None:
    asked = waiting(store)
    store.mark_undelivered(due(store), retry_in=timedelta(0))
    say(store, asked)
    store.save(asked.move(Stage.APPROVED))
    assert due(store).attempts == 0


def test_a_message_that_was_given_up_stays_so(store: Database, clock: Hands) -> None:
    store.add(a_request(), events=[], messages=[Message(WHISPER, to="UALICE", body="no")])
    store.mark_undelivered(due(store), retry_in=None)
    clock.wait(10_000_000)
    assert store.claim_message("poster") is None


def test_a_card_that_was_given_up_is_tried_again_when_there_is_news(store: Database) -> None:
    asked = waiting(store)
    store.mark_undelivered(due(store), retry_in=None)
    store.save(asked.move(Stage.APPROVED))
    assert due(store).attempts == 1


def test_nothing_is_to_be_said_about_what_was_not_recorded(store: Database) -> None:
    asked = waiting(store)
    stale = replace(asked, version=0)
    kinds(store)
    with pytest.raises(Exception, match="changed by somebody else"):
        store.save(stale, events=[an_event()], messages=[Message(WHISPER, to="UALICE", body="no")])
    assert kinds(store) == []


def test_a_message_that_this_version_cannot_read_stands_in_nobodys_way(store: Database, database_url: str) -> None:
    waiting(store, 1)
    waiting(store, 2)
    engine = create_engine(parse_url(database_url))
    with engine.begin() as connection:
        unknown = tables.messages.update().where(tables.messages.c.request_id == "r1")
        connection.execute(unknown.values(document={"kind": "smoke signal"}))
    engine.dispose()
    found = [store.claim_message("poster"), store.claim_message("poster")]
    assert [message.request_id for message in found if message] == ["r2"]
