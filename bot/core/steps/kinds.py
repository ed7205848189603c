"""The kinds of step there are, and what has been sent of them so far."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.core.requests import Change, Outcome, Sent, Target
from bot.core.systemd.units import ActiveState, Layer, Snapshot


@dataclass(frozen=True, slots=True)
class Link:
    """Make the mask's link, without a reload."""

    name: ClassVar[str] = "link"


@dataclass(frozen=True, slots=True)
class Probe:
    """Make such a link under a name that no unit has: what must fail fails before anything is stopped."""

    name: ClassVar[str] = "probe"


@dataclass(frozen=True, slots=True)
class Unprobe:
    """Take the link of the probe away again."""

    name: ClassVar[str] = "unprobe"


@dataclass(frozen=True, slots=True)
class Unlink:
    """Remove the mask's link in one layer."""

    layer: Layer
    name: ClassVar[str] = "unlink"


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop the unit and do not wait for it."""

    name: ClassVar[str] = "stop"


@dataclass(frozen=True, slots=True)
class Kill:
    """Send SIGKILL to every process of the unit."""

    name: ClassVar[str] = "kill"


@dataclass(frozen=True, slots=True)
class Reload:
    """Let systemd read its files again."""

    name: ClassVar[str] = "reload"


@dataclass(frozen=True, slots=True)
class TryStart:
    """Try to start the masked unit, by its Id or by another of its names, and see it refused."""

    unit: str = ""
    name: ClassVar[str] = "try-start"


@dataclass(frozen=True, slots=True)
class ResetFailed:
    """Forget that a unit failed, so that it can be started."""

    unit: str
    name: ClassVar[str] = "reset-failed"


@dataclass(frozen=True, slots=True)
class Start:
    """Start a unit that ran before."""

    unit: str
    name: ClassVar[str] = "start"


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to send; look again in so many seconds. What is slow keeps nobody else from the host meanwhile."""

    seconds: float
    is_slow: bool = False


@dataclass(frozen=True, slots=True)
class LookFully:
    """The short look does not see enough for the next step."""


@dataclass(frozen=True, slots=True)
class Done:
    """There is nothing more to do; `note` is a sentence or the host's own words on why it is so."""

    outcome: Outcome
    note: str = ""


Command = Link | Probe | Unprobe | Unlink | Stop | Kill | Reload | TryStart | ResetFailed | Start
Step = Command | Wait | LookFully | Done


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how often. Seconds, unless named otherwise."""

    patience: float = 10.0  # after which a stop or a start is slow: the card says what it waits for, the host is free
    stops_again: int = 3  # for what something starts again in the gap
    same_command: int = 3  # how often a command without effect is sent

    shortest_wait: float = 0.02  # between two looks at what goes on, growing
    longest_wait: float = 2.0  # to this

    def wait(self, since: datetime, at: datetime, *, often: bool = False) -> Wait:
        """When to look again at what goes on since then. It ends when systemd says so, however long that takes.

        `often` is for what something starts again as soon as it is down.
        """
        waited = (at - since).total_seconds()
        longest = self.shortest_wait * 5 if often else self.longest_wait
        return Wait(min(longest, max(self.shortest_wait, waited / 4)), is_slow=waited >= self.patience)


@dataclass(frozen=True, slots=True)
class Work:
    """All that the next step depends on, besides the fresh look.

    `undoes` is the target of our own mask that is being taken back, if this is an undo; `try_start` says whether a
    start may be tried as a proof; `begun` is when it began to be carried out; `is_wanted` whether
    the mask for whose sake a stop is ended by force still waits.
    """

    change: Change
    target: Target
    undoes: Target | None = None
    try_start: bool = True
    limits: Limits = Limits()
    begun: datetime | None = None
    is_wanted: bool = True


def label(step: Command) -> str:
    """How a step is called in the record; a step on another unit or layer names it."""
    match step:
        case TryStart(unit=""):
            return step.name
        case Unlink(layer=detail) | ResetFailed(unit=detail) | Start(unit=detail) | TryStart(unit=detail):
            return f"{step.name} {detail}"
        case _:
            return step.name


def is_on_its_way_down(now: Snapshot) -> bool:
    """It stops, or systemd cleans up after it, or something is queued for it."""
    return now.active in (ActiveState.DEACTIVATING, ActiveState.MAINTENANCE) or bool(now.pending_job)


def times(target: Target, name: str) -> int:
    """How often a step has been sent."""
    return sum(sent.step == name for sent in target.sent)


def started(target: Target) -> bool:
    """Whether a start was tried as a proof, by any name, and ran."""
    return any(is_a_try(sent) and sent.exit_code == 0 for sent in target.sent)


def was_started(target: Target) -> bool:
    """Whether a start was tried as a proof, by any name."""
    return any(map(is_a_try, target.sent))


def is_a_try(sent: Sent) -> bool:
    """Whether this was a start as a proof."""
    return sent.step.partition(" ")[0] == TryStart.name


def is_tried(target: Target, name: str, limits: Limits) -> bool:
    """Whether there is no use in sending a step once more.

    One without an answer may never have left: the bot died between the record and the sending. Who asks has looked, and
    what the step is for is not there.
    """
    sent = newest(target, name)
    return sent is not None and (sent.exit_code is not None or times(target, name) >= limits.same_command)


def newest(target: Target, name: str) -> Sent | None:
    """The newest sending of a step."""
    return next((sent for sent in reversed(target.sent) if sent.step == name), None)
