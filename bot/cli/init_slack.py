"""What `maskbot init` needs of Slack: the tokens, and by whom and where the bot is used, found by name."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import typer

from bot.cli.arguments import InitArguments
from bot.edges.slack.channel import web_client
from bot.edges.slack.names import SlackNames
from bot.errors import MaskbotError, SlackError, UsageError
from config.first_files import FirstPolicy
from config.settings import load_settings
from config.start import SLACK_SHOWS, TOKENS_BEGIN

_SLACK = """
In Slack, once: open https://api.slack.com/apps?new_app=1
  *From a manifest*, your workspace, and paste {folder}/slack-manifest.yaml.
  *Install to Workspace*.
  *Basic Information*, *App-Level Tokens*: generate one with the scope connections:write."""
Found = tuple[str, str]  # an id, and the name by which it was found


def take_tokens(folder: Path, secrets: Path) -> bool:
    """Whether both tokens are there; if not, say where Slack shows them, and ask for them at a terminal."""
    missing = [name for name in TOKENS_BEGIN if not (secrets / name.lower()).exists()]
    from_outside = {name: token for name in missing if (token := os.environ.pop(name, ""))}
    if len(from_outside) < len(missing):
        typer.echo(_SLACK.format(folder=folder))
    for name in missing:
        page, what = SLACK_SHOWS[name]
        what = f"{what}, from *{page}*"
        if token := _token(name, what, from_outside.get(name, "")):
            write_secret(secrets / name.lower(), token)
        else:
            typer.echo(f"  Write {what}, into {secrets / name.lower()} (mode 0600).")
    if all((secrets / name.lower()).exists() for name in TOKENS_BEGIN):
        return True
    typer.echo("Then run this command again: it keeps what is there.")
    return False


def _token(name: str, what: str, given: str) -> str:
    """A token of its kind; empty if nobody gives one. Whoever sits at a terminal is asked again."""
    while True:
        asks = not given and sys.stdin.isatty()
        said = typer.prompt(_hidden(what), hide_input=True, default="", show_default=False) if asks else given
        token = str(said).strip().strip("\"'")
        if not token or token.startswith(TOKENS_BEGIN[name]):
            return token
        typer.echo(f"  That does not begin with {TOKENS_BEGIN[name][0]}, so it is not that token.")
        if not asks:
            return ""


def _hidden(what: str) -> str:
    return f"{what} (nothing is shown while you paste it; Enter alone leaves it for later)"


def write_secret(path: Path, text: str) -> None:
    """Write a new file that its owner alone can read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{text.strip()}\n")


def find_policy(given: InitArguments) -> FirstPolicy:
    """Who and where. Raises `UsageError`, `MaskbotError`."""
    names = _names()

    def approvers(people: Sequence[Found]) -> None:
        _one_kind(people)
        everybody = {one for one, _ in (*may_ask, *people)}
        if len(everybody) == 1 and not next(iter(everybody)).startswith("S"):
            raise UsageError("Nobody approves their own request: name a second person who may ask, or who approves.")

    try:
        question = "The channel in which people ask and approve, as #incident"
        channel, *_ = _find(question, [given.channel] if given.channel else (), names.channel, _one)
        question = "Who may ask, as @alice @bob or one user group"
        may_ask = _find(question, given.ask or (), names.person_or_group, _one_kind)
        question = "Who approves, as @bob @carol or one user group"
        approve = _find(question, given.approve or (), names.person_or_group, approvers)
    except SlackError as error:
        raise _with_token(error) from None
    return FirstPolicy(channel, may_ask, approve)


def tell_kept(given: InitArguments, path: Path) -> None:
    """Say what was named now, and is not in the policy that is there. Raises `UsageError`, `MaskbotError`."""
    typer.echo(f"kept {path}")
    text, names = path.read_text(encoding="utf-8"), _names()
    channels, people = [given.channel] if given.channel else [], names.person_or_group
    for option, typed, find, key in (
        ("--channel", channels, names.channel, "ids:"),
        ("--ask", given.ask or (), people, "may-ask:"),
        ("--approve", given.approve or (), people, "approvers:"),
    ):
        line = next((str(number) for number, one in enumerate(text.splitlines(), 1) if one.strip().startswith(key)), "")
        for one in typed:
            try:
                found, _ = find(one)
            except SlackError as error:
                raise _with_token(error) from None
            if found not in text:
                where = f"under `{key}` in line {line}" if line else "there"
                typer.echo(f"  NOT changed by {option} {one}: write {found} {where} of {path.name} yourself")


def _names() -> SlackNames:
    settings = load_settings()
    token = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else ""
    return SlackNames(web_client(token, base=settings.slack_api_url))


def _with_token(error: SlackError) -> MaskbotError:
    return MaskbotError(f"{error} The bot's token is in {load_settings().secrets_dir}/slack_bot_token.")


def _find(
    question: str, given: Sequence[str], find: Callable[[str], Found], check: Callable[[Sequence[Found]], None]
) -> list[Found]:
    """What was given, or is answered, in Slack. Whoever sits at a terminal is asked until it is found."""
    while True:
        try:
            found = [find(one) for one in given or asked(question)]
            check(found)
        except UsageError as error:
            if not sys.stdin.isatty():
                raise
            typer.echo(f"  {error}")
            given = ()
        else:
            return found


def _one(found: Sequence[Found]) -> None:
    if len(found) > 1:
        raise UsageError("Name one channel; more can be written into policy.yaml.")


def _one_kind(people: Sequence[Found]) -> None:
    if len(people) > 1 and any(one.startswith("S") for one, _ in people):
        raise UsageError("A group is made of people or of one user group, not of both: name one of them.")


def asked(question: str) -> list[str]:
    """What somebody answers at the terminal, word by word. Raises `UsageError` if there is nobody."""
    if not sys.stdin.isatty():
        raise UsageError(f"{question}: nobody is there to answer. `maskbot init -h` names the option.")
    return str(typer.prompt(question)).replace(",", " ").split()
