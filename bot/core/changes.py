"""Requests and what belongs to them: the change asked for, votes, stages, outcomes, and the moves that are legal."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.people import PersonId, Place
from bot.core.units import Layer, LayerFile, Snapshot, UnitName


class Verb(StrEnum):
    """What may be asked for."""

    MASK = "mask"
    UNMASK = "unmask"


@dataclass(frozen=True, slots=True)
class Change:
    """Verb, unit and host, and how: the default is a persistent mask of a unit that is stopped first."""

    verb: Verb
    host: str
    unit: UnitName
    runtime: bool = False  # until the next reboot
    keep_running: bool = False  # mask, do not stop
    user: str = ""  # that user's own manager instead of the system's

    def __str__(self) -> str:
        options = " --runtime" * self.runtime + " --keep-running" * self.keep_running
        whose = f" --user {self.user}" if self.user else ""
        return f"{self.verb} {self.host} {self.unit}{options}{whose}"


@dataclass(frozen=True, slots=True)
class Ask:
    """What somebody asked, where, and why.

    `undoes` is the id of our own mask request that this takes back, `repeats` of one that did not come to its end.
    """

    change: Change
    requester: PersonId
    requester_name: str
    place: Place
    reason: str = ""
    undoes: str = ""
    repeats: str = ""


class Stage(StrEnum):
    """Where a request stands. Those after RUNNING are final."""

    ASKED = "asked"  # recorded; the host has not been looked at yet
    WAITING = "waiting"  # its card asks for approval
    APPROVED = "approved"  # may run; waits for its host to be free
    RUNNING = "running"  # being carried out, or looked at until its outcome is known
    DONE = "done"  # carried out; the outcome says what that means
    REFUSED = "refused"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    CANCELLED = "cancelled"  # overtaken by events: no channel any more, rights lost, host removed

    @property
    def is_final(self) -> bool:
        """Nothing moves it any more."""
        return self not in _MOVES


_MOVES: dict[Stage, frozenset[Stage]] = {
    Stage.ASKED: frozenset(
        {Stage.WAITING, Stage.APPROVED, Stage.REFUSED, Stage.WITHDRAWN, Stage.CANCELLED, Stage.DONE}
    ),
    Stage.WAITING: frozenset(
        {Stage.APPROVED, Stage.REFUSED, Stage.DENIED, Stage.WITHDRAWN, Stage.EXPIRED, Stage.CANCELLED}
    ),
    # Back to WAITING: the unit is not what was approved any more, or an approver lost the right to approve.
    Stage.APPROVED: frozenset(
        {Stage.RUNNING, Stage.WAITING, Stage.REFUSED, Stage.EXPIRED, Stage.WITHDRAWN, Stage.CANCELLED, Stage.DONE}
    ),
    Stage.RUNNING: frozenset({Stage.DONE}),
}


class Outcome(StrEnum):
    """What a change did, as a fresh look has shown. No exit code ever makes one of these."""

    PROVEN = "proven"  # masked, down (or left running as asked), and a start refused
    MASKED_RUNNING = "masked_running"  # masked, but it still runs
    MASKED_RESTARTED = "masked_restarted"  # masked, but something started it again before the mask was loaded
    NOT_PROTECTED = "not_protected"  # stopped, but not masked: anything may start it
    NOT_LOADED = "not_loaded"  # the link is made, but systemd has not read it: a mask at anybody's next reload
    FAILED = "failed"  # nothing was changed
    NO_CHANGE = "no_change"  # it was already so
    RESTORED = "restored"  # an undo: everything is as it was before our mask
    RESTORED_PARTLY = "restored_partly"  # unmasked, but not everything is as it was
    UNMASKED = "unmasked"  # a mask that was not ours is gone
    NOT_UNMASKED = "not_unmasked"  # a link of a mask that was not ours is gone, and the unit is still masked
    NOT_OURS = "not_ours"  # an undo stopped: what is there now is not what we made
    UNKNOWN = "unknown"  # not known yet; never final


class Verdict(StrEnum):
    """What a voter says."""

    APPROVE = "approve"
    DENY = "deny"


class Tally(StrEnum):
    """What became of a vote."""

    CAST = "cast"  # recorded, its voter not verified yet
    COUNTED = "counted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's word on one plan. It counts only for the digest that it was given for."""

    voter: PersonId
    voter_name: str
    verdict: Verdict
    at: datetime
    digest: str
    tally: Tally = Tally.CAST
    reason: str = ""  # the voter's, or why the vote was refused
    console_works: bool = False  # a guarded unit's tick: out-of-band access works today
    place: Place | None = None  # where to answer the voter


