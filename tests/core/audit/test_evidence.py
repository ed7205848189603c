"""What the sealed events have to say before a vote is counted and before a request is carried out."""

from dataclasses import replace
from typing import Any

import pytest

from bot.core.audit.evidence import (
    RECORDED,
    why_denial_is_missing,
    why_not_approved,
    why_not_countable,
    why_set_back,
)
from bot.core.people.identity import PersonId
from bot.core.requests import Tally, Verdict, Vote
from tests.core.situations import BOB, CAROL, NOW, request

RUNNING = replace(request(), last_event="started", target=replace(request().target, digest="d1"))
BOBS = Vote(BOB.id, "bob", Verdict.APPROVE, NOW, "d1", tally=Tally.COUNTED, event="e-bob")
APPROVED = replace(RUNNING, votes=(BOBS,))
Record = dict[str, Any]


def record(kind: str, *, actor: PersonId = BOB.id, id_: str = "", follows: str | None = None, **data: Any) -> Record:
    who = {"team": actor.team, "user": actor.user, "enterprise": actor.enterprise}
    code = data.pop("code", "")
    return {
        "type": kind,
        "follows": follows,
        "event_id": id_,
        "actor": who,
        "seq": 0,
        "reason_code": code,
        "data": data,
    }


def cast(vote: Vote = BOBS) -> Record:
    data = {**vote.on_record, "cast_at": "2026-03-01T03:00:00.000Z"}
    return record(RECORDED, actor=vote.voter, id_=vote.event, **data)


def events(**changed: Record | None) -> list[Record]:
    """Everything that stands in the log before the first command; a vote is stored without its request."""
    told: dict[str, Record | None] = {
        "asked": record("request.received"),
        "needs": record("policy.evaluated", decision="NeedsApproval", digest="d1"),
        "cast": cast(),
        "counted": record("approval.voted", vote="e-bob"),
        "quorum": record("approval.quorum", digest="d1"),
        "started": record("exec.started", digest="d1"),
    }
    told |= changed
    last = ""
    for name, one in told.items():
        if one and one["type"] != RECORDED:
            told[name] = {**one, "follows": last, "event_id": name}
            last = name
    return [one for one in told.values() if one]


def test_what_its_events_confirm_is_carried_out() -> None:
    assert why_not_approved(APPROVED, events()) == ""


def test_what_needs_no_approval_may_run_with_whatever_plan_its_start_found() -> None:
    allowed = record("policy.evaluated", decision="Allow", digest="d0")
    assert why_not_approved(RUNNING, events(needs=allowed, cast=None, counted=None, quorum=None)) == ""


def test_nothing_is_started_for_a_later_end_that_is_approved() -> None:
    later = replace(APPROVED, ask=replace(APPROVED.ask, extends="r9"), last_event="quorum")
    assert why_not_approved(later, events(started=None)) == ""
    assert why_not_approved(replace(later, last_event="counted"), events(started=None, quorum=None)) != ""


def test_what_was_let_run_before_an_accepted_break_is_not_carried_out() -> None:
    log = [{**one, "seq": seq} for seq, one in enumerate(events(), start=1)]
    quorum = next(one["seq"] for one in log if one["type"] == "approval.quorum")
    assert why_not_approved(APPROVED, log, since=quorum) == ""
    assert "before a break of the audit log" in why_not_approved(APPROVED, log, since=quorum + 1)


def test_break_glass_stands_for_the_plan_it_was_used_for() -> None:
    used, none = record("break_glass.used", digest="d1"), record("break_glass.used", digest="d0")
    assert why_not_approved(RUNNING, events(cast=None, counted=None, quorum=used)) == ""
    assert (
        why_not_approved(RUNNING, events(cast=None, counted=None, quorum=none)) == "no event says why this plan may run"
    )


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"cast": None}, "the approval by bob: no event says that it was given"),
        ({"cast": cast(replace(BOBS, voter=CAROL.id))}, "the approval by bob: its event says something else"),
        ({"cast": cast(replace(BOBS, digest="d0"))}, "the approval by bob: its event says something else"),
        ({"cast": cast(replace(BOBS, verdict=Verdict.DENY))}, "the approval by bob: its event says something else"),
        ({"cast": cast(replace(BOBS, console_works=True))}, "the approval by bob: its event says something else"),
        ({"counted": None}, "the approval by bob: no event says that it was counted"),
        (
            {"lost": record("approval.lost", vote="e-bob")},
            "the approval by bob: no event says that it was counted",
        ),
        ({"quorum": None}, "no event says why this plan may run"),
        ({"quorum": record("approval.quorum", digest="d0")}, "no event says why this plan may run"),
        ({"started": None}, "no event says that this plan was started"),
        ({"started": record("exec.started", digest="d0")}, "no event says that this plan was started"),
        ({"later": record("request.withdrawn")}, f"request {RUNNING.id} was set back to an earlier state"),
    ],
)
def test_what_its_events_do_not_confirm_is_not_carried_out(changed: dict[str, Record | None], why: str) -> None:
    log = events(**changed)
    newest = next(one["event_id"] for one in reversed(log) if one["type"] != RECORDED)
    asked = APPROVED if "later" in changed else replace(APPROVED, last_event=newest)
    assert why_not_approved(asked, log) == why.replace("by bob", f"by {BOB.id.user}")


