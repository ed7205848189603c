"""The targets of a rollout as requests of their own: what each is asked for, and how far its request has come."""

from dataclasses import replace

from bot.core.requests import Ask, Request, RolloutTarget, Target


def ask_of(whole: Request, target: RolloutTarget) -> Ask:
    """What is asked for on one target: the same change, by the same person, for the same reason."""
    change = replace(whole.ask.change, host=target.host, unit=target.unit)
    return replace(
        whole.ask,
        change=change,
        selection=None,
        rollout=whole.id,
        undoes="",
        repeats="",
        break_glass=False,
        console_works=False,
    )


def at_target(whole: Request, target: RolloutTarget) -> Request:
    """The rollout as if it were about this target alone, before its host was looked at."""
    return replace(whole, ask=ask_of(whole, target), target=Target(target.host, target.unit), rollout=None)
