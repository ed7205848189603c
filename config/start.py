"""What the bot needs to start, in one list for `maskbot run`, `check` and `doctor`; nobody else is asked."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from bot.core.audit.seal_keys import LOST_KEY, KeyRing, parse_keys
from bot.core.hosts.inventory import Host
from bot.core.policy.model import Rule
from bot.edges.database.engine import file_of, parse_url
from bot.edges.ssh.own_key import OwnKey
from bot.errors import ConfigError
from config.examples import leftovers
from config.loading import ConfigProblem, Configuration, load
from config.secret_files import SECRETS_DIR, unread_files
from config.settings import WAYS_IN, Settings
from config.stored import examine_disk, examine_stored, has_recorded

SLACK_SHOWS = {
    "SLACK_BOT_TOKEN": ("OAuth & Permissions", "the Bot User OAuth Token (xoxb-), once the app is installed"),
    "SLACK_APP_TOKEN": ("Basic Information", "an app-level token (xapp-) with the scope connections:write"),
    "SLACK_SIGNING_SECRET": ("Basic Information", "the Signing Secret"),
}
WHERE_SLACK_SHOWS = {
    name: f"https://api.slack.com/apps, your app, *{page}*: {what}." for name, (page, what) in SLACK_SHOWS.items()
}
TOKENS_BEGIN = {"SLACK_BOT_TOKEN": ("xoxb-", "xoxe.xoxb-"), "SLACK_APP_TOKEN": ("xapp-",)}
"""A rotating one (xoxe) expires in half a day: something else has to renew it and write it to the secret's file."""

_NAMES = {"xoxb-": "a bot token", "xapp-": "an app-level token", "xoxp-": "a user token", "xoxe": "a rotating token"}

QUOTES = ('"', "'")
_LONGEST_SOCKET = 107  # unix(7)


def examine(settings: Settings) -> tuple[Configuration | None, list[ConfigProblem]]:
    """The configuration if it can be read, and every error and warning; with an error the bot does not start."""
    if nothing := list(_nothing(settings)):
        return None, nothing  # all else would follow from it
    found = [
        *_seal(settings),
        *_key(settings),
        *_tokens(settings),
        *_places(settings),
        *_file(settings),
        *_secrets(settings),
    ]
    configuration, in_files = examine_files(settings)
    said = "\n".join(one.text for one in found)  # of the key also with the name of its setting
    return configuration, [*found, *(one for one in in_files if one.text not in said)]


def examine_files(settings: Settings) -> tuple[Configuration | None, list[ConfigProblem]]:
    """The configuration if it can be read, and every error and warning about its files."""
    try:
        configuration = load(settings)
    except ConfigError as error:
        return None, [ConfigProblem("error", line) for line in str(error).splitlines()]
    files = (settings.config_dir / "policy.yaml", settings.config_dir / "hosts.yaml")
    left = [ConfigProblem("error", text, fix) for path in files for text, fix in leftovers(path)]
    return configuration, [*left, *_no_rule(configuration, files[0]), *configuration.warnings]


def _no_rule(configuration: Configuration, path: Path) -> Iterator[ConfigProblem]:
    """That whatever anybody asks for is refused. A source may bring hosts for which there are rules."""
    inventory, rules = configuration.inventory, [rule for rule in configuration.policy.rules if not rule.forbid]
    if (
        inventory.source
        or not inventory.hosts
        or any(_covers(rule, host) for rule in rules for host in inventory.hosts)
    ):
        return
    line = rules[0].line if rules else 1
    fix = "Name environments and host groups that hosts of hosts.yaml have, or leave them out."
    yield ConfigProblem("error", f"{path}:{line}: no rule matches any host, so nothing could be masked", fix)


def _covers(rule: Rule, host: Host) -> bool:
    is_there = not rule.environments or host.environment in rule.environments
    return is_there and (not rule.host_groups or bool(rule.host_groups & host.groups))


def check(settings: Settings, *, only_files: bool = False) -> list[ConfigProblem]:
    """Every error and warning, without starting anything."""
    return (examine_files if only_files else examine)(settings)[1]


def load_to_start(settings: Settings) -> Configuration:
    """The configuration. Raises `ConfigError` with a line for each error that keeps the bot from starting."""
    return _without_errors(*examine(settings))


def load_anew(settings: Settings) -> Configuration:
    """The configuration for a bot that runs. Raises `ConfigError` with a line for each error in its files."""
    return _without_errors(*examine_files(settings))


def _without_errors(configuration: Configuration | None, found: Sequence[ConfigProblem]) -> Configuration:
    errors = [one for one in found if one.level == "error"]
    if configuration is None or errors:
        raise ConfigError("\n".join(map(str, errors)))
    return configuration


def seal_keys(settings: Settings) -> KeyRing:
    """The keys that seal what the bot records. Raises `ConfigError` if there are none."""
    if settings.seal_keys is None:
        raise ConfigError(
            "MASKBOT_SEAL_KEYS is missing: without a key, whoever writes the database could approve anything. "
            "`maskbot secret` makes one"
        )
    return parse_keys(settings.seal_keys.get_secret_value())


def _nothing(settings: Settings) -> Iterator[ConfigProblem]:
    """That a shell has no setting at all: most often one in which nobody has read the settings' file."""
    if settings.model_fields_set - {"slack_api_url"}:
        return
    what = "none of the bot's settings is in this environment"
    made = "set -a; . maskbot/maskbot.env; set +a"
    fix = f"{made}, where you ran `maskbot init`; run that first if there is no installation yet."
    yield ConfigProblem("error", what, fix)


