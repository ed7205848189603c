"""The first weeks: the bot looks, plans and has people approve, and changes no host (`mode: observe`)."""

from bot.core.policy.mask_layer import choose_layer
from bot.core.policy.model import Facts, Moment, Policy, Refuse
from bot.core.policy.rules.maskable import would_be_stopped
from bot.core.requests import Verb
from bot.core.systemd.units import Layer

OBSERVED = "observed"
ONLY_OBSERVES = "The bot only observes (`mode: observe` in policy.yaml), so nothing was changed."


def the_bot_may_act(facts: Facts, policy: Policy) -> Refuse | None:
    """An approved change ends right before its first command; what our own earlier mask did can still be undone."""
    change = facts.request.ask.change
    is_undo = change.verb is Verb.UNMASK and facts.own_mask is not None
    if not policy.observe or facts.moment is not Moment.ACT or is_undo or facts.request.ask.extends:
        return None
    return Refuse(OBSERVED, ONLY_OBSERVES, f"It would have {_done(facts)}.")


def _done(facts: Facts) -> str:
    """What it would have done, in the past tense."""
    change, snapshot = facts.request.ask.change, facts.snapshot
    unit = f"{facts.request.target.unit} on {facts.host.name}"
    if change.force:
        return f"killed {unit}"
    if change.verb is Verb.UNMASK:
        return f"removed the mask of {unit}"
    layer = choose_layer(change, snapshot) if snapshot else None
    where = f" ({layer})" if isinstance(layer, Layer) else ""
    stopped = "stopped and " if snapshot and would_be_stopped(change, snapshot) else ""
    return f"{stopped}masked {unit}{where}"
