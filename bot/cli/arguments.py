"""The arguments of commands that take many, each command's as one value."""

import inspect
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from functools import wraps
from typing import Any

from bot.cli import options


@dataclass(frozen=True, slots=True)
class Mask:
    """The arguments of `maskbot mask`."""

    host: options.Host
    unit: options.Unit
    reason: options.Reason = None
    _: KW_ONLY
    runtime: options.Runtime = False
    keep_running: options.KeepRunning = False
    force: options.Force = False
    user: options.User = ""
    for_: options.For = ""
    until: options.Until = ""
    hold: options.Hold = ""
    review: options.Review = ""
    at: options.At = ""
    window: options.Window = ""
    break_glass: options.BreakGlass = False
    console_works: options.ConsoleWorks = False
    no_wait: options.NoWait = False
    carry_out: options.CarryOut = False
    json: options.Json = False


@dataclass(frozen=True, slots=True)
class Unmask:
    """The arguments of `maskbot unmask`."""

    host: options.Host
    unit: options.Unit
    reason: options.Reason = None
    _: KW_ONLY
    user: options.User = ""
    at: options.At = ""
    window: options.Window = ""
    break_glass: options.BreakGlass = False
    console_works: options.ConsoleWorks = False
    no_wait: options.NoWait = False
    carry_out: options.CarryOut = False
    json: options.Json = False


@dataclass(frozen=True, slots=True)
class Plan:
    """The arguments of `maskbot plan`."""

    host: options.Host
    unit: options.Unit
    _: KW_ONLY
    runtime: options.Runtime = False
    keep_running: options.KeepRunning = False
    user: options.User = ""
    for_: options.For = ""
    until: options.Until = ""
    json: options.Json = False


def one_per_field(command: Callable[[Any], None]) -> Callable[..., None]:
    """The command with a parameter for each field of the value that it takes, which is how typer reads parameters."""
    (parameter,) = inspect.signature(command).parameters.values()
    fields = inspect.signature(parameter.annotation)

    @wraps(command)
    def spread(**given: Any) -> None:
        command(parameter.annotation(**given))

    spread.__dict__["__signature__"] = fields
    spread.__annotations__ = {name: field.annotation for name, field in fields.parameters.items()}
    return spread
