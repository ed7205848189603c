"""`maskbot host ...`: set up one host, or each."""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli import options

host = typer.Typer(name="host", no_args_is_help=True, help="A host: set it up for the bot.")


@host.callback()
def commands() -> None:
    """A host: set it up for the bot."""


@host.command("install-script")
def install_script(
    *,
    login: options.Login = "maskbot",
    key: Annotated[
        str, typer.Option("--key", metavar="FILE|TEXT", help="The bot's public key; if omitted, that of its own key.")
    ] = "",
    from_: Annotated[
        str, typer.Option("--from", metavar="ADDRESSES", help="Where the bot connects from; if omitted, as before.")
    ] = "",
    users: Annotated[
        str, typer.Option("--users", metavar="NAMES", help="Users whose own systemd managers the bot may use.")
    ] = "",
    doas: Annotated[bool, typer.Option("--doas", help="Use doas, even on hosts that have sudo.")] = False,
    without_control: Annotated[
        bool,
        typer.Option("--without-control", help="No masks of units whose own file is in /etc/systemd/system."),
    ] = False,
) -> None:
    """Print the script with which root sets a host up: login, key, guard, and the one line for sudo or doas.

    It holds nothing secret. Read it, then run it: `maskbot host install-script | ssh root@web-01 sh -s`.
    """
    from bot.core.systemd.systemctl import checked_login
    from bot.edges.guard.install import Setup, checked_addresses, checked_key, checked_setup_login
    from bot.edges.guard.install import install_script as script
    from config.loading import load
    from config.settings import load_settings

    setup = Setup(
        login=checked_setup_login(login),
        key=checked_key(_given(key) if key else _own_key()),
        addresses=checked_addresses(from_ or _first_addresses()),
        users=tuple(map(checked_login, users.replace(",", " ").split())),
        is_doas=doas,
        has_control=not without_control,
    )
    critical = load(load_settings()).policy.critical
    typer.echo(script(setup, [listed.pattern for listed in critical]), nl=False)


def _first_addresses() -> str:
    """Those that `maskbot init` was given, as its script has them."""
    from bot.edges.guard.install import written_addresses
    from config.first_files import FIRST_SCRIPT
    from config.settings import load_settings

    return written_addresses(load_settings().config_dir / FIRST_SCRIPT)


def _given(key: str) -> str:
    """The text of the key, or what the file has. Raises `UsageError`."""
    from bot.errors import UsageError

    if len(key.split()) > 1:
        return key
    try:
        return Path(key).read_text()
    except (OSError, ValueError):
        raise UsageError(f"{key[:80]}: neither a file that can be read nor a public key") from None


def _own_key() -> str:
    """The public half of the bot's own key. Raises `ConfigError`, or `UsageError` if none is configured."""
    from bot.edges.ssh.own_key import OwnKey
    from bot.errors import UsageError
    from config.settings import load_settings

    path = load_settings().ssh_key_file
    if path is None:
        raise UsageError("Name the bot's public key with `--key FILE`: MASKBOT_SSH_KEY_FILE is not set here.")
    own = OwnKey(path).current()
    return f"{own.get_name()} {own.get_base64()}"
