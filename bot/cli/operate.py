"""The commands that make an installation and keep it: `maskbot init`, `backup`, `restore` and `reconcile`."""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli import options
from bot.cli.arguments import InitArguments, one_per_field


def register_first(app: typer.Typer) -> None:
    """Register `init`, which comes before everything else."""
    app.command(rich_help_panel=options.RUN)(init)


def register(app: typer.Typer) -> None:
    """Register the others."""
    for command in (backup, restore):
        app.command(rich_help_panel=options.OPERATE)(command)
    app.command(rich_help_panel=options.OPERATE)(reconcile)


@one_per_field(of=InitArguments)
def init(given: InitArguments) -> None:
    """Make a new installation: keys, configuration, Slack's manifest, the hosts' script. Run it again to go on."""
    from bot.cli.init import init as make

    raise typer.Exit(make(given))


def backup(to: Annotated[Path, typer.Argument(metavar="FILE", help="A new file.")]) -> None:
    """Back up the SQLite database to a file, even while the bot runs; the backup is verified."""
    from bot.cli import backup

    raise typer.Exit(backup.backup(to))


def restore(copy: Annotated[Path, typer.Argument(metavar="FILE", help="What `maskbot backup` wrote.")]) -> None:
    """Put a backup of the SQLite database back, while no bot runs, and reconcile it with the hosts."""
    from bot.cli import backup

    raise typer.Exit(backup.restore(copy))


def reconcile(*, json: options.Json = False) -> None:
    """Find masks on the hosts that the bot made and its database does not know, as after a restore."""
    from bot.cli import reconcile as compared

    raise typer.Exit(compared.reconcile(as_json=json))
