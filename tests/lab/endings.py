"""However somebody ends the lab, it ends in order: signals become the exception that a `with` cleans up on."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

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


def leave_alone() -> None:
    """From here on nobody disturbs the cleaning up: an impatient second Ctrl-C would leave half of it behind."""
    for number in ENDINGS:
        signal.signal(number, signal.SIG_IGN)
