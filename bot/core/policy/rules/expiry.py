"""Masks that expire: allowed lengths, who may extend them, and that approvers approved the expiry too."""

from datetime import datetime, timedelta

from bot.core.policy.model import Allow, Facts, Moment, Policy, Refuse
from bot.core.policy.rules.approval import guarded_because
from bot.core.policy.rules.permission import matching
from bot.core.requests import Duration, NewKind, Request, Verb
from bot.core.requests.deadlines import due
from bot.core.requests.duration import format_length
from bot.core.time.human_time import humanize

_NO_LONGER = {
    NewKind.ENDING: "it only gets an expiry",
    NewKind.LOOKED_AT: "it stays as it was approved, and its owner is reminded again",
}
END = "end of our own mask"
EXTENSION = "extension of our own mask"
_SAY_FOR_HOW_LONG = "Say for how long: `--for 2h`, or `--until 18:00`."
_GIVE_END = "Use Extend, or Set an expiry."
_OR_HOLD_IT = " Or use Hold it under Details."
_OR_WHO = " Or make it a hold: `--hold OWNERS --review 90d`."


def expiry_is_due(facts: Facts, _policy: Policy) -> Refuse | None:
    """The bot undoes a mask only once it has expired; its expiry may have been extended a moment ago."""
    ask = facts.request.ask
    if not ask.by_itself or ask.repeats:
        return None
    expires_at = _end_of(facts.own_mask)
    if ask.change.verb is Verb.UNMASK and expires_at is not None and facts.now >= expires_at:
        return None
    return Refuse("expiry_not_due", "The mask is no longer due to expire: somebody has extended or undone it.")


def extended_mask_stands(facts: Facts, policy: Policy) -> Refuse | None:
    """Only a mask that is in place can be extended, and only to a later expiry."""
    request, mask = facts.request, facts.own_mask
    is_kept_hold = request.ask.change.hold and not request.ask.new_kind
    if not request.ask.extends or is_kept_hold or (mask and mask.aftercare.is_extended_by(request.id)):
        return None
    expires_at = _end_of(mask)
    if request.ask.new_kind:
        return _can_change_its_kind(facts, policy)
    if mask is None or not mask.is_live_mask or expires_at is None:
        return Refuse("no_expiry", "maskbot no longer has a mask here that expires.")
    until = _requested_end(request)
    if until is not None and until <= expires_at:
        return Refuse(
            "not_later", f"The mask expires at {expires_at:%Y-%m-%d %H:%M} UTC already.", "Unmask to end it sooner."
        )
    return None


def _can_change_its_kind(facts: Facts, policy: Policy) -> Refuse | None:
    """A hold stays one until its owners lift it; what has got an expiry meanwhile is extended or kept instead."""
    ask, mask, furthest = facts.request.ask, facts.own_mask, policy.holds.review_within
    if mask is None or not mask.is_live_mask or mask.hold:
        return Refuse("no_mask", "maskbot no longer has a mask here that is not a hold.")
    if ask.new_kind is not NewKind.HELD and mask.aftercare.expires_at:
        return Refuse("has_expiry", "The mask has got an expiry in the meantime.", "Use Extend or Keep on its card.")
    if ask.remind_at and ask.remind_at - facts.request.asked_at > furthest and facts.moment is not Moment.ACT:
        why = f"A mask without expiry must be looked at again within {humanize(furthest)}."
        return Refuse("review_too_far", why, "Choose an earlier day.")
    return None


def expiry_was_approved(facts: Facts, _policy: Policy) -> Allow | None:
    """Who approved the mask approved its expiry, or the lift of its hold; nobody's rights are used here."""
    ask, mask = facts.request.ask, facts.own_mask
    if not ask.by_itself or not ask.undoes:
        return None
    was_held = mask is not None and mask.approved_hold is not None
    why = "its hold was lifted" if was_held else "time is up. Undone automatically, as approved"
    if mask is not None and mask.aftercare.no_login:
        why = "the bot could not log in again after the mask. Undone at once, over the connection that it had"
    return Allow(END, why)


