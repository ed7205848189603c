"""Ask the inventory source for hosts every few minutes, and keep its last good answer."""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import structlog

from bot.app.compose import Assembly
from bot.core.health import ComponentHealth
from bot.core.hosts.inventory import InventorySource
from bot.core.text.sanitize import clean
from bot.edges.ops.whole_file import replace_file
from bot.edges.sources.command import ask_command
from bot.edges.sources.url import ask_url
from bot.errors import ConfigError
from config.hosts import read_inventory
from config.strict_yaml import parse_document, read_document

log = structlog.get_logger()
_LARGEST = 1024 * 1024  # bytes of an answer: some 5,000 hosts
_IDLE = timedelta(seconds=30)  # between two looks at whether there is a source
_WIDTH = 400


class InventoryThread:
    """Asks the source. A good answer, valid together with `hosts.yaml`, is kept, and put in force by a reload."""

    def __init__(self, assembly: Assembly, *, reload: Callable[[], None]) -> None:
        self._assembly = assembly
        self._reload = reload
        self._stopping = threading.Event()
        self._complaint = ""
        self._thread = threading.Thread(target=self._run, name="inventory", daemon=True)

    def start(self) -> None:
        """Ask for the first time, and go on."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more. A question that is open ends at its deadline, and nobody waits for that."""
        self._stopping.set()

    def components(self) -> Sequence[ComponentHealth]:
        """Whether the source gives good answers; nothing where there is none."""
        if self._source is None:
            return ()
        words = self._complaint or "its answers are in force"
        return (ComponentHealth("inventory", is_well=not self._complaint, words=words, needed=False),)

    @property
    def _source(self) -> InventorySource | None:
        return self._assembly.deps.in_force.inventory.source

    def _run(self) -> None:
        while not self._stopping.is_set():
            source = self._source
            if source is not None:
                self._ask(source)
            self._stopping.wait((source.every if source else _IDLE) / timedelta(seconds=1))

    def _ask(self, source: InventorySource) -> None:
        try:
            is_new = self._keep(source, self._answer(source).encode())
        except (ValueError, ConfigError, OSError) as error:
            why = clean(str(error).replace("\n", "; "), lines=1, width=_WIDTH)
            self._complaint = f"no good answer, the last good one stays: {why}"
            log.warning("inventory.no_good_answer", why=why)
        except Exception:
            self._complaint = "no good answer, the last good one stays: the bot made an error"
            log.exception("inventory.no_good_answer")
        else:
            self._complaint = ""
            if is_new:
                log.info("inventory.new_answer", source=source.command[0] if source.command else "url")
                self._reload()

    def _answer(self, source: InventorySource) -> str:
        deadline = source.deadline / timedelta(seconds=1)
        if source.command:
            return ask_command(source.command, deadline=deadline, largest=_LARGEST)
        token = self._assembly.settings.inventory_token
        secret = token.get_secret_value() if token else ""
        return ask_url(source.url, deadline=deadline, token=secret, largest=_LARGEST)

    def _keep(self, source: InventorySource, answer: bytes) -> bool:
        """Keep a good answer; return whether it is another one than before. Raises `ConfigError` if it is not good."""
        path = Path(source.keep)
        if path.exists() and path.read_bytes() == answer:
            return False
        read_inventory(read_document(self._assembly.settings.config_dir / "hosts.yaml"), parse_document(path, answer))
        replace_file(path, answer)
        return True
