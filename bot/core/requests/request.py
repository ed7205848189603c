"""The request itself: everything about one change that somebody asked for."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.core.people.identity import PersonId
from bot.core.people.quorum import places
from bot.core.requests.aftercare import Aftercare, Watched
from bot.core.requests.approval import Approval, Tally, Verdict, Vote
from bot.core.requests.ask import Ask, Verb
from bot.core.requests.break_glass import BreakGlass
from bot.core.requests.escalation import Escalation
from bot.core.requests.followups import Followup, Handover, Remark
from bot.core.requests.hold import Hold, HoldState
from bot.core.requests.kill_switch import KillSwitch
from bot.core.requests.paging import Paging
from bot.core.requests.routing import Route
from bot.core.requests.stages import MOVES, Outcome, Stage
from bot.core.requests.target import Target


@dataclass(frozen=True, slots=True)
class Request:
    """A change somebody asked for, from its first word to its final card."""

    id: str
    key: str  # what a second delivery of the same payload has in common with the first
    ask: Ask
    asked_at: datetime
    target: Target
    stage: Stage = Stage.ASKED
    version: int = 0
    approval: Approval | None = None
    votes: tuple[Vote, ...] = ()
    escalation: Escalation | None = None  # what time brings while it waits for votes
    paging: Paging | None = None  # whether somebody is woken up about it
    approved_at: datetime | None = None
    act_by: datetime | None = None  # how long the approval is good
    begun_at: datetime | None = None  # when it began to be carried out
    because: str = ""  # why it may run, or why it ended without running
    changed_since: tuple[str, ...] = ()  # what made people be asked again
    finished_at: datetime | None = None
    undone_by: str = ""  # the request that took this mask back, or found it gone
    undone_at: datetime | None = None  # when it was taken back; an older version did not note it
    was_gone: bool = False  # it was not there any more, or not ours, when it was to be taken back
    repeated_by: str = ""  # the later request that did what this one did not bring to its end
    undo_until: datetime | None = None  # until then an undo needs no vote
    handovers: tuple[Handover, ...] = ()
    kill_switch: KillSwitch | None = None  # new masks were stopped when its card was drawn
    route: Route = Route()
    followups: tuple[Followup, ...] = ()  # the newest
    remarks: tuple[Remark, ...] = ()
    aftercare: Aftercare = Aftercare()  # what time brings to it once it is done
    break_glass: BreakGlass | None = None  # who went ahead without the votes that were missing
    watched: Watched = Watched()
    hold_state: HoldState = HoldState()
    hosts: tuple[str, ...] = ()  # of a hold for a group, and of what lifts it: where it is, when people were asked
    due_at: datetime | None = field(default=None)  # when it must be looked at again; None: when something happens

    @property
    def owner(self) -> PersonId:
        """Whose it is now: who withdraws it, and is told how it goes."""
        return self.handovers[-1].to if self.handovers else self.ask.requester

    @property
    def owner_name(self) -> str:
        """How people call the owner."""
        return self.handovers[-1].to_name if self.handovers else self.ask.requester_name

    @property
    def requesters(self) -> tuple[PersonId, ...]:
        """Who asked for it, and everybody who ever owned it. None of them approves it, also after a handover."""
        return (self.ask.requester, *(handover.to for handover in self.handovers))

    @property
    def counted(self) -> tuple[Vote, ...]:
        """The approvals that count for the plan as it is now."""
        return tuple(
            vote
            for vote in self.votes
            if vote.verdict is Verdict.APPROVE and vote.tally is Tally.COUNTED and vote.digest == self.target.digest
        )

    @property
    def covered(self) -> dict[str, Vote]:
        """Where each approval has to come from another group: which vote stands for which."""
        votes = {vote.voter.key: vote for vote in self.counted}
        groups = self.approval.groups if self.approval else ()
        placed = places({key: vote.groups for key, vote in votes.items()}, groups)
        return {group: votes[key] for group, key in placed.items()}

    @property
    def have(self) -> int:
        """How many of the approvals that it needs are there."""
        is_distinct = self.approval is not None and self.approval.distinct
        return len(self.covered) if is_distinct else len(self.counted)

    @property
    def open_followups(self) -> tuple[Followup, ...]:
        """What somebody wants of it and has no answer to yet."""
        return tuple(followup for followup in self.followups if followup.tally is Tally.CAST)

    @property
    def open_question(self) -> Remark | None:
        """What somebody wants to know before they vote, and nobody has answered."""
        return self.remarks[-1] if self.remarks and not self.remarks[-1].is_answer else None

    @property
    def is_break_glass(self) -> bool:
        """Somebody went ahead alone with the plan as it is now."""
        return self.break_glass is not None and self.break_glass.digest == self.target.digest

    @property
    def owes_review(self) -> bool:
        """Break-glass was used and nobody has signed for it; what a later request did again is reviewed there."""
        return self.break_glass is not None and self.break_glass.signed is None and not self.repeated_by

    @property
    def is_new_mask(self) -> bool:
        """Whether it would mask a unit that is not masked by us yet."""
        return self.ask.change.verb is Verb.MASK and not self.ask.extends

    @property
    def is_live_mask(self) -> bool:
        """A mask that we made, that nobody has taken back through us, and that is not known to be gone otherwise.

        A hold stays one while its mask is off the host: it is put back, or its owners decide about it.
        """
        masked = (Outcome.PROVEN, Outcome.MASKED_RUNNING, Outcome.MASKED_RESTARTED)
        return (
            self.ask.change.verb is Verb.MASK
            and self.stage is Stage.DONE
            and self.target.outcome in masked
            and not self.undone_by
            and not self.watched.lost
            and not self.repeated_by
        )

    @property
    def can_be_handed_over(self) -> bool:
        """It waits, or it made something that is still there."""
        return self.stage in (Stage.WAITING, Stage.APPROVED) or self.can_be_undone

    @property
    def hold(self) -> Hold | None:
        """Who answers for this mask as long as it lasts, and when they look at it again by now.

        One that has an end is none any more: it was lifted on all hosts of its group.
        """
        hold, kept = self.ask.change.hold, self.aftercare.extensions
        if hold is None or self.ask.change.verb is not Verb.MASK or not self.is_live_mask or self.aftercare.ends_at:
            return None
        return replace(hold, review=kept[-1].until) if kept and kept[-1].until else hold

    @property
    def waits_for_its_stop(self) -> bool:
        """A mask that is not made yet, because its unit is slow to stop; also one that was withdrawn meanwhile."""
        is_slow = self.target.waiting is not None or self.target.called_off is not None
        is_mask = self.ask.change.verb is Verb.MASK and not self.ask.change.force
        return self.stage is Stage.RUNNING and is_mask and is_slow and self.target.made is None

    @property
    def can_be_called_off(self) -> bool:
        """Whether the request waits for a unit that is slow to stop, before its mask is made."""
        return self.waits_for_its_stop and self.target.called_off is None and not self.ask.by_itself

    @property
    def can_be_forced(self) -> bool:
        """Whether people may be asked to end by force the stop that this mask waits for."""
        was_told = any(sent.step == "stop" for sent in self.target.sent)
        return self.waits_for_its_stop and self.target.called_off is None and was_told

    @property
    def can_be_undone(self) -> bool:
        """There is something of ours on the host to take back, or something we stopped to start again."""
        halfway = self.target.outcome in (Outcome.NOT_PROTECTED, Outcome.NOT_LOADED)
        return self.is_live_mask or (self.stage is Stage.DONE and halfway and not (self.undone_by or self.repeated_by))

    def on_target(self, **changed: object) -> "Request":
        """The same request with its target changed."""
        return replace(self, target=replace(self.target, **changed))  # type: ignore[arg-type]

    def move(self, stage: Stage, **changed: object) -> "Request":
        """The same request in its next stage. An illegal move is a mistake of ours and raises `ValueError`."""
        if stage not in MOVES.get(self.stage, frozenset()):
            raise ValueError(f"no move from {self.stage} to {stage}")
        return replace(self, stage=stage, **changed)  # type: ignore[arg-type]
