"""Make tasks due at once, because what they go by has changed."""

from collections.abc import Callable
from dataclasses import replace

from bot.errors import Stale
from bot.ports import Periodic
from bot.workflow.process.deps import Deps

_TRIES = 10


def run_periodic_now(deps: Deps, kind: str, *, where: Callable[[Periodic], bool]) -> None:
    """Make every task of a kind due now that has something to do, whoever works on it at the moment.

    A turn that ends meanwhile went by what was so before, so the task is made due again after it. Raises `Stale` if
    one never stays as it was read.
    """
    for task in deps.store.find_periodic(kind):
        newest: Periodic | None = task
        for _ in range(_TRIES):
            if newest is None or not where(newest) or _is_kept(deps, replace(newest, due_at=deps.clock.now())):
                break
            newest = deps.store.get_periodic(task.name)
        else:
            raise Stale(f"The task {task.name} did not stay as it was read, {_TRIES} times.")


def _is_kept(deps: Deps, task: Periodic) -> bool:
    try:
        deps.store.save_periodic(task)
    except Stale:
        return False
    return True
