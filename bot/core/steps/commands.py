"""Which command of the vocabulary each step sends."""

from pathlib import PurePosixPath
from typing import assert_never

from bot.core import systemctl
from bot.core.changes import Target
from bot.core.steps.kinds import (
    Command,
    Link,
    Probe,
    Reload,
    ResetFailed,
    Start,
    Stop,
    TryStart,
    Unlink,
    Unprobe,
)
from bot.core.units import Layer, UnitName


def argv(step: Command, target: Target, *, user: str) -> tuple[str, ...]:
    """The words that are sent for a step, on the unit of the target unless the step names another."""
    match step:
        case Link() | Probe() | Unprobe():
            return _link_argv(step, target, user=user)
        case Unlink(layer=layer):
            return systemctl.unlink_argv(target.unit, layer, user=user, folder=_folder(target, layer))
        case Stop():
            return systemctl.stop_argv(target.unit, user=user)
        case Reload():
            return systemctl.reload_argv(user=user)
        case TryStart(unit=name):
            return systemctl.start_argv(UnitName(name) if name else target.unit, user=user)
        case ResetFailed(unit=unit):
            return systemctl.reset_failed_argv(UnitName(unit), user=user)
        case Start(unit=unit):
            return systemctl.start_argv(UnitName(unit), user=user)
        case _:
            assert_never(step)


def _folder(target: Target, layer: Layer) -> str:
    """Where the newest look found that layer."""
    return str(PurePosixPath(target.last_seen.layer(layer).path).parent) if target.last_seen else ""


def _link_argv(step: Link | Probe | Unprobe, target: Target, *, user: str) -> tuple[str, ...]:
    if target.layer is None:
        raise ValueError("a link needs a layer")
    if isinstance(step, Unprobe):
        return systemctl.unlink_argv(systemctl.PROBE, target.layer, user=user, folder=_folder(target, target.layer))
    unit = target.unit if isinstance(step, Link) else systemctl.PROBE
    return systemctl.link_argv(unit, target.layer, user=user)
