"""A masked unit that runs nevertheless: by whose start, and how it is stopped now."""

from bot.core.cards.blocks import Markup, join, words
from bot.core.requests import Outcome, Target


def by_whom(target: Target) -> str:
    """The cause that started the unit again: its trigger if there is one kind, unless somebody started it by hand."""
    kinds = {unit.rpartition(".")[2] for unit in _active_triggers(target)}
    return f" BY ITS {kinds.pop().upper()}" if len(kinds) == 1 else " BY SOMETHING ELSE"


def advice(target: Target) -> Markup:
    """How to stop it. To unmask it and ask again is no help where a trigger starts it after each stop."""
    triggers = _active_triggers(target)
    if target.outcome is Outcome.MASKED_RUNNING or not triggers:
        return Markup("*It still runs.* Once it is down, it cannot be started. To stop it, unmask it and ask again.")
    return words(
        "{} {} started it after each stop, but cannot start it any more. To stop it now, without its own stop "
        "commands: systemctl stop {}, on {}.",
        Markup("*It still runs.*"),
        join(triggers, " or "),
        str(target.unit),
        target.host,
    )


def _active_triggers(target: Target) -> list[str]:
    """The units that were active and start this one whenever something happens."""
    around = target.before.around if target.before else None
    return [other.unit for other in around.triggers if not other.active.is_down] if around else []
