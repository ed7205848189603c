"""Change `hosts.yaml`: show the difference, ask, and write the file as a whole."""

import difflib
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import typer

from bot.cli.status_line import line
from bot.edges.ops.whole_file import replace_file
from bot.errors import ConfigError, UsageError
from config.host_sources import read_source
from config.hosts import read_inventory
from config.hosts_edit import Entry, edited
from config.hosts_import import take
from config.known_hosts import KnownHosts
from config.loading import kept_answer
from config.settings import load_settings
from config.strict_yaml import parse_document, read_document


def import_hosts(source: str, known_hosts: str, *, environment: str, is_confirmed: bool) -> int:
    """Take the hosts of a source over. Raises `ConfigError`, `UsageError`."""
    path = load_settings().config_dir / "hosts.yaml"
    text = _read(source)
    document = read_document(path)
    inventory = read_inventory(document, kept_answer(document))
    keys = KnownHosts((_read(known_hosts) if known_hosts else text) + "\n")
    taken = take(read_source(text), inventory, keys, environment=environment)
    for note in taken.notes:
        typer.echo(line(note), err=True)
    left_out = f", {len(taken.notes)} left out" if taken.notes else ""
    typer.echo(f"{len(taken.entries)} imported{left_out}", err=True)
    code = change(path, taken.entries, is_confirmed=is_confirmed)
    return code or (1 if taken.notes else 0)


def change(path: Path, entries: list[Entry], *, is_confirmed: bool) -> int:
    """Show what the entries change in the file, and write it once somebody says yes. Raises `ConfigError`."""
    before = path.read_bytes()
    after = edited(before.decode(), entries).encode()
    if after == before:
        typer.echo("nothing to change")
        return 0
    document = parse_document(path, after)
    read_inventory(document, kept_answer(document))
    for shown in _difference(path, before.decode(), after.decode()):
        typer.echo(line(shown))
    if not is_confirmed and not confirmed(f"Write {path}?"):
        typer.echo("nothing was written")
        return 1
    if path.read_bytes() != before:
        raise ConfigError(f"{path}: somebody else changed it meanwhile. Nothing was written.")
    replace_file(path, after, like=path.stat())
    typer.echo(f"written. Test it with `maskbot check`; a running bot reads it at SIGHUP: {path}")
    return 0


def confirmed(question: str) -> bool:
    """Ask at the terminal, also where standard input is a file. Nobody there means no."""
    terminal = Path("/dev/tty")
    with suppress(OSError), terminal.open("w") as asks, terminal.open() as answers:
        asks.write(f"{question} [y/N] ")
        asks.flush()
        return answers.readline().strip().lower() in {"y", "yes"}
    return False


def _read(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text()
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{name}: is not UTF-8 text") from None


def _difference(path: Path, before: str, after: str) -> Iterator[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), str(path), f"{path} (new)", lineterm="", n=2)
    return iter(lines)
