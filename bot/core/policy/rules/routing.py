"""Where people are told of a request, as its rule says."""

from dataclasses import replace

from bot.core.policy.model import Facts, Routing, Rule


def routing_for(rule: Rule, facts: Facts) -> Routing:
    """The routing of the matching rule; a private channel's request is announced elsewhere only if the rule says so."""
    routing = rule.routing
    if facts.place.is_private and not routing.from_private:
        return replace(routing, card_channel="", tell=())
    return routing
