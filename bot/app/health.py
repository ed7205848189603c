"""Seeing how the bot is, from outside: its pulse, the listener for probes, the word to systemd."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog

from bot.app.compose import Assembly
from bot.core import health
from bot.core.health import Backlog, Sign
from bot.edges import metrics
from bot.edges.ops import probes
from bot.edges.ops.sd_notify import Notify
from bot.errors import MaskbotError
from bot.workflow import audit_shipping
from bot.workflow.health.heartbeat import Look, Pulse
from bot.workflow.health.operator_notices import note_jumps
from bot.workflow.process.deps import Parts

log = structlog.get_logger()


@contextmanager
def seen(assembly: Assembly, notify: Notify, *, looks: Sequence[Look], say: Callable[[str], None]) -> Iterator[Pulse]:
    """Let the bot be seen for as long as this lasts, once the pulse is started.

    Raises `ConfigError` if the listener's address cannot be had.
    """
    parts, settings = assembly.parts, assembly.settings
    waiting = metrics.Waiting(lambda: _backlog(parts), lambda: _unshipped(parts))
    counted = (waiting, metrics.Undrawn(lambda: parts.vitals.undrawn))

    def told(found: Sequence[Sign]) -> None:
        for sign in found:
            metrics.ready(sign.part, is_well=sign.is_well)
            metrics.alarm(sign.part, is_on=sign.part in pulse.alarms)
        if health.is_alive(found):
            notify.alive()

    pulse = Pulse(parts, source=assembly.instance, looks=[*looks, lambda: _clock(assembly)], told=told)
    door = None
    if settings.probe_port is not None:
        door = probes.listener(lambda: pulse.signs, (str(settings.probe_address), settings.probe_port))
        door.open()
        say(f"probes: {door.place}")
    for one in counted:
        metrics.REGISTRY.register(one)
    try:
        yield pulse
    finally:
        pulse.stop()
        for one in counted:
            metrics.REGISTRY.unregister(one)
        if door:
            door.close()


def _clock(assembly: Assembly) -> Sequence[Sign]:
    """A clock that was set is no sign of life, but has to be noticed by somebody."""
    try:
        note_jumps(assembly.parts, assembly.clock.jumps())
    except MaskbotError as error:
        log.error("clock jump not recorded", why=str(error))
    return ()


def _unshipped(parts: Parts) -> Sequence[metrics.SinkGauge]:
    try:
        return list(audit_shipping.unshipped(parts))
    except MaskbotError:
        return ()


def _backlog(parts: Parts) -> Backlog | None:
    try:
        return parts.store.backlog()
    except MaskbotError:
        return None
