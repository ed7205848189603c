"""Change what is stored by what is stored: read it, change it, save it, and begin anew if somebody else was quicker."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count

from bot.core.audit.chain import Event
from bot.core.requests import Request
from bot.errors import Stale
from bot.ports import Periodic
from bot.workflow.process.deps import Deps

_TRIES = 10


def update(
    deps: Deps, request_id: str, change: Callable[[Request], tuple[Request, Sequence[Event]]], *, urgent: bool = True
) -> Request:
    """Save what the change makes of the newest version of a request, and return it as it is stored then.

    A change that leaves the request as it was saves nothing. `urgent`: people wait for its card. Raises
    `NoSuchRequest`, and what the change raises.
    """
    while True:
        request = deps.store.get(request_id)
        changed, events = change(request)
        if changed == request:
            return request
        try:
            return deps.store.save(changed, events=events, urgent=urgent)
        except Stale:
            continue


def update_periodic(
    deps: Deps,
    name: str,
    change: Callable[[Periodic], tuple[Periodic, Sequence[Event]] | None],
    *,
    tries: int | None = None,
) -> None:
    """Keep what the change makes of a periodic task, whoever works on it; a change that returns None keeps nothing.

    With `tries` it raises `Stale` if the task did not stay as it was read so many times.
    """
    for _ in count() if tries is None else range(tries):
        changed = change(deps.store.get_periodic(name) or Periodic(name))
        if changed is None:
            return
        try:
            deps.store.save_periodic(changed[0], events=changed[1])
        except Stale:
            continue
        return
    raise Stale(f"The periodic task {name} did not stay as it was read, {tries} times.")


def run_periodic_now(deps: Deps, kind: str, *, where: Callable[[Periodic], bool]) -> None:
    """Make every periodic task of a kind due now that has something to do, whoever works on it at the moment.

    A turn that ends meanwhile went by what was so before, so the task is made due again after it. Raises `Stale` if
    one never stays as it was read.
    """

    def now(periodic: Periodic) -> tuple[Periodic, Sequence[Event]] | None:
        return (replace(periodic, due_at=deps.clock.now()), ()) if where(periodic) else None

    for task in deps.store.find_periodic(kind):
        update_periodic(deps, task.name, now, tries=_TRIES)
