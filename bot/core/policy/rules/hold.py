"""Holds: who may own, lift and review one, and when its mask is reapplied."""

from collections.abc import Iterator

from bot.core.policy.hold import conflict, paused_until
from bot.core.policy.model import Allow, Facts, Moment, Policy, Refuse
from bot.core.policy.rules.permission import as_mentions, hold_to_lift, not_known
from bot.core.requests import Loss, Target, Verb
from bot.core.systemd.units import Snapshot
from bot.core.time.human_time import humanize

REAPPLIED = "our own hold is reapplied"
REVIEW = "review of our own hold"
_SAY_WHEN = "Say when its owners review it: `--review 90d`."


def mask_is_off(facts: Facts, policy: Policy) -> Refuse | None:
    """Reapply only a mask that is gone, still wanted, and not reapplied too often lately."""
    if not facts.request.ask.is_reapply:
        return None
    mask = facts.own_mask
    if mask is None or mask.hold is None or mask.hold_state.loss is not Loss.REMOVED or not policy.holds.reapply:
        return Refuse("not_removed", "There is no longer a hold whose mask could be reapplied.")
    rests = paused_until(mask.hold_state.reapplied_at, policy.holds, facts.now)
    if rests is None:
        return None
    return Refuse("reapply_paused", f"The bot masked it again too often, and pauses until {rests:%H:%M} UTC.")


def hold_may_be_reapplied(facts: Facts, _policy: Policy) -> Allow | Refuse | None:
    """Who approved the hold approved that its mask is reapplied, as long as the unit is what they approved."""
    mask, seen = facts.own_mask, facts.snapshot
    if not facts.request.ask.is_reapply or mask is None:
        return None
    if seen is None or seen.around is None:
        return Allow(REAPPLIED, "approved with the hold")
    if changed := [*_not_as_approved(mask.target, facts.request.target, seen)]:
        why = f"The unit has changed since the hold was approved: {'; '.join(changed)}."
        button = "Retry failed only" if mask.ask.rollout else "Mask again"
        return Refuse("not_as_approved", why, f"Use {button} on the card of the hold to ask for approval.")
    return Allow(REAPPLIED, "approved with the hold")


def owners_lift_it(facts: Facts, policy: Policy) -> Refuse | None:
    """Only the owners lift a hold, however soon and whoever asked for it; also while its mask is off."""
    hold = hold_to_lift(facts)
    return _only(hold.owners, facts, policy, "lifts") if hold else None


def is_kept(facts: Facts, policy: Policy) -> Allow | Refuse | None:
    """A hold that its owners keep: nothing changes on the host, so no approval is needed."""
    ask = facts.request.ask
    if not ask.extends or ask.change.hold is None or ask.new_kind:
        return None
    mask = facts.own_mask
    if mask is None or not (mask.hold or mask.aftercare.is_extended_by(facts.request.id)):
        return Refuse("no_hold", "That hold was lifted in the meantime.")
    no = _only(ask.change.hold.owners, facts, policy, "keeps") or review_is_ahead(facts, policy)
    return no or Allow(REVIEW, f"@{ask.change.hold.owners} reviewed it")


def may_be_held(facts: Facts, policy: Policy) -> Refuse | None:
    """A hold needs an owner that the policy names, and a change that can be held."""
    change = facts.request.ask.change
    if change.verb is not Verb.MASK or change.hold is None:
        return None
    if why := conflict(change):
        return Refuse("no_hold_here", why)
    if change.hold.owners in policy.holds.owners:
        return None
    may = sorted(policy.holds.owners)
    hint = f"{as_mentions(may)} may." if may else "Nobody may: `holds` in policy.yaml names no owners."
    return Refuse("unknown_owners", f"@{change.hold.owners[:80]} may not own holds here.", hint)


def review_is_ahead(facts: Facts, policy: Policy) -> Refuse | None:
    """The review date must be in the future, and within the policy's limit.

    On one target of a rollout that of the rollout counts, whose review may be due while hosts join.
    """
    change, furthest = facts.request.ask.change, policy.holds.review_within
    if change.verb is not Verb.MASK or change.hold is None or facts.request.ask.rollout:
        return None
    if change.hold.review <= facts.now:
        return Refuse("review_is_past", "The review date has passed.", _SAY_WHEN)
    if change.hold.review - facts.request.asked_at > furthest and facts.moment in (Moment.ASK, Moment.LOOKED):
        return Refuse("review_too_far", f"A hold must be reviewed within {humanize(furthest)}.", _SAY_WHEN)
    return None


def _only(owners: str, facts: Facts, policy: Policy, does: str) -> Refuse | None:
    """The refusal for people who are not owners."""
    if owners in facts.requester.groups:
        return None
    if no := not_known([owners], facts):
        return no
    why = f"{facts.request.target.unit} on {facts.host.name} is held by @{owners}, and nobody else {does} it."
    if owners not in {group.name for group in policy.groups}:
        return Refuse("owners_gone", why, "The policy no longer has that group: an operator must name it there again.")
    return Refuse("owners_only", why, f"Somebody of @{owners} must ask.")


def _not_as_approved(was: Target, is_now: Target, seen: Snapshot) -> Iterator[str]:
    """What must stay as it was for as long as the mask is held. Files may change: a hold survives an upgrade."""
    before = was.before
    if before is None or before.around is None or seen.around is None:
        yield "its state at the approval is not known"
        return
    if before.machine_id != seen.machine_id:
        yield "the host is another machine"
    if (before.id, before.names) != (seen.id, seen.names):
        yield "the unit has other names"
    if was.layer is not is_now.layer:
        yield "the mask belongs in another place"
    known, found = ({other.unit for other in around.would_stop} for around in (before.around, seen.around))
    if more := sorted(found - known):
        yield f"{', '.join(more[:5])} would stop with it"
