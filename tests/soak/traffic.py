"""The traffic of a soak, one action a second: masks, approvals, undos, mistyped commands and questions."""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bot.core.cards.replies import BUSY, MAYBE
from bot.core.requests import Request, Stage
from bot.errors import MaskbotError
from bot.ports import Query
from tests.lab.slack.socketmode import Ack
from tests.soak.fleet import Fleet

UNITS = ("tuned", "restless", "primary", "cron", "worker", "watchdog")
SLOW = ("web-01", "web-02")
LOOKS = (
    "status {host} {unit}",
    "why {host} {unit}",
    "list",
    "history",
    "help",
    "{host}",
    "{host} {unit}*",
    "gone {unit}",
)
TRY_AGAIN = (BUSY, MAYBE)  # the answers where the database was away
PEOPLE, APPROVERS = ("alice", "bob", "carol"), ("bob", "carol")


class Traffic:
    """Types commands and answers waiting cards; notes what was acknowledged and what was not."""

    def __init__(self, fleet: Fleet, chance: random.Random) -> None:
        self._fleet, self._chance = fleet, chance
        self._guard = threading.Lock()
        self._pool = ThreadPoolExecutor(16)
        self._answered: set[tuple[str, int]] = set()
        self._cards: dict[str, dict[str, Any]] = {}
        self._read = 0
        self.counts: Counter[str] = Counter()
        self.acknowledged: dict[str, str] = {}  # what was typed, by its token
        self.lost: set[str] = set()  # tokens of what was said to be lost; it may be recorded all the same
        self.targets = [(host, unit) for host in fleet.hosts for unit in UNITS]
        self.targets += [(host, "slowstop") for host in SLOW if host in fleet.hosts]

    def tick(self, number: int) -> None:
        """Type one more command, and let somebody answer the new cards."""
        open_requests = self._open()
        busy = {(one.ask.change.host, str(one.ask.change.unit).partition(".")[0]) for one in open_requests}
        free = [target for target in self.targets if target not in busy]
        if free and self._chance.random() < 0.6:
            self._change(number, *self._chance.choice(free))
        else:
            host, unit = self._chance.choice(self.targets)
            self._type("alice", "/mask " + self._chance.choice(LOOKS).format(host=host, unit=unit), "")
        for request in open_requests:
            self._answer(request)

    def settle(self) -> bool:
        """Answer cards that still wait, without new commands; return whether all is over."""
        waiting = self._open()
        for request in waiting:
            self._answered.discard((request.id, request.version))
            self._answer(request, surely=True)
        return not waiting

    def close(self) -> None:
        """Stop typing."""
        self._pool.shutdown(wait=True)

    def _open(self) -> list[Request]:
        stages = frozenset(stage for stage in Stage if not stage.is_final)
        return self._fleet.desk.find(Query(stages=stages, limit=500))

    def _change(self, number: int, host: str, unit: str) -> None:
        masked = self._fleet.desk.find(Query(host=host, live_masks=True, limit=100))
        is_masked = any(str(one.ask.change.unit).partition(".")[0] == unit for one in masked)
        verb, token = "/unmask" if is_masked else "/mask", f"soak-{number}"
        self._type(self._chance.choice(PEOPLE), f"{verb} {host} {unit} {token}", token)

    def _type(self, user: str, text: str, token: str) -> None:
        self._pool.submit(self._typed, user, text, token)

    def _typed(self, user: str, text: str, token: str) -> None:
        try:
            ack = self._fleet.slack.slash(user, "incident", text)
        except Exception:
            ack = Ack()
        with self._guard:
            self.counts["typed"] += 1
            is_told_no = any(answer in str(ack.said) for answer in TRY_AGAIN)
            heard = "told to try again" if is_told_no else "acknowledged"
            self.counts[heard if ack.in_time else "told by Slack that it failed"] += 1
            if token and ack.in_time and not is_told_no:
                self.acknowledged[token] = text
            elif token:
                self.lost.add(token)

    def _answer(self, request: Request, *, surely: bool = False) -> None:
        """Approve most, deny some, leave some waiting; sometimes press twice at once."""
        key = (request.id, request.version)
        if request.stage is not Stage.WAITING or key in self._answered:
            return
        card = self._card(request)
        if card is None or not (surely or self._chance.random() < 0.8):
            return
        with self._guard:
            self._answered.add(key)
        approvers = [name for name in APPROVERS if self._fleet.slack.users[name] != request.ask.requester.user]
        button = "Deny" if self._chance.random() < 0.1 else "Approve"
        for name in approvers if self._chance.random() < 0.2 else approvers[:1]:
            self._pool.submit(self._pressed, name, button, card, key)

    def _pressed(self, user: str, button: str, card: dict[str, Any], key: tuple[str, int]) -> None:
        """Press a button, and press again if Slack says that it failed."""
        try:
            ack = self._fleet.slack.click(user, card, button)
        except Exception:
            ack = Ack()
        with self._guard:
            self.counts["pressed"] += 1
            self.counts["presses lost"] += not ack.in_time
            if not ack.in_time:
                self._answered.discard(key)

    def _card(self, request: Request) -> dict[str, Any] | None:
        """The present card, from what the bots sent to Slack."""
        for channel, ts, blocks in self._sent():
            self._cards[ts] = {"channel": channel, "ts": ts, "blocks": blocks}
        try:
            _, ts = self._fleet.desk.card(request.id)
        except MaskbotError:
            return None
        card = self._cards.get(ts)
        return card if card and "Approve" in str(card["blocks"]) else None

    def _sent(self) -> Iterator[tuple[str, str, Any]]:
        calls = self._fleet.slack.calls()
        newer, self._read = calls[self._read :], len(calls)
        for call in newer:
            if call.method in ("chat.postMessage", "chat.update") and call.answer.get("ok"):
                yield call.answer["channel"], call.answer["ts"], call.args.get("blocks") or []
