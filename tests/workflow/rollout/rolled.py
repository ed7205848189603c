"""What tests of rollouts share: how they ask, what they read, a host that does not answer, and a kill switch."""

from collections.abc import Callable
from typing import Any

from bot.core.requests import Request, Selection, TargetStatus
from bot.core.systemd.units import UnitName
from bot.errors import HostError
from bot.ports import Query
from tests.workflow.slack import BOB, caller
from tests.workflow.wire import Call, first_time
from tests.workflow.world import World

HOSTS = ("web-01", "web-02", "db-01")


def selection(*hosts: str, units: tuple[str, ...] = ("worker",), **options: Any) -> Selection:
    return Selection(hosts, tuple(UnitName.parse(unit) for unit in units), **options)


def ask_rollout(world: World, *hosts: str, units: tuple[str, ...] = ("worker",), **options: Any) -> Request:
    chosen = selection(*hosts, units=units, **{k: options.pop(k) for k in ("waves", "with_triggers") if k in options})
    return world.ask_mask(units[0], host=",".join(hosts), selection=chosen, **options)


def targets(world: World, whole: Request) -> dict[str, Request]:
    """The requests of a rollout's targets, by host."""
    return {one.target.host: one for one in world.store.find(Query(rollout=whole.id))}


def statuses(world: World, whole: Request) -> dict[str, TargetStatus]:
    rollout = world.store.get(whole.id).rollout
    assert rollout is not None
    return {one.host: one.status for one in rollout.targets}


def refuse(world: World, host: str, *verbs: str) -> Callable[[Call], None]:
    """One host answers no command of these kinds (no verb: not even a look) until the test takes this away."""

    def trouble(call: Call) -> None:
        if call.host == host and (not verbs or call.verb in verbs):
            raise HostError(f"{host} does not answer.", code="ssh_unreachable", passing=True)

    world.wire.before.append(trouble)
    return trouble


def freeze_at_first_mask(world: World) -> None:
    """Bob turns the kill switch on as soon as the first host is masked."""
    is_first = first_time()

    def switch(call: Call) -> None:
        if call.verb == "mask" and is_first():
            world.desk.kill_switch.request(caller(BOB, "freeze"), turns_off=False, reason="stop")

    world.wire.after.append(switch)


def touched(world: World) -> set[str]:
    """The hosts that got a command which changes something."""
    return {call.host for call in world.wire.calls if call.verb and call.verb != "probe"}


def paused(world: World, whole: Request) -> Request:
    return world.when(whole, lambda now: bool(now.rollout and now.rollout.paused_at), "a pause")


def rolled_out(world: World, *hosts: str, **options: Any) -> Request:
    return world.until_answered(ask_rollout(world, *hosts, **options))