def extension_is_free(facts: Facts, policy: Policy) -> Allow | None:
    """The requester, the owner and the approvers of a mask may extend it for a while without approval.

    How long is limited by the policy, counted from what was approved; anything longer is asked for like a new mask. A
    guarded unit is never extended without approval, because its console access was confirmed for one day only; and a
    break-glass change is not extended before it is signed off. They may always make it shorter: a mask without expiry
    gets one within the policy's bounds, or stays as it is until its owner is reminded again where masks may last.
    """
    ask, mask = facts.request.ask, facts.own_mask
    if not ask.extends or mask is None or facts.voter:
        return None
    if ask.new_kind in _NO_LONGER:
        is_free = _is_entitled(facts, mask) and not (ask.remind_at and mask.owes_sign_off) and not _no(facts, policy)
        return Allow(EXTENSION, _NO_LONGER[ask.new_kind]) if is_free else None
    if guarded_because(facts, policy):
        return None
    if mask.owes_sign_off:
        return None
    until, latest = _requested_end(facts.request), latest_without_approval(mask, policy)
    if until is None or latest is None or until > latest:
        return None
    if not _is_entitled(facts, mask):
        return None
    return Allow(EXTENSION, f"it may last until {latest:%Y-%m-%d %H:%M} UTC without another approval")


def _no(facts: Facts, policy: Policy) -> Refuse | None:
    """The refusal of an end beyond the policy's bounds, and of none where the policy wants one."""
    return mask_expires_where_required(facts, policy) or length_is_allowed(facts, policy)


def _is_entitled(facts: Facts, mask: Request) -> bool:
    """Whether the requester took part in the mask: they asked for it, own it, or approved it."""
    entitled = (*mask.requesters, *(vote.voter for vote in mask.counted_votes))
    return facts.requester.id.key in {one.key for one in entitled}


def latest_without_approval(mask: Request, policy: Policy) -> datetime | None:
    """The latest expiry to which a mask of ours may be extended without approval."""
    approved, since = mask.aftercare.approved_until, mask.finished_at
    if approved is None or since is None:
        return None
    return min(approved + (approved - since) * policy.free_extension, since + policy.longest_mask)


def mask_expires_where_required(facts: Facts, policy: Policy) -> Refuse | None:
    """The policy may require an expiry, or a hold with an owner, for some hosts or units."""
    change = facts.request.ask.change
    if change.verb is not Verb.MASK or change.duration is not None or change.force:
        return None
    strict = [
        rule for rule in matching(facts, policy) if rule.requires_expiry and not (change.hold and rule.hold_will_do)
    ]
    if not strict:
        return None
    how, or_held = (_GIVE_END, _OR_HOLD_IT) if facts.request.ask.extends else (_SAY_FOR_HOW_LONG, _OR_WHO)
    hint = how + or_held * all(rule.hold_will_do for rule in strict)
    return Refuse("needs_expiry", f"Rule `{strict[0].name}` does not allow masks without expiry.", hint)


def length_is_allowed(facts: Facts, policy: Policy) -> Refuse | None:
    """A length within the policy's bounds, and an expiry that is not over before the mask begins."""
    duration = facts.request.ask.change.duration
    if duration is None:
        return None
    length = _length(duration, facts)
    if length <= timedelta() or (duration.until and duration.until <= facts.now):
        return Refuse("expiry_is_past", "The requested end has already passed.", _SAY_FOR_HOW_LONG)
    if length > policy.longest_mask:
        return Refuse(
            "too_long", f"A mask that expires lasts {format_length(policy.longest_mask)} at most.", "Ask for less."
        )
    if length < policy.shortest_mask and facts.moment in (Moment.ASK, Moment.LOOKED):
        return Refuse("too_short", f"A mask lasts {format_length(policy.shortest_mask)} at least.", "Ask for more.")
    return None


def _end_of(mask: Request | None) -> datetime | None:
    return mask.aftercare.expires_at if mask and mask.can_be_undone else None


def _requested_end(request: Request) -> datetime | None:
    duration = request.ask.change.duration
    return duration.until if duration else None


def _length(duration: Duration, facts: Facts) -> timedelta:
    """The length counts from the start of the mask, also when it is extended; or from when it got an expiry."""
    mask = facts.own_mask if facts.request.ask.extends else None
    begins = _expires_since(mask) if mask else None
    begins = begins or due(facts.request.ask.change.scheduled_window, facts.now)
    return duration.until - begins if duration.until else duration.lasts or timedelta()


def _expires_since(mask: Request) -> datetime | None:
    """Since when the mask has been one that expires; None if it does not expire."""
    if mask.aftercare.expires_at is None:
        return None
    given = (one.at for one in reversed(mask.aftercare.extensions) if one.new_kind is NewKind.ENDING)
    return next(given, mask.finished_at)