def _seal(settings: Settings) -> Iterator[ConfigProblem]:
    try:
        seal_keys(settings)
    except ConfigError as error:
        fix = "(umask 077; maskbot secret >seal-keys) && export MASKBOT_SEAL_KEYS_FILE=$PWD/seal-keys, once; keep it."
        yield ConfigProblem("error", str(error), f"Put its file back; {LOST_KEY}" if has_recorded(settings) else fix)


def _key(settings: Settings) -> Iterator[ConfigProblem]:
    """The key with which the bot logs in: read as it is at each login."""
    make = "ssh-keygen -t ed25519 -N '' -C maskbot -f KEY"
    path = settings.ssh_key_file
    if path is None:
        what = "MASKBOT_SSH_KEY_FILE is not set: the bot needs the private key with which it logs in"
        yield ConfigProblem("error", what, f"{make}, and MASKBOT_SSH_KEY_FILE=KEY")
        return
    if not path.is_file():
        fix = f"Put the key back, or {make.replace('KEY', str(path))} and install it on each host."
        yield ConfigProblem("error", f"MASKBOT_SSH_KEY_FILE: no such file: {path}", fix)
        return
    try:
        OwnKey(path)
    except ConfigError as error:
        yield ConfigProblem("error", f"MASKBOT_SSH_KEY_FILE: {error}")


def _tokens(settings: Settings) -> Iterator[ConfigProblem]:
    """That both tokens are there, and each is of its kind."""
    way_in = WAYS_IN[settings.mode]
    given = {"SLACK_BOT_TOKEN": settings.slack_bot_token, way_in: settings.transport_secret}
    tokens = {name: secret.get_secret_value() if secret else "" for name, secret in given.items()}
    kinds = {name: _NAMES.get(token[:5]) or _NAMES.get(token[:4], "") for name, token in tokens.items()}
    if (kinds["SLACK_BOT_TOKEN"], kinds.get("SLACK_APP_TOKEN")) == ("an app-level token", "a bot token"):
        fix = "Exchange their values: the bot token begins with xoxb-, the app-level token with xapp-."
        yield ConfigProblem("error", "SLACK_BOT_TOKEN and SLACK_APP_TOKEN are swapped", fix)
        return
    unread = unread_files(os.environ, settings.ssh_key_file)
    for name, token in tokens.items():
        begins, what = TOKENS_BEGIN.get(name, ()), kinds[name] or "something else"
        if token[:1] in QUOTES:
            text = f"{name} is quoted, and the quotes count as part of it"
            yield ConfigProblem("error", text, "Write it without the quotes.")
            continue
        if not token:
            fix = next((f"mv {path} {path.with_name(meant)}" for path, meant in unread if meant == name.lower()), "")
            yield ConfigProblem("error", f"{name} is not set", fix or WHERE_SLACK_SHOWS[name])
        elif begins and not token.startswith(begins):
            text = f"{name} has to begin with {begins[0]}, but is {what}"
            yield ConfigProblem("error", text, WHERE_SLACK_SHOWS[name])
        elif len(token.split()) > 1:
            yield ConfigProblem("error", f"{name} contains more than one word", WHERE_SLACK_SHOWS[name])
        elif not begins and kinds[name]:
            yield ConfigProblem("error", f"{name} holds {what}", WHERE_SLACK_SHOWS[name])


def usable(name: str, settings: Settings) -> str:
    """A token of Slack's, if it is there and of its kind: another one would only be refused."""
    secret = settings.slack_bot_token if name == "SLACK_BOT_TOKEN" else settings.transport_secret
    token = secret.get_secret_value() if secret else ""
    is_fit = token.startswith(TOKENS_BEGIN.get(name, ("",))) and len(token.split()) == 1
    return token if is_fit else ""


def _places(settings: Settings) -> Iterator[ConfigProblem]:
    """Where the bot writes: its database and its socket."""
    try:
        database = file_of(parse_url(settings.database_url.get_secret_value()))
    except ConfigError as error:
        yield ConfigProblem("error", str(error))
        database = None
    for name, path in (("MASKBOT_DATABASE_URL", database), ("MASKBOT_SOCKET", settings.socket)):
        if path and (why := _unusable(path.absolute().parent)):
            yield ConfigProblem("error", f"{name}: its folder {path.parent} {why}")
    if (length := len(os.fsencode(settings.socket))) > _LONGEST_SOCKET:
        what = f"MASKBOT_SOCKET: its path has {length} bytes, and no socket's path may have more than {_LONGEST_SOCKET}"
        yield ConfigProblem("error", what, "Name a shorter one, such as /run/maskbot/maskbot.sock.")


def _file(settings: Settings) -> Iterator[ConfigProblem]:
    """The database if it is a file: a server would have to be asked."""
    try:
        file, keys = file_of(parse_url(settings.database_url.get_secret_value())), seal_keys(settings)
    except ConfigError:  # said above
        return
    if file and not _unusable(file.absolute().parent):
        full = list(examine_disk(file))
        yield from full or examine_stored(settings, keys)


def _unusable(folder: Path) -> str:
    """Why nothing can be written into a folder, which the start would make."""
    there = next(one for one in (folder, *folder.parents) if one.exists())
    if not there.is_dir():
        return f"cannot be made: {there} is not a directory"
    if not os.access(there, os.W_OK | os.X_OK):
        return "cannot be written" if there == folder else f"cannot be made in {there}"
    return ""


def _secrets(settings: Settings) -> Iterator[ConfigProblem]:
    """Files in the folder of secrets that nobody reads, most often for a typo in their name."""
    for path, meant in unread_files(os.environ, settings.ssh_key_file):
        text = f"{SECRETS_DIR}: {path} is not read, because no secret has that name"
        yield ConfigProblem("warning", text, f"mv {path} {path.with_name(meant)}" if meant else "")
