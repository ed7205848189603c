"""The heartbeat: check the bot's own components every few seconds, and page operators about lasting failures."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from time import monotonic

import structlog

from bot.core import health
from bot.core.health import ComponentHealth
from bot.core.paging import Alert
from bot.errors import MaskbotError, PagerError
from bot.workflow.process.deps import UNCALLED, Deps

log = structlog.get_logger()
_LATE = 6  # beats, after which the heartbeat itself counts as stopped
_AT_ONCE = timedelta(seconds=10)  # for what only an operator can mend; a short failure pages nobody

JUST_BEGUN = ComponentHealth("heartbeat", is_well=False, words="just begun")

Look = Callable[[], Sequence[ComponentHealth]]


class Heartbeat:
    """Two threads: one checks, the other pages, so that a pager that hangs delays no check.

    `looks` are checks of components that the workflow does not know; `report` is called with the signs of each beat.
    """

    def __init__(
        self,
        deps: Deps,
        *,
        source: str,
        looks: Sequence[Look] = (),
        report: Callable[[Sequence[ComponentHealth]], None],
    ) -> None:
        self._deps = deps
        self._source = source
        self._looks = (self._look, *looks)
        self._report = report
        self._components: Sequence[ComponentHealth] = ()
        self._at = monotonic()
        self._paged: dict[str, Alert] = {}
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._again_and_again, args=(body,), name=body.__name__, daemon=True)
            for body in (self.beat, self.raise_alarms)
        ]

    def start(self) -> None:
        """Start both threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop; no check starts after this."""
        self._stopping.set()
        if self._threads[0].ident is not None:
            self._threads[0].join()  # the other thread may wait for a pager, so it is not joined

    @property
    def components(self) -> Sequence[ComponentHealth]:
        """The signs of all components at the last beat, and whether that beat was recent."""
        age = monotonic() - self._at
        if age <= _LATE * self._deps.timings.heartbeat:
            return self._components or (JUST_BEGUN,)
        late = ComponentHealth(
            "heartbeat", is_well=False, words=f"the bot has not checked itself for {age:.0f} s", vital=True
        )
        return (*self._components, late)

    def beat(self) -> None:
        """Check every part."""
        before = {component.name: component for component in self._components}
        found = [component for look in self._looks for component in _run_check(look)]
        self._components = health.with_since(found, before, self._deps.clock.now())
        self._at = monotonic()
        for component in self._components:
            if (was := before.get(component.name)) and was.is_well != component.is_well:
                log.log(*_LEVEL[component.is_well], part=component.name, words=component.words)
        self._report(self._components)

    def raise_alarms(self) -> None:
        """Page once about what lasts, and resolve the alert when it is over; what the pager refused is retried."""
        now = self._deps.clock.now()
        found = health.alarms(self._components, source=self._source, now=now)
        for part, page in found.items():
            if part not in self._paged and self._send(page):
                self._paged[part] = page
        by_part = {component.name: component for component in self._components}
        for part in [part for part in self._paged if part not in found]:
            if self._send(health.all_clear(self._paged[part], by_part.get(part), now=now)):
                del self._paged[part]

    @property
    def alarms(self) -> Mapping[str, Alert]:
        """Alerts that are open."""
        return dict(self._paged)

    def _send(self, page: Alert) -> bool:
        if self._deps.pager is None:
            log.error("alarm", words=page.summary, is_over=page.is_over)
            return True
        try:
            self._deps.pager.page(page)
        except PagerError as error:
            log.error("alert not sent yet", words=page.summary, why=str(error))
            return False
        log.warning("alert sent", words=page.summary, is_over=page.is_over)
        return True

    def _again_and_again(self, body: Callable[[], None]) -> None:
        while not self._stopping.is_set():
            try:
                body()
            except Exception:
                log.exception("heartbeat failed")
            self._stopping.wait(self._deps.timings.heartbeat)

    def _look(self) -> Sequence[ComponentHealth]:
        """Check the components of the workflow itself."""
        timings, found = self._deps.timings, [self._database()]
        rest = max(timings.lease_renew, UNCALLED * timings.poll)  # how long a thread may wait by itself
        found.append(health.loop(self._deps.liveness.ages, longest=timings.stuck + rest, patience=_AT_ONCE))
        try:
            backlog = health.messages(self._deps.store.backlog())
        except MaskbotError:
            return found  # the sign of the database says why
        return [*found, health.with_patience(backlog, timedelta(seconds=timings.alarm_after))]

    def _database(self) -> ComponentHealth:
        try:
            self._deps.store.prove_writable()
        except MaskbotError as error:
            return ComponentHealth("database", is_well=False, words=str(error).rstrip("."), patience=_AT_ONCE)
        return ComponentHealth("database", is_well=True, words="can be read and written", patience=_AT_ONCE)


def _run_check(look: Look) -> Sequence[ComponentHealth]:
    """Run one check; a check that fails hides no other, and its part is not reported as well."""
    try:
        return look()
    except MaskbotError as error:
        log.warning("not looked at", why=str(error))
    except Exception:
        log.exception("not looked at")
    return ()


_LEVEL = {True: (20, "well again"), False: (40, "not well")}
