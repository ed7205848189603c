"""A rollout on three hosts, in three waves, and its Undo all: a bot is killed at moments of it, one after the other."""

import secrets
from collections.abc import Iterator

from bot.core.requests import Request, Stage, TargetStatus
from tests.kills.mortal import UNIT
from tests.kills.rounds import Lane, Life
from tests.workflow.slack import ALICE, caller

# What each target does as a single request is survived there; here it is what a rollout does.
_PLANNING = ("before add target", "after add target", "after save rollout asked", "after save target waiting")
_APPROVED = ("after save rollout waiting", "after save rollout running")
_WAVES = ("after save wave 1", "after save target approved", "after mask", "after save pause 1", "after save wave 2")
_LAST = ("after save pause 2", "after save wave 3", "before save rollout done", "after save rollout done")
OF_A_ROLLOUT = (*_PLANNING, *_APPROVED, *_WAVES, *_LAST)
OF_ITS_UNDO = (
    "after add target",
    "after save rollout running",
    "after save wave 1",
    "after unmask",
    "before save rollout done",
)


def rollout_journey(lane: Lane) -> Iterator[str]:
    """Every promise that was broken on the way, in words."""
    before = states(lane)
    with lane.life(OF_A_ROLLOUT) as life:
        try:
            done = masked(life)
            yield from as_asked(done, lane, {"LoadState": "masked", "ActiveState": "inactive"})
            lane.death.wait_for(OF_ITS_UNDO)
            undone = _undone(life, done)
        except TimeoutError as late:
            yield f"I6: {late}; the bots said: {(lane.folder / 'log').read_text()[-1500:]}"
            return
        yield from as_asked(undone, lane, before[0])
        if (now := states(lane)) != before:
            yield f"I3: {before} was so before the rollout, and after its undo {now}"
        yield from life.checked()


def masked(life: Life) -> Request:
    """The rollout, once it is approved, over, and said."""
    life.until(life.is_acknowledged, "an acknowledgement")
    life.until(lambda: bool(_wholes(life)), "a rollout")
    (whole,) = _wholes(life)
    life.until(lambda: bool(life.store.card(whole.id)[1]), "a card")
    life.until(lambda: life.store.get(whole.id).stage is Stage.WAITING, "a plan")
    life.approve(whole.id)
    life.until(lambda: life.store.get(whole.id).stage.is_final and life.is_said("MASKED AND PROVEN"), "an end")
    return life.store.get(whole.id)


def _undone(life: Life, done: Request) -> Request:
    """Alice presses Undo all, and again as long as nobody has heard her."""
    key = secrets.token_hex(4)
    undo = life.desk().undo(done.id, caller(ALICE, key))
    life.until(lambda: life.store.get(undo.id).stage.is_final and life.is_said("UNMASKED AND AS BEFORE"), "its undo")
    return life.store.get(undo.id)


def _wholes(life: Life) -> list[Request]:
    return [one for one in life.requests() if one.ask.selection]


def as_asked(whole: Request, lane: Lane, state: dict[str, str]) -> Iterator[str]:
    """Where a target, or its host, is not as people asked, in words."""
    found = [one.status for one in whole.rollout.targets] if whole.rollout else []
    if found != [TargetStatus.DONE] * len(lane.hosts):
        yield f"I3: the rollout says {found}; {whole.because}"
    for host in lane.hosts:
        if (now := host.show(str(UNIT), *state)) != state:
            yield f"I3: {now} is so on {host.name}"


def states(lane: Lane) -> list[dict[str, str]]:
    """The unit on each host."""
    return [host.show(str(UNIT), "LoadState", "ActiveState", "UnitFileState") for host in lane.hosts]
