"""The kinds of step there are, and what has been sent of them so far."""

from dataclasses import dataclass
from typing import ClassVar

from bot.core.changes import Change, Outcome, Sent, Target
from bot.core.units import Layer, Snapshot

MICROSECOND = 1e-6


@dataclass(frozen=True, slots=True)
class Link:
    """Make the mask's link, without a reload: it fails before anything is stopped where it must fail."""

    name: ClassVar[str] = "link"


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
    """Nothing to send; look again in so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class LookFully:
    """The short look does not see enough for the next step."""


@dataclass(frozen=True, slots=True)
class Done:
    """There is nothing more to do; `note` is a sentence or the host's own words on why it is so."""

    outcome: Outcome
    note: str = ""


Command = Link | Unlink | Stop | Reload | TryStart | ResetFailed | Start
Step = Command | Wait | LookFully | Done


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how often. Seconds, unless named otherwise."""

    stop_margin: float = 10.0  # on top of the unit's own time limit
    stop_longest: float = 600.0  # for units that set themselves no limit
    start_longest: float = 100.0  # systemd's default for a start is 90
    stops_again: int = 3  # for what something starts again in the gap
    same_command: int = 3  # how often a command without effect is sent

    def stop_seconds(self, before: Snapshot) -> float:
        """How long a stop may take, by the limit the unit had before anything was done to it.

        Anybody's daemon-reload in the middle of a stop resets the live value to 90 s (measured).
        """
        return min(before.timeout_stop_usec * MICROSECOND + self.stop_margin, self.stop_longest)


@dataclass(frozen=True, slots=True)
class Work:
    """All that the next step depends on, besides the fresh look.

    `undoes` is the target of our own mask that is being taken back, if this is an undo; `try_start` says whether a
    start may be tried as a proof.
    """

    change: Change
    target: Target
    undoes: Target | None = None
    try_start: bool = True
    limits: Limits = Limits()


def label(step: Command) -> str:
    """How a step is called in the record; a step on another unit or layer names it."""
    match step:
        case TryStart(unit=""):
            return step.name
        case Unlink(layer=detail) | ResetFailed(unit=detail) | Start(unit=detail) | TryStart(unit=detail):
            return f"{step.name} {detail}"
        case _:
            return step.name


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
