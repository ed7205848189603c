"""`maskbot init`: make the files of a new installation; what is there already is kept, so it can be run again."""

import os
import sys
from pathlib import Path

import typer

from bot.cli.arguments import InitArguments
from bot.cli.doctor import doctor
from bot.cli.hosts_scan import scan
from bot.cli.secret import new_key
from bot.cli.status_line import line
from bot.core.hosts.inventory import Inventory
from bot.edges.guard.install import Setup, checked_addresses, checked_key, install_script
from bot.edges.slack.channel import web_client
from bot.edges.slack.names import SlackNames
from bot.edges.ssh.new_key import make_key
from bot.errors import ConfigError, MaskbotError, SlackError, UsageError
from config.critical_units import read_lists
from config.first_files import FirstPolicy, first_environment, first_hosts, first_policy
from config.host_sources import read_source
from config.hosts import read_address, read_name
from config.hosts_edit import NO_KEY, Entry, quoted
from config.hosts_import import take
from config.known_hosts import KnownHosts
from config.loading import SHIPPED_LIST
from config.manifest import manifest
from config.settings import load_settings
from config.start import SLACK_SHOWS, TOKENS_BEGIN
from config.strict_yaml import read_document

_SLACK = """
In Slack, once: open https://api.slack.com/apps?new_app=1
  *From a manifest*, your workspace, and paste {folder}/slack-manifest.yaml.
  *Install to Workspace*.
  *Basic Information*, *App-Level Tokens*: generate one with the scope connections:write."""


def init(given: InitArguments) -> int:
    """Make what is missing, show what to do elsewhere, and end with `doctor`. Raises `MaskbotError`."""
    folder = given.folder.absolute()
    hosts = _hosts(given)
    secrets = folder / "secrets"
    public = _make_secrets(folder, secrets)
    _use(folder, secrets)
    _write(folder / "slack-manifest.yaml", manifest())
    _write(folder / "host-install.sh", _script(public, given.from_))
    if not _take_tokens(folder, secrets):
        return 1
    if not (folder / "policy.yaml").exists():
        _write(folder / "policy.yaml", first_policy(_policy(given)))
    if not (folder / "hosts.yaml").exists():
        _write(folder / "hosts.yaml", first_hosts(hosts))
    typer.echo("\nOn each host, as root, once (read the script first); its last line is the fingerprint of the host:")
    for host in hosts:
        port = f" -p {host.fields['port']}" if host.fields.get("port") else ""
        typer.echo(f"  ssh{port} root@{host.fields['address']} sh -s <{folder}/host-install.sh")
    typer.echo("\nThe keys that the hosts show here, to be compared with those:")
    scan((), given.expect)
    typer.echo(f"\nIn Slack: `/invite @maskbot` in the channel. In your shell: set -a; . {folder}/maskbot.env; set +a")
    typer.echo("Then `maskbot doctor` until it says ready, and `maskbot run`. Doctor says now:\n")
    return doctor((), as_json=False, verbose=False)


def _hosts(given: InitArguments) -> list[Entry]:
    """The hosts that are named, and those of the source that is. Raises `UsageError`."""
    hosts, environment = [], quoted(given.environment)
    if given.import_:
        try:
            text = given.import_.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise UsageError(f"{given.import_}: cannot be read") from None
        taken = take(read_source(text), Inventory(()), KnownHosts(f"{text}\n"), environment=given.environment)
        for note in taken.notes:
            typer.echo(line(note), err=True)
        hosts = taken.entries
    named = given.host or ([] if hosts else _asked("Hosts, as NAME=ADDRESS", many=True))
    return [*hosts, *(_host(typed, environment) for typed in named)]


