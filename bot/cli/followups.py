"""What is said of a request beside a yes or a no: `maskbot ask`, `answer`, `give`, `alone`, `review` and the like."""

from typing import Annotated

import typer

from bot.terminal import words


def register(app: typer.Typer) -> None:
    """Its commands."""
    for command in (ask, answer, give, withdraw, alone, review, extend, keep):
        app.command()(command)


def ask(request: words.Request, question: words.Said, *, json: words.Json = False) -> None:
    """Ask for more before you vote; the request keeps waiting, and its owner is called."""
    from bot.terminal import asking

    raise typer.Exit(asking.wish("ask_for_more", request, question, as_json=json))


def answer(request: words.Request, text: words.Said, *, json: words.Json = False) -> None:
    """Answer what somebody wants to know of your request."""
    from bot.terminal import asking

    raise typer.Exit(asking.wish("answer", request, text, as_json=json))


def give(
    request: words.Request,
    to: Annotated[str, typer.Argument(help="A login that the policy maps to a person, or a Slack id, `U0123BOB1`.")],
    *,
    json: words.Json = False,
) -> None:
    """Hand your request, or your mask, over to somebody else."""
    from bot.terminal import asking

    raise typer.Exit(asking.wish("hand_over", request, (), as_json=json, to=to))


def withdraw(request: words.Request, *, json: words.Json = False) -> None:
    """Take your request back before it runs."""
    from bot.terminal import asking

    raise typer.Exit(asking.withdraw(request, as_json=json))


def alone(
    request: words.Request,
    reason: words.Said,
    *,
    console_works: words.ConsoleWorks = False,
    no_wait: words.NoWait = False,
    json: words.Json = False,
) -> None:
    """Go ahead without the votes that are missing, if the policy lets you. At a terminal the plan is shown first."""
    from bot.terminal import asking

    code = asking.go_alone(request, reason, console_works=console_works, wait=not no_wait, as_json=json)
    raise typer.Exit(code)


def review(request: words.Request, remark: words.Reason = None, *, json: words.Json = False) -> None:
    """Sign the review of what somebody did alone."""
    from bot.terminal import asking

    raise typer.Exit(asking.wish("sign_review", request, remark or (), as_json=json))


def extend(
    request: words.Request,
    longer: Annotated[str, typer.Argument(metavar="LENGTH|TIME", help="By how long, `2h`; or `until 18:00`.")],
    reason: words.Reason = None,
    *,
    no_wait: words.NoWait = False,
    json: words.Json = False,
) -> None:
    """Let a mask end later than it would."""
    from bot.terminal import asking

    raise typer.Exit(asking.prolong(request, reason or (), wait=not no_wait, as_json=json, until=longer))


def keep(
    request: words.Request,
    reason: words.Said,
    *,
    day: Annotated[
        str, typer.Option("--review", metavar="DAY", help="Of a hold: when its owners look at it again.")
    ] = "",
    no_wait: words.NoWait = False,
    json: words.Json = False,
) -> None:
    """Let a mask stay that would end by itself, or go on with a hold."""
    from bot.terminal import asking

    raise typer.Exit(asking.prolong(request, reason, wait=not no_wait, as_json=json, review=day))
