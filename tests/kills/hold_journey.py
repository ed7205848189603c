"""A rollout gets a later end, becomes a hold, is kept and lifted: a bot is killed while each is recorded in it.

Nothing is done on a host until the hold is lifted: what was decided is recorded in the rollout, then in its targets,
and then it is said.
"""

import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta

from bot.core.people.identity import Caller, Person
from bot.core.requests import Duration, Hold, Outcome, Request, Stage
from bot.edges.clock import SystemClock
from bot.ports import Query
from tests.kills.rollout_journey import as_asked, masked, states
from tests.kills.rounds import Lane, Life
from tests.workflow.slack import ALICE, BOB, CAROL, caller

OF_A_LATER_END = (
    "before save mask.extended",
    "after save extended rollout",
    "before save request.finished",
    "after save done",
    "before update",
)
OF_A_HOLD = (*OF_A_LATER_END, "after save held rollout", "after save held target")
OF_ITS_END = ("after add target", "after save wave 1", "after unmask", "before save rollout done")
_DAY = timedelta(days=1)


def hold_journey(lane: Lane) -> Iterator[str]:
    """Every promise that was broken on the way, in words."""
    before = states(lane)
    with lane.life(()) as life:
        try:
            done = masked(life)
            for moments, act in ((OF_A_LATER_END, _later_end), (OF_A_HOLD, _hold), (OF_A_LATER_END, _keep)):
                lane.death.wait_for(moments)
                yield from act(life, done)
                yield from life.outlived()
            yield from as_asked(life.store.get(done.id), lane, {"LoadState": "masked", "ActiveState": "inactive"})
            lane.death.wait_for(OF_ITS_END)
            _asked(life, lambda who: life.desk().undo(done.id, who), by=BOB, approver=CAROL)
        except TimeoutError as late:
            yield f"I6: {late}; the bots said: {(lane.folder / 'log').read_text()[-1500:]}"
            return
        if (now := states(lane)) != before:
            yield f"I3: {before} was so before the rollout, and after its hold was lifted {now}"
        yield from life.checked()


def _later_end(life: Life, done: Request) -> Iterator[str]:
    end = done.aftercare.expires_at
    longer = Duration(lasts=timedelta(hours=1))
    _asked(life, lambda who: life.desk().extensions.extend(done.id, longer, who), approver=BOB)
    care = life.store.get(done.id).aftercare
    if not (end and care.expires_at and care.expires_at - end > timedelta(minutes=59) and len(care.extensions) == 1):
        yield f"I3: it ended at {end}, and was extended by {care.extensions}"


def _hold(life: Life, done: Request) -> Iterator[str]:
    hold = Hold("sre", (SystemClock().now() + 90 * _DAY).replace(microsecond=0))
    _asked(life, lambda who: life.desk().extensions.hold(done.id, hold, "it is evil", who), approver=BOB)
    whole, made = life.store.get(done.id), life.store.find(Query(rollout=done.id))
    held = [one.hold for one in (whole, *made)]
    if held != [hold] * (1 + len(life.lane.hosts)) or whole.aftercare.expires_at:
        yield f"I3: the rollout and its targets are held by {held}, and end at {whole.aftercare.expires_at}"


def _keep(life: Life, done: Request) -> Iterator[str]:
    review = (SystemClock().now() + 120 * _DAY).replace(microsecond=0)
    _asked(life, lambda who: life.desk().extensions.keep(done.id, "still evil", who, review=review), by=BOB)
    now = life.store.get(done.id)
    if (now.hold and now.hold.review, now.aftercare.remind_at) != (review, review):
        yield f"I3: it was kept until {review}, and {now.hold} is reviewed at {now.aftercare.remind_at}"


def _asked(life: Life, ask: Callable[[Caller], Request], *, by: Person = ALICE, approver: Person | None = None) -> None:
    """Somebody asks for it, somebody approves it if need be, and all is over and said."""
    asked = ask(caller(by, secrets.token_hex(4)))
    if approver:
        life.until(lambda: bool(life.store.card(asked.id)[1]), "a card")
        life.until(lambda: life.store.get(asked.id).stage is Stage.WAITING, "a question")
        life.approve(asked.id, by=approver)
    life.until(lambda: life.store.get(asked.id).stage.is_final and life.is_said(""), f"an end of {asked.ask.words}")
    over = life.store.get(asked.id)
    if over.stage is not Stage.DONE or (asked.ask.extends and over.target.outcome is not Outcome.EXTENDED):
        raise TimeoutError(f"{asked.ask.words} ended as {over.stage}, {over.target.outcome}: {over.because}")
