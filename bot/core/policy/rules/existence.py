"""Whether the unit exists on the right host, and whether it can be judged now."""

from bot.core.policy.model import Facts, Moment, Policy, Refuse
from bot.core.requests import Verb
from bot.core.systemd.aliases import subject, unread
from bot.core.systemd.units import ActiveState


def host_is_the_right_one(facts: Facts, _policy: Policy) -> Refuse | None:
    """A pinned machine-id reveals a copied or replaced machine with the same keys."""
    host, snapshot = facts.host, facts.snapshot
    if snapshot is None or not host.machine_id or snapshot.machine_id == host.machine_id:
        return None
    hint = "An operator must check hosts.yaml and the host."
    return Refuse("wrong_machine", f"{host.name} has a different machine-id from the one in hosts.yaml.", hint)


def host_runs_systemd(facts: Facts, _policy: Policy) -> Refuse | None:
    """Without systemd as PID 1 a mask is a link that nobody reads, and systemctl exits 0 (measured)."""
    around = facts.snapshot.around if facts.snapshot else None
    if around is None or around.systemd:
        return None
    return Refuse("no_systemd", f"{facts.host.name} does not run systemd, so nothing there can be masked.")


def unit_exists(facts: Facts, _policy: Policy) -> Refuse | None:
    """systemctl masks what does not exist, with exit code 0: a typo would succeed (measured)."""
    snapshot = facts.snapshot
    if snapshot is None or not snapshot.is_missing:
        return None
    near = snapshot.around.near if snapshot.around else ()
    hint = f"Did you mean {' or '.join(near)}?" if near else f"`/mask status {facts.host.name}` shows what is there."
    whose = f" for user {user}" if (user := facts.request.ask.change.user) else ""
    return Refuse("unit_not_found", f"{snapshot.asked} is not found on {facts.host.name}{whose}.", hint)


def asked_name_is_covered(facts: Facts, _policy: Policy) -> Refuse | None:
    """A mask applies to the real Id; whoever asks by an alias expects the alias to be refused afterwards."""
    seen = facts.snapshot
    if seen is None or facts.request.ask.change.verb is not Verb.MASK:
        return None
    asked, where = facts.request.ask.change.unit, facts.host.name
    if real := unread(seen):
        why = f"{asked} is another name of {real} on {where}, but systemd there has not loaded that name yet."
        return Refuse("name_not_read", why, f"Ask for {real}: its mask covers {asked} too.")
    if str(asked) in seen.twins:
        why = f"{asked} is {seen.id} by a second name of its template: a mask of {seen.id} would not cover that name."
        return Refuse("second_name", why, f"Ask for {seen.id} first, then for {asked}: each needs a mask of its own.")
    if subject(seen) != seen.id:
        why = (
            f"{asked} is {seen.id} now, but it also has a mask of its own on {where}, which systemd has not loaded yet."
        )
        return Refuse("mask_not_read", why, "That mask takes effect with the next daemon-reload there.")
    return None


def unit_is_not_busy(facts: Facts, _policy: Policy) -> Refuse | None:
    """A mask with a stop may end a start that hangs; any other pending job means that somebody is at work.

    A pending job passes, so it does not void an approval. With `--keep-running`, a unit that still starts would lose
    its next ExecStart= to the reload and report success (measured), so there it is refused until it has started.
    """
    snapshot, change = facts.snapshot, facts.request.ask.change
    if snapshot is None or not snapshot.pending_job or change.verb is not Verb.MASK or change.force:
        return None
    starting = snapshot.active is ActiveState.ACTIVATING
    if not change.keep_running and (starting or facts.moment is not Moment.LOOKED):
        return None
    doing = "starting" if starting else "being started, stopped or reloaded"
    return Refuse("busy_unit", f"{snapshot.id} is {doing} right now.", "Ask again when that is over.")
