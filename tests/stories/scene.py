"""A story's stage: what people type and press, what they read, and what root sees on the host meanwhile."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tests.core.cards.reading import read_message, read_page
from tests.lab.demo import Demo
from tests.lab.hosts import LabHost
from tests.lab.slack.socketmode import Ack
from tests.lab.slack.workspace import BOT_NAME, BOT_USER, CHANNELS, USERS
from tests.plugins.fault_table import was_read

Message = dict[str, Any]
Found = TypeVar("Found")

PATIENCE = 90.0  # seconds; nothing takes as long, but a machine may have other work
NAMES = {BOT_USER: BOT_NAME, **{user: name for name, user in USERS.items()}}
ANNOUNCED = "announcement"  # stands in a mark where a message is about no request
STATES = ("LoadState", "ActiveState", "UnitFileState")
RUNS = {"LoadState": "loaded", "ActiveState": "active", "UnitFileState": "enabled"}
MASKED = {"LoadState": "masked", "ActiveState": "inactive", "UnitFileState": "masked"}


@dataclass(slots=True)
class Story:
    """One story on a stage that others share: what was said since it began counts, and only of its own requests."""

    demo: Demo
    channel: str = "incident"
    began: str = field(init=False)
    earlier: frozenset[str] = field(init=False)  # requests of other stories
    calls: int = field(init=False)
    refused_before: int = field(init=False)
    edited: int = 0  # messages of the bot that this story edits; any other alarm of that kind is a false one
    refusals: list[str] = field(default_factory=list)  # what Slack has to refuse in this story, and nothing else

    def __post_init__(self) -> None:
        heard = [message for channel in CHANNELS for message in self.demo.slack.seen_messages(channel)]
        self.began = max((message["ts"] for message in heard), default="0")
        self.earlier = frozenset(id_of(message) for message in heard) - {"", ANNOUNCED}
        self.refused_before = len(self.demo.slack.refused())
        self.calls = len(self.demo.slack.calls("chat.postMessage"))

    def alarms(self) -> int:
        """How often operators were told that a message of the bot was edited."""
        said = [message for channel in CHANNELS for message in self.messages(channel)]
        return sum("SOMEBODY EDITS THE BOT'S CARDS" in words(message) for message in said)

    # What people do.

    def types(self, user: str, text: str, channel: str = "") -> Ack:
        """A slash command."""
        return self.demo.slack.slash(user, channel or self.channel, text)

    def asks(self, text: str, *, user: str = "alice", head: str = "MASK ") -> Message:
        """A slash command, and the card of its own that begins so: another's may begin like it."""
        before = {id_of(card) for card in self.cards()}
        assert self.types(user, text).millis is not None, f"`{text}` of {user} reached nobody"
        return self.card(head, which=lambda card: id_of(card) not in before)

    def presses(self, user: str, button: str, card: Message) -> Ack:
        """A button of this card as it was seen. Of a press that nobody takes Slack tells the person that it failed."""
        ack = self.demo.slack.click(user, card, button)
        assert ack.millis is not None, f"{button}, pressed by {user}, reached nobody\n{self.demo.bot.output[-4000:]}"
        return ack

    def masked(self, text: str, *, head: str = "MASKED AND PROVEN") -> Message:
        """Asked by alice, approved by bob, and over."""
        asked = self.asks(f"/mask {text}")
        self.presses("bob", "Approve", asked)
        return self.card(head, which=lambda card: id_of(card) == id_of(asked))

    # What people read.

    def everything(self, channel: str = "") -> list[Message]:
        """All that was said in a channel in this story, whoever may see it."""
        heard = self.demo.slack.seen_messages(channel or self.channel, self.began)
        return [message for message in heard if id_of(message) not in self.earlier]

    def messages(self, channel: str = "") -> list[Message]:
        """What the bot said for all to see, in this story."""
        said = (message for message in self.everything(channel) if message["user"] == BOT_USER)
        return [message for message in said if message.get("subtype") != "ephemeral"]

    def cards(self, head: str = "") -> list[Message]:
        """The cards that now begin so."""
        return [message for message in self.messages() if ":card" in mark(message) and words(message).startswith(head)]

    def card(
        self, head: str, *, which: Callable[[Message], bool] = lambda _: True, seconds: float = PATIENCE
    ) -> Message:
        """The newest card that begins so and is the one that is meant, once there is one."""

        def found() -> Message | None:
            return next((card for card in reversed(self.cards(head)) if which(card)), None)

        card = self.until(found, f"a card `{head}`", seconds=seconds)
        was_read(words(card))
        return card

    def cards_saying(self, part: str) -> list[Message]:
        """The cards that hold these words now."""
        return [card for card in self.cards() if part in words(card)]

    def line(self, part: str) -> str:
        """The short line in the channel, once it is there; there is no second one."""

        def found() -> list[str]:
            return [
                words(message) for message in self.messages() if ":line" in mark(message) and part in words(message)
            ]

        (line,) = self.until(found, f"a line `{part}`")
        return line

    def thread(self, card: Message, part: str) -> str:
        """All that the bot answered under a card, once these words are among it."""

        def found() -> str:
            thread = [one for one in self.everything() if one.get("thread_ts") == card["ts"] != one["ts"]]
            said = "\n".join(words(message) for message in thread if message.get("subtype") != "ephemeral")
            return said if part in said else ""

        return self.until(found, f"`{part}` in the thread")

    def whispers(self, user: str, channel: str = "") -> list[str]:
        """What one person was told alone, in this story."""
        return [words(message) for message in self.everything(channel) if message.get("ephemeral_to") == USERS[user]]

    def ephemeral(self, user: str, part: str, channel: str = "") -> str:
        """What one person was told alone, once something with these words was."""

        def found() -> str:
            return next((text for text in self.whispers(user, channel) if part in text), "")

        return was_read(self.until(found, f"{user} being told `{part}`"))

    def sent(self, user: str, part: str) -> str:
        """A direct message to somebody, once it was accepted."""

        def found() -> str:
            calls = self.demo.slack.calls("chat.postMessage")[self.calls :]
            to_them = (call for call in calls if call.args["channel"] == USERS[user] and call.answer.get("ok"))
            return next((text for call in to_them if part in (text := words(call.args))), "")

        return self.until(found, f"a direct message `{part}` to {user}")

    def page(self, user: str, part: str, *, without: str = "") -> str:
        """Somebody's own page, once it says one thing and not another."""

        def found() -> str:
            view = self.demo.slack.published(user)
            said = read_page(view, NAMES) if view else ""
            return said if part in said and not (without and without in said) else ""

        return self.until(found, f"`{part}` on {user}'s page")

    # What root sees.

    def host(self, name: str = "web-01") -> LabHost:
        """A host, behind the bot's back."""
        return self.demo.hosts[name]

    def sees(self, unit: str, host: str = "web-01") -> Mapping[str, str]:
        """The states of a unit, as systemd has them now."""
        return self.host(host).show(unit, *STATES)

    def has_processes(self, unit: str, host: str = "web-01") -> bool:
        """Whether anything of a unit runs: a look at its cgroup, so cheap that it may be asked again and again."""
        return (self.host(host).nspawn.cgroup / "payload/system.slice" / unit).is_dir()

    def refuses_to_start(self, unit: str, host: str = "web-01") -> bool:
        """Whether systemd says no to a start, because of a mask."""
        return "is masked" in self.host(host).run("systemctl", "start", "--", unit).stderr

    def link(self, unit: str, host: str = "web-01", place: str = "etc/systemd/system") -> Path:
        """Where a mask of a unit stands on the host's disk."""
        return self.host(host).root / place / unit

    # Waiting.

    def until(self, look: Callable[[], Found | None], what: str, *, seconds: float = PATIENCE) -> Found:
        """What `look` finds as soon as it is not empty; else what was to be read, and what the bot said."""
        try:
            return self.demo.slack.wait_for(look, seconds)
        except TimeoutError as late:
            read = "\n---\n".join(words(message) for message in self.everything())
            raise AssertionError(f"no {what}: {late}\n{read}\n=== the bot\n{self.demo.bot.output[-4000:]}") from late


def words(message: Message) -> str:
    """All that a message says, as a person reads it."""
    return read_message(message, NAMES)


def mark(message: Message) -> str:
    """What the bot notes in a message that it posts: the request, and which of its messages this is."""
    return str(message.get("metadata", {}).get("event_payload", {}).get("mark", ""))


def buttons(message: Message) -> list[str]:
    """The labels of a message's buttons."""
    blocks = (block for block in message.get("blocks", []) if block["type"] == "actions")
    return [button["text"]["text"] for block in blocks for button in block["elements"]]


def id_of(card: Message) -> str:
    """The request that a card is about."""
    return mark(card).partition(":")[0]


def reloaded(demo: Demo, says: str = "configuration reloaded") -> None:
    """SIGHUP, and the bot has said so on its output and in the channel."""

    def reports() -> int:
        said = demo.slack.seen_messages("incident")
        heads = ("Configuration reloaded", "Configuration NOT reloaded")
        return sum(id_of(one) == ANNOUNCED and any(head in words(one) for head in heads) for one in said)

    before, noted = demo.bot.output.count(says), reports()
    demo.bot.hang_up()
    demo.slack.wait_for(lambda: demo.bot.output.count(says) > before and reports() > noted, PATIENCE)
