"""A deadline for calls that have no timeout of their own."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def call_after(seconds: float, end: Callable[[], None]) -> Iterator[None]:
    """Call `end` in another thread if the block is not over after `seconds`; `end` must not raise."""
    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
