"""Who speaks: only people of ours, no guests, no bots, nobody whose account is gone."""

from bot.core.people.identity import Person
from bot.core.policy.model import Facts, Moment, Policy, Refuse


def requester_is_one_of_us(facts: Facts, policy: Policy) -> Refuse | None:
    """Asked every time: an account may be deactivated between the request and the moment of acting.

    What comes by itself is nobody's, and `ends.end_is_due` says whether it may come.
    """
    if facts.request.ask.by_itself:
        return None
    who = "You are" if facts.moment is Moment.ASK else "The requester is"
    return _stranger(facts.requester, policy, who)


def voter_is_one_of_us(facts: Facts, policy: Policy) -> Refuse | None:
    """The same for whoever votes. Approvers who lose their rights later are not counted any more."""
    return _stranger(facts.voter, policy, "You are") if facts.voter else None


def break_glass_requester_is_one_of_us(facts: Facts, policy: Policy) -> Refuse | None:
    """The same for whoever wants to go ahead alone."""
    return (
        _stranger(facts.break_glass, policy, "You are")
        if facts.break_glass and facts.moment is Moment.BREAK_GLASS
        else None
    )


def is_one_of_us(person: Person, policy: Policy) -> bool:
    """A person of ours, in good standing."""
    return _stranger(person, policy, "") is None


def _stranger(person: Person, policy: Policy, who: str) -> Refuse | None:
    homes = {person.id.team, person.id.enterprise}
    if person.is_foreign or (policy.teams and not homes & policy.teams):
        return Refuse("foreign_team", f"{who} not of this organisation.", "Somebody of this organisation has to do it.")
    if person.is_deleted:
        return Refuse("not_a_member", f"{who} deactivated in Slack.")
    if person.is_bot:
        return Refuse("not_a_member", f"{who} a bot; only people may ask and approve.")
    if person.is_guest:
        return Refuse(
            "not_a_member", f"{who} a guest here; guests may neither ask nor approve.", "A full member has to do it."
        )
    return None
