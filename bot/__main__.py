"""The command line: `maskbot ...`, or `python -m bot ...`."""

import os
import sys

import typer

from bot.errors import ConfigError, MaskbotError, UsageError

REFUSED, MISUSE = 1, 2
# Not a setting of the bot, but a wish of whoever calls: so it is taken away before the settings are read.
_DEBUG = bool(os.environ.pop("MASKBOT_DEBUG", ""))

app = typer.Typer(
    name="maskbot",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def commands() -> None:
    """The two-person rule for systemd units. Exit codes: 0 done, 1 refused or failed, 2 misuse of words or files."""


@app.command()
def run() -> None:
    """Run the bot: connect to Slack, serve the command line, work on what is due. Ends in order on SIGTERM."""
    from bot.running import run as serve

    serve(_say, is_terminal=sys.stderr.isatty())


def _say(text: str) -> None:
    typer.echo(text)
    sys.stdout.flush()


def main() -> None:
    """Run a command. No traceback reaches a terminal, unless MASKBOT_DEBUG asks for it."""
    try:
        app()
    except MaskbotError as error:
        sys.exit(_explained(error))
    except Exception as error:
        if _DEBUG:
            raise
        typer.echo(f"Something unexpected went wrong: {type(error).__name__}. MASKBOT_DEBUG=1 shows where.", err=True)
        sys.exit(REFUSED)


def _explained(error: MaskbotError) -> int:
    typer.echo(str(error), err=True)
    return MISUSE if isinstance(error, (ConfigError, UsageError)) else REFUSED


if __name__ == "__main__":
    main()
