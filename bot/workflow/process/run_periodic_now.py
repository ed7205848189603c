"""Make duties due at once, because what they go by has changed."""

from collections.abc import Callable
from dataclasses import replace

from bot.errors import Stale
from bot.ports import Duty
from bot.workflow.process.deps import Parts

_TRIES = 10


def make_due(parts: Parts, kind: str, *, where: Callable[[Duty], bool]) -> None:
    """Make every duty of a kind due now that has something to do, whoever works on it at the moment.

    A turn that ends meanwhile went by what was so before, so the duty is made due again after it. Raises `Stale` if
    one never stays as it was read.
    """
    for duty in parts.store.duties(kind):
        newest: Duty | None = duty
        for _ in range(_TRIES):
            if newest is None or not where(newest) or _is_kept(parts, replace(newest, due_at=parts.clock.now())):
                break
            newest = parts.store.duty(duty.name)
        else:
            raise Stale(f"The duty {duty.name} did not stay as it was read, {_TRIES} times.")


def _is_kept(parts: Parts, duty: Duty) -> bool:
    try:
        parts.store.keep(duty)
    except Stale:
        return False
    return True
