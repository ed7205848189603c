"""Reset somebody's authenticator from the command line: by root, or by another person who may approve something."""

from collections.abc import Iterator

from bot.core.cards import step_up as words
from bot.core.input.names import read_reason
from bot.core.people.identity import PersonId
from bot.core.policy.decide import why_not_reset_step_up
from bot.errors import UsageError
from bot.workflow import Deps, Desk
from bot.workflow.people.membership import person as as_now
from handlers.cli_followups import whom
from handlers.cli_replies import DONE, Words, end_message

ROOT = "root"


def reset_step_up(desk: Desk, deps: Deps, asked: Words, user: str) -> Iterator[Words]:
    """Remove the authenticator. Root needs no mapping: whoever is root could replace the bot. Raises `MaskbotError`."""
    policy = deps.in_force.policy
    typed, by = str(asked.get("person", "")), None if user == ROOT else policy.people.get(user)
    reason = read_reason(str(asked.get("reason", ""))).strip()
    if not reason:
        raise UsageError("Say why with --reason: it is recorded, and the operators are told.")
    if by is None and user != ROOT:
        raise UsageError(f"The user {user} has no rights: `people:` in policy.yaml does not map them to a person.")
    whose = policy.people.get(typed) or whom(typed, by or PersonId(_only_team(policy.teams), ""), policy.people)
    if by is not None and (no := why_not_reset_step_up(as_now(deps, by), whose, policy)):
        raise UsageError(no.sentence)
    desk.step_up.reset(whose, typed, by=by, by_name=user, reason=reason)
    yield end_message(words.reset_done(typed), DONE)


def _only_team(teams: frozenset[str]) -> str:
    """The team that a Slack id belongs to, for root, who has none. Raises `UsageError`."""
    if len(teams) != 1:
        raise UsageError("There are several teams: name the person by a login that `people:` in policy.yaml maps.")
    return next(iter(teams))
