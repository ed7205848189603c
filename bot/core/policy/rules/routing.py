"""Where people hear of a request, as its rule says."""

from dataclasses import replace

from bot.core.policy.model import Facts, Routing, Rule


def routed(rule: Rule, facts: Facts) -> Routing:
    """What the rule says, as far as it goes: a private channel is echoed nowhere unless the rule means it."""
    routing = rule.routing
    if facts.place.is_private and not routing.from_private:
        return replace(routing, card_channel="", tell=())
    return routing
