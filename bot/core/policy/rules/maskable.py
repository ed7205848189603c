"""Whether a mask would take effect, and whether it could be undone."""

from bot.core.policy.mask_layer import choose_layer, where_masked
from bot.core.policy.model import Facts, Policy, Refuse
from bot.core.policy.rules.unit_names import find_listed
from bot.core.requests import Change, Request, Verb
from bot.core.systemd.host_rules import MASKABLE_TYPES
from bot.core.systemd.units import FileKind, Layer, LoadState, Snapshot, UnitName

_TAKE_OVER = "To give that mask an owner, a reason and an expiry, ask with `--adopt --for 7d`."


def is_not_masked_already(facts: Facts, _policy: Policy) -> Refuse | None:
    """A masked unit needs no approval, and an undo of that mask would not be ours.

    A runtime mask may become a persistent one, but not the other way round.
    """
    snapshot, change = facts.snapshot, facts.request.ask.change
    if snapshot is None or change.verb is not Verb.MASK or change.force or facts.request.ask.extends:
        return None
    if change.adopt:
        return _can_be_adopted(facts, snapshot)
    if not snapshot.is_masked:
        return None
    if snapshot.mask_layers == (Layer.RUNTIME,) and not change.runtime:
        return None
    why = f"{snapshot.id} is already masked on {facts.host.name} ({where_masked(snapshot)}){_by_whom(facts.own_mask)}."
    if snapshot.active.is_down or change.keep_running:
        is_anybodys = facts.own_mask is None and _is_one_link(snapshot)
        return Refuse("already_masked", why, _TAKE_OVER * is_anybodys)
    again = "It still runs. To stop it, unmask it and ask again: it is then stopped with its own settings."
    return Refuse("already_masked", why, again)


def _is_one_link(snapshot: Snapshot) -> bool:
    """Whether the unit is masked by one link to /dev/null, and by nothing else."""
    masks = [file.layer for file in snapshot.layers if file.kind is FileKind.MASK]
    return snapshot.is_masked and len(masks) == 1 and snapshot.mask_layers == (*masks,)


def _can_be_adopted(facts: Facts, snapshot: Snapshot) -> Refuse | None:
    """One link to /dev/null that somebody else made, so that its undo removes exactly that; and why it is kept."""
    where, own = f"{snapshot.id} on {facts.host.name}", facts.own_mask
    if own is not None:
        return Refuse("already_masked", f"The mask of {where} is maskbot's already{_by_whom(own)}.")
    if not _is_one_link(snapshot):
        why = f"{where} has no mask that can be adopted: one link to /dev/null, which systemd has loaded."
        return Refuse("no_mask_to_adopt", why, f"It is {snapshot.load} ({where_masked(snapshot)}).")
    if not facts.request.ask.reason.strip():
        return Refuse("needs_reason", f"Nobody knows why {where} is masked: say why it stays.", "Add a reason.")
    return None


def mask_would_hold(facts: Facts, _policy: Policy) -> Refuse | None:
    """There must be a layer where a mask takes effect."""
    snapshot, change = facts.snapshot, facts.request.ask.change
    if snapshot is None or change.verb is not Verb.MASK or change.force:
        return None
    answer = choose_layer(change, snapshot)
    return answer if isinstance(answer, Refuse) else None


def can_be_stopped(facts: Facts, _policy: Policy) -> Refuse | None:
    """`mask --now` would bypass RefuseManualStop=, and nobody could stop the unit by hand again (measured)."""
    snapshot = facts.snapshot
    if snapshot is None or not would_be_stopped(facts.request.ask.change, snapshot):
        return None
    if snapshot.can_stop and not snapshot.refuse_manual_stop:
        return None
    why = f"{snapshot.id} is configured not to be stopped by hand (RefuseManualStop=, CanStop=no)."
    return Refuse("cannot_be_stopped", why, "`--keep-running` masks it and leaves it running.")


def nothing_keeps_it_up(facts: Facts, policy: Policy) -> Refuse | None:
    """systemd restarts at once what Upholds= names (measured), so such a unit cannot be stopped."""
    snapshot, change = facts.snapshot, facts.request.ask.change
    around = snapshot.around if snapshot else None
    if snapshot is None or around is None or not would_be_stopped(change, snapshot):
        return None
    keepers = [other.unit for other in around.upheld_by if not other.active.is_down]
    if not keepers:
        return None
    who = " and ".join(keepers)
    why = f"{snapshot.id} is kept up by {who} (Upholds=), which starts it again at once."
    if any(UnitName(one).type not in policy.unit_types or find_listed(policy.critical, [one]) for one in keepers):
        return Refuse("kept_up", why, f"{who} cannot be masked, so somebody must remove that Upholds= first.")
    return Refuse("kept_up", why, f"Mask {who} on {facts.host.name} first, then ask again.")


