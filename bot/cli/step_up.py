"""`maskbot step-up ...`: what an operator does about somebody's authenticator."""

from typing import Annotated

import typer

step_up = typer.Typer(
    name="step-up", no_args_is_help=True, help="Authenticators, whose codes some approvals need. People enrol in Slack."
)


@step_up.callback()
def commands() -> None:
    """Authenticators, whose codes some approvals need. People enrol in Slack: `/mask enrol`."""


@step_up.command()
def reset(
    person: Annotated[
        str, typer.Argument(metavar="PERSON", help="A login that the policy maps to a person, or a Slack user id.")
    ],
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, for the record and the operators.")],
) -> None:
    """Remove somebody's authenticator: they enrol again. For root, or somebody else who may approve something."""
    from bot.cli import call

    raise typer.Exit(call.reset_step_up(person, reason))
