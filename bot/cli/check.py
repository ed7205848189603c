"""`maskbot check`: validate settings and configuration."""

import json
from dataclasses import asdict

import typer

from bot.cli.status_line import line
from bot.errors import ConfigError
from config.loading import ConfigProblem
from config.settings import load_settings
from config.start import check as check_all


def check(*, only_files: bool, as_json: bool) -> int:
    """Whether the files and settings would let the bot start. Needs no database and no Slack."""
    found = _complaints(only_files=only_files)
    is_ok = not any(one.level == "error" for one in found)
    if as_json:
        typer.echo(json.dumps({"ok": is_ok, "findings": [asdict(one) for one in found]}, indent=2))
        return 0 if is_ok else 1
    for one in found:
        typer.echo(f"{one.level}: {line(one.text)}", err=True)
        if one.fix:
            typer.echo(f"  fix: {line(one.fix)}", err=True)
    typer.echo("configuration ok" if is_ok else "the bot would not start with this configuration")
    return 0 if is_ok else 1


def _complaints(*, only_files: bool) -> list[ConfigProblem]:
    try:
        return check_all(load_settings(), only_files=only_files)
    except ConfigError as error:
        return [ConfigProblem("error", text) for text in str(error).splitlines()]
