"""The table of a unit's state before and after, narrow enough for a phone; changes have an arrow."""

from collections.abc import Iterator

from bot.core.cards import unit_state
from bot.core.cards.blocks import Markup, code
from bot.core.requests import Outcome, Target
from bot.core.systemd.dependencies import other_units
from bot.core.systemd.units import RelatedUnit, Snapshot

WIDTH = 39
_LABEL, _VALUE = 9, 13
_MOST_TRIGGERS = 5
MASKED = (Outcome.PROVEN, Outcome.MASKED_RUNNING, Outcome.MASKED_RESTARTED)


def table(target: Target) -> Markup:
    """The table as a code block. A value that was not seen is `?`."""
    return code("\n".join(line.rstrip() for line in _lines(target)))


def screen_reader_lines(target: Target) -> Iterator[str]:
    """The table in words for screen readers."""
    for label, *seen in _cells(target):
        was, is_now = ("none" if one == "-" else one for one in seen)
        yield f"{label}: was {was}, now {is_now}" if was != is_now else f"{label}: {was}, unchanged"


def start_proof(target: Target) -> str:
    """The result of the start that the proof tried; empty if none was due."""
    tried = [sent.exit_code for sent in target.sent if sent.step == "try-start"]
    answers = [exit_code for exit_code in tried if exit_code is not None]
    if not answers:
        missing = "unanswered" if tried else "not tried"
        return missing if target.outcome in MASKED else ""
    return "refused" if answers[-1] else "NOT REFUSED"


def _lines(target: Target) -> Iterator[str]:
    yield _line("", "before", "after", arrow=False)
    for label, was, is_now in _cells(target):
        if len(label) < _LABEL:
            yield _row(label, was, is_now)
        else:
            yield _cut(label, WIDTH)
            yield _row("", was, is_now)


def _cells(target: Target) -> Iterator[tuple[str, str, str]]:
    """The rows: name, value before, value after."""
    before, after = target.before, target.after
    yield "Load", _load(before), _load(after)
    yield "Active", _active(before), _active(after)
    yield "At boot", _boot(before), _boot(after)
    proof = start_proof(target)
    if proof:
        yield "Start", "-", proof
    yield from _triggers(before, after)


def _triggers(before: Snapshot | None, after: Snapshot | None) -> Iterator[tuple[str, str, str]]:
    if before is None or before.around is None:
        return
    found = other_units(after) if after else {}
    for trigger in before.around.triggers[:_MOST_TRIGGERS]:
        yield trigger.unit, _active(trigger), _active(found.get(trigger.unit))


def _row(label: str, before: str, after: str) -> str:
    return _line(label, before, after, arrow=before != after)


def _line(label: str, before: str, after: str, *, arrow: bool) -> str:
    return f"{label:<{_LABEL}}{_cut(before, _VALUE):<{_VALUE}} {'->' if arrow else '  '} {_cut(after, _VALUE)}"


def _load(unit: Snapshot | None) -> str:
    return unit.load if unit else "?"


def _active(unit: Snapshot | RelatedUnit | None) -> str:
    """One word, so that it fits."""
    return unit_state.activity(unit).partition(" ")[0] if unit else "?"


def _boot(unit: Snapshot | None) -> str:
    return unit_state.at_boot(unit.file_state) if unit else "?"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
