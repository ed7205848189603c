"""Two ask for an authenticator in one name, at the same time: whoever has the owner's session, and the owner."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import cast

from bot.core.people.identity import PersonId
from bot.edges.database import Database
from bot.errors import CodeRefused
from tests.edges.conftest import Hands
from tests.edges.database.test_step_up import BOB, refusal, step_up
from tests.lab.authenticator import PhoneApp


class Meanwhile:
    """A database to which something is done right before its nth call."""

    def __init__(self, store: Database, nth: int, act: Callable[[], None]) -> None:
        self._store, self._left, self._act = store, nth, act

    def __getattr__(self, name: str) -> object:
        """A method that counts."""
        method = getattr(self._store, name)

        def call(*args: object, **named: object) -> object:
            self._left -= 1
            if self._left == 0:
                self._act()
            return method(*args, **named)

        return call


def test_nobody_replaces_an_authenticator_that_came_meanwhile_without_its_code(store: Database, clock: Hands) -> None:
    """The owner types the first code between any two calls of the database in which somebody else asks for a secret."""
    earlier = 0
    for nth in range(1, 8):
        person = replace(BOB, id=PersonId("T1", f"UBOB{nth}"))
        owner, confirmed = step_up(store, clock), list[int]()
        app = PhoneApp(owner.offer(person).secret)

        def confirm() -> None:
            with suppress(CodeRefused):  # its offer has ended with a newer one
                owner.confirm(person, app.code(clock.now()))  # noqa: B023
                confirmed.append(1)  # noqa: B023

        thief = step_up(cast(Database, Meanwhile(store, nth, confirm)), clock)
        with suppress(CodeRefused):
            stolen = PhoneApp(thief.offer(person).secret)
            thief.confirm(person, stolen.code(clock.now()))
        clock.wait(60)
        assert not confirmed or refusal(owner, app.code(clock.now()), person) == "", nth
        earlier += len(confirmed)
    assert earlier, "the owner was never the first"