def test_a_repeated_request_rests_on_the_approvals_of_the_first() -> None:
    repeated = replace(APPROVED, target=replace(APPROVED.target, digest="d2"), votes=(replace(BOBS, digest="d2"),))
    allowed = record("policy.evaluated", decision="Allow")
    none = {"cast": None, "counted": None, "quorum": None}
    own = events(needs=allowed, started=record("exec.started", digest="d2"), **none)
    assert why_not_approved(repeated, own, [(APPROVED, events())]) == ""
    assert "no event says that it was given" in why_not_approved(repeated, own, [(APPROVED, events(cast=None))])
    assert "no event says that it was given" in why_not_approved(repeated, own)
    others = replace(APPROVED, votes=(replace(BOBS, voter=CAROL.id),))
    assert "no event says that it was given" in why_not_approved(repeated, own, [(others, events())])
    nobodys = replace(APPROVED, votes=())
    assert "no event says that it was given" in why_not_approved(repeated, own, [(nobodys, events())])


@pytest.mark.parametrize("kind", ["approval.voted", "approval.refused", "approval.lost"])
def test_a_vote_is_counted_once(kind: str) -> None:
    asked = [record("request.received"), cast()]
    assert why_not_countable(BOBS, asked) == ""
    assert why_not_countable(BOBS, [*asked, record(kind, vote="e-bob")]) == "it was counted or refused before"
    assert why_not_countable(replace(BOBS, event=""), asked) == "no event says that it was given"


def test_a_denial_stands_until_it_is_judged() -> None:
    no = replace(BOBS, verdict=Verdict.DENY, tally=Tally.RECORDED)
    given, missing = [record("request.received"), cast(no)], f"the denial by {BOB.id.user} is missing"
    assert why_denial_is_missing(replace(RUNNING, votes=(no,)), given) == ""
    assert why_denial_is_missing(RUNNING, given) == missing
    assert why_denial_is_missing(replace(RUNNING, votes=(replace(no, tally=Tally.REFUSED),)), given) == missing
    for kind, code, why in (
        ("approval.voted", "", ""),
        ("approval.refused", "too_late", ""),
        ("approval.refused", "not_sealed", missing),
        ("request.received", "", missing),
    ):
        assert why_denial_is_missing(RUNNING, [*given, record(kind, vote=no.event, code=code)]) == why
    assert why_denial_is_missing(RUNNING, [*given, record("approval.voted", vote="e-carol")]) == missing


def test_an_approval_that_was_taken_away_keeps_nothing_from_running() -> None:
    assert why_denial_is_missing(RUNNING, [cast()]) == ""


def test_a_request_that_went_on_from_an_earlier_state_was_set_back() -> None:
    one, two = record("a", id_="1", follows=""), record("b", id_="2", follows="1")
    assert why_set_back(RUNNING, []) == f"no event is about request {RUNNING.id}"
    assert why_set_back(replace(RUNNING, last_event="2"), [one, record("c", id_="x"), two]) == ""
    assert "was set back" in why_set_back(replace(RUNNING, last_event="1"), [one, two])
    went_on = [one, two, record("c", id_="3", follows="1")]
    assert "was set back" in why_set_back(replace(RUNNING, last_event="3"), went_on)


def test_the_state_of_other_requests_counts_too() -> None:
    def related(**changed: Any) -> tuple[str, ...]:
        return replace(RUNNING.ask, **changed).related_ids

    assert related() == ()
    others = {"undoes": "r1", "repeats": "r2", "extends": "r3", "forces": "r4", "rollout": "r5"}
    assert related(**others) == tuple(others.values())
