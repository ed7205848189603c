"""Watch over the audit chain: verify it at start, then what is new, and report what the database should not hold."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from bot.core.audit.anchor import Anchor
from bot.core.audit.chain import BrokenChain, Event, Head
from bot.core.cards import forgery as words
from bot.core.health import ComponentHealth
from bot.errors import MaskbotError
from bot.ports import Message, MessageKind
from bot.workflow.health.operator_notices import report_forgery
from bot.workflow.process.deps import Deps

log = structlog.get_logger()

Keep = Callable[[Head, datetime], None]


class ChainWatch:
    """One thread. `anchor` is the newest head that was kept outside the database; `keep` keeps a newer one there."""

    def __init__(self, deps: Deps, *, anchor: Anchor | None = None, keep: Keep = lambda _head, _at: None) -> None:
        self._deps = deps
        self._anchor = anchor
        self._keep = keep
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audit-chain", daemon=True)

    def start(self) -> None:
        """Verify the whole chain, and go on. Nothing is carried out before this returns."""
        self.turn()
        self._thread.start()

    def stop(self) -> None:
        """Keep the newest head, if the chain is intact, and stop."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._verify()

    def components(self) -> Sequence[ComponentHealth]:
        """Whether the chain is trusted."""
        why = self._deps.integrity.why_broken
        words_ = f"{why}; nothing is carried out" if why else "intact"
        return (ComponentHealth("audit_chain", is_well=not why, words=words_, patience=timedelta()),)

    def turn(self) -> None:
        """Report forgeries, and verify what is new in the chain: also a process that is killed leaves a new anchor."""
        for what, why in self._deps.store.forgeries():
            report_forgery(self._deps, what, why)
        self._verify()

    def _run(self) -> None:
        while not self._stopping.wait(self._deps.timings.chain_watch):
            try:
                self.turn()
            except MaskbotError as error:
                log.warning("audit chain not verified", why=str(error))
            except Exception:
                log.exception("audit chain not verified")

    def _verify(self) -> None:
        found = self._deps.store.verify_chain(self._anchor)
        why = f"record {found.seq}: {found.why}" if isinstance(found, BrokenChain) else ""
        if self._deps.integrity.found(why):
            self._tell(why)
        if not isinstance(found, BrokenChain):
            self._anchor = None  # the process itself remembers what it has verified
            self._keep(found.head, self._deps.clock.now())

    def _tell(self, why: str) -> None:
        """Record and post it; the heartbeat pages."""
        body = words.chain_broken(why) if why else words.CHAIN_ACCEPTED
        kind, outcome = ("audit.broken", "failure") if why else ("audit.verified", "success")
        log.error(kind, why=why)
        event = Event(kind, outcome, "audit_chain_broken" if why else "", data={"why": why})
        self._deps.store.record([event], [Message(MessageKind.NOTE, body=body)])
