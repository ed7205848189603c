"""Groups of people, as the policy file names them, and who of them may use break-glass."""

from dataclasses import dataclass
from datetime import timedelta

from bot.core.people.identity import PersonId


@dataclass(frozen=True, slots=True)
class BreakGlassPolicy:
    """Who may use break-glass, who is told each time, and how long the reason must be."""

    groups: frozenset[str] = frozenset()  # groups of people; nobody unless named
    channels: tuple[str, ...] = ()  # channel ids
    people: tuple[str, ...] = ()  # groups whose members are mentioned, in addition to the skipped approvers
    min_reason_length: int = 10  # characters
    step_up: bool = False  # it needs a code from that person's authenticator, whatever the rules say


@dataclass(frozen=True, slots=True)
class Group:
    """People: listed by id, or the members of a user group or channel, or who is on call, read each time it matters."""

    name: str
    users: frozenset[PersonId] = frozenset()
    slack_group: str = ""
    channel: str = ""
    anybody_may_join: bool = False  # the channel may be public
    on_call: str = ""  # a schedule of the on-call source


@dataclass(frozen=True, slots=True)
class OnCallSource:
    """How to find out who is on call: a command, or a URL with `{schedule}` in it."""

    command: tuple[str, ...] = ()  # the schedule is added as the last argument
    url: str = ""
    deadline: timedelta = timedelta(seconds=5)
