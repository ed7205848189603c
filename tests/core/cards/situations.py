"""Requests and snapshots as they really come about, for reading the cards that they make."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.people.identity import PersonId, Place
from bot.core.requests import (
    Approval,
    Ask,
    BreakGlass,
    Change,
    Outcome,
    Remark,
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
from bot.core.systemd.remembered import RememberedMask
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

NOW = datetime(2026, 3, 14, 3, 4, 11, tzinfo=UTC)
ASKED = NOW - timedelta(minutes=2)
DIGEST = "3fa9c1d27b64" + "0" * 52

ALICE, BOB, CAROL = (PersonId("T1", user) for user in ("UALICE", "UBOB", "UCAROL"))
NAMES = {"UALICE": "alice", "UBOB": "bob", "UCAROL": "carol"}

FOLDERS = {
    Layer.CONTROL: "/etc/systemd/system.control",
    Layer.PERSISTENT: "/etc/systemd/system",
    Layer.RUNTIME: "/run/systemd/system",
}


def layers(unit: str, *masked: Layer, **others: FileKind) -> tuple[LayerFile, ...]:
    """One file per layer: absent, unless it is masked or named."""

    def one(layer: Layer) -> LayerFile:
        kind = FileKind.MASK if layer in masked else others.get(layer.value, FileKind.ABSENT)
        target = "/dev/null" if kind is FileKind.MASK else ""
        return LayerFile(layer, f"{FOLDERS[layer]}/{unit}", kind, target, "1:2:3" if masked else "")

    return tuple(one(layer) for layer in Layer)


def related_unit(unit: str, active: ActiveState = ActiveState.ACTIVE, sub: str = "running") -> RelatedUnit:
    return RelatedUnit(unit, frozenset({unit}), LoadState.LOADED, active, sub)


def around(**changes: Any) -> Surroundings:
    plain = Surroundings(hostname="web-01", boot_id="b0", systemd="252", fragment_hash="f" * 64)
    return replace(plain, **changes)


def running(unit: str = "worker.service", **changes: Any) -> Snapshot:
    """An ordinary unit of a package, enabled and running."""
    name = UnitName(unit)
    plain = Snapshot(
        asked=name,
        id=name,
        names=frozenset({unit}),
        machine_id="0123456789abcdef0123456789abcdef",
        load=LoadState.LOADED,
        active=ActiveState.ACTIVE,
        sub="running",
        file_state="enabled",
        fragment=f"/usr/lib/systemd/system/{unit}",
        layers=layers(unit),
        main_pid=4711,
        timeout_stop_usec=90_000_000,
        kill_mode="control-group",
        restart="on-failure",
        result="success",
        around=around(),
    )
    return replace(plain, **changes)


def masked(unit: str = "worker.service", layer: Layer = Layer.PERSISTENT, **changes: Any) -> Snapshot:
    """The same unit, masked and down."""
    state = "masked-runtime" if layer is Layer.RUNTIME else "masked"
    down = running(
        unit,
        load=LoadState.MASKED,
        active=ActiveState.INACTIVE,
        sub="dead",
        file_state=state,
        fragment=f"{FOLDERS[layer]}/{unit}",
        layers=layers(unit, layer),
        main_pid=0,
    )
    return replace(down, **changes)


def off_record(*, ran: bool = True) -> Snapshot:
    """A mask that the guard made for the bot, which has lost its record."""
    known = RememberedMask("worker.service", "", "persistent", "1:2:3", "r7", ran)
    other = replace(known, identity="4:5.6", request="r8")
    return masked(around=around(remembered=(other, known)))


def stopped(unit: str = "worker.service", **changes: Any) -> Snapshot:
    """Down, and free to start."""
    return replace(running(unit, active=ActiveState.INACTIVE, sub="dead", main_pid=0), **changes)


GUARD = "maskbot-guard"
SENT = (
    Sent(
        "link",
        (GUARD, "link", "persistent", "worker.service"),
        NOW - timedelta(seconds=4),
        0,
        "",
        12,
    ),
    Sent("stop", (GUARD, "stop", "worker.service"), NOW - timedelta(seconds=3), 0, "", 9),
    Sent("reload", (GUARD, "reload"), NOW - timedelta(seconds=2), 0, "", 113),
    Sent(
        "try-start",
        (GUARD, "try-start", "worker.service"),
        NOW - timedelta(seconds=1),
        1,
        "Failed to start worker.service: Unit worker.service is masked.",
        8,
    ),
)
STATUS_BEFORE = """● worker.service - Works
     Loaded: loaded (/lib/systemd/system/worker.service; enabled; preset: enabled)
     Active: active (running) since Sat 2026-03-14 03:01:07 UTC; 3min ago
   Main PID: 4711 (worker)"""
STATUS_AFTER = """○ worker.service
     Loaded: masked (Reason: Unit worker.service is masked.)
     Active: inactive (dead) since Sat 2026-03-14 03:04:09 UTC; 1s ago"""


def approval(**changes: Any) -> Approval:
    plain = Approval(rule="prod", need=1, groups=("sre",), approve_by=ASKED + timedelta(minutes=15))
    return replace(plain, **changes)


def vote(voter: PersonId = BOB, verdict: Verdict = Verdict.APPROVE, **changes: Any) -> Vote:
    plain = Vote(voter, NAMES[voter.user], verdict, NOW - timedelta(seconds=4), DIGEST, Tally.COUNTED)
    return replace(plain, **changes)


def change(unit: str = "worker.service", verb: Verb = Verb.MASK, **options: Any) -> Change:
    return replace(Change(verb, "web-01", UnitName(unit)), **options)


def waiting(seen: Snapshot | None = None, wanted: Change | None = None, **changes: Any) -> Request:
    """A request that asks for approval."""
    seen, wanted = seen or running(), wanted or change()
    target = Target("web-01", seen.id, Layer.PERSISTENT, DIGEST, planned=seen, before=seen)
    plain = Request(
        id="r1f2e3d4c5",
        key="k",
        ask=Ask(wanted, ALICE, "alice", Place("C1", name="incident"), "INC-2041: runaway job"),
        asked_at=ASKED,
        target=target,
        stage=Stage.WAITING,
        approval=approval(),
        because="the rule asks for it",
    )
    return replace(plain, **changes)


def handed(request: Request) -> Request:
    """It was alice's, and is carol's now."""
    return replace(request, transfers=(Transfer(CAROL, "carol", ALICE, "alice", NOW),))


def with_break_glass(request: Request, **changes: Any) -> Request:
    """Carol went ahead with it alone, and nobody has signed that off yet."""
    plain = BreakGlass(
        CAROL, "carol", "db on fire, nobody answers", NOW - timedelta(seconds=5), DIGEST, groups=("sre",), need=1
    )
    return replace(request, votes=(), break_glass=replace(plain, **changes))


def signed_off(request: Request, remark: str = "") -> Request:
    """The same, and bob has signed for it."""
    return with_break_glass(request, signed=Signature(BOB, "bob", NOW + timedelta(hours=5), remark))


def talked(question: str, answer: str = "") -> Request:
    """A request about which bob wants to know more."""
    asked = Remark(BOB, "bob", question, NOW - timedelta(seconds=30))
    answered = [Remark(ALICE, "alice", answer, NOW, is_answer=True)] if answer else []
    return replace(waiting(), remarks=(asked, *answered))


def under_way(**target: Any) -> Request:
    """A request that is being carried out."""
    request = replace(waiting(), stage=Stage.RUNNING, votes=(vote(),), approved_at=NOW - timedelta(seconds=4))
    return request.on_target(**target)


def finished(outcome: Outcome, after: Snapshot | None, verb: Verb = Verb.MASK, **target: Any) -> Request:
    """A request that was carried out."""
    request = under_way(**{"outcome": outcome, "after": after, "sent": SENT} | target)
    return replace(
        request,
        ask=replace(request.ask, change=replace(request.ask.change, verb=verb)),
        stage=Stage.DONE,
        finished_at=NOW,
        act_by=NOW + timedelta(minutes=10),
        undo_until=NOW + timedelta(hours=24) if verb is Verb.MASK else None,
    )


def of_deploy(request: Request) -> Request:
    """The same, until the next reboot, in that user's own manager."""
    own = replace(request.ask.change, user="deploy", runtime=True)
    return replace(request, ask=replace(request.ask, change=own))


def proven(**target: Any) -> Request:
    """The finished card that everybody hopes for."""
    request = finished(Outcome.PROVEN, masked(), status_before=STATUS_BEFORE, status_after=STATUS_AFTER)
    return request.on_target(**target)
