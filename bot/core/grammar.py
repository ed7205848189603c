"""What people type, turned into commands: slash text, mentions, options, reasons."""

from dataclasses import dataclass
from enum import StrEnum

from bot.core.changes import Change
from bot.core.units import UnitName


@dataclass(frozen=True, slots=True)
class Order:
    """A change somebody wants, with the reason as typed."""

    change: Change
    reason: str = ""


class Word(StrEnum):
    """What may be asked without wanting a change."""

    STATUS = "status"
    PLAN = "plan"
    WHY = "why"
    LIST = "list"
    HISTORY = "history"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Question:
    """A look at something: `/mask status web-01 cron`. Words that a question does not need are empty."""

    word: Word
    host: str = ""
    unit: UnitName | None = None
    change: Change | None = None  # PLAN and WHY: the change that is asked about


@dataclass(frozen=True, slots=True)
class Form:
    """A bare `/mask`: the form is wanted."""


Command = Order | Question | Form
