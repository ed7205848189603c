"""What can be done with a mask beside its approval and undo: its set, and what its undo would start."""

from bot.core.cards.blocks import Action
from bot.core.cards.consequences import active_triggers
from bot.core.requests import Request, Verb
from bot.core.steps.restoring import starts_again


def would_start(request: Request) -> tuple[str, ...]:
    """The units that Unmask would start, as far as the look at the end of the mask shows."""
    target, change = request.target, request.ask.change
    if change.verb is not Verb.MASK or not request.can_be_undone:
        return ()
    return starts_again(target, target.after, beside=change.beside)


def mask_set(request: Request) -> tuple[Action, ...]:
    """On the card of one unit whose triggers are up: they can be masked with it. One card shows all of a rollout."""
    ask, before = request.ask, request.target.before
    is_one = not (ask.selection or ask.rollout or ask.extends or ask.by_itself)
    can_have_set = ask.change.verb is Verb.MASK and not (ask.change.user or ask.change.force)
    return (Action.MASK_SET,) if is_one and can_have_set and before and active_triggers(before) else ()
