"""Worker threads: claim due requests, periodic tasks and messages with a lease, and process them."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from time import monotonic

import structlog
from structlog.contextvars import bound_contextvars

from bot.core.requests import Request
from bot.core.requests.timers import put_off
from bot.errors import MaskbotError, NotYet, Stale, StoreBusy
from bot.ports import Claim, Work
from bot.workflow.engine.life_cycle import life_of_request, life_of_rollout
from bot.workflow.engine.periodic import perform
from bot.workflow.engine.settle import settle, settle_all
from bot.workflow.lifecycle.outcome_unknown import internal_error
from bot.workflow.outbox.deliver import deliver
from bot.workflow.process.deps import UNCALLED, Deps

log = structlog.get_logger()
_LAST_WORDS = 5.0  # seconds in which the last messages may still be started


class Workers:
    """Processes what is due until it is stopped. Several may run on one store; each claim has one owner.

    One thread looks for what time or another replica has made due, and wakes the others, so that waiting items in the
    store cost one query. The targets of rollouts have half of the workers: however many of their hosts are slow, others
    go on with what they ask for.
    """

    def __init__(self, deps: Deps, *, owner: str, workers: int = 16, senders: int = 2, watchers: int = 2) -> None:
        self._deps = deps
        self._owner = owner
        self._senders = senders
        self._stopping = threading.Event()
        self._free = threading.Semaphore(workers)
        self._for_targets = max(1, workers // 2)
        self._claims: dict[str, Claim] = {}
        self._leased: dict[str, Claim] = {}  # those of them whose leases are renewed
        self._owed: dict[str, Claim] = {}  # claims that the store did not take back
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="work")
        bodies: list[Callable[[], None]] = [*[self._deliver_message] * senders, *[self._perform_task] * watchers]
        watched = {"poll": self._poll, "claim": self._claim, "renew": self._renew}
        bodies += [self._with_heartbeat(name, body) for name, body in watched.items()]
        self._watched = tuple(watched)
        self._threads = [threading.Thread(target=self._until_stopped, args=(body,), daemon=True) for body in bodies]

    def start(self) -> None:
        """Start. Requests that were running when the last process ended are due, and begin with a look."""
        for name in self._watched:
            self._deps.liveness.beat(name)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop: take no new work, and finish the steps that are running."""
        self._stopping.set()
        self._deps.store.wake()
        for thread in self._threads:
            thread.join()
        self._deps.liveness.thread_ended()
        self._pool.shutdown(wait=True)
        if self._senders:
            self._deliver_last_messages()

    def _deliver_last_messages(self) -> None:
        """Deliver the last messages, so that people see how far it came.

        What Slack refuses now is left to the next process.
        """
        end = monotonic() + _LAST_WORDS
        try:
            while monotonic() < end and (due := self._deps.store.claim_message(self._owner)):
                deliver(self._deps.pinned(), due)
        except MaskbotError as error:
            log.warning("messages left for the next process", why=str(error))

    def _with_heartbeat(self, name: str, body: Callable[[], None]) -> Callable[[], None]:
        """Note each round of a thread that must never stop, so that the liveness check sees if one hangs."""

        def round_() -> None:
            self._deps.liveness.beat(name)
            body()

        return round_

    def _until_stopped(self, body: Callable[[], None]) -> None:
        while not self._stopping.is_set():
            try:
                body()
            except StoreBusy:
                log.warning("store busy")
                self._stopping.wait(self._deps.timings.poll)
            except Exception:
                log.exception("loop failed")
                self._stopping.wait(self._deps.timings.poll)

    def _poll(self) -> None:
        self._stopping.wait(self._deps.timings.poll)
        if self._deps.store.is_anything_due():
            self._deps.store.wake()

    def _wait(self, kind: Work) -> None:
        self._deps.store.wait_for_work(UNCALLED * self._deps.timings.poll, kind)

    def _claim(self) -> None:
        if not self._free.acquire(timeout=UNCALLED * self._deps.timings.poll):
            return  # all workers are busy
        claim = None
        try:
            self._deps.ack_priority.wait_for_acks()
            claim = self._deps.store.claim(self._owner, with_targets=not self._has_enough_targets())
            if claim:
                self._claims[claim.request.id] = self._leased[claim.request.id] = claim
                self._pool.submit(self._work, claim)
        finally:
            if claim is None:
                self._free.release()
        if claim is None:
            self._wait(Work.REQUESTS)

    def _has_enough_targets(self) -> bool:
        return sum(bool(claim.request.ask.rollout) for claim in [*self._claims.values()]) >= self._for_targets

    def _work(self, claim: Claim) -> None:
        with bound_contextvars(request=claim.request.id):
            self._work_on(claim)

    def _work_on(self, claim: Claim) -> None:
        try:
            due_at = self._advance(claim)
            self._release(claim, due_at)
        except MaskbotError as error:
            say = log.info if isinstance(error, Stale) else log.warning  # another replica has it, or people moved it on
            say("request not advanced", request=claim.request.id, why=str(error))
            self._give_back(claim)
        except Exception:
            log.exception("request failed to advance", request=claim.request.id)
            self._report_error(claim)
        finally:
            had_enough = self._has_enough_targets()
            self._claims.pop(claim.request.id, None)
            self._free.release()
            if had_enough and claim.request.ask.rollout:
                self._deps.store.wake()  # targets that are due were left until now

    def _release(self, claim: Claim, due_at: datetime | None) -> None:
        """Release it. Its lease is renewed no more, so that what is released is not taken for lost."""
        self._leased.pop(claim.request.id, None)
        self._deps.store.release(claim, due_at=due_at)

    def _report_error(self, claim: Claim) -> None:
        try:
            request = settle(self._deps, claim, internal_error(self._deps, claim.request.id))
            self._release(claim, request.due_at)
        except Exception:
            log.exception("internal error not reported", request=claim.request.id)
            self._give_back(claim)

    def _give_back(self, claim: Claim) -> None:
        """Make the request due again soon; whoever claims it begins with a look. If the store refuses, retry later."""
        try:
            soon = self._deps.clock.now() + timedelta(seconds=self._deps.timings.message_retry)
            self._release(claim, soon)
        except Stale as lost:  # its lease ran out, and another replica has it
            log.info("claim lost", request=claim.request.id, why=str(lost))
        except MaskbotError:
            log.warning("claim not given back", request=claim.request.id)
            self._owed[claim.request.id] = claim
            return
        self._owed.pop(claim.request.id, None)

    def _advance(self, claim: Claim) -> datetime | None:
        """Move a request as far as it goes now; return when it is due again."""
        try:
            request = advance(self._deps, claim, stopping=self._stopping.is_set)
        except NotYet as wait:
            now = self._deps.clock.now()
            return put_off(claim.request, now + timedelta(seconds=wait.again_in), now)
        return request.due_at

    def _renew(self) -> None:
        self._stopping.wait(self._deps.timings.lease_renew)
        if held := list(self._leased.values()):
            for claim in self._deps.store.renew(held):
                if self._leased.get(claim.request.id) is claim:  # not one that was released meanwhile
                    log.warning("lease lost", request=claim.request.id)
        for claim in list(self._owed.values()):
            self._give_back(claim)

    def _deliver_message(self) -> None:
        self._deps.ack_priority.wait_for_acks()
        due = self._deps.store.claim_message(self._owner)
        if due is None:
            self._wait(Work.MESSAGES)
        else:
            with bound_contextvars(request=due.request_id):
                deliver(self._deps.pinned(), due)

    def _perform_task(self) -> None:
        """Perform a due periodic task."""
        self._deps.ack_priority.wait_for_acks()
        task = self._deps.store.claim_periodic(self._owner)
        if task is None:
            self._wait(Work.TASKS)
        else:
            perform(self._deps.pinned(), task)


def advance(deps: Deps, claim: Claim, *, stopping: Callable[[], bool] = lambda: False) -> Request:
    """Move a request on from its stage as far as it goes now, and save the result of each stage.

    Once `stopping` returns true, a running request stops after its current step; the next process goes on with a look.
    """
    is_rollout = claim.request.ask.selection is not None
    stages = life_of_rollout(deps, claim) if is_rollout else life_of_request(deps, claim, stopping)
    return settle_all(deps, claim, stages)
