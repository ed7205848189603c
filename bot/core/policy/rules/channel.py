"""Where a request may be made and its card posted: internal channels that the policy names, with the bot in them."""

from bot.core.policy.model import Facts, Policy, Refuse
from bot.core.policy.rules.approval import requirements_for
from bot.core.policy.rules.permission import not_known
from bot.core.policy.rules.routing import routing_for


def channel_is_allowed(facts: Facts, policy: Policy) -> Refuse | None:
    """A channel is allowed by its id or by the beginning of its name; the command line counts as a place of its own.

    A request by the bot itself was allowed in its place when its mask was.
    """
    place = facts.place
    if place.is_shell or facts.request.ask.by_itself or place.channel in policy.channels:
        return None
    if place.name and place.name.startswith(policy.channel_prefixes):
        return None
    begin = " or ".join(f"`{prefix}`" for prefix in policy.channel_prefixes)
    where = f"Ask in a channel whose name begins with {begin}." if begin else "Ask in a channel that the policy names."
    return Refuse("channel_not_allowed", "The bot does not act in this channel.", where)


def channel_is_internal(facts: Facts, policy: Policy) -> Refuse | None:
    """In a shared channel, people of another organisation would read the card and could press its buttons."""
    if facts.place.is_internal:
        return None
    if facts.place.is_shell:
        why = f"Requests of the command line are posted in {policy.shell_channel}, shared with another organisation."
        return Refuse("channel_shared", why, "Name an internal `shell_channel` in policy.yaml.")
    return Refuse(
        "channel_shared",
        "This channel is shared with another organisation; the bot acts in internal channels only.",
        "Ask in an internal channel.",
    )


def channel_is_open(facts: Facts, _policy: Policy) -> Refuse | None:
    """Nothing is done where nobody can read the card."""
    if facts.place.is_archived:
        return Refuse("channel_archived", "This channel is archived: nobody would see what happens.")
    return None


def bot_is_in_channel(facts: Facts, _policy: Policy) -> Refuse | None:
    """The bot cannot post its card where it is not a member."""
    if facts.place.is_member:
        return None
    return Refuse("not_in_channel", "The bot is not in this channel.", "Invite it, then ask again.")


def card_has_its_place(facts: Facts, policy: Policy) -> Refuse | None:
    """The channel of a rule's cards must be visible to our own people, and to nobody else."""
    channel = card_channel(facts, policy)
    if not channel:
        return None
    if no := not_known([channel], facts):
        return no
    place, rule = facts.cards.get(channel), requirements_for(facts, policy).rule.name
    where = f"Rule `{rule}` puts its cards into {channel}"
    if place is None or not place.is_member:
        return Refuse("not_in_channel", f"{where}, and the bot is not in it.", "Invite it there, then ask again.")
    if not place.is_internal:
        return Refuse("channel_shared", f"{where}, which is shared with another organisation.")
    return Refuse("channel_archived", f"{where}, which is archived.") if place.is_archived else None


def card_channel(facts: Facts, policy: Policy) -> str:
    """The channel of the request's card, if it is not the one where it was asked."""
    request = facts.request
    return (
        request.route.card_channel
        if request.approval
        else routing_for(requirements_for(facts, policy).rule, facts).card_channel
    )
