"""The HTTP server ends in order, whatever else happens at that moment."""

import threading
from collections.abc import Callable

import pytest
from waitress.trigger import trigger

from bot.edges.http.server import HttpLimits, Listener


def test_a_close_that_meets_the_end_of_a_request_writes_to_no_closed_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread of waitress wakes the server too, once its request is answered: here, right before ours."""
    server = Listener(lambda _, __: [], ("127.0.0.1", 0), limits=HttpLimits(), threads=1)
    server.open()
    pull = trigger.pull_trigger

    def pull_twice(one: trigger, thunk: Callable[[None], object]) -> None:
        pull(one, thunk)
        for thread in threading.enumerate():
            if thread.name == "http":
                thread.join(timeout=1)  # time enough to end, if it may
        pull(one)

    monkeypatch.setattr(trigger, "pull_trigger", pull_twice)
    server.close()
    assert not server.is_open
