"""The targets of a rollout as requests of their own: what each is asked for, and which come first on its host."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from bot.core.requests import Ask, Request, Rollout, RolloutTarget, Target
from bot.core.systemd.host_rules import TRIGGER_TYPES
from bot.core.systemd.units import UnitName

_TRIGGERS = tuple(f".{type}" for type in TRIGGER_TYPES)


def ask_of(whole: Request, target: RolloutTarget) -> Ask:
    """What is asked for on one target: the same change, by the same person, for the same reason."""
    change = replace(whole.ask.change, host=target.host, unit=target.unit)
    return replace(
        whole.ask,
        change=change,
        selection=None,
        rollout=whole.id,
        undoes="",
        repeats="",
        break_glass=False,
        console_works=False,
    )


def at_target(whole: Request, target: RolloutTarget) -> Request:
    """The rollout as if it were about this target alone, before its host was looked at."""
    return replace(whole, ask=ask_of(whole, target), target=Target(target.host, target.unit), rollout=None)


def triggers_of(request: Request) -> list[UnitName]:
    """The sockets, timers and paths that start the unit."""
    around = request.target.before.around if request.target.before else None
    return [UnitName(one.unit) for one in around.triggers if one.unit.endswith(_TRIGGERS)] if around else []


def with_triggers(
    rollout: Rollout, triggers: Callable[[RolloutTarget], Iterable[UnitName]], *, also_new: bool = True
) -> Rollout:
    """The rollout with what triggers a unit before it on its host. `also_new`: also what is not a target of it yet.

    `triggers` names those of a target. New ones are not asked for yet.
    """
    known = {(one.host, one.unit): one for one in rollout.targets}
    placed = dict[tuple[str, UnitName], RolloutTarget]()
    for one in rollout.targets:
        for unit in triggers(one):
            name = (one.host, unit)
            if name in known or also_new:
                placed.setdefault(name, known.get(name) or RolloutTarget(one.host, unit))
        placed.setdefault((one.host, one.unit), one)
    return replace(rollout, targets=tuple(placed.values()))


def in_undo_order(made: Iterable[RolloutTarget]) -> list[RolloutTarget]:
    """What was made last comes first, but on each host what triggers units comes last.

    systemd starts no socket whose service is masked, so the link of the service goes first, however it was typed.
    """
    back = [*made][::-1]
    hosts = [*dict.fromkeys(one.host for one in back)]
    return sorted(back, key=lambda one: (hosts.index(one.host), str(one.unit).endswith(_TRIGGERS)))
