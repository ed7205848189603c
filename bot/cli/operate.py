"""The commands that make an installation and keep it: `maskbot init`."""

import typer

from bot.cli import options
from bot.cli.arguments import InitArguments, one_per_field


def register_first(app: typer.Typer) -> None:
    """Register `init`, which comes before everything else."""
    app.command(rich_help_panel=options.RUN)(init)


@one_per_field(of=InitArguments)
def init(given: InitArguments) -> None:
    """Make a new installation: keys, configuration, Slack's manifest, the hosts' script. Run it again to go on."""
    from bot.cli.init import init as make

    raise typer.Exit(make(given))
