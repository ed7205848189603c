"""The evidence for a change: sealed events say who approved it, and no row alone makes the bot act."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.core.audit.chain import canonical
from bot.core.requests import Request, Verdict, Vote

Records = Sequence[Mapping[str, Any]]
RECORDED, COUNTED = "approval.recorded", "approval.voted"
NOT_SEALED = "not_sealed"
_USED = (COUNTED, "approval.refused", "approval.lost")  # each names the event of its vote


def why_not_countable(vote: Vote, records: Records) -> str:
    """Why a recorded vote must not be counted; empty if the person gave it, and it was not judged before."""
    if why := _why_not_cast(vote, records):
        return why
    is_used = any(record["type"] in _USED and record["data"].get("vote") == vote.event for record in records)
    return "it was counted or refused before" if is_used else ""


def why_denial_is_missing(request: Request, records: Records) -> str:
    """Whose denial was recorded, was never judged, and does not wait for that either; empty if there is none."""
    waiting = {vote.event for vote in request.uncounted_votes}
    for one in records:
        is_denial = one["type"] == RECORDED and one["data"].get("verdict") == Verdict.DENY
        if is_denial and one["event_id"] not in waiting and not _is_judged(one["event_id"], records):
            return f"the denial by {one['actor']['user']} is missing"
    return ""


def why_not_approved(
    request: Request, records: Records, earlier: Sequence[tuple[Request, Records]] = (), *, since: int = 0
) -> str:
    """Why a request that has started must not be carried out, or a later end not be given; empty if its approval
    stands in its events.

    `earlier` are the requests that it repeats, each with its events: their approvals may be its own. What let it run
    has to be judged with the chain, which goes `since` that record: who accepts a break lets nothing run by that.
    """
    if why := why_set_back(request, records):
        return why
    for vote in request.counted_votes:
        if why := _why_not_counted(vote, request, records, earlier):
            return f"the approval by {vote.voter.user}: {why}"
    digest = request.target.digest
    let_run = [one["seq"] for one in records if _lets_run(one, digest)]
    if not let_run:
        return "no event says why this plan may run"
    if max(let_run) < since:
        return "it was let run before a break of the audit log that was accepted since"
    if request.ask.extends:
        return ""
    started = next((one for one in reversed(records) if one["type"] == "exec.started"), None)
    if started is None or started["data"].get("digest") != digest:
        return "no event says that this plan was started"
    return ""


def why_set_back(request: Request, records: Records) -> str:
    """Why a stored request is an older state of itself, or went on from one; empty if it did not.

    Each event that is stored with a change of the request names the one before it, and the request names the last.
    """
    if not records:
        return f"no event is about request {request.id}"
    last = ""
    for record in records:
        if record["follows"] is not None:
            if record["follows"] != last:
                break
            last = record["event_id"]
    else:
        if last == request.last_event:
            return ""
    return f"request {request.id} was set back to an earlier state"


def _why_not_cast(vote: Vote, records: Records) -> str:
    said = next((one for one in records if one["type"] == RECORDED and one["event_id"] == vote.event), None)
    if said is None:
        return "no event says that it was given"
    given = canonical({"actor": vote.voter, **vote.on_record})
    recorded = {"actor": said["actor"], **{name: said["data"].get(name) for name in vote.on_record}}
    return "" if canonical(recorded) == given else "its event says something else"


def _why_not_counted(vote: Vote, request: Request, records: Records, earlier: Sequence[tuple[Request, Records]]) -> str:
    """Why a counted vote must not count. A vote on a request that this one repeats names the plan as it was then."""
    why = ""
    for its_request, its_records in ((request, records), *earlier):
        its_vote = next((one for one in its_request.counted_votes if one.event == vote.event), None)
        if its_vote is None or not its_vote.voter.is_same_as(vote.voter):
            continue
        why = _why_not_cast(its_vote, its_records)
        judged = [one["type"] for one in its_records if one["data"].get("vote") == vote.event]
        if not why and [kind for kind in judged if kind in _USED] == [COUNTED]:
            return ""
    return why or "no event says that it was counted"


def _is_judged(vote: str, records: Records) -> bool:
    """Whether a vote was counted or refused. One that was not believed was not judged: it was given all the same."""
    judged = (one for one in records if one["type"] in _USED and one["data"].get("vote") == vote)
    return any(one["reason_code"] != NOT_SEALED for one in judged)


def _lets_run(record: Mapping[str, Any], digest: str) -> bool:
    """Whether an event let this plan run; what needs no approval may run with whatever plan the start finds."""
    if record["type"] == "policy.evaluated":
        return bool(record["data"].get("decision") == "Allow")
    return record["type"] in ("approval.quorum", "break_glass.used", "rollout.target_begun") and bool(
        record["data"].get("digest") == digest
    )
