"""The effects of a daemon-reload on other units: those that are to come, and those that a change had."""

from collections.abc import Iterator

from bot.core.cards.blocks import Markup, join, row, words
from bot.core.requests import Target
from bot.core.systemd.units import Snapshot


def to_come(seen: Snapshot) -> Iterator[Markup]:
    """The effects of the reload that a change would need."""
    around = seen.around
    if around is None:
        return
    if around.pending_reload:
        yield row("Reload", words("also applies pending edits of {}", join(around.pending_reload)))
    if around.pending_besides:
        more = words("also reads {} more changed files of units that were not checked", around.pending_besides)
        yield row("Reload", more)
    if around.counted_anew:
        timers = join(around.counted_anew)
        yield row("Reload", words("restarts the countdown of {}, as every daemon-reload does", timers))


def applied(target: Target) -> Iterator[Markup]:
    """Edits of others that the change's own reload has applied."""
    around = target.before.around if target.before else None
    if around is None or not any(sent.step == "reload" for sent in target.sent):
        return
    if around.pending_reload:
        yield row("Reload", words("also applied pending edits of {}", join(around.pending_reload)))
    if around.pending_besides:
        yield row("Reload", words("also read {} more changed files of other units", around.pending_besides))
