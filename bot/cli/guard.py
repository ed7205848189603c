"""`maskbot guard`: print the guard for a host, or the line with which root lets the bot call it."""

import typer

from bot.cli import options


def guard(*, sudoers: options.Sudoers = False, doas: options.Doas = False, login: options.Login = "maskbot") -> None:
    """Print root's part on a host: the guard, or its one line for sudo or doas."""
    from bot.edges.guard.text import doas_line, sudoers_line
    from bot.edges.guard.text import guard as made
    from config.loading import load
    from config.settings import load_settings

    if sudoers or doas:
        typer.echo((sudoers_line if sudoers else doas_line)(login), nl=False)
        return
    critical = load(load_settings()).policy.critical
    typer.echo(made([listed.pattern for listed in critical]), nl=False)
