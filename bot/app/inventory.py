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
from config.settings import Settings
from config.strict_yaml import parse_document, read_document

log = structlog.get_logger()
_LARGEST = 1024 * 1024  # bytes of an answer: some 5,000 hosts
_IDLE = timedelta(seconds=30)  # between two looks at whether there is a source
_WIDTH = 400


class InventoryAnswers:
    """Asks a source, and keeps its last good answer in its file."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def renew(self, source: InventorySource) -> bool:
        """Ask, and keep a good answer; return whether it is another one than before.

        Raises `ValueError`, `ConfigError` or `OSError`, and keeps the file, if the answer is not valid together with
        `hosts.yaml`, or if there is none.
        """
        path, answer = Path(source.keep), self._ask(source).encode()
        if path.exists() and path.read_bytes() == answer:
            return False
        read_inventory(read_document(self._settings.config_dir / "hosts.yaml"), parse_document(path, answer))
        replace_file(path, answer)
        return True

    def _ask(self, source: InventorySource) -> str:
        deadline = source.deadline / timedelta(seconds=1)
        if source.command:
            return ask_command(source.command, deadline=deadline, largest=_LARGEST)
        token = self._settings.inventory_token
        secret = token.get_secret_value() if token else ""
        return ask_url(source.url, deadline=deadline, token=secret, largest=_LARGEST)


class InventoryThread:
    """Asks the source. A good answer, valid together with `hosts.yaml`, is kept, and put in force by a reload."""

    def __init__(self, assembly: Assembly, *, reload: Callable[[], None]) -> None:
        self._assembly = assembly
        self._answers = InventoryAnswers(assembly.settings)
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
            is_new = self._answers.renew(source)
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
