"""Carry out a change step by step, each step after a look, until a full look says that it is done."""

from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cached_property

from bot.core.audit.chain import Event
from bot.core.audit.request_event import event
from bot.core.hosts.inventory import Host
from bot.core.policy.rules.audit_shipping import AUDIT_UNAVAILABLE
from bot.core.requests import Outcome, Request, Sent, Target
from bot.core.steps import Done, StepContext, next_step, observe
from bot.core.steps.commands import argv
from bot.core.steps.kinds import Command, LookFully, Probe, TryStart, Wait, label
from bot.core.systemd.units import Snapshot
from bot.core.text.sanitize import clean
from bot.errors import HostError, OutcomeUnknown, UsageError
from bot.ports import Claim
from bot.workflow.audit_shipping import may_leave_unshipped
from bot.workflow.force_stop import call_forces
from bot.workflow.hosts.look import known_neighbours, look_and_status, status_head
from bot.workflow.lifecycle.finish import Ending, finish
from bot.workflow.lifecycle.outcome_unknown import outcome_unknown
from bot.workflow.lifecycle.slow_unit import give_way
from bot.workflow.process.deps import Deps
from bot.workflow.requests.lineage import target_to_restore

_LINES_OF_AN_ANSWER = 6


class Carrying:
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
        self.seen = seen
        self.stopping = stopping
        self.fully = False  # once a step needed a full look, all later looks are full
        self.answered: tuple[Event, ...] = ()  # the answer to the newest command, until it is recorded
        self.status = ""  # the unit's status for people, from the newest look
        self.failures = 0
        self.shown_at = deps.clock.now()

    def run(self) -> Request:
        """Look, ask for the next step, do it, look again. Only a full look can end the change.

        The answer of a command is recorded together with the next command, or before a wait or the end.
        """
        while not self.stopping():
            try:
                now = self.seen or self._look(full=self.fully)
                self.seen = None
                stored = self.request.target
                step = next_step(self._observe(now), now, self.deps.clock.now())
                if not isinstance(step, Command):
                    self._record_answer()
                if isinstance(step, Wait) and step.is_slow:
                    return give_way(self.deps, self.claim, self.request, stored)
                if self.request.target.waiting and not isinstance(step, LookFully):
                    self._take_the_host_again()
                if isinstance(step, Done) and now.around is not None:
                    return self._finish(step, now)
                self._do(step)
            except HostError as error:
                self._record_answer()
                if self.request.target.sent:
                    return outcome_unknown(self.deps, self.request, error, claim=self.claim)
                if not self._try_again(error):
                    failed = Ending(Done(Outcome.FAILED, str(error)))
                    return finish(self.deps, self.request, failed, claim=self.claim)
        self._record_answer()
        return self.request

    @cached_property
    def host(self) -> Host:
        """The host from the inventory. Raises `HostError`: hosts.yaml may have changed since the last command."""
        try:
            return self.deps.in_force.inventory.host(self.request.ask.change.host)
        except UsageError as error:
            raise HostError(str(error), code="unknown_host") from error

    def _do(self, step: Command | Wait | LookFully | Done) -> None:
        match step:
            case LookFully():
                self.fully = True
            case Done():
                self.seen = self._look(full=True)
            case Wait(seconds=seconds):
                self.fully = False  # a short look suffices while the change goes on
                self._wait(seconds)
            case Probe():
                self._send(step)
                self.seen = self.request.target.last_seen  # the probe is removed again, whatever it shows
            case TryStart():
                self._send(step)
                self.seen = self._look(full=True)  # this is probably the end, which needs a full look
            case _:
                self._send(step)

    def _look(self, *, full: bool = False) -> Snapshot:
        user, target = self.request.ask.change.user, self.request.target
        if not full:
            return look_and_status(self.deps, self.host, target.unit, size="short", user=user)[0]
        also = known_neighbours(target, self.undoes)
        seen, self.status = look_and_status(self.deps, self.host, target.unit, size="result", user=user, also=also)
        return seen

    def _observe(self, now: Snapshot) -> StepContext:
        change = self.request.ask.change
        target = replace(observe(self.request.target, change, now), unknown_since=None)
        self.request = replace(self.request, target=target)
        forces = self.request.ask.forces
        is_wanted = not forces or self.deps.store.get(forces).can_be_forced
        return StepContext(
            change, target, self.undoes, self.is_start_tried, self.deps.limits, self.request.begun_at, is_wanted
        )

    def _take_the_host_again(self) -> None:
        """Lock the host again after a slow stop or start. Raises `HostBusy` while another change has it."""
        self.request = self.deps.store.save(self.request.on_target(waiting=None), claim=self.claim)
        call_forces(self.deps, self.request)

    @cached_property
    def is_start_tried(self) -> bool:
        """Whether the proof tries to start the unit: not where the policy exempts it."""
        exempt, unit = self.deps.in_force.policy.no_start_proof, str(self.request.target.unit)
        return not any(fnmatchcase(unit, pattern) for pattern in exempt)

    @cached_property
    def undoes(self) -> Target | None:
        """The record of the mask that is being undone."""
        return target_to_restore(self.deps, self.request.ask.undoes) if self.request.ask.undoes else None

    def _wait(self, seconds: float) -> None:
        """Wait between two looks; the card shows progress now and then."""
        now = self.deps.clock.now()
        if (now - self.shown_at).total_seconds() >= self.deps.timings.progress:
            self.request = self.deps.store.save(self.request, claim=self.claim)
            self.shown_at = now
        self.deps.clock.wait(seconds)

    def _send(self, step: Command) -> None:
        """Record the intent, send, record the answer. Nothing is sent without the record or with a lost claim."""
        user, before = self.request.ask.change.user, self.request.target.sent
        words = argv(step, self.request.target, user=user)
        sent = Sent(label(step), words, self.deps.clock.now())
        self._save((*before, sent), "exec.intent", step=sent.step, argv=list(words), fence=self.claim.fence)
        try:
            if self.deps.sinks and self.request.is_new_mask and not self.request.target.made:
                self._see_it_copied()
            reply = self.deps.hosts.run(self.host, words, deadline=self.deps.timings.command_deadline)
        except OutcomeUnknown as error:
            self.request = self.request.on_target(unknown_since=self.deps.clock.now())
            why, to = str(error), error.address
            self._save((*before, sent), "exec.outcome_unknown", outcome="unknown", step=sent.step, why=why, address=to)
        except HostError as error:
            self._save(before, "exec.not_sent", outcome="failure", code=error.code, step=sent.step)
            raise
        else:
            output = clean(reply.stderr or reply.stdout, lines=_LINES_OF_AN_ANSWER)  # systemctl says it all on stderr
            answered = replace(sent, exit_code=reply.exit_code, output=output, millis=reply.millis)
            self.request = self.request.on_target(sent=(*before, answered))
            code, to = reply.exit_code, reply.address
            self.answered = (event(self.request, "exec.result", step=sent.step, exit_code=code, address=to),)

    def _see_it_copied(self) -> None:
        """Wait until the first intent of a new mask has been shipped to every required sink; later steps do not wait.

        Raises `HostError` if it was not: nothing is sent. The wait may have been long, so the claim is checked again.
        """
        if why := may_leave_unshipped(self.deps):
            raise HostError(f"Nothing was sent to {self.host.name}: {why}.", code=AUDIT_UNAVAILABLE)
        self.deps.store.renew(self.claim)

    def _save(self, sent: tuple[Sent, ...], kind: str, **data: object) -> None:
        events = (*self.answered, event(self.request, kind, **data))  # type: ignore[arg-type]
        self.request = self.deps.store.save(self.request.on_target(sent=sent), events=events, claim=self.claim)
        self.answered = ()

    def _record_answer(self) -> None:
        if self.answered:
            self.request = self.deps.store.save(self.request, events=self.answered, claim=self.claim)
            self.answered = ()

    def _try_again(self, error: HostError) -> bool:
        """Retry a few times while nothing has been sent, if the failure may pass."""
        retries = self.deps.timings.retries
        if not error.passing or self.failures >= len(retries):
            return False
        self.deps.clock.wait(retries[self.failures])
        self.failures += 1
        return True

    def _finish(self, done: Done, after: Snapshot) -> Request:
        user = self.request.ask.change.user
        status = self.status or status_head(self.deps, self.host, self.request.target.unit, user=user)
        return finish(self.deps, self.request, Ending(done, after, status), claim=self.claim)
