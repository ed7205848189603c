"""Adopt a mask that somebody else made: nothing is done on the host but a look that shows the very link in place."""

from bot.core.requests import Outcome, Target
from bot.core.steps.kinds import Done, LookFully, StepContext
from bot.core.systemd.units import FileKind, LayerFile, Snapshot

_REPLACED = "The mask that was to be adopted is gone, or somebody replaced it. It was left alone."
_NOT_LOADED = "The link is there, but systemd does not call the unit masked."


def adoptable(target: Target, now: Snapshot) -> LayerFile | None:
    """The link that was there right before, if it still is the very one."""
    if target.layer is None or target.before is None:
        return None
    file = now.layer(target.layer)
    return file if file.kind is FileKind.MASK and file == target.before.layer(target.layer) else None


def next_adoption_step(context: StepContext, now: Snapshot) -> Done | LookFully:
    """Look, and be done. What is not the link that was approved is nobody's to adopt."""
    if now.around is None:
        return LookFully()
    if context.target.made is None:
        return Done(Outcome.FAILED, _REPLACED)
    return Done(Outcome.PROVEN) if now.is_masked else Done(Outcome.FAILED, _NOT_LOADED)
