"""A bot without hosts and a waiting request, for tests about timers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.core.hosts.inventory import Host
from bot.core.requests import Approval, Escalation, Request, Stage
from bot.core.systemd.guard import Note
from bot.ports import CommandResult
from tests.edges.asked import a_request
from tests.lab.sqlite import new_sqlite
from tests.workflow.world import World

MINUTE = timedelta(minutes=1)


class Nowhere:
    """A connection to hosts that is never used."""

    def run(
        self,
        host: Host,
        argv: tuple[str, ...],
        *,
        deadline: float,
        note: Note | None = None,
        then: tuple[str, ...] = (),
    ) -> CommandResult:
        raise AssertionError(f"no host is asked here: {host.name} {argv} {deadline}")


@contextmanager
def without_hosts(folder: Path, **changed_deps: Any) -> Iterator[World]:
    """A bot that works only while a test lets it."""
    world = World({}, new_sqlite(folder / "var/maskbot.db"), ways=Nowhere(), **changed_deps)
    with world.store.exclusive():
        yield world
        world.answers.close()


def waits(world: World, *, within: timedelta = 15 * MINUTE, number: int = 1, **escalation: Any) -> Request:
    """A request that has just begun to wait for one approval of @sre."""
    now = world.clock.now()
    approval = Approval("prod", 1, ("sre",), now + within, within, policy=world.deps.in_force.policy.digest)
    waiting = replace(a_request(number), approval=approval, escalation=Escalation(now, **escalation), due_at=now)
    # In one commit: a bot that works would begin with what was only asked.
    recorded, _ = world.store.add(waiting.move(Stage.WAITING), events=[])
    return recorded
