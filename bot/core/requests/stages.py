"""The stages of a request, the legal moves between them, and the outcomes of a change that was carried out."""

from enum import StrEnum


class Stage(StrEnum):
    """The stages of a request. Those after RUNNING are final."""

    ASKED = "asked"  # recorded; the host has not been checked yet
    WAITING = "waiting"  # its card asks for approval
    APPROVED = "approved"  # approved; waits for its host to be free
    RUNNING = "running"  # being carried out, or checked until its outcome is known
    DONE = "done"  # carried out; the outcome says with what result
    REFUSED = "refused"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    TIMED_OUT = "timed_out"  # not approved in time, or not started while its approval was good
    CANCELLED = "cancelled"  # cannot run any more: no channel, rights lost, host removed

    @property
    def is_final(self) -> bool:
        """Whether the stage is final."""
        return self not in MOVES

    @property
    def words(self) -> str:
        """The stage as people read it."""
        return self.replace("_", " ")


MOVES: dict[Stage, frozenset[Stage]] = {
    Stage.ASKED: frozenset(
        {Stage.WAITING, Stage.APPROVED, Stage.REFUSED, Stage.WITHDRAWN, Stage.CANCELLED, Stage.DONE}
    ),
    Stage.WAITING: frozenset(
        {Stage.APPROVED, Stage.REFUSED, Stage.DENIED, Stage.WITHDRAWN, Stage.TIMED_OUT, Stage.CANCELLED}
    ),
    # Back to WAITING: the plan has changed since it was approved, or an approver lost the right to approve.
    Stage.APPROVED: frozenset(
        {Stage.RUNNING, Stage.WAITING, Stage.REFUSED, Stage.TIMED_OUT, Stage.WITHDRAWN, Stage.CANCELLED, Stage.DONE}
    ),
    Stage.RUNNING: frozenset({Stage.DONE}),
}


class Outcome(StrEnum):
    """The effect of a change, as a fresh look has shown. No exit code alone ever makes one of these."""

    PROVEN = "proven"  # masked, stopped (or left running as asked), and a start refused
    MASKED_RUNNING = "masked_running"  # masked, but the unit still runs
    MASKED_RESTARTED = "masked_restarted"  # masked, but something started the unit again before the mask was loaded
    NOT_PROTECTED = "not_protected"  # stopped, but not masked: anything may start it
    # the link is made, but systemd has not loaded it: the mask takes effect at the next reload
    NOT_LOADED = "not_loaded"
    FAILED = "failed"  # nothing was changed
    NO_CHANGE = "no_change"  # it was already so
    RESTORED = "restored"  # an undo: everything is as it was before our mask
    RESTORED_PARTLY = "restored_partly"  # unmasked, but not everything is as it was
    UNMASKED = "unmasked"  # a mask that was not ours is gone
    NOT_UNMASKED = "not_unmasked"  # one link of a mask that was not ours is gone, and the unit is still masked
    NOT_OURS = "not_ours"  # an undo stopped, because what is in place is not what we made
    EXTENDED = "extended"  # a mask of ours got another expiry or none; its host was not touched
    KILLED = "killed"  # the stop that a mask of ours waits for was ended by SIGKILL; the mask itself goes on
    CALLED_OFF = "called_off"  # withdrawn while it waited for the stop: not masked, and everything is as it was before
    CALLED_OFF_PARTLY = "called_off_partly"  # withdrawn in that way, but not everything is as it was
    UNKNOWN = "unknown"  # not known yet; never final
