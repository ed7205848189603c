"""What the soak's page says of how requests ended: by why, whoever asked and for whatever."""

from bot.core.requests import Outcome, Request, Stage
from tests.edges.asked import a_request
from tests.soak.run import how_they_ended


def ended(number: int, stage: Stage) -> Request:
    return a_request(number).move(stage, because=f"person {number} asked for `mask db-01 worker.service` already.")


def record(request: Request, kind: str, code: str) -> dict[str, str]:
    return {"request_id": request.id, "type": kind, "reason_code": code}


def test_what_was_refused_for_one_reason_is_one_line() -> None:
    first, second, other = (ended(number, Stage.REFUSED) for number in (1, 2, 3))
    records = [
        record(first, "request.asked", ""),
        *(record(one, "request.refused", "already_open") for one in (first, second)),
        record(other, "request.refused", "identity_unverified"),
    ]
    counts = how_they_ended([first, second, other], records)
    assert counts == {"refused: already_open": 2, "refused: identity_unverified": 1}


def test_what_was_carried_out_is_counted_by_its_outcome() -> None:
    done = a_request(1).on_target(outcome=Outcome.PROVEN)
    assert how_they_ended([done], [record(done, "request.finished", "proven")]) == {"proven": 1}
