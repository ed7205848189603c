"""A process to be killed: records one request after the other, and prints each once it was acknowledged."""

import itertools
import json
import sys

from bot.edges.clock import SystemClock
from bot.edges.database import Database
from bot.errors import StoreBusy
from bot.ports import Message, MessageKind
from tests.edges.asked import a_request, an_event
from tests.lab.keys import KEYS


def main(url: str) -> None:
    """Write until killed, or until the database says no."""
    store = Database(url, clock=SystemClock(), instance="writer", keys=KEYS)
    with store.exclusive():
        for number in itertools.count():
            whisper = Message(MessageKind.WHISPER, to="UALICE", body="x" * 2000)
            try:
                store.add(a_request(number), events=[an_event(padding="x" * 900)], messages=[whisper])
            except StoreBusy as no:
                tell(no=str(no))
                return
            tell(id=f"r{number}")


def tell(**what: str) -> None:
    """One line to whoever started us, out before the next request is recorded."""
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
