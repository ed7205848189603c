"""The options of a form's lists while somebody types: hosts, and a host's units with their protection."""

from collections.abc import Callable, Sequence

from bot.core.cards.blocks import Block, option
from bot.core.input.names import read_unit
from bot.core.systemd.units import UnitName
from bot.core.text import unmangle
from bot.errors import UsageError

MOST = 100  # options that Slack shows
NOTHING = "-"  # the value of an explanation; it names no host and no unit
LONGEST_VALUE = 150  # of an option

Protection = Callable[[UnitName], str]


def hosts(known: Sequence[str], typed: str) -> list[Block]:
    """The hosts that match."""
    wanted = _repair(typed)
    found = sorted((name for name in known if wanted in name.lower()), key=lambda name: (_rank(name, wanted), name))
    return [option(name, name) for name in found[:MOST]] or [_note("No host matches")]


def units(typed: str, listed: Sequence[UnitName], host: str, protection: Protection) -> list[Block]:
    """The units of a host that match, protected ones with the reason; and the typed text itself."""
    wanted, own = _repair(typed), _as_typed(typed)
    found = [(_rank(str(unit), wanted), unit, protection(unit)) for unit in listed if wanted in str(unit).lower()]
    found.sort(key=lambda one: (one[0], bool(one[2]), one[1]))
    shown = [_unit(unit, why) for _, unit, why in found[: MOST - 1] if len(str(unit)) <= LONGEST_VALUE]
    if own and own not in listed:
        shown.append(_typed_option(own, f"not seen on {host}", protection))
    return shown or [_note(f"No unit on {host} matches")]


def units_to_come(typed: str, host: str, why_not: str, protection: Protection) -> list[Block]:
    """The typed text alone, while the host is being scanned or does not answer."""
    own = _as_typed(typed)
    note = _note(why_not or f"Keep typing: checking {host} …")
    return [note, *([_typed_option(own, "as typed", protection)] if own else [])]


def units_of_no_host() -> list[Block]:
    """No host is chosen yet."""
    return [_note("Choose the host first")]


def _rank(name: str, wanted: str) -> int:
    """Exact matches first, then units that begin with the text."""
    stem = name.rpartition(".")[0]
    if wanted in (name.lower(), stem.lower()):
        return 0
    return 1 if name.lower().startswith(wanted) else 2


def _unit(unit: UnitName, why: str) -> Block:
    return option(f"{unit} ({why})" if why else str(unit), str(unit))


def _typed_option(unit: UnitName, remark: str, protection: Protection) -> Block:
    return option(f"Use {unit} ({protection(unit) or remark})", str(unit))


def _as_typed(typed: str) -> UnitName | None:
    try:
        unit = read_unit(unmangle.word(unmangle.text(typed).strip()))
    except UsageError:
        return None
    return unit if len(str(unit)) <= LONGEST_VALUE else None


def _repair(typed: str) -> str:
    return unmangle.word(unmangle.text(typed).strip()).lower()


def _note(text: str) -> Block:
    return option(text, NOTHING)
