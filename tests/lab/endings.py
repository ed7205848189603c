"""However somebody ends the lab, it ends in order: signals become the exception that a `with` cleans up on."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def in_order() -> Iterator[None]:
    """Make each of `ENDINGS` a KeyboardInterrupt, as Ctrl-C is one already. Only the main thread may do that."""
    before = {number: signal.getsignal(number) for number in ENDINGS}
    for number, handler in before.items():
        if handler != signal.SIG_IGN:  # nohup(1) has said that a closed terminal is no reason
            signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait_for_one() -> NoReturn:
    """Until somebody ends it. A signal that comes just before `pause(2)` would be slept over; a short sleep ends."""
    while True:
        time.sleep(0.2)


def leave_alone() -> None:
    """From here on nobody disturbs the cleaning up: an impatient second Ctrl-C would leave half of it behind."""
    for number in ENDINGS:
        signal.signal(number, signal.SIG_IGN)