@dataclass(frozen=True, slots=True)
class Sent:
    """A command to a host: recorded before it is sent, completed when its answer is there."""

    step: str
    argv: tuple[str, ...]
    at: datetime
    exit_code: int | None = None  # None: no answer (yet)
    output: str = ""
    millis: int = 0


@dataclass(frozen=True, slots=True)
class Target:
    """One host and one unit of a request: what is claimed, locked, looked at, stepped and verified."""

    host: str
    unit: UnitName  # as asked until the first look, then the unit's real Id
    layer: Layer | None = None  # where the mask goes, or comes from
    digest: str = ""
    planned: Snapshot | None = None  # what people saw when they were asked
    before: Snapshot | None = None  # right before acting; until then the same as planned
    after: Snapshot | None = None
    made: LayerFile | None = None  # the link we made, as first seen
    sent: tuple[Sent, ...] = ()
    status_before: str = ""
    status_after: str = ""
    outcome: Outcome | None = None
    note: str = ""  # a sentence that the outcome needs
    unknown_since: datetime | None = None
    last_seen: Snapshot | None = None  # the newest look, for the card
    settings_lost: bool = False  # the mask was loaded while it still ran: its own stop commands did not run


@dataclass(frozen=True, slots=True)
class Approval:
    """What the policy asks for, as `decide` said it."""

    rule: str
    need: int
    groups: tuple[str, ...]
    decide_by: datetime
    decide_within: timedelta = timedelta(minutes=15)  # the time that decide_by came from, given anew if asked anew
    good_for: timedelta = timedelta(minutes=10)  # how long the approval may wait to be used
    guarded: str = ""  # why an approver must tick that console access works; empty: not needed


@dataclass(frozen=True, slots=True)
class Request:
    """A change somebody asked for, from its first word to its final card."""

    id: str
    key: str  # what a second delivery of the same payload has in common with the first
    ask: Ask
    asked_at: datetime
    targets: tuple[Target, ...]
    stage: Stage = Stage.ASKED
    version: int = 0
    approval: Approval | None = None
    votes: tuple[Vote, ...] = ()
    approved_at: datetime | None = None
    act_by: datetime | None = None  # how long the approval is good
    because: str = ""  # why it may run, or why it ended without running
    changed_since: tuple[str, ...] = ()  # what made people be asked again
    finished_at: datetime | None = None
    undone_by: str = ""  # the request that took this mask back
    repeated_by: str = ""  # the later request that did what this one did not bring to its end
    undo_until: datetime | None = None  # until then an undo needs no vote
    due_at: datetime | None = field(default=None)  # when it must be looked at again; None: when something happens

    @property
    def target(self) -> Target:
        """The target of a request that has one."""
        (target,) = self.targets
        return target

    @property
    def counted(self) -> tuple[Vote, ...]:
        """The approvals that count for the plan as it is now."""
        return tuple(
            vote
            for vote in self.votes
            if vote.verdict is Verdict.APPROVE and vote.tally is Tally.COUNTED and vote.digest == self.target.digest
        )

    @property
    def is_live_mask(self) -> bool:
        """A mask that we made and that nobody has taken back through us."""
        masked = (Outcome.PROVEN, Outcome.MASKED_RUNNING, Outcome.MASKED_RESTARTED)
        return (
            self.ask.change.verb is Verb.MASK
            and self.stage is Stage.DONE
            and self.target.outcome in masked
            and not self.undone_by
        )

    @property
    def can_be_undone(self) -> bool:
        """There is something of ours on the host to take back, or something we stopped to start again."""
        halfway = self.target.outcome in (Outcome.NOT_PROTECTED, Outcome.NOT_LOADED)
        return self.is_live_mask or (self.stage is Stage.DONE and halfway and not (self.undone_by or self.repeated_by))

    def on_target(self, **changed: object) -> "Request":
        """The same request with its target changed."""
        return replace(self, targets=(replace(self.target, **changed),))  # type: ignore[arg-type]

    def move(self, stage: Stage, **changed: object) -> "Request":
        """The same request in its next stage. An illegal move is a mistake of ours and raises `ValueError`."""
        if stage not in _MOVES.get(self.stage, frozenset()):
            raise ValueError(f"no move from {self.stage} to {stage}")
        return replace(self, stage=stage, **changed)  # type: ignore[arg-type]
