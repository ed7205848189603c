"""Carry out a change step by step, each step after a look, until a full look says that it is done."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import cached_property

from bot.core.audit.chain import Event
from bot.core.audit.request_event import event
from bot.core.hosts.inventory import Host
from bot.core.policy.rules.audit_shipping import AUDIT_UNAVAILABLE
from bot.core.requests import Outcome, Request, Sent, SlowWait
from bot.core.requests.journal_note import journal_note
from bot.core.steps import Done, Step, StepContext, next_step, observe
from bot.core.steps.commands import argv
from bot.core.steps.kinds import Command, LookFully, TryStart, Wait, label
from bot.core.systemd.guard import Argv
from bot.core.systemd.look import look_argv
from bot.core.systemd.units import Snapshot
from bot.core.text.sanitize import clean
from bot.errors import HostError, LostClaim, OutcomeUnknown, UsageError
from bot.ports import Claim, CommandResult
from bot.workflow.audit_shipping import may_leave_unshipped
from bot.workflow.force_stop import wake_force_requests
from bot.workflow.hosts.look import look_and_status, read_look, status_head
from bot.workflow.lifecycle.fresh_login import why_no_login
from bot.workflow.lifecycle.outcome_unknown import outcome_unknown
from bot.workflow.process.deps import Deps
from bot.workflow.requests.lineage import target_to_restore, units_to_see
from bot.workflow.requests.own_changes import with_own_changes
from bot.workflow.requests.results import Ending, Update

_SHARE = 10  # of a slow unit: the pauses between looks grow to a tenth of the time waited so far


class RunningChange:
    """One running request, from its newest look to its outcome. A crash loses nothing: the next run begins with a look.

    `seen` is a full look made a moment ago, if there is one; `stopping` says whether to stop after the current step.
    """

    def __init__(
        self,
        deps: Deps,
        claim: Claim,
        request: Request,
        *,
        seen: Snapshot | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self.deps = deps
        self.claim = claim
        self.request = request
        self.undoes = target_to_restore(deps, request.ask.undoes) if request.ask.undoes else None
        self.related = units_to_see(request, self.undoes)
        self.stored = request.target  # as it was before the newest look
        self.seen = seen
        self.stopping = stopping
        self.fully = self.once_fully = False  # all looks are full from the first that had to be; or the next one is
        self.answered: tuple[Event, ...] = ()  # the answer to the newest command, until it is recorded
        self.status = ""  # the unit's status for people, if the newest look was a full one
        self.failures = 0
        self.shown_at = deps.clock.now()

    def run(self) -> Request | Update | Ending:
        """Look, ask for the next step, do it, look again. Only a full look can end the change.

        The answer of a command is recorded together with the next command, or before a wait or the end.
        """
        while not self.stopping():
            try:
                step = self._next_step()
                if isinstance(step, Command):
                    self.once_fully = isinstance(step, TryStart)  # a refused start is probably the end
                    self._send(step, size="result" if self.fully or self.once_fully else "short")
                elif ended := self._send_nothing(step):
                    return ended
            except HostError as error:
                if ended := self._after_failure(error):
                    return ended
        self._record_answer()
        return self.request

    @cached_property
    def host(self) -> Host:
        """The host from the inventory. Raises `HostError`: hosts.yaml may have changed since the last command."""
        try:
            return self.deps.in_force.inventory.host(self.request.ask.change.host)
        except UsageError as error:
            raise HostError(str(error), code="unknown_host") from error

    def _next_step(self) -> Step:
        """Look at the unit, note what the look shows, and ask for the next step."""
        ask, self.stored = self.request.ask, self.request.target
        if self.seen is None:
            self.seen, self.status = look_and_status(
                self.deps,
                self.host,
                self.stored.unit,
                size="result" if self.fully or self.once_fully else "short",
                user=ask.change.user,
                also=self.related,
            )
        now, self.seen, self.once_fully = self.seen, None, False
        seen = replace(observe(self.stored, ask.change, now), unknown_since=None)
        self.request = with_own_changes(self.deps, replace(self.request, target=seen))
        exempt = self.deps.in_force.policy.no_start_proof
        context = StepContext(
            ask.change,
            self.request.target,
            self.undoes,
            try_start=not any(fnmatchcase(str(seen.unit), pattern) for pattern in exempt),
            limits=self.deps.limits,
            begun=self.request.begun_at,
            is_wanted=not ask.forces or self.deps.store.get(ask.forces).can_be_forced,
        )
        return next_step(context, now, self.deps.clock.now())

    def _send_nothing(self, step: Wait | LookFully | Done) -> Request | Update | Ending | None:
        """Do what a step without a command asks for; return what is to be saved if it ends or releases its host."""
        self._record_answer()
        if isinstance(step, Wait) and step.is_slow:
            return self._release_host()
        if self.request.target.waiting and not isinstance(step, LookFully):
            self._take_the_host_again()
        now = self.request.target.last_seen
        match step:
            case LookFully():
                self.fully = True
            case Wait(seconds=seconds):
                self.fully = False  # a short look suffices while the change goes on
                self._wait(seconds)
            case Done() if now and now.around is not None:
                user, unit = self.request.ask.change.user, self.stored.unit
                status = self.status or status_head(self.deps, self.host, unit, user=user)
                no_login = why_no_login(self.deps, self.host, self.request, step.outcome)
                return Ending(self.request, step, now, status, no_login)
            case Done():
                self.once_fully = True
        return None

    def _after_failure(self, error: HostError) -> Update | Ending | None:
        """After something was sent, its effect is not known. Before that, retry a few times if the failure may pass."""
        self._record_answer()
        if self.request.target.sent:
            return outcome_unknown(self.deps, self.request, error)
        retries = self.deps.timings.retries
        if error.passing and self.failures < len(retries):
            self.deps.clock.wait(retries[self.failures])
            self.failures += 1
            return None
        return Ending(self.request, Done(Outcome.FAILED, str(error)))

    def _release_host(self) -> Request | Update:
        """Release the host during a slow stop or start, and look again after a pause that grows with the wait.

        The request is saved if its card has something new to say.
        """
        timings, now, waiting = self.deps.timings, self.deps.clock.now(), self.request.target.waiting
        waited = (now - waiting.since).total_seconds() if waiting else 0.0
        pause = min(timings.slow_longest, max(timings.slow_first, waited / _SHARE))
        released = replace(self.request, due_at=now + timedelta(seconds=pause))
        if waiting and not self._has_news(waiting, now):
            return released
        since = waiting.since if waiting else now
        return Update(released.on_target(waiting=SlowWait(since, now)))

    def _has_news(self, waiting: SlowWait, now: datetime) -> bool:
        """Whether the newest look shows something that the card does not, or the card is too old."""
        seen, shown = self.request.target.last_seen, self.stored.last_seen
        if seen is None or shown is None or self.stored.unknown_since or _phase(seen) != _phase(shown):
            return True
        silent, waited = (now - waiting.shown_at).total_seconds(), (now - waiting.since).total_seconds()
        return silent >= max(self.deps.timings.progress, waited / _SHARE)

    def _take_the_host_again(self) -> None:
        """Lock the host again after a slow stop or start. Raises `HostBusy` while another change has it."""
        self.request = self.deps.store.save(self.request.on_target(waiting=None), claim=self.claim)
        wake_force_requests(self.deps, self.request)

    def _wait(self, seconds: float) -> None:
        """Wait between two looks; the card shows progress now and then."""
        now = self.deps.clock.now()
        if (now - self.shown_at).total_seconds() >= self.deps.timings.progress:
            self.request = self.deps.store.save(self.request, claim=self.claim)
            self.shown_at = now
        self.deps.clock.wait(seconds)

    def _send(self, step: Command, *, size: str) -> None:
        """Record the intent, send it with a look, note the answer. Nothing is sent without the record and the claim."""
        if self.request.target.waiting:
            self._take_the_host_again()
        before = self.request.target.sent
        words = argv(step, self.request.target, user=self.request.ask.change.user)
        sent = Sent(label(step), words, self.deps.clock.now())
        self._save((*before, sent), "exec.intent", step=sent.step, argv=list(words), fence=self.claim.fence)
        try:
            if self.deps.sinks and self.request.is_new_mask and not self.request.target.made:
                self._wait_until_shipped()
            reply = self._ask(words, size)
        except OutcomeUnknown as error:
            self.request = self.request.on_target(unknown_since=self.deps.clock.now())
            why, to = str(error), error.address
            self._save((*before, sent), "exec.outcome_unknown", outcome="unknown", step=sent.step, why=why, address=to)
        except HostError as error:
            self._save(before, "exec.not_sent", outcome="failure", code=error.code, step=sent.step)
            raise
        else:
            self._take_answer(sent, reply)

    def _ask(self, words: Argv, size: str) -> CommandResult:
        note, deadline = journal_note(self.request, self.deps.clock.now()), self.deps.timings.command_deadline
        look = look_argv(self.request.target.unit, size=size, user=self.request.ask.change.user)
        return self.deps.hosts.run(self.host, words, deadline=deadline, note=note, then=look)

    def _take_answer(self, sent: Sent, reply: CommandResult) -> None:
        """Note the answer, and the look that came with it; if there is none to read, the next step takes one."""
        output = clean(reply.stderr or reply.stdout, lines=6)  # systemctl says it all on stderr
        answered = replace(sent, exit_code=reply.exit_code, output=output, millis=reply.millis)
        self.request = self.request.on_target(sent=(*self.request.target.sent[:-1], answered))
        step, code, to, ssh, by = sent.step, reply.exit_code, reply.address, reply.ssh, reply.guard
        self.answered = (event(self.request, "exec.result", step=step, exit_code=code, address=to, ssh=ssh, guard=by),)
        if reply.look:
            with suppress(HostError):
                self.seen, self.status = read_look(self.host, reply.look, self.request.target.unit, also=self.related)

    def _wait_until_shipped(self) -> None:
        """Wait until sinks have the first intent of a new mask. Raises `HostError` or `LostClaim`: nothing is sent."""
        if why := may_leave_unshipped(self.deps):
            raise HostError(f"Nothing was sent to {self.host.name}: {why}.", code=AUDIT_UNAVAILABLE)
        if self.deps.store.renew([self.claim]):
            raise LostClaim(self.request.id)

    def _save(self, sent: tuple[Sent, ...], kind: str, **data: object) -> None:
        events = (*self.answered, event(self.request, kind, **data))  # type: ignore[arg-type]
        self.request = self.deps.store.save(self.request.on_target(sent=sent), events=events, claim=self.claim)
        self.answered = ()

    def _record_answer(self) -> None:
        if self.answered:
            self.request = self.deps.store.save(self.request, events=self.answered, claim=self.claim)
            self.answered = ()


def _phase(seen: Snapshot) -> tuple[object, ...]:
    return seen.active, seen.sub, seen.stop_command, bool(seen.pending_job)
