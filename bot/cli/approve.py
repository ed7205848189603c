"""The commands of those who approve: `maskbot approve`, `deny`, `freeze` and `thaw`."""

import typer

from bot.cli import options


def register(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (approve, deny, freeze, thaw):
        app.command(rich_help_panel=options.APPROVE)(command)


def approve(
    request: options.Request,
    *,
    console_works: options.ConsoleWorks = False,
    code: options.Code = "",
    carry_out: options.CarryOut = False,
    json: options.Json = False,
) -> None:
    """Approve a request. At a terminal, its plan is shown first."""
    from bot.cli import call

    vote = call.Vote("approve", request, console_works=console_works, code=code)
    raise typer.Exit(call.vote(vote, carry_out=carry_out, as_json=json))


def deny(
    request: options.Request,
    reason: options.Reason = None,
    *,
    carry_out: options.CarryOut = False,
    json: options.Json = False,
) -> None:
    """Deny a request."""
    from bot.cli import call

    raise typer.Exit(call.vote(call.Vote("deny", request, " ".join(reason or ())), carry_out=carry_out, as_json=json))


def freeze(reason: options.Reason = None, *, json: options.Json = False) -> None:
    """Turn the kill switch on: no new masks, whoever approves. Running changes are finished, and undos still work."""
    from bot.cli import call

    raise typer.Exit(call.switch("freeze", reason or (), as_json=json))


def thaw(reason: options.Reason = None, *, json: options.Json = False) -> None:
    """Turn the kill switch off. Two people who may approve have to run this."""
    from bot.cli import call

    raise typer.Exit(call.switch("thaw", reason or (), as_json=json))
