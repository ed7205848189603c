"""`maskbot guard`: print the guard script or the sudo rules for a host."""

import typer

from bot.cli import options


def guard(*, sudoers: options.Sudoers = False, login: options.Login = "maskbot", user: options.Users = None) -> None:
    """Print the guard for the bot's key on a host, or the sudo rules of the bot's login."""
    from bot.core.systemd.guard import guard as made
    from bot.core.systemd.systemctl import sudoers_fragment
    from config.loading import load
    from config.settings import load_settings

    if sudoers:
        typer.echo(sudoers_fragment(login, users=user or ()), nl=False)
        return
    critical = load(load_settings()).policy.critical
    typer.echo(made([listed.pattern for listed in critical], users=user or ()), nl=False)
