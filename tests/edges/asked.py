"""Requests to be stored: alice asks for web-01 cron in #incident, bob and carol may approve."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.audit.chain import Event
from bot.core.people.identity import PersonId, Place
from bot.core.requests import (
    Approval,
    Ask,
    BreakGlass,
    Change,
    Outcome,
    Request,
    Sent,
    Signature,
    Stage,
    Tally,
    Target,
    Transfer,
    Verb,
    Verdict,
    Vote,
)
from bot.core.systemd.units import (
    ActiveState,
    FileKind,
    Layer,
    LayerFile,
    LoadState,
    RelatedUnit,
    Snapshot,
    Surroundings,
    UnitName,
)

NOW = datetime(2026, 3, 1, 3, 0, 0, 123456, tzinfo=UTC)
ALICE, BOB, CAROL = (PersonId("T1", name) for name in ("UALICE", "UBOB", "UCAROL"))
INCIDENT = Place("C1", thread="1700000000.000100", name="inc-42")
CRON = UnitName("cron.service")
DIGEST = "d1"
MASK = LayerFile(Layer.PERSISTENT, "/etc/systemd/system/cron.service", FileKind.MASK, "/dev/null", "8:1:77")


def a_request(number: int = 1, *, host: str = "web-01", unit: UnitName = CRON, **changed: Any) -> Request:
    """A new request, with nothing but what was asked."""
    ask = Ask(Change(Verb.MASK, host, unit), ALICE, "alice", INCIDENT, "runaway job, \U0001f525 INC-2041")
    new = Request(f"r{number}", f"key-{number}", ask, NOW, Target(host, unit, digest=DIGEST))
    return replace(new, **changed)


def a_whole_request() -> Request:
    """One that was carried out, with something in every field."""
    cron = RelatedUnit("cron.service", frozenset({"cron.service"}), LoadState.LOADED, ActiveState.ACTIVE)
    around = Surroundings(
        "web-01", "boot", "252", "hash", (("/etc/x.conf", "hash"),), (cron,), login_units=frozenset({"ssh.service"})
    )
    snapshot = Snapshot(
        CRON, CRON, frozenset({"cron.service"}), "machine", LoadState.MASKED, ActiveState.INACTIVE, "dead", "masked",
        MASK.path, (MASK,), other_names_load=(("crond.service", LoadState.MASKED),), around=around,
    )  # fmt: skip
    sent = Sent("link", ("maskbot-guard", "link", "persistent", "cron.service"), NOW, 0, "Created symlink\n", 12)
    return replace(
        a_request(),
        stage=Stage.DONE,
        target=Target(
            "web-01", CRON, Layer.PERSISTENT, DIGEST, before=snapshot, after=snapshot, made=MASK, sent=(sent,),
            outcome=Outcome.PROVEN, unknown_since=NOW, last_seen=snapshot,
        ),
        approval=Approval("prod", 1, ("sre",), NOW + timedelta(minutes=15), good_for=timedelta(minutes=7)),
        votes=(a_vote(BOB, tally=Tally.COUNTED, place=INCIDENT),),
        approved_at=NOW,
        changed_since=("pid",),
        undo_until=NOW + timedelta(hours=24),
        break_glass=BreakGlass(
            BOB, "bob", "nobody is awake", NOW, DIGEST, groups=("sre",), need=1, remind_at=NOW,
            signed=Signature(CAROL, "carol", NOW, "as it should be"),
        ),
        transfers=(Transfer(CAROL, "carol", ALICE, "alice", NOW),),
        due_at=NOW + timedelta(days=1),
    )  # fmt: skip


def a_vote(voter: PersonId = BOB, verdict: Verdict = Verdict.APPROVE, **changed: Any) -> Vote:
    """A vote on the plan as it is."""
    return replace(Vote(voter, voter.user.lower(), verdict, NOW, DIGEST), **changed)


def an_event(type_: str = "request.received", **data: Any) -> Event:
    """Something for the audit chain."""
    return Event(type_, "success", actor=ALICE, data=data)
