"""The commands of followups: `maskbot ask`, `answer`, `give`, `sign-off` and the like."""

from typing import Annotated

import typer

from bot.cli import options


def register(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (answer, give, withdraw, extend, keep, break_glass):
        app.command(rich_help_panel=options.ASK)(command)
    app.command(rich_help_panel=options.APPROVE)(ask)
    app.command(rich_help_panel=options.APPROVE)(sign_off)


def ask(request: options.Request, question: options.Text, *, json: options.Json = False) -> None:
    """Ask the owner of a request a question before you approve it. The request keeps waiting."""
    from bot.cli import call

    raise typer.Exit(call.followup("ask_for_more", request, question, as_json=json))


def answer(request: options.Request, text: options.Text, *, json: options.Json = False) -> None:
    """Answer a question about your request."""
    from bot.cli import call

    raise typer.Exit(call.followup("answer", request, text, as_json=json))


def give(
    request: options.Request,
    to: Annotated[
        str,
        typer.Argument(
            metavar="PERSON", help="A login that the policy maps to a person, or a Slack user id, `U0123BOB1`."
        ),
    ],
    *,
    json: options.Json = False,
) -> None:
    """Hand your request or your mask over to somebody else."""
    from bot.cli import call

    raise typer.Exit(call.followup("hand_over", request, (), as_json=json, to=to))


def withdraw(request: options.Request, *, json: options.Json = False) -> None:
    """Withdraw your request before it runs."""
    from bot.cli import call

    raise typer.Exit(call.withdraw(request, as_json=json))


def break_glass(
    request: options.Request,
    reason: options.NeededReason,
    *,
    console_works: options.ConsoleWorks = False,
    code: options.Code = "",
    no_wait: options.NoWait = False,
    json: options.Json = False,
) -> None:
    """Go ahead without the missing approvals, if the policy allows it. At a terminal, the plan is shown first."""
    from bot.cli import call

    more = {"console_works": console_works, "wait": not no_wait}
    raise typer.Exit(call.break_glass(request, reason, as_json=json, code=code, **more))


def sign_off(request: options.Request, remark: options.Reason = None, *, json: options.Json = False) -> None:
    """Sign off of a break-glass change."""
    from bot.cli import call

    raise typer.Exit(call.followup("sign_off", request, remark or (), as_json=json))


def extend(
    request: options.Request,
    longer: Annotated[str, typer.Argument(metavar="LENGTH|TIME", help="How much longer, `2h`; or `until 18:00`.")],
    reason: options.Reason = None,
    *,
    no_wait: options.NoWait = False,
    json: options.Json = False,
) -> None:
    """Request a later expiry for a mask."""
    from bot.cli import call

    raise typer.Exit(call.extend(request, reason or (), wait=not no_wait, as_json=json, until=longer))


def keep(
    request: options.Request,
    reason: options.NeededReason,
    *,
    day: Annotated[
        str,
        typer.Option(
            "--review",
            metavar="DAY",
            help="When a hold is reviewed next, or the owner of a mask without expiry is reminded.",
        ),
    ] = "",
    no_wait: options.NoWait = False,
    json: options.Json = False,
) -> None:
    """Request that a mask no longer expires, or that a hold goes on until its next review."""
    from bot.cli import call

    raise typer.Exit(call.extend(request, reason, wait=not no_wait, as_json=json, review=day))
