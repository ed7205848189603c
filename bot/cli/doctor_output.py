"""Show findings at a terminal: one line for what is well, every fault with its fix, and at last what to do first."""

from collections.abc import Sequence
from itertools import groupby

import typer

from bot.cli.status_line import line
from bot.doctor.check_result import DATABASE, FILES, SETTINGS, SLACK, CheckResult

# What other findings may follow from stands first; hosts come after it.
FIRST = {SETTINGS: 0, FILES: 1, DATABASE: 2, SLACK: 3}


def show(found: Sequence[CheckResult], *, verbose: bool) -> None:
    """Show findings that are sorted by what they are about."""
    for about, findings in groupby(found, key=lambda one: one.about):
        _group(about, list(findings), verbose=verbose)
    wrong = [one for one in found if not one.is_ok]
    if not wrong:
        typer.echo("ready")
        return
    first, count = wrong[0], f"1 of {len(wrong)}" if len(wrong) > 1 else "the only finding"
    typer.echo(line(f"not ready. First ({count}), {_todo(first)}"))


def _group(about: str, findings: Sequence[CheckResult], *, verbose: bool) -> None:
    well = [one for one in findings if one.is_ok]
    if verbose:
        for one in findings:
            _one(one)
        return
    hints = sum(bool(one.what and one.fix) and not one.is_warning for one in well)
    more = f", {hints} with a hint (--verbose)" if hints else ""
    is_doubted = any(one.is_warning for one in well)
    if len(well) == len(findings) and not is_doubted:
        typer.echo(line(f"ok  {about}: {len(well)} checked{more}"))
    for one in findings:
        if not one.is_ok or one.is_warning:
            _one(one)


def _one(one: CheckResult) -> None:
    head = f"{'?? ' if one.is_ok and one.is_warning else 'ok ' if one.is_ok else 'NOT'} {_named(one)}"
    typer.echo(line(f"{head}: {one.what}" if one.what else head))
    if one.fix:
        typer.echo(line(f"      fix: {one.fix}"))


def _todo(one: CheckResult) -> str:
    """A line that says what to do, or else what is wrong; it says both where the check has no name."""
    if one.check or not one.fix:
        return f"{_named(one)}: {one.fix or one.what}"
    return f"{one.about}: {one.what} ({one.fix})"


def _named(one: CheckResult) -> str:
    return f"{one.about}: {one.check}" if one.check else one.about
