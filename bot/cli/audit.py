"""`maskbot audit ...`: verify and export the audit log."""

from typing import Annotated

import typer

audit = typer.Typer(name="audit", no_args_is_help=True, help="The audit chain: every decision and every command.")


@audit.command()
def verify(
    anchor: Annotated[str, typer.Option(metavar="SEQ:HASH", help="An earlier end of the chain, as printed then.")] = "",
) -> None:
    """Verify the chain; exit code 1 if anything was changed, left out or cut off."""
    from bot.cli import audit_chain

    raise typer.Exit(audit_chain.verify_chain(anchor))


@audit.command()
def export(
    since: Annotated[
        str, typer.Option(metavar="TIME", help="Nothing older: a date like 2024-05-01, or with a time.")
    ] = "",
) -> None:
    """Print the chain as lines of JSON, oldest first."""
    from bot.cli import audit_chain

    raise typer.Exit(audit_chain.export(since))
