"""Edits of unit files that systemd has not loaded yet: the next daemon-reload applies them, whoever asks for it."""

from collections.abc import Iterator, Mapping, Sequence

from bot.core.systemd.output import Record, read_flag, read_number, read_records, read_unit, require
from bot.core.systemd.properties import SHOWN_OF_EDITED
from bot.core.systemd.units import LoadState

BESIDES = "edited-besides"
SECTIONS = ("edited", "edited-for-many", "there")
_WITH_FILES = ("service", "socket", "timer", "path")


def pending_reload(found: Mapping[str, Sequence[str]], states: Sequence[Record], own: str) -> tuple[str, ...]:
    """Other units whose files have changed or gone since systemd loaded them; a template stands for its instances."""
    edited = {
        read_unit(require(unit, "Id"))
        for unit in read_records(found["edited"], SHOWN_OF_EDITED)
        if read_flag(require(unit, "NeedDaemonReload")) and require(unit, "LoadState") != LoadState.MASKED
    }
    many = map(read_unit, found["edited-for-many"])
    return tuple(sorted({*edited, *many, *_deleted(found["there"], states)} - {own}))


def unidentified_edits(found: Mapping[str, Sequence[str]]) -> int:
    """The number of further changed files whose units the look has not identified."""
    return read_number(next(iter(found.get(BESIDES, ())), ""))


def _deleted(there: Sequence[str], states: Sequence[Record]) -> Iterator[str]:
    """Loaded units without a file under their own name or their template's, if the files were read."""
    files = set(there)
    for unit in states if files else ():
        stem, _, kind = unit["Id"].rpartition(".")
        template = f"{stem.partition('@')[0]}@.{kind}"
        if unit["LoadState"] == LoadState.LOADED and kind in _WITH_FILES and not files & {unit["Id"], template}:
            yield unit["Id"]
