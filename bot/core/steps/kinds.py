"""The kinds of step, and what has been sent of them so far."""

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
    """Make such a link under a name that no unit has and remove it, so that an impossible one fails before a stop."""

    name: ClassVar[str] = "probe"


@dataclass(frozen=True, slots=True)
class Unlink:
    """Remove the mask's link in one layer; `foreign` is for one that the bot did not make."""

    layer: Layer
    foreign: bool = False
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
    """Let systemd reload its files."""

    name: ClassVar[str] = "reload"


@dataclass(frozen=True, slots=True)
class TryStart:
    """Try to start the masked unit, by its Id or by another name, and see the start refused."""

    unit: str = ""
    name: ClassVar[str] = "try-start"


@dataclass(frozen=True, slots=True)
class ResetFailed:
    """Reset the failed state of a unit, so that it can be started."""

    unit: str
    name: ClassVar[str] = "reset-failed"


@dataclass(frozen=True, slots=True)
class Start:
    """Start a unit that ran before."""

    unit: str
    name: ClassVar[str] = "start"


@dataclass(frozen=True, slots=True)
class Wait:
    """Send nothing, and look again after so many seconds. A slow unit does not block its host meanwhile."""

    seconds: float
    is_slow: bool = False


@dataclass(frozen=True, slots=True)
class LookFully:
    """Look fully, because the short look does not show enough for the next step."""


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is left to do; `note` is the reason, in a sentence or in the host's own words."""

    outcome: Outcome
    note: str = ""


Command = Link | Probe | Unlink | Stop | Kill | Reload | TryStart | ResetFailed | Start
Step = Command | Wait | LookFully | Done


@dataclass(frozen=True, slots=True)
class StepLimits:
    """Limits on durations and repetitions. Seconds, unless named otherwise."""

    # after which a stop or start counts as slow: the card says what it waits for, and the host is free
    patience: float = 10.0
    stops_again: int = 3  # stops of a unit that something starts again before the mask is loaded
    same_command: int = 3  # how often a command without effect is sent

    shortest_wait: float = 0.02  # between two looks at a running step: the first pause, growing
    longest_wait: float = 2.0  # to this one

    def wait(self, since: datetime, at: datetime, *, often: bool = False) -> Wait:
        """When to look again at what goes on since then. It ends when systemd says so, however long that takes.

        `often` is for a unit that something starts again as soon as it is down.
        """
        waited = (at - since).total_seconds()
        longest = self.shortest_wait * 5 if often else self.longest_wait
        return Wait(min(longest, max(self.shortest_wait, waited / 4)), is_slow=waited >= self.patience)


@dataclass(frozen=True, slots=True)
class StepContext:
    """Everything that the next step depends on, beside the fresh look.

    `undoes` is the target of our own mask, if this is an undo; `try_start` says whether the proof may try a start;
    `begun` is when the change began; `is_wanted` whether the mask still waits, for whose sake a stop is forced.
    """

    change: Change
    target: Target
    undoes: Target | None = None
    try_start: bool = True
    limits: StepLimits = StepLimits()
    begun: datetime | None = None
    is_wanted: bool = True


def label(step: Command) -> str:
    """The name of a step in the audit log; a step on another unit or layer names it."""
    match step:
        case TryStart(unit=""):
            return step.name
        case Unlink(layer=detail) | ResetFailed(unit=detail) | Start(unit=detail) | TryStart(unit=detail):
            return f"{step.name} {detail}"
        case _:
            return step.name


def is_on_its_way_down(now: Snapshot) -> bool:
    """Whether it stops, or systemd cleans up after it, or a job is queued for it."""
    return now.active in (ActiveState.DEACTIVATING, ActiveState.MAINTENANCE) or bool(now.pending_job)


def times(target: Target, name: str) -> int:
    """How often a step has been sent."""
    return sum(sent.step == name for sent in target.sent)


def try_start_succeeded(target: Target) -> bool:
    """Whether the proof's start ran instead of being refused, by any name."""
    return any(is_a_try(sent) and sent.exit_code == 0 for sent in target.sent)


def try_start_was_sent(target: Target) -> bool:
    """Whether the proof tried a start, by any name."""
    return any(map(is_a_try, target.sent))


def is_a_try(sent: Sent) -> bool:
    """Whether this was the start of a proof."""
    return sent.step.partition(" ")[0] == TryStart.name


def is_tried(target: Target, name: str, limits: StepLimits) -> bool:
    """Whether it is useless to send a step once more.

    A step without an answer may never have been sent: the bot died after the record. The caller has looked since, and
    the step's effect is not there.
    """
    sent = newest(target, name)
    return sent is not None and (sent.exit_code is not None or times(target, name) >= limits.same_command)


def newest(target: Target, name: str) -> Sent | None:
    """The newest sending of a step."""
    return next((sent for sent in reversed(target.sent) if sent.step == name), None)
