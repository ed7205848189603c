"""The command that each step sends."""

from typing import assert_never

from bot.core.requests import Target
from bot.core.steps.kinds import (
    Command,
    Kill,
    Link,
    Probe,
    Reload,
    ResetFailed,
    Start,
    Stop,
    TryStart,
    Unlink,
)
from bot.core.systemd import systemctl
from bot.core.systemd.units import Layer, LayerFile, UnitName


def argv(step: Command, target: Target, *, user: str) -> tuple[str, ...]:
    """The command of a step, on the unit of the target unless the step names another."""
    match step:
        case Link() | Probe() | Unlink():
            return _link_argv(step, target, user=user)
        case Stop():
            return systemctl.stop_argv(target.unit, user=user)
        case Kill():
            return systemctl.kill_argv(target.unit, user=user)
        case Reload():
            return systemctl.reload_argv(user=user)
        case TryStart(unit=name):
            return systemctl.try_start_argv(UnitName(name) if name else target.unit, user=user)
        case ResetFailed(unit=unit):
            return systemctl.reset_failed_argv(UnitName(unit), user=user)
        case Start(unit=unit):
            return systemctl.start_argv(UnitName(unit), user=user)
        case _:
            assert_never(step)


def _link_argv(step: Link | Probe | Unlink, target: Target, *, user: str) -> tuple[str, ...]:
    """Remove exactly the link that the newest look has seen, by which the step was decided."""
    if isinstance(step, Unlink):
        return systemctl.unlink_argv(target.unit, _last_layer(target, step.layer), user=user, foreign=step.foreign)
    if target.layer is None:
        raise ValueError("a link needs a layer")
    if isinstance(step, Probe):
        return systemctl.probe_argv(target.layer, user=user)
    return systemctl.link_argv(target.unit, target.layer, user=user)


def _last_layer(target: Target, layer: Layer) -> LayerFile:
    if target.last_seen is None:
        raise ValueError("what is removed must have been looked at")
    return target.last_seen.layer(layer)
