"""Health for the outside: heartbeat, HTTP listener for probes, and systemd notifications."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog

from bot.app.compose import Assembly
from bot.core import health
from bot.core.health import Backlog, ComponentHealth
from bot.edges import metrics
from bot.edges.ops import probes
from bot.edges.ops.sd_notify import SdNotify
from bot.errors import MaskbotError
from bot.workflow import audit_shipping
from bot.workflow.health.heartbeat import Heartbeat, Look
from bot.workflow.health.operator_notices import report_clock_jumps
from bot.workflow.process.deps import Deps

log = structlog.get_logger()


@contextmanager
def health_published(
    assembly: Assembly, notify: SdNotify, *, looks: Sequence[Look], say: Callable[[str], None]
) -> Iterator[Heartbeat]:
    """Publish the bot's health for the duration of the block, once the heartbeat has started.

    Raises `ConfigError` if the listener's address is not available.
    """
    deps, settings = assembly.deps, assembly.settings
    waiting = metrics.BacklogCollector(lambda: _backlog(deps), lambda: _sink_gauges(deps))
    counted = (waiting, metrics.RenderFailures(lambda: deps.liveness.render_failures))

    def report(found: Sequence[ComponentHealth]) -> None:
        for component in found:
            metrics.set_readiness(component.name, is_well=component.is_well)
            metrics.set_alarm(component.name, is_on=component.name in heartbeat.alarms)
        if health.is_alive(found):
            notify.alive()

    heartbeat = Heartbeat(deps, source=assembly.instance, looks=[*looks, lambda: _clock(assembly)], report=report)
    listener = None
    if settings.probe_port is not None:
        listener = probes.listener(lambda: heartbeat.components, (str(settings.probe_address), settings.probe_port))
        listener.open()
        say(f"probes: {listener.place}")
    for one in counted:
        metrics.REGISTRY.register(one)
    try:
        yield heartbeat
    finally:
        heartbeat.stop()
        for one in counted:
            metrics.REGISTRY.unregister(one)
        if listener:
            listener.close()


def own_key(assembly: Assembly) -> Sequence[ComponentHealth]:
    """Whether the key and the certificate that the bot logs in with are those of its files."""
    why = assembly.own_key.complaint()
    return (ComponentHealth("ssh_key", is_well=not why, words=why.rstrip(".") or "read", needed=False),)


def _clock(assembly: Assembly) -> Sequence[ComponentHealth]:
    """Watch for clock jumps, which are recorded, and which are no sign of life."""
    try:
        report_clock_jumps(assembly.deps, assembly.clock.jumps())
    except MaskbotError as error:
        log.error("clock jump not recorded", why=str(error))
    return ()


def _sink_gauges(deps: Deps) -> Sequence[metrics.SinkGauge]:
    try:
        return list(audit_shipping.unshipped(deps))
    except MaskbotError:
        return ()


def _backlog(deps: Deps) -> Backlog | None:
    try:
        return deps.store.backlog()
    except MaskbotError:
        return None
