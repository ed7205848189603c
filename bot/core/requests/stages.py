"""Where a request stands, the moves that are legal, and what a change that was carried out did."""

from enum import StrEnum


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
        return self not in MOVES


MOVES: dict[Stage, frozenset[Stage]] = {
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
    EXTENDED = "extended"  # a mask of ours ends later, or does not end by itself any more; its host was not touched
    KILLED = "killed"  # the stop that a mask of ours waits for was ended by SIGKILL; the mask itself goes on
    CALLED_OFF = "called_off"  # withdrawn while it waited for the stop: not masked, and everything is as it was before
    CALLED_OFF_PARTLY = "called_off_partly"  # the same, but not everything is as it was
    UNKNOWN = "unknown"  # not known yet; never final
