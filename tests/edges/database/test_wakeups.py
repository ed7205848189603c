"""Who is woken by what this process records: those who wait for such work, and whoever waits for any."""

from threading import Event, Thread

import pytest

from bot.core.requests import Stage
from bot.edges.database import Database
from bot.edges.database.wakeup import Wakeup
from bot.ports import Message, MessageKind, Periodic, Work
from tests.edges.asked import NOW, a_request, an_event
from tests.lab.sqlite import new_sqlite

ENDLESS = 60.0


@pytest.fixture
def database_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Which database it is makes no difference here."""
    return new_sqlite(tmp_path_factory.mktemp("wakeups") / "var/maskbot.db")


def are_woken(store: Database) -> list[Work]:
    """Whose wait would end at once; each of them waits anew."""
    return [kind for kind in Work if store._bell.wait(0, kind)]


def test_what_is_recorded_wakes_only_those_who_can_do_something_about_it(store: Database) -> None:
    store.wake()
    are_woken(store)

    request, _ = store.add(a_request(), events=[an_event()])
    assert are_woken(store) == [Work.REQUESTS, Work.MESSAGES]
    claim = store.claim("bot-1")
    assert claim is not None
    stored = store.save(claim.request, claim=claim)
    assert are_woken(store) == []
    stored = store.save(stored, claim=claim, messages=[Message(MessageKind.LINE)])
    assert are_woken(store) == [Work.MESSAGES]
    store.save(stored.move(Stage.WAITING), claim=claim)  # so a card is due
    assert are_woken(store) == [Work.MESSAGES]
    store.release(claim, due_at=None)
    assert are_woken(store) == [Work.REQUESTS]
    store.make_due(request.id)
    assert are_woken(store) == [Work.REQUESTS]
    store.save_periodic(Periodic("watch:web-01", {}, NOW))
    assert are_woken(store) == [Work.MESSAGES, Work.TASKS]
    store.wake()
    assert are_woken(store) == [*Work]


def test_who_waits_for_anything_is_woken_by_anything() -> None:
    for kind in Work:
        bell, ended = Wakeup(), Event()
        assert not bell.wait(0)
        waiter = Thread(target=lambda bell=bell, ended=ended: bell.wait(ENDLESS) and ended.set(), daemon=True)
        waiter.start()
        bell.ring(kind)
        assert ended.wait(ENDLESS)
        assert not bell.wait(0, next(other for other in Work if other is not kind))
