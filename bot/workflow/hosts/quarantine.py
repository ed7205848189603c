"""Quarantine: send nothing to a host whose key has changed, and tell the operators once.

A quarantine is a row beside the requests, so every replica knows it. The pins in it show when an operator has confirmed
the host's new key.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import structlog

from bot.core.audit.chain import Event
from bot.core.cards import quarantine as words
from bot.core.hosts.inventory import Host
from bot.core.hosts.quarantine import ANOTHER_KEY, NOT_TRUSTED, SET_ASIDE, Quarantine, quarantine_for
from bot.core.requests import Stage
from bot.core.systemd.guard import Note
from bot.errors import HostError, MaskbotError, Stale
from bot.ports import Clock, CommandResult, Hosts, Message, MessageKind, Periodic, Query, Store
from bot.workflow.process.deps import Deps
from bot.workflow.process.documents import from_document, to_document
from bot.workflow.process.update import run_periodic_now
from bot.workflow.requests.closing import close
from bot.workflow.requests.results import Closing, save

log = structlog.get_logger()
TRUST = "trust"
_CONCERNED = frozenset({Stage.WAITING, Stage.APPROVED})
_TOLD_TO_OPERATORS = " The operator is notified."


class QuarantinedHosts:
    """Implements `ports.Hosts`: passes calls on for trusted hosts, and remembers hosts in quarantine."""

    def __init__(self, hosts: Hosts, store: Store, clock: Clock) -> None:
        self._hosts = hosts
        self._store = store
        self._clock = clock

    def run(
        self,
        host: Host,
        argv: tuple[str, ...],
        *,
        deadline: float,
        note: Note | None = None,
        then: tuple[str, ...] = (),
    ) -> CommandResult:
        """Run one command. Raises what the hosts raise, and `HostError` for a host in quarantine."""
        known = dict[str, tuple[Periodic, Quarantine | None]]()
        for one in (*host.hops, host):
            task = self._store.get_periodic(f"{TRUST}:{one.name}")
            kept = _kept(task) if task else None
            if kept and kept.sets_aside(one):
                raise HostError(words.refusal(kept), code=SET_ASIDE, hop=one.name if one is not host else "")
            known[one.name] = task or Periodic(f"{TRUST}:{one.name}"), kept
        try:
            reply = self._hosts.run(host, argv, deadline=deadline, note=note, then=then)
        except HostError as error:
            if error.code not in NOT_TRUSTED:
                raise
            culprit = next((one for one in host.hops if one.name == error.hop), host)
            task, kept = known[culprit.name]
            if kept is None or kept.is_over or kept.code != error.code or kept.is_set_aside:
                self._keep(
                    task, quarantine_for(culprit, error.code, self._clock.now()), [_quarantine_event(culprit, error)]
                )
            raise HostError(f"{error}{_TOLD_TO_OPERATORS}", code=error.code, hop=error.hop) from error
        for task, kept in known.values():
            if kept and not kept.is_over:
                self._keep(task, replace(kept, is_over=True))
        return reply

    def _keep(self, task: Periodic, kept: Quarantine, events: Sequence[Event] = ()) -> None:
        """Store the quarantine. A failed write does not hide the command's error.

        Another replica may have stored it first.
        """
        try:
            self._store.save_periodic(
                Periodic(task.name, to_document(kept), self._clock.now(), task.version), events=events
            )
        except Stale:
            log.info("quarantine.already_recorded", host=kept.host)
        except MaskbotError as error:
            log.error("quarantine.not_recorded", host=kept.host, why=str(error))


def _kept(task: Periodic) -> Quarantine | None:
    """The quarantine on record; None if nothing speaks against the host."""
    return from_document(Quarantine, task.document) if task.document else None


def _quarantine_event(host: Host, error: HostError) -> Event:
    """Both fingerprints go into the audit log and never to Slack."""
    log.error("host in quarantine", host=host.name, why=str(error))
    kind = "host.quarantined" if error.code == ANOTHER_KEY else "host.login_refused"
    notes = [str(note) for note in getattr(error, "__notes__", ())]
    return Event(kind, "failure", error.code, data={"host": host.name, "why": str(error), "keys": notes})


def report_quarantine(deps: Deps, task: Periodic) -> None:
    """Report that a host is in quarantine and end what waits there; or report that it is trusted again."""
    kept = _kept(task)
    if kept is None:
        deps.store.save_periodic(replace(task, due_at=None))
        return
    if kept.has_ended(deps.in_force.inventory.get(kept.host)):
        told = _to_operators(deps, kept, words.end_notice(kept), is_over=True) if kept.is_told else ()
        trusted = Event("host.quarantine_lifted", "success", kept.code, data={"host": kept.host})
        deps.store.save_periodic(Periodic(task.name, {}, None, task.version), events=[trusted], messages=told)
        return
    if kept.is_set_aside:
        _end_what_waits(deps, kept)
    told = () if kept.is_told else _to_operators(deps, kept, words.operator_notice(kept))
    deps.store.save_periodic(
        Periodic(task.name, to_document(replace(kept, is_told=True)), None, task.version), messages=told
    )


def _to_operators(deps: Deps, kept: Quarantine, body: str, *, is_over: bool = False) -> Sequence[Message]:
    page = Message(MessageKind.PAGE, to=f"maskbot-host-{kept.host}", body=body, is_over=is_over)
    return (Message(MessageKind.NOTE, body=body), *([page] if deps.pager else []))


def _end_what_waits(deps: Deps, kept: Quarantine) -> None:
    """End requests that wait for the host. An expired mask is retried later.

    Running requests find out at their turn.
    """
    for request in deps.store.find(Query(host=kept.host, stages=_CONCERNED, limit=1000)):
        if not request.ask.by_itself:
            with suppress(Stale):
                closing = Closing(request, Stage.CANCELLED, words.cancellation(kept), SET_ASIDE)
                save(deps, close(closing, deps.clock.now()))


def check_quarantine(deps: Deps) -> None:
    """After a reload of the configuration: check which hosts an operator has confirmed."""
    run_periodic_now(deps, TRUST, where=lambda task: bool(task.document))