def can_be_started_again(facts: Facts, _policy: Policy) -> Refuse | None:
    """The bot stops nothing that it could not start again; a socket and its service go together in one rollout."""
    snapshot, beside = facts.snapshot, facts.request.ask.change.beside
    if snapshot is None or not would_be_stopped(facts.request.ask.change, snapshot):
        return None
    busy = busy_service(snapshot)
    busy = "" if busy in beside else busy
    why_not = f"its service {busy} runs, and systemd starts no socket whose service runs"
    lost = why_not if busy else _why_no_start(snapshot)
    if not lost:
        return None
    why = f"{snapshot.id} could not be started again after a stop: {lost}."
    hint = (
        f"Mask {busy} with `--set`, which masks both." if busy else "`--keep-running` masks it and leaves it running."
    )
    return Refuse("cannot_be_restarted", why, hint)


def what_stops_too_can_be_started_again(facts: Facts, _policy: Policy) -> Refuse | None:
    """The bot may not start mounts and targets, so nothing that stops them with it is masked: the undo would be
    incomplete.
    """
    snapshot = facts.snapshot
    if snapshot is None or snapshot.around is None or not would_be_stopped(facts.request.ask.change, snapshot):
        return None
    running = [other.unit for other in snapshot.around.would_stop if not other.active.is_down]
    lost = next((unit for unit in running if unit.rpartition(".")[2] not in MASKABLE_TYPES), None)
    if lost is None:
        return None
    why = f"{lost} would stop with {snapshot.id}, and the bot cannot start units of that type again."
    return Refuse("cannot_be_restarted", why, f"Stop {lost} by hand first, or ask with `--keep-running`.")


def watchdog_stays_quiet(facts: Facts, _policy: Policy) -> Refuse | None:
    """A mask under a running unit sets NotifyAccess= to none while its watchdog stays armed: SIGABRT (measured)."""
    snapshot, change = facts.snapshot, facts.request.ask.change
    if snapshot is None or change.verb is not Verb.MASK or not change.keep_running or snapshot.active.is_down:
        return None
    if snapshot.watchdog_usec == 0 or snapshot.notify_access == "none":
        return None
    why = f"{snapshot.id} has a watchdog: masked while it runs, systemd would kill it within {_seconds(snapshot)}."
    return Refuse("watchdog_would_kill", why, "Ask without `--keep-running`: the unit is then stopped as usual.")


def would_be_stopped(change: Change, snapshot: Snapshot) -> bool:
    """Whether the change would stop the unit in its present state."""
    return change.verb is Verb.MASK and not (change.keep_running or change.adopt or snapshot.active.is_down)


def busy_service(snapshot: Snapshot) -> str:
    """The running service of a socket, which would make the start of the socket fail (measured)."""
    if snapshot.id.type != "socket" or snapshot.side_effects.accepts or snapshot.around is None:
        return ""
    return next((one.unit for one in snapshot.around.starts if not one.active.is_down), "")


def _why_no_start(snapshot: Snapshot) -> str:
    if snapshot.refuse_manual_start:
        return "it refuses to be started by hand (RefuseManualStart=)"
    around = snapshot.around
    is_gone = snapshot.need_daemon_reload and snapshot.fragment and around and not around.fragment_hash
    if snapshot.load is LoadState.NOT_FOUND or is_gone:
        return "its unit file is gone"
    if snapshot.id.type == "mount" and not snapshot.fragment:
        return "it was mounted by hand and has no unit file"
    return ""


def _seconds(snapshot: Snapshot) -> str:
    return f"{snapshot.watchdog_usec / 1_000_000:g} s"


def _by_whom(mask: Request | None) -> str:
    """By whom a mask of ours was asked for, since when it is there (in UTC), and why."""
    if mask is None or mask.finished_at is None:
        return ""
    why = f" ({mask.ask.reason})" if mask.ask.reason.strip() else ""
    return f", asked by {mask.ask.requester_name}{why}, since {mask.finished_at:%Y-%m-%d %H:%M} UTC"
