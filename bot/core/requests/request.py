"""The request: everything that is stored about one change that somebody asked for."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.core.people.identity import PersonId
from bot.core.people.quorum import assign_groups
from bot.core.requests.aftercare import Aftercare, NewKind, SeenDrift
from bot.core.requests.approval import Approval, Tally, Verdict, Vote
from bot.core.requests.ask import Ask, Verb
from bot.core.requests.break_glass import BreakGlass
from bot.core.requests.escalation import Escalation
from bot.core.requests.followups import Followup, Remark, Transfer
from bot.core.requests.hold import Hold, HoldState
from bot.core.requests.kill_switch import KillSwitch
from bot.core.requests.paging import Paging
from bot.core.requests.rollout import Rollout
from bot.core.requests.routing import Route
from bot.core.requests.stages import MOVES, Outcome, Stage
from bot.core.requests.target import Target


@dataclass(frozen=True, slots=True)
class Request:
    """A change that somebody asked for, from submission to the final card."""

    id: str
    key: str  # identifies the payload, so that a second delivery of it makes no second request
    ask: Ask
    asked_at: datetime
    target: Target
    stage: Stage = Stage.ASKED
    version: int = 0
    approval: Approval | None = None
    votes: tuple[Vote, ...] = ()
    escalation: Escalation | None = None  # reminders and escalation while it waits for approval
    paging: Paging | None = None  # the alert about it, if any
    approved_at: datetime | None = None
    act_by: datetime | None = None  # until when the approval is good
    begun_at: datetime | None = None  # when it started to run
    because: str = ""  # why it may run, or why it ended without running
    changed_since: tuple[str, ...] = ()  # what made people be asked again
    finished_at: datetime | None = None
    undone_by: str = ""  # the request that took this mask back, or found it gone
    undone_at: datetime | None = None  # when it was undone; an older version did not note it
    was_gone: bool = False  # it was not there any more, or not ours, when it was to be undone
    repeated_by: str = ""  # the later request that did what this one did not bring to its end
    undo_until: datetime | None = None  # until then the mask can be undone without approval
    transfers: tuple[Transfer, ...] = ()
    kill_switch: KillSwitch | None = None  # the kill switch was on when its card was drawn
    route: Route = Route()
    followups: tuple[Followup, ...] = ()  # the newest
    remarks: tuple[Remark, ...] = ()
    aftercare: Aftercare = Aftercare()  # expiry, reminders and afterchecks once it is done
    break_glass: BreakGlass | None = None  # who went ahead without the missing approvals
    drift: SeenDrift = SeenDrift()
    hold_state: HoldState = HoldState()
    rollout: Rollout | None = None  # of a request for many targets: how far each of them has come
    last_event: str = ""  # the id of the newest sealed event that was stored with a change of this request
    due_at: datetime | None = field(default=None)  # when the request is due; None: when something happens

    @property
    def owner(self) -> PersonId:
        """The current owner: who may withdraw the request, and who is told its outcome."""
        return self.transfers[-1].to if self.transfers else self.ask.requester

    @property
    def owner_name(self) -> str:
        """The owner's name, for people."""
        return self.transfers[-1].to_name if self.transfers else self.ask.requester_name

    @property
    def requesters(self) -> tuple[PersonId, ...]:
        """The requester and everybody who owned the request since.

        None of them may approve it, not even after a transfer.
        """
        return (self.ask.requester, *(transfer.to for transfer in self.transfers))

    @property
    def counted_votes(self) -> tuple[Vote, ...]:
        """The approvals that count for the current plan."""
        return tuple(
            vote
            for vote in self.votes
            if vote.verdict is Verdict.APPROVE and vote.tally is Tally.COUNTED and vote.digest == self.target.digest
        )

    @property
    def uncounted_votes(self) -> tuple[Vote, ...]:
        """The votes that are not counted yet, in the order in which they were given, whatever that of their rows is."""
        return tuple(sorted((vote for vote in self.votes if vote.tally is Tally.RECORDED), key=lambda vote: vote.at))

    @property
    def votes_by_group(self) -> dict[str, Vote]:
        """For approvals that must come from different groups: the vote that stands for each group."""
        votes = {vote.voter.key: vote for vote in self.counted_votes}
        groups = self.approval.groups if self.approval else ()
        placed = assign_groups({key: vote.groups for key, vote in votes.items()}, groups)
        return {group: votes[key] for group, key in placed.items()}

    @property
    def have(self) -> int:
        """How many of the needed approvals there are."""
        is_distinct = self.approval is not None and self.approval.distinct
        return len(self.votes_by_group) if is_distinct else len(self.counted_votes)

    @property
    def open_followups(self) -> tuple[Followup, ...]:
        """Followups that have no answer yet."""
        return tuple(followup for followup in self.followups if followup.tally is Tally.RECORDED)

    @property
    def open_question(self) -> Remark | None:
        """The question of an approver that nobody has answered."""
        return self.remarks[-1] if self.remarks and not self.remarks[-1].is_answer else None

    @property
    def is_break_glass(self) -> bool:
        """Whether somebody used break-glass on the current plan."""
        return self.break_glass is not None and self.break_glass.digest == self.target.digest

    @property
    def owes_sign_off(self) -> bool:
        """Whether the break-glass sign-off is still open. A request that repeats another one is signed off there."""
        return self.break_glass is not None and self.break_glass.signed is None and not self.repeated_by

    @property
    def is_new_mask(self) -> bool:
        """Whether the request would mask a unit that is not masked by us yet."""
        return self.ask.change.verb is Verb.MASK and not self.ask.extends

    @property
    def lasts_like_a_new_mask(self) -> bool:
        """Whether it is a new mask, or a mask of ours lasts from then on that was to end, or becomes a hold.

        Such a mask needs what a new one needs, so that a short mask is no way round a freeze.
        """
        ask, change = self.ask, self.ask.change
        lasts = ask.new_kind is NewKind.HELD or not (ask.new_kind or change.duration or change.hold)
        return change.verb is Verb.MASK and (lasts or not ask.extends)

    @property
    def is_live_mask(self) -> bool:
        """Whether our mask is in place: not undone through us, and not known to be gone.

        A hold counts while its mask is off the host too: the mask is reapplied, or the owners decide about it.
        """
        if self.rollout is not None and not self.ask.extends:
            return self.ask.change.verb is Verb.MASK and self.rollout.has_masks and not self.undone_by
        masked = (Outcome.PROVEN, Outcome.MASKED_RUNNING, Outcome.MASKED_RESTARTED)
        return (
            self.ask.change.verb is Verb.MASK
            and self.stage is Stage.DONE
            and self.target.outcome in masked
            and not self.undone_by
            and not self.drift.lost
            and not self.repeated_by
        )

    @property
    def can_be_handed_over(self) -> bool:
        """Whether the request waits, or made something that is still in place."""
        return self.stage in (Stage.WAITING, Stage.APPROVED) or self.can_be_undone

    @property
    def approved_hold(self) -> Hold | None:
        """The hold as people approved it, whatever has become of it since."""
        return self.hold_state.made_later or self.ask.change.hold

    @property
    def hold(self) -> Hold | None:
        """The hold with its current review date.

        A hold that got an expiry is none any more: it was lifted, and what is left of it is undone.
        """
        hold, kept = self.approved_hold, self.aftercare.extensions
        if hold is None or self.ask.change.verb is not Verb.MASK or not self.is_live_mask or self.aftercare.expires_at:
            return None
        return replace(hold, review=kept[-1].until) if kept and kept[-1].until else hold

    @property
    def can_be_held(self) -> bool:
        """Whether the mask can become a hold: not one that ends with a reboot or a logout.

        A rollout becomes one as a whole, once it is over.
        """
        change, is_whole = self.ask.change, self.stage is Stage.DONE and not self.ask.rollout
        is_lasting = not (change.runtime or change.user or change.adopt)
        return self.is_live_mask and is_whole and is_lasting and not self.hold

    @property
    def waits_for_its_stop(self) -> bool:
        """Whether the mask is not made yet because its unit is slow to stop.

        Also for a request that was withdrawn meanwhile.
        """
        is_slow = self.target.waiting is not None or self.target.called_off is not None
        is_mask = self.ask.change.verb is Verb.MASK and not self.ask.change.force
        return self.stage is Stage.RUNNING and is_mask and is_slow and self.target.made is None

    @property
    def can_be_called_off(self) -> bool:
        """Whether the request can be withdrawn while it waits for a slow stop, before its mask is made."""
        return self.waits_for_its_stop and self.target.called_off is None and not self.ask.by_itself

    @property
    def can_be_forced(self) -> bool:
        """Whether people may ask for a forced end of the stop that this mask waits for."""
        was_told = any(sent.step == "stop" for sent in self.target.sent)
        return self.waits_for_its_stop and self.target.called_off is None and was_told

    @property
    def can_be_undone(self) -> bool:
        """Whether there is a mask of ours to remove on the host, or a unit we stopped to start again."""
        halfway = self.target.outcome in (Outcome.NOT_PROTECTED, Outcome.NOT_LOADED)
        return self.is_live_mask or (self.stage is Stage.DONE and halfway and not (self.undone_by or self.repeated_by))

    def with_vote(self, vote: Vote) -> "Request":
        """Return the request with the result of one vote."""
        votes = (vote if (old.voter, old.digest) == (vote.voter, vote.digest) else old for old in self.votes)
        return replace(self, votes=tuple(votes))

    def on_target(self, **changed: object) -> "Request":
        """Return the request with its target changed."""
        return replace(self, target=replace(self.target, **changed))  # type: ignore[arg-type]

    def move(self, stage: Stage, **changed: object) -> "Request":
        """Return the request in its next stage. An illegal move is a programming error and raises `ValueError`."""
        if stage not in MOVES.get(self.stage, frozenset()):
            raise ValueError(f"no move from {self.stage} to {stage}")
        return replace(self, stage=stage, **changed)  # type: ignore[arg-type]
