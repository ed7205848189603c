"""A glance at the targets of a rollout shows what their requests say when they are read as a whole."""

from dataclasses import replace

import pytest

from bot.core.requests import Aftercare, Approval, HoldState, Loss, Outcome, Request, Stage
from bot.core.rollout.progress import Progress
from bot.edges.database import Database
from tests.edges.asked import NOW, a_request

DONE = replace(a_request().on_target(outcome=Outcome.PROVEN), stage=Stage.DONE)
STATES = {
    "checked just now": a_request(),
    "approved with its rollout": replace(a_request(), stage=Stage.APPROVED, because="of its rollout"),
    "asked again": replace(a_request(), stage=Stage.WAITING, approval=Approval("prod", 1, ("sre",), NOW)),
    "not known yet": replace(a_request().on_target(unknown_since=NOW, note="lost"), stage=Stage.RUNNING),
    "refused": replace(a_request(), stage=Stage.REFUSED, because="It is guarded."),
    "failed": replace(a_request().on_target(outcome=Outcome.FAILED, note="why"), stage=Stage.DONE, because="x"),
    "done": DONE,
    "done, and checked": replace(DONE, aftercare=Aftercare(looks=2)),
    "done, and something is worse": replace(DONE, aftercare=Aftercare(looks=1, found=("x.service failed.",))),
    "undone": replace(DONE, undone_by="r2"),
    **{f"a hold whose mask is {loss}": replace(DONE, hold_state=HoldState(loss)) for loss in Loss},
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_a_glance_and_the_whole_request_say_the_same(store: Database, state: Request) -> None:
    store.add(replace(state, ask=replace(state.ask, rollout="r0")), events=[])
    whole = Progress.of(store.get("r1"))
    assert store.progress("r0") == [whole] == store.progress("r0", among=["r1"])
