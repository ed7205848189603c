"""The commands of followups: `maskbot ask`, `answer`, `give`, `review` and the like."""

from typing import Annotated

import typer

from bot.cli import options


def register(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (ask, answer, give, withdraw, break_glass, review, extend, keep):
        app.command()(command)


def ask(request: options.Request, question: options.Said, *, json: options.Json = False) -> None:
    """Ask for more before you vote; the request keeps waiting, and its owner is called."""
    from bot.cli import call

    raise typer.Exit(call.followup("ask_for_more", request, question, as_json=json))


def answer(request: options.Request, text: options.Said, *, json: options.Json = False) -> None:
    """Answer what somebody wants to know of your request."""
    from bot.cli import call

    raise typer.Exit(call.followup("answer", request, text, as_json=json))


def give(
    request: options.Request,
    to: Annotated[str, typer.Argument(help="A login that the policy maps to a person, or a Slack id, `U0123BOB1`.")],
    *,
    json: options.Json = False,
) -> None:
    """Hand your request, or your mask, over to somebody else."""
    from bot.cli import call

    raise typer.Exit(call.followup("hand_over", request, (), as_json=json, to=to))


def withdraw(request: options.Request, *, json: options.Json = False) -> None:
    """Take your request back before it runs."""
    from bot.cli import call

    raise typer.Exit(call.withdraw(request, as_json=json))


def break_glass(
    request: options.Request,
    reason: options.Said,
    *,
    console_works: options.ConsoleWorks = False,
    no_wait: options.NoWait = False,
    json: options.Json = False,
) -> None:
    """Go ahead without the votes that are missing, if the policy lets you. At a terminal the plan is shown first."""
    from bot.cli import call

    code = call.break_glass(request, reason, console_works=console_works, wait=not no_wait, as_json=json)
    raise typer.Exit(code)


def review(request: options.Request, remark: options.Reason = None, *, json: options.Json = False) -> None:
    """Sign the review of what somebody did alone."""
    from bot.cli import call

    raise typer.Exit(call.followup("sign_review", request, remark or (), as_json=json))


def extend(
    request: options.Request,
    longer: Annotated[str, typer.Argument(metavar="LENGTH|TIME", help="By how long, `2h`; or `until 18:00`.")],
    reason: options.Reason = None,
    *,
    no_wait: options.NoWait = False,
    json: options.Json = False,
) -> None:
    """Let a mask end later than it would."""
    from bot.cli import call

    raise typer.Exit(call.extend(request, reason or (), wait=not no_wait, as_json=json, until=longer))


def keep(
    request: options.Request,
    reason: options.Said,
    *,
    day: Annotated[str, typer.Option("--review", metavar="DAY", help="Of a hold: when its owners review it.")] = "",
    no_wait: options.NoWait = False,
    json: options.Json = False,
) -> None:
    """Let a mask stay that would end by itself, or go on with a hold."""
    from bot.cli import call

    raise typer.Exit(call.extend(request, reason, wait=not no_wait, as_json=json, review=day))
