"""Ship the audit log to the sinks, in order, from where each sink has got to, whichever replica does it."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from bot.core.audit.audit_shipping import BEHIND, Record, ShippingProgress, SinkNeed, made_at, trouble
from bot.core.audit.chain import Event, number_of
from bot.core.cards import audit_shipping
from bot.core.health import ComponentHealth
from bot.errors import MaskbotError, SinkError, Stale
from bot.ports import Message, MessageKind, Periodic, Sink
from bot.workflow.process.deps import Deps
from bot.workflow.process.documents import from_document, to_document

log = structlog.get_logger()
_BATCH = 100  # records
_GLANCE = 0.02  # seconds between two checks whether a record was shipped
_LEASE = timedelta(seconds=30)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0  # seconds between two tries


def unshipped_required(deps: Deps) -> str:
    """Why not every required sink has the whole audit log, in words; empty if each has."""
    found = (_trouble(deps, sink) for sink in deps.sinks if sink.need is SinkNeed.REQUIRED)
    return "; ".join(filter(None, found))


def may_leave_unshipped(deps: Deps) -> str:
    """Wait until every required sink has shipped up to the chain's head; return why one has not."""
    needed = [sink for sink in deps.sinks if sink.need is SinkNeed.REQUIRED]
    if not needed:
        return ""
    newest, until = deps.store.head().seq, deps.clock.now() + BEHIND
    while behind := [sink.name for sink in needed if _progress(deps, sink).seq < newest]:
        if why := unshipped_required(deps):
            return why
        if deps.clock.now() > until:
            return f"audit shipping to `{behind[0]}` is behind"
        deps.clock.wait(_GLANCE)
    return ""


def sink_health(deps: Deps) -> Sequence[ComponentHealth]:
    """The health sign of each sink."""
    return [_health_of(deps, sink) for sink in deps.sinks]


def unshipped(deps: Deps) -> Iterator[tuple[str, int, bool]]:
    """How many records each sink has not taken, and whether it takes none."""
    for sink in deps.sinks:
        progress = _progress(deps, sink)
        yield sink.name, deps.store.head().seq - progress.seq, progress.failing_since is not None


def _health_of(deps: Deps, sink: Sink) -> ComponentHealth:
    wrong = _trouble(deps, sink)
    return ComponentHealth(
        f"sink-{sink.name}",
        is_well=not wrong,
        words=wrong or "takes copies of the audit log",
        needed=sink.need is SinkNeed.REQUIRED,
        patience=timedelta(seconds=deps.timings.alarm_after if sink.need is SinkNeed.BEST_EFFORT else 0),
    )


def _trouble(deps: Deps, sink: Sink) -> str:
    progress = _progress(deps, sink)
    next_to_go = deps.store.chain(after=progress.seq, limit=1)
    first = made_at(next_to_go[0]) if next_to_go else None
    return trouble(sink.name, progress, first, deps.clock.now())


def _progress(deps: Deps, sink: Sink) -> ShippingProgress:
    task = deps.store.get_periodic(_name(sink))
    return from_document(ShippingProgress, task.document) if task else ShippingProgress()


def _name(sink: Sink) -> str:
    return f"sink:{sink.name}"


class ShippingThread:
    """One thread for each sink, so that a sink that hangs delays no other."""

    def __init__(self, deps: Deps, *, owner: str) -> None:
        self._deps = deps
        self._owner = owner
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(sink,), name=f"sink-{sink.name}", daemon=True)
            for sink in deps.sinks
        ]

    def start(self) -> None:
        """Start each sink where it has got to."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ship what is there, once, and stop."""
        self._stopping.set()
        self._deps.store.wake()
        for thread in self._threads:
            thread.join()

    def _run(self, sink: Sink) -> None:
        pause = _FIRST_PAUSE
        while True:
            is_last = self._stopping.is_set()
            try:
                is_well = Shipment(self._deps, sink, self._owner).ship()
            except MaskbotError as error:
                log.warning("audit records not shipped", sink=sink.name, why=str(error))
                is_well = False
            except Exception:
                log.exception("audit records not shipped", sink=sink.name)
                is_well = False
            if is_last:
                return
            pause = _FIRST_PAUSE if is_well else min(2 * pause, _LONGEST_PAUSE)
            if is_well:
                self._deps.store.wait_for_work(20 * self._deps.timings.poll)
            else:
                self._stopping.wait(pause)


@dataclass
class Shipment:
    """Everything that a sink has not taken yet, in batches."""

    deps: Deps
    sink: Sink
    owner: str

    def ship(self) -> bool:
        """Ship everything; return whether the sink has taken it all or another replica ships.

        Raises what the store raises.
        """
        while True:
            task = self.deps.store.get_periodic(_name(self.sink)) or Periodic(_name(self.sink))
            progress, now = from_document(ShippingProgress, task.document), self.deps.clock.now()
            # a sink would take what somebody else wrote for the bot's: it goes out under the bot's signature
            records = self.deps.store.chain(after=progress.seq, limit=_BATCH, sealed_only=True)
            if not records or progress.is_leased_by_another(self.owner, now):
                return True
            try:
                if progress.until is None or now > progress.until - _LEASE / 2:
                    progress = progress.with_lease(self.owner, now, _LEASE)
                    task = self.deps.store.save_periodic(replace(task, document=to_document(progress)))
                if not self._taken(task, progress, records):
                    return False
            except Stale:
                return True  # another replica was quicker

    def _taken(self, task: Periodic, progress: ShippingProgress, records: Sequence[Record]) -> bool:
        name = self.sink.name
        try:
            self.sink.take(records)
        except SinkError as error:
            if not progress.failing_since:
                failed = progress.with_failure(str(error).rstrip("."), self.deps.clock.now())
                event = Event(
                    "audit.sink_down", "failure", data={"sink": name, "need": self.sink.need, "why": str(error)}
                )
                self._keep(
                    task,
                    failed,
                    event,
                    audit_shipping.sink_failure(name, failed.why, is_required=self.sink.need is SinkNeed.REQUIRED),
                )
                log.error("sink down", sink=name, why=str(error))
            return False
        now = self.deps.clock.now()
        done = progress.with_shipped(number_of(records[-1]), now)
        if progress.failing_since:
            lasted = round((now - progress.failing_since).total_seconds())
            event = Event("audit.sink_up", "success", data={"sink": name, "seconds": lasted})
            self._keep(task, done, event, audit_shipping.sink_recovery(name))
            log.warning("sink up", sink=name, seconds=lasted)
        else:
            self._keep(task, done)
        return True

    def _keep(self, task: Periodic, progress: ShippingProgress, event: Event | None = None, told: str = "") -> None:
        """Save the sink's state in one transaction with its notice. Requests that wait for the sink are reevaluated."""
        events = [event] if event else []
        messages = [Message(MessageKind.NOTE, body=told)] if told else []
        self.deps.store.save_periodic(replace(task, document=to_document(progress)), events=events, messages=messages)
