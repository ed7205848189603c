"""The arguments of the commands for a change (mask, unmask, plan) and of `init`, each as one value."""

import inspect
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from bot.cli import options


@dataclass(frozen=True, slots=True)
class ChangeArguments:
    """The arguments of `maskbot mask`; other commands have some of them."""

    host: options.Host
    unit: options.Unit
    reason: options.Reason = None
    _: KW_ONLY
    runtime: options.Runtime = False
    keep_running: options.KeepRunning = False
    force: options.Force = False
    adopt: options.Adopt = False
    user: options.User = ""
    for_: options.For = ""
    until: options.Until = ""
    hold: options.Hold = ""
    review: options.Review = ""
    at: options.At = ""
    window: options.Window = ""
    waves: options.Waves = ""
    set: options.Set = False
    order: options.Order = False
    break_glass: options.BreakGlass = False
    console_works: options.ConsoleWorks = False
    code: options.Code = ""
    no_wait: options.NoWait = False
    carry_out: options.CarryOut = False
    json: options.Json = False


@dataclass(frozen=True, slots=True)
class InitArguments:
    """The arguments of `maskbot init`; what is missing is asked for at a terminal."""

    folder: options.Folder = Path("maskbot")
    _: KW_ONLY
    host: options.NewHosts = None
    import_: options.Import = None
    environment: options.Environment = "prod"
    channel: options.Channel = ""
    ask: options.MayAsk = None
    approve: options.Approvers = None
    expect: options.Expect = ""
    from_: options.From = ""


ONLY_MASK_HAS = ("runtime", "keep_running", "force", "adopt", "for_", "until", "hold", "review")
ONLY_REQUESTS_HAVE = (
    "reason", "force", "hold", "review", "at", "window", "break_glass", "console_works", "code", "no_wait", "carry_out",
)  # fmt: skip


def one_per_field(
    *left_out: str, of: Callable[..., Any] = ChangeArguments
) -> Callable[[Callable[[Any], None]], Callable[..., None]]:
    """Give a command one parameter for each field of its arguments but these; typer reads parameters, not fields."""
    fields = inspect.signature(of)
    kept = [field for name, field in fields.parameters.items() if name not in left_out]

    def decorated(command: Callable[[Any], None]) -> Callable[..., None]:
        @wraps(command)
        def spread(**given: Any) -> None:
            command(of(**given))

        spread.__dict__["__signature__"] = fields.replace(parameters=kept)
        spread.__annotations__ = {field.name: field.annotation for field in kept}
        return spread

    return decorated
