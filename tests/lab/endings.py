"""End the lab in order on any signal: each signal raises an exception that lets `with` blocks clean up."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def in_order() -> Iterator[None]:
    """Turn each of `ENDINGS` into a KeyboardInterrupt. Only the main thread may do that."""
    before = {number: signal.getsignal(number) for number in ENDINGS}
    for number, handler in before.items():
        if handler != signal.SIG_IGN:  # under nohup(1) a closed terminal does not end the lab
            signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait_for_one(until: Callable[[], bool] = lambda: False) -> None:
    """Wait for a signal, or until that is so. `pause(2)` would miss a signal that comes just before it."""
    while not until():
        time.sleep(0.2)


def leave_alone() -> None:
    """Ignore further signals: an impatient second Ctrl-C would interrupt the cleanup."""
    for number in ENDINGS:
        signal.signal(number, signal.SIG_IGN)
