"""Offer the set of a mask, and name the units that an undo of the mask would start."""

from collections import Counter

from bot.core.cards.blocks import Action
from bot.core.cards.consequences import active_triggers
from bot.core.requests import Request, Rollout, Verb
from bot.core.steps.restoring import starts_again

_DOWN = ("inactive", "failed", "masked", "deactivating")  # the first word of what a target was like


def would_start(request: Request) -> tuple[str, ...]:
    """What an undo would start, as far as the look at the end of the mask shows, or the plan of a rollout."""
    target, change = request.target, request.ask.change
    if change.verb is not Verb.MASK:
        return ()
    if request.rollout is not None:
        return _on_many(request, request.rollout)
    return starts_again(target, target.after, beside=change.beside) if request.can_be_undone else ()


def _on_many(request: Request, rollout: Rollout) -> tuple[str, ...]:
    """The units of a rollout that ran, with the number of their hosts if there are several."""
    if request.ask.change.keep_running:
        return ()
    ran = [
        one
        for one in rollout.targets
        if one.can_be_undone and one.state_summary and not one.state_summary.startswith(_DOWN)
    ]
    if len({one.host for one in rollout.planned}) == 1:
        return tuple(str(one.unit) for one in ran)
    hosts = Counter(one.unit for one in ran)
    return tuple(f"{unit} on {count} host{'s' * (count > 1)}" for unit, count in hosts.items())


def mask_set(request: Request) -> tuple[Action, ...]:
    """On the card of one unit whose triggers are up: they can be masked with it. One card shows all of a rollout."""
    ask, before = request.ask, request.target.before
    is_one = not (ask.selection or ask.rollout or ask.extends or ask.by_itself)
    can_have_set = ask.change.verb is Verb.MASK and not (ask.change.user or ask.change.force or ask.change.adopt)
    return (Action.MASK_SET,) if is_one and can_have_set and before and active_triggers(before) else ()