def _host(typed: str, environment: str) -> Entry:
    """`web-01=192.0.2.11` or `web-01=192.0.2.11:2222`; a name alone is its own address. Raises `UsageError`."""
    name, _, place = typed.partition("=")
    address, colon, port = place.rpartition(":") if place.count(":") == 1 else (place, "", "")
    try:
        if colon and not port.isdecimal():
            raise ValueError(f"`{port[:80]}` is not a port")
        fields = {"address": quoted(read_address(address or name)), "port": port, "environment": environment}
        return Entry(read_name(name), fields, note=NO_KEY)
    except ValueError as error:
        raise UsageError(f"--host {typed[:80]}: {error}. Write it as in web-01=192.0.2.11.") from None


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
        _write_secret(seal, new_key())
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
    settings = (one for one in (folder / "maskbot.env").read_text().splitlines() if one and not one.startswith("#"))
    os.environ.update((name, value) for name, _, value in (one.partition("=") for one in settings))


def _write(path: Path, text: str) -> None:
    if path.exists():
        typer.echo(f"kept {path}")
        return
    path.write_text(text, encoding="utf-8")
    typer.echo(f"wrote {path}")


def _write_secret(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{text.strip()}\n")


def _script(public: str, addresses: str) -> str:
    critical, _ = read_lists(read_document(SHIPPED_LIST))
    setup = Setup(login="maskbot", key=checked_key(public), addresses=checked_addresses(addresses))
    return install_script(setup, [listed.pattern for listed in critical])


def _take_tokens(folder: Path, secrets: Path) -> bool:
    """Whether both tokens are there; if not, say where Slack shows them, and ask for them at a terminal."""
    missing = [name for name in TOKENS_BEGIN if not (secrets / name.lower()).exists()]
    if not missing:
        return True
    from_outside = {name: token for name in missing if (token := os.environ.pop(name, ""))}
    if len(from_outside) < len(missing):
        typer.echo(_SLACK.format(folder=folder))
    for name in missing:
        (page, what), begins = SLACK_SHOWS[name], TOKENS_BEGIN[name]
        what = f"{what}, from *{page}*"
        token = from_outside.get(name) or (typer.prompt(what, hide_input=True) if sys.stdin.isatty() else "")
        if token.strip().startswith(begins):
            _write_secret(secrets / name.lower(), token)
        else:
            if token:
                typer.echo(f"  What was given does not begin with {begins[0]}, so it is not that token.")
            typer.echo(f"  Write {what}, into {secrets / name.lower()} (mode 0600).")
    if all((secrets / name.lower()).exists() for name in TOKENS_BEGIN):
        return True
    typer.echo("Then run this command again: it keeps what is there.")
    return False


def _policy(given: InitArguments) -> FirstPolicy:
    """Who and where, found in Slack by name. Raises `UsageError`, `SlackError`."""
    channel = given.channel or next(iter(_asked("The channel in which people ask and approve, as #incident")), "")
    may_ask = given.ask or _asked("Who may ask, as @alice @bob or one user group", many=True)
    approve = given.approve or _asked("Who approves, as @bob @carol or one user group", many=True)
    settings = load_settings()
    token = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else ""
    names = SlackNames(web_client(token, base=settings.slack_api_url))
    try:
        found = FirstPolicy(
            names.channel(channel),
            [names.person_or_group(one) for one in may_ask],
            [names.person_or_group(one) for one in approve],
        )
    except SlackError as error:
        raise MaskbotError(f"{error} The bot's token is in {settings.secrets_dir}/slack_bot_token.") from None
    for people in (found.may_ask, found.approve):
        if len(people) > 1 and any(one.startswith("S") for one, _ in people):
            raise UsageError("A group is made of people or of one user group, not of both: name one of them.")
    return found


def _asked(question: str, *, many: bool = False) -> list[str]:
    """What somebody answers at the terminal, word by word. Raises `UsageError` if there is nobody."""
    if not sys.stdin.isatty():
        raise UsageError(f"{question}: nobody is there to answer. `maskbot init -h` names the option.")
    said = str(typer.prompt(question)).replace(",", " ").split()
    if not said or (len(said) > 1 and not many):
        raise MaskbotError(f"{question}: that is not it. Nothing was written for it; run this again.")
    return said
