"""The command line: `maskbot ...`, or `python -m bot ...`."""

import os
import sys
from dataclasses import asdict
from typing import Annotated, NoReturn

import typer

from bot import __version__
from bot.cli import approve, followups, operate
from bot.cli import options as words
from bot.cli.arguments import ONLY_MASK_HAS, ONLY_REQUESTS_HAVE, ChangeArguments, one_per_field
from bot.cli.audit import audit
from bot.cli.explained import explained
from bot.cli.host import host
from bot.cli.hosts import hosts
from bot.cli.step_up import step_up
from bot.cli.unsourced import WITHOUT_SETTINGS, require_settings
from bot.errors import MaskbotError, UsageError

DONE, REFUSED, MISUSE = 0, 1, 2
# Not a setting of the bot, but a choice of whoever calls: so it is taken away before the settings are read.
_DEBUG = bool(os.environ.pop("MASKBOT_DEBUG", ""))

app = typer.Typer(
    name="maskbot",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:  # noqa: FBT001 - as Typer calls it
    if asked:
        typer.echo(f"maskbot {__version__}")
        raise typer.Exit


@app.callback()
def commands(
    context: typer.Context,
    *,
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", is_eager=True, callback=_version),
    ] = False,
) -> None:
    """The two-person rule for systemd units. Exit codes: 0 done, 1 refused or failed, 2 misuse."""
    if context.invoked_subcommand not in WITHOUT_SETTINGS and not {"-h", "--help"} & {*sys.argv}:
        require_settings()


operate.register_first(app)


@app.command(rich_help_panel=words.RUN)
def run() -> None:
    """Run the bot: connect to Slack, serve the command line, and carry out requests. SIGTERM stops it cleanly."""
    from bot.app.run import run as serve

    serve(is_terminal=sys.stderr.isatty())


@app.command(rich_help_panel=words.RUN)
def check(
    *,
    files: Annotated[
        bool,
        typer.Option("--files", help="Only hosts.yaml, policy.yaml and the critical list; no settings or secrets."),
    ] = False,
    json: words.Json = False,
) -> None:
    """Check all that the bot needs to start: settings, secrets, key and files. Asks no server, Slack or host."""
    from bot.cli.check import check as check_all

    _exit(check_all(only_files=files, as_json=json))


@app.command(rich_help_panel=words.RUN)
def secret() -> None:
    """Print a new key that seals what the bot records. Keep it in a secret file, MASKBOT_SEAL_KEYS."""
    from bot.cli.secret import make_secret

    _exit(make_secret())


@app.command(rich_help_panel=words.RUN)
def doctor(
    hosts: Annotated[
        list[str] | None, typer.Argument(metavar="HOST", help="A host; if omitted, all hosts and Slack.")
    ] = None,
    *,
    verbose: words.Verbose = False,
    json: words.Json = False,
) -> None:
    """Check settings, database, Slack and hosts, and say how to fix what is wrong. With HOST: only these hosts."""
    from bot.cli import doctor as examination

    _exit(examination.doctor(hosts or (), as_json=json, verbose=verbose))


@app.command(context_settings=words.SPELLINGS, rich_help_panel=words.ASK)
@one_per_field()
def mask(given: ChangeArguments) -> None:
    """Request a mask. Once it is approved, the unit is stopped and cannot be started."""
    _ask("mask", given)


@app.command(context_settings=words.SPELLINGS, rich_help_panel=words.ASK)
@one_per_field(*ONLY_MASK_HAS)
def unmask(given: ChangeArguments) -> None:
    """Request an unmask, which puts the unit back as it was before its mask."""
    _ask("unmask", given)


def _ask(verb: str, given: ChangeArguments) -> NoReturn:
    from bot.cli import call

    typed = call.options(asdict(given))
    asked = call.change(verb, (given.host, given.unit), typed, given.reason or (), wait=not given.no_wait)
    _exit(call.ask(asked, carry_out=given.carry_out, as_json=given.json))


followups.register(app)
approve.register(app)


@app.command(rich_help_panel=words.LOOK)
def status(
    host: Annotated[
        str, typer.Argument(metavar="HOST", help="A host, or a list with groups; if omitted, the bot's own health.")
    ] = "",
    unit: Annotated[
        str, typer.Argument(metavar="UNIT", help="A unit, or a list; if omitted, the masks on the hosts.")
    ] = "",
    *,
    json: words.Json = False,
) -> None:
    """Show a unit, the masks on a host, or the bot's own health (exit code 0 if it is ready, 1 if not)."""
    from bot.cli import call

    _exit(call.status([name for name in (host, unit) if name], as_json=json))


@app.command(rich_help_panel=words.LOOK)
@one_per_field(*ONLY_REQUESTS_HAVE)
def plan(given: ChangeArguments) -> None:
    """Show what a mask would do and who would have to approve it. Nothing is requested."""
    from bot.cli import call

    _exit(call.look("plan", (given.host, given.unit), call.options(asdict(given)), as_json=given.json))


@app.command(rich_help_panel=words.LOOK)
def explain(
    host: words.Host,
    unit: words.Unit,
    *,
    user: words.User = "",
    verbose: words.Verbose = False,
    json: words.Json = False,
) -> None:
    """Explain how the policy would decide about a mask: the check that decides, and what each rule says."""
    from bot.cli import call

    _exit(call.look("why", (host, unit), call.options({"user": user}), as_json=json, verbose=verbose))


@app.command("list", rich_help_panel=words.LOOK)
def masks(host: words.AnyHost = "", *, json: words.Json = False) -> None:
    """List every mask on the hosts, made by maskbot or by others, as of the last scan of each host."""
    from bot.cli import call

    _exit(call.look("list", [host] if host else (), (), as_json=json))


@app.command(rich_help_panel=words.LOOK)
def handover(*, json: words.Json = False) -> None:
    """Show what the next person on call has to know: masks, waiting and running requests, and what expires when."""
    from bot.cli import call

    _exit(call.look("handover", (), (), as_json=json))


@app.command(rich_help_panel=words.RUN)
def manifest(
    url: Annotated[
        str, typer.Option(metavar="URL", help="For HTTP mode: the https:// address at which Slack reaches the bot.")
    ] = "",
) -> None:
    """Print the manifest of the Slack app: for Socket Mode, or with --url for HTTP."""
    from config.manifest import manifest as made

    typer.echo(made(url), nl=False)


app.add_typer(host, rich_help_panel=words.OPERATE)
app.add_typer(hosts, rich_help_panel=words.OPERATE)
app.add_typer(audit, rich_help_panel=words.OPERATE)
app.add_typer(step_up, rich_help_panel=words.OPERATE)
operate.register(app)


def _exit(code: int) -> NoReturn:
    raise typer.Exit(code)


def main() -> None:
    """Run a command. No traceback reaches a terminal, unless MASKBOT_DEBUG asks for it."""
    try:
        app()
    except BrokenPipeError:  # whoever read our output has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(REFUSED)
    except Exception as error:
        if _DEBUG and not isinstance(error, MaskbotError):
            raise
        typer.echo(explained(error), err=True)
        sys.exit(MISUSE if isinstance(error, UsageError) else REFUSED)


if __name__ == "__main__":
    main()
