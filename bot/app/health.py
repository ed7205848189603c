"""Health for the outside: heartbeat, HTTP listener for probes, and systemd notifications."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog

from bot.app.compose import Assembly
from bot.core import health
from bot.core.health import Backlog, ComponentHealth
from bot.edges import metrics
from bot.edges.ops import probes
from bot.edges.ops.sd_notify import Notify
from bot.errors import MaskbotError
from bot.workflow import audit_shipping
from bot.workflow.health.heartbeat import Heartbeat, Look
from bot.workflow.health.operator_notices import report_clock_jumps
from bot.workflow.process.deps import Deps

log = structlog.get_logger()


@contextmanager
def health_published(
    assembly: Assembly, notify: Notify, *, looks: Sequence[Look], say: Callable[[str], None]
) -> Iterator[Heartbeat]:
    """Publish the bot's health for the duration of the block, once the heartbeat has started.

    Raises `ConfigError` if the listener's address is not available.
    """
    deps, settings = assembly.deps, assembly.settings
    waiting = metrics.Waiting(lambda: _backlog(deps), lambda: _unshipped(deps))
    counted = (waiting, metrics.RenderFailures(lambda: deps.liveness.render_failures))

    def report(found: Sequence[ComponentHealth]) -> None:
        for sign in found:
            metrics.set_readiness(sign.component, is_well=sign.is_well)
            metrics.set_alarm(sign.component, is_on=sign.component in heartbeat.alarms)
        if health.is_alive(found):
            notify.alive()

    heartbeat = Heartbeat(deps, source=assembly.instance, looks=[*looks, lambda: _clock(assembly)], report=report)
    door = None
    if settings.probe_port is not None:
        door = probes.listener(lambda: heartbeat.signs, (str(settings.probe_address), settings.probe_port))
        door.open()
        say(f"probes: {door.place}")
    for one in counted:
        metrics.REGISTRY.register(one)
    try:
        yield heartbeat
    finally:
        heartbeat.stop()
        for one in counted:
            metrics.REGISTRY.unregister(one)
        if door:
            door.close()


def _clock(assembly: Assembly) -> Sequence[ComponentHealth]:
    """Watch for clock jumps, which are recorded, and which are no sign of life."""
    try:
        report_clock_jumps(assembly.deps, assembly.clock.jumps())
    except MaskbotError as error:
        log.error("clock jump not recorded", why=str(error))
    return ()


def _unshipped(deps: Deps) -> Sequence[metrics.SinkGauge]:
    try:
        return list(audit_shipping.unshipped(deps))
    except MaskbotError:
        return ()


def _backlog(deps: Deps) -> Backlog | None:
    try:
        return deps.store.backlog()
    except MaskbotError:
        return None
