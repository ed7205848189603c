"""Identity: only our own people may act, no guests, no bots, no deactivated accounts."""

from collections.abc import Set

from bot.core.people.identity import Person
from bot.core.policy.model import Facts, Moment, Policy, Refuse


def requester_is_one_of_us(facts: Facts, policy: Policy) -> Refuse | None:
    """The requester's account is checked every time: it may be deactivated before the change runs.

    A request by the bot itself is nobody's; `expiry_is_due` in `expiry` decides whether it may run.
    """
    if facts.request.ask.by_itself:
        return None
    who = "You are" if facts.moment is Moment.ASK else "The requester is"
    return _stranger(facts.requester, policy, who)


def voter_is_one_of_us(facts: Facts, policy: Policy) -> Refuse | None:
    """Voters are checked like requesters. Approvers who lose their rights later do not count any more."""
    return _stranger(facts.voter, policy, "You are") if facts.voter else None


def break_glass_requester_is_one_of_us(facts: Facts, policy: Policy) -> Refuse | None:
    """Whoever wants to use break-glass is checked like a requester."""
    return (
        _stranger(facts.break_glass, policy, "You are")
        if facts.break_glass and facts.moment is Moment.BREAK_GLASS
        else None
    )


def is_one_of_us(person: Person, policy: Policy) -> bool:
    """Whether the account belongs to one of our people and is active."""
    return _stranger(person, policy, "") is None


def shut_out(policy: Policy, homes: Set[str], workspace: str) -> str:
    """Why nobody of the bot's own workspace may do anything, if that is so. `homes` are its team and enterprise."""
    if not policy.teams or homes & policy.teams:
        return ""
    named = ", ".join(sorted(policy.teams))
    return f"the bot is in {workspace}, and policy.yaml names {named}: nobody there may do anything"


def _stranger(person: Person, policy: Policy, who: str) -> Refuse | None:
    homes = {person.id.team, person.id.enterprise}
    if person.is_foreign or (policy.teams and not homes & policy.teams):
        return Refuse(
            "foreign_team", f"{who} not from this organisation.", "Somebody from this organisation must do it."
        )
    if person.is_deleted:
        return Refuse("not_a_member", f"{who} deactivated in Slack.")
    if person.is_bot:
        return Refuse("not_a_member", f"{who} a bot; only people may ask and approve.")
    if person.is_guest:
        return Refuse(
            "not_a_member", f"{who} a guest here; guests may neither ask nor approve.", "A full member must do it."
        )
    return None
