"""Prometheus metrics. The edges count; no label contains the name of a unit, a host or a person."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from bot.core.health import Backlog
from bot.core.requests import Request, Stage

_QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10)
_SLOW = (0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300)
_HUMAN = (5, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 14400, 86400)

SinkGauge = tuple[str, int, bool]  # the sink's name, how many records it has not taken, whether it takes none

REGISTRY = CollectorRegistry()

_moved = Counter("maskbot_requests", "Requests that reached a stage.", ["verb", "stage"], registry=REGISTRY)
_ended = Counter("maskbot_changes", "Changes that were carried out.", ["verb", "outcome"], registry=REGISTRY)
_decided = Histogram(
    "maskbot_approval_seconds", "From the command to the decision of people.", buckets=_HUMAN, registry=REGISTRY
)
_carried_out = Histogram(
    "maskbot_carry_out_seconds", "From the approval to the outcome.", ["verb"], buckets=_SLOW, registry=REGISTRY
)
_acked = Histogram(
    "maskbot_ack_seconds", "From a payload of Slack to its acknowledgement.", buckets=_QUICK, registry=REGISTRY
)
_ssh = Histogram(
    "maskbot_ssh_seconds", "Each phase of SSH, by how it ended.", ["phase", "result"], buckets=_SLOW, registry=REGISTRY
)
_slack = Histogram(
    "maskbot_slack_call_seconds", "Calls of Slack's Web API.", ["method", "result"], buckets=_QUICK, registry=REGISTRY
)
_shipped = Counter("maskbot_audit_shipped", "Records that a sink has taken.", ["sink"], registry=REGISTRY)
_dropped = Counter("maskbot_log_dropped_lines", "Lines of the log that nobody read in time.", registry=REGISTRY)
_ready = Gauge("maskbot_ready", "1 while that part of the bot is well.", ["component"], registry=REGISTRY)
_alarms = Gauge("maskbot_alarms", "1 while there is an alarm of that kind.", ["alarm"], registry=REGISTRY)


def count_stage_change(request: Request) -> None:
    """A request was stored in another stage than before."""
    verb, stage = request.ask.change.verb, request.stage
    _moved.labels(verb, stage).inc()
    decided = request.approved_at if stage is Stage.APPROVED else request.finished_at
    if request.approval and decided and stage in (Stage.APPROVED, Stage.DENIED):
        _decided.observe((decided - request.asked_at).total_seconds())
    if stage is Stage.DONE and request.target.outcome and request.finished_at:
        _ended.labels(verb, request.target.outcome).inc()
        began = request.approved_at or request.asked_at
        _carried_out.labels(verb).observe((request.finished_at - began).total_seconds())


@contextmanager
def time_acknowledgement() -> Iterator[None]:
    """A payload was recorded and acknowledged during the block."""
    with _acked.time():
        yield


@contextmanager
def time_ssh(phase: str) -> Iterator[None]:
    """A phase of a connection to a host, or a command on it."""
    with _time_call(_ssh, phase):
        yield


@contextmanager
def time_slack(method: str) -> Iterator[None]:
    """A call of Slack's Web API, by the name of its method."""
    with _time_call(_slack, method):
        yield


@contextmanager
def _time_call(histogram: Histogram, name: str) -> Iterator[None]:
    """Time the block by its result: `ok`, or the kind of error.

    Error codes of Slack and hosts would be unbounded labels.
    """
    began, result = perf_counter(), "ok"
    try:
        yield
    except Exception as error:
        result = "passing" if getattr(error, "passing", False) else "refused"
        raise
    finally:
        histogram.labels(name, result).observe(perf_counter() - began)


def count_shipped(sink: str, count: int) -> None:
    """A sink has taken this many records."""
    _shipped.labels(sink).inc(count)


def count_dropped_line() -> None:
    """A log line was dropped."""
    _dropped.inc()


def set_readiness(part: str, *, is_well: bool) -> None:
    """The health of a component."""
    _ready.labels(part).set(is_well)


def set_alarm(kind: str, *, is_on: bool) -> None:
    """Whether an alert is open."""
    _alarms.labels(kind).set(is_on)


def exposition() -> bytes:
    """All metrics in Prometheus's format."""
    return generate_latest(REGISTRY)


class RenderFailures(Collector):
    """Render failures by kind."""

    def __init__(self, count: Callable[[], Mapping[str, int]]) -> None:
        self._count = count

    def collect(self) -> Iterator[CounterMetricFamily]:
        """The counts as they are now."""
        said = "Messages that could not be drawn, and went out in plain words."
        found = CounterMetricFamily("maskbot_render_failures", said, labels=["kind"])
        for kind, count in sorted(self._count().items()):
            found.add_metric([kind], count)
        yield found


class BacklogCollector(Collector):
    """The backlog of the store, read at each scrape; a store that does not answer yields nothing."""

    def __init__(self, look: Callable[[], Backlog | None], sinks: Callable[[], Sequence[SinkGauge]]) -> None:
        self._look = look
        self._sinks = sinks

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges as they are now."""
        seen = self._look()
        if seen is None:
            return
        stages = GaugeMetricFamily("maskbot_open_requests", "Requests that are not over.", labels=["stage"])
        for stage in Stage:
            if not stage.is_final:
                stages.add_metric([stage], seen.stages.get(stage, 0))
        yield stages
        yield GaugeMetricFamily("maskbot_leases", "Requests that somebody works on.", value=seen.leases)
        yield GaugeMetricFamily("maskbot_due_requests", "Requests that are due and wait for a worker.", value=seen.due)
        yield GaugeMetricFamily(
            "maskbot_due_seconds", "How long the oldest due request has waited for a worker.", value=seen.due_age
        )
        yield GaugeMetricFamily("maskbot_undelivered_messages", "Messages that wait for Slack.", value=seen.undelivered)
        yield GaugeMetricFamily(
            "maskbot_retried_messages", "Waiting messages that were tried several times.", value=seen.retried
        )
        yield GaugeMetricFamily(
            "maskbot_overdue_cards", "Final cards among the waiting messages.", value=seen.final_cards
        )
        unshipped = GaugeMetricFamily("maskbot_audit_unshipped", "Records that a sink has not taken.", labels=["sink"])
        down = GaugeMetricFamily("maskbot_audit_sink_down", "1 while a sink takes nothing.", labels=["sink"])
        for name, count, is_down in self._sinks():
            unshipped.add_metric([name], count)
            down.add_metric([name], is_down)
        yield from (unshipped, down)
