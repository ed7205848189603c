"""What outlives a killed process: commands that were sent, and messages that stand in Slack, as files."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.core.cards.blocks import Text
from bot.core.people.identity import Place
from bot.ports import CommandResult
from tests.workflow.slack import Channels, words
from tests.workflow.wire import Call


@dataclass(frozen=True)
class KeptCalls:
    """One line for each command, in the order in which they were sent, whichever process sent it."""

    path: Path

    def keep(self, call: Call) -> None:
        reply = asdict(call.reply) if call.reply else None
        line = json.dumps({"by": os.getpid(), "host": call.host, "argv": call.argv, "reply": reply}) + "\n"
        with self.path.open("a") as file:
            file.write(line)

    def by_sender(self) -> list[list[Call]]:
        """What each process has sent."""
        found: dict[int, list[Call]] = {}
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        for kept in map(json.loads, lines):
            answer = kept["reply"]
            reply = CommandResult(**{**answer, "argv": tuple(answer["argv"])}) if answer else None
            found.setdefault(kept["by"], []).append(Call(kept["host"], tuple(kept["argv"]), reply))
        return [*found.values()]


class KeptChannels(Channels):
    """Messages as files, so that several processes share them; `happens` is called when one was posted or edited."""

    def __init__(self, folder: Path, happens: Callable[[str], None]) -> None:
        super().__init__()
        self._folder = folder
        self._happens = happens

    def post(self, place: Place, text: Text, *, mark: str) -> str:
        kind = mark.split(":")[1]
        self._happens(f"before post {kind}")
        ts = f"{time.time_ns()}.{os.getpid()}"
        self._write(ts, mark, text)
        self._happens(f"after post {kind}")
        return ts

    def find(self, place: Place, *, mark: str, since: datetime, besides: str = "") -> str:
        kept = messages(self._folder).items()
        return next((ts for ts, one in kept if one["mark"] == mark and ts != besides), "")

    def update(self, channel: str, ts: str, text: Text) -> None:
        mark = messages(self._folder)[ts]["mark"]
        self._happens("before update")
        self._write(ts, mark, text)
        self._happens(f"after update {text.text.partition(' · ')[0]}")

    def delete(self, channel: str, ts: str) -> None:
        (self._folder / ts).unlink()

    def _write(self, ts: str, mark: str, text: Text) -> None:
        """All at once: another process may be reading."""
        new = self._folder / f".{ts}.{os.getpid()}"
        new.write_text(json.dumps({"mark": mark, "text": words(text)}))
        new.rename(self._folder / ts)


def messages(folder: Path) -> dict[str, Any]:
    """The messages by their timestamps, oldest first."""
    return {path.name: json.loads(path.read_text()) for path in sorted(folder.iterdir()) if path.name[0] != "."}
