"""`maskbot audit ...`: verify and export the audit log."""

from typing import Annotated

import typer

from bot.cli import options

audit = typer.Typer(
    name="audit", no_args_is_help=True, help="Verify or export the audit log of all decisions and commands."
)


@audit.command()
def verify(
    anchor: Annotated[
        str, typer.Option(metavar="SEQ:HASH", help="An earlier end of the chain, as it was printed then.")
    ] = "",
    *,
    json: options.Json = False,
) -> None:
    """Verify the chain. Exit code 1 if a record was changed, removed or cut off."""
    from bot.cli import audit_chain

    raise typer.Exit(audit_chain.verify_chain(anchor, as_json=json))


@audit.command("accept-break")
def accept_break(
    *,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="What happened, for the record.")],
) -> None:
    """Accept a broken chain, after a restore for one: it is judged from here on. Needs the seal keys."""
    from bot.cli import audit_chain

    raise typer.Exit(audit_chain.accept_break(reason))


@audit.command()
def export(
    since: Annotated[
        str,
        typer.Option(metavar="TIME", help="Only records since then: a date such as 2024-05-01, or a date and time."),
    ] = "",
) -> None:
    """Print the records as lines of JSON, oldest first."""
    from bot.cli import audit_chain

    raise typer.Exit(audit_chain.export(since))


@audit.command()
def schema() -> None:
    """Print the JSON Schema of one exported record."""
    import json

    from bot.cli import audit_schema

    typer.echo(json.dumps(audit_schema.schema(), indent=2))
