"""`maskbot init`: make the files of a new installation; what is there already is kept, so it can be run again."""

import os
from dataclasses import replace
from pathlib import Path

import typer

from bot.cli.arguments import InitArguments
from bot.cli.doctor import doctor
from bot.cli.hosts_scan import scan
from bot.cli.init_hosts import named_hosts, show_commands, write_hosts
from bot.cli.init_slack import asked, find_policy, take_tokens, tell_kept, write_secret
from bot.cli.secret import new_key
from bot.cli.unsourced import settings_in
from bot.edges.guard.install import Setup, checked_addresses, checked_key, install_script, written_addresses
from bot.edges.ssh.new_key import make_key
from bot.errors import ConfigError
from config.critical_units import read_lists
from config.first_files import FIRST_SCRIPT, first_environment, first_policy
from config.loading import SHIPPED_LIST
from config.manifest import manifest
from config.strict_yaml import read_document


def init(given: InitArguments) -> int:
    """Make what is missing, show what to do elsewhere, and end with `doctor`. Raises `MaskbotError`."""
    folder = given.folder.absolute()
    hosts, policy, script = folder / "hosts.yaml", folder / "policy.yaml", folder / FIRST_SCRIPT
    if not (hosts.exists() or given.host or given.import_):
        given = replace(given, host=asked("Hosts, as NAME=ADDRESS"))
    named, users = named_hosts(given, hosts)
    public = _make_secrets(folder, folder / "secrets")
    _use(folder, folder / "secrets")
    _write(folder / "slack-manifest.yaml", manifest())
    is_new = _write_script(script, public, given.from_)
    if not take_tokens(folder, folder / "secrets"):
        return 1
    if policy.exists():
        tell_kept(given, policy)
    else:
        _write(policy, first_policy(find_policy(given)))
    write_hosts(hosts, named, given.environment)
    if show_commands(hosts, script, users, all_hosts=is_new):
        typer.echo(
            "\nRun that first, in a second terminal. The hosts show these keys here; compare them with its output:"
        )
        scan((), given.expect)
    elif given.expect:
        typer.echo(f"Every host already has its key: {given.expect} was not read.")
    typer.echo(f"\nIn Slack: `/invite @maskbot` in the channel. In your shell: set -a; . {folder}/maskbot.env; set +a")
    typer.echo("Then `maskbot doctor` until it says ready, and `maskbot run`. Doctor says now:\n")
    return doctor((), as_json=False, verbose=False)


def _make_secrets(folder: Path, secrets: Path) -> str:
    """The folders, the keys, and the settings; the public half of the SSH key."""
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        for each in (secrets, folder / "state"):
            each.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be made: {error.strerror}") from None
    if not (key := secrets / "ssh_key").exists():
        make_key(key)
        typer.echo(f"made {key}, with which the bot logs in to hosts")
    if not (seal := secrets / "maskbot_seal_keys").exists():
        write_secret(seal, new_key())
        typer.echo(f"made {seal}, which seals what the bot records; keep a copy elsewhere")
    return key.with_name("ssh_key.pub").read_text().strip()


def _use(folder: Path, secrets: Path) -> None:
    """Write the settings, and use them from here on."""
    state = folder / "state"
    places = {
        "secrets": secrets,
        "key": secrets / "ssh_key",
        "database": state / "maskbot.sqlite",
        "socket": state / "maskbot.sock",
    }
    text = first_environment(folder, places)
    _write(folder / "maskbot.env", text)
    os.environ.update(settings_in(folder / "maskbot.env"))


def _write(path: Path, text: str) -> None:
    if path.exists():
        typer.echo(f"kept {path}")
        return
    path.write_text(text, encoding="utf-8")
    typer.echo(f"wrote {path}")


def _write_script(path: Path, public: str, addresses: str) -> bool:
    """Write the script for hosts, again if the key or the addresses have changed; whether all hosts need it again."""
    critical, _ = read_lists(read_document(SHIPPED_LIST))
    bound = checked_addresses(addresses or written_addresses(path))
    setup = Setup(login="maskbot", key=checked_key(public), addresses=bound)
    text = install_script(setup, [listed.pattern for listed in critical])
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    if not before or _key_in(before) == _key_in(text):
        _write(path, text)
        return False
    path.write_text(text, encoding="utf-8")
    typer.echo(f"rewrote {path}, because the bot's key or addresses have changed")
    return True


def _key_in(script: str) -> str:
    return next((line for line in script.splitlines() if line.startswith("KEY=")), "")
