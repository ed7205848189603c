"""A limit for calls that have none of their own."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def call_after(seconds: float, end: Callable[[], None]) -> Iterator[None]:
    """Call `end` in another thread if this is not over after so many seconds; it must not raise."""
    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
