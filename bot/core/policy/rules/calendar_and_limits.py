"""Raise the approvals that a rule asks for: in a freeze, outside a maintenance window, beyond a limit."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.core.policy.calendar_and_limits import ExtraApprovals, Freeze, RequestLimits
from bot.core.policy.model import Facts, Policy, Refuse, Rule
from bot.core.policy.rules.permission import matching, outside_scope
from bot.core.requests import ExtraApprovalReason, Request
from bot.core.requests.deadlines import due
from bot.core.time.calendar import Period, Times, current, upcoming
from bot.core.time.human_time import humanize

FREEZE, WINDOW, REACH = "freeze", "outside_window", "blast_radius"


@dataclass(frozen=True, slots=True)
class Reason:
    """A freeze, window or limit that applies, and the extra approvals it asks for."""

    extra_approvals: ExtraApprovals
    raised: ExtraApprovalReason


def reasons(facts: Facts, policy: Policy) -> tuple[Reason, ...]:
    """All that raise the approvals now. Undos, later ends and reapplied holds are not raised."""
    if not _is_raised(facts.request):
        return ()
    return (*_freezes(facts, policy), *_windows(facts, policy), *_bounds(facts, policy))


def _is_raised(request: Request) -> bool:
    return request.lasts_like_a_new_mask and not request.ask.is_reapply


def when(facts: Facts) -> datetime:
    """The time for which the calendar is read: now, or the opening of the request's scheduled window if that is
    later.
    """
    return due(facts.request.ask.change.scheduled_window, facts.now)


def nothing_forbids_it_now(facts: Facts, policy: Policy) -> Refuse | None:
    """A freeze, window or limit refuses only where the policy says so."""
    reason = next((reason for reason in reasons(facts, policy) if reason.extra_approvals.forbid), None)
    if reason is None:
        return None
    why = f"{reason.raised.why[:1].upper()}{reason.raised.why[1:]}: {reason.extra_approvals.forbid.rstrip('.')}."
    until = f"It ends at {reason.raised.until:%Y-%m-%d %H:%M} UTC." if reason.raised.until else ""
    return Refuse(reason.raised.code, why, until)


def apply_reasons(rule: Rule, need: int, found: tuple[Reason, ...]) -> tuple[tuple[str, ...], int]:
    """The approving groups and the need, after the strictest of the reasons is applied to those of a rule."""
    most = max((max(need + reason.extra_approvals.more, reason.extra_approvals.need) for reason in found), default=need)
    groups = next((reason.extra_approvals.approve for reason in found if reason.extra_approvals.approve), rule.approve)
    if rule.distinct:  # each approval comes from a different group, so there cannot be more than groups
        most = max(need, min(most, len(set(groups))))
    return groups, most


def limits_to_keep(facts: Facts, policy: Policy) -> RequestLimits | None:
    """The limits that the mask must still keep as it begins; None if it may exceed them, or none apply."""
    reach = facts.blast_radius
    return policy.limits if reach and _is_raised(facts.request) and policy.limits.allow(reach) else None


def calendar_changes_at(facts: Facts, policy: Policy) -> datetime | None:
    """When time alone may change the answer: a freeze or window begins or ends, or masks leave a limit's period."""
    if not facts.request.lasts_like_a_new_mask:
        return None
    beyond = [facts.now + policy.limits.within] if any(_bounds(facts, policy)) else []
    times = [freeze.times for freeze in policy.freezes if not outside_scope(freeze, facts)]
    times += [_times(rule, policy) for rule in matching(facts, policy)]
    turns = (turn for one in times if (turn := _turn(one, when(facts))))
    return min((*turns, *beyond), default=None)


def _turn(times: tuple[Times, ...], now: datetime) -> datetime | None:
    period, following = current(times, now), upcoming(times, now)
    if period:
        return period.ends
    return following.begins if following else None


def _freezes(facts: Facts, policy: Policy) -> Iterator[Reason]:
    for freeze in policy.freezes:
        period = current(freeze.times, when(facts))
        if period and not outside_scope(freeze, facts):
            yield Reason(freeze.extra_approvals, ExtraApprovalReason(FREEZE, _why(freeze), period.ends))


def _why(freeze: Freeze) -> str:
    return f"change freeze {freeze.name}" + (f" ({freeze.because})" if freeze.because else "")


def _windows(facts: Facts, policy: Policy) -> Iterator[Reason]:
    for rule in matching(facts, policy):
        if rule.maintenance_windows and not current(_times(rule, policy), when(facts)):
            names = " and ".join(rule.maintenance_windows)
            following: Period | None = upcoming(_times(rule, policy), when(facts))
            yield Reason(
                rule.outside,
                ExtraApprovalReason(
                    WINDOW, f"outside the maintenance window {names}", following.begins if following else None
                ),
            )


def _times(rule: Rule, policy: Policy) -> tuple[Times, ...]:
    return tuple(
        one for window in policy.maintenance_windows if window.name in rule.maintenance_windows for one in window.times
    )


def _bounds(facts: Facts, policy: Policy) -> Iterator[Reason]:
    bounds, reach = policy.limits, facts.blast_radius
    if reach is None:
        return
    extra_approvals, within = bounds.beyond or highest(policy), humanize(bounds.within)
    if bounds.hosts is not None and reach.hosts > bounds.hosts:
        why = f"{count(reach.hosts, 'host')} within {within}, {bounds.hosts} allowed"
        yield Reason(extra_approvals, ExtraApprovalReason(REACH, why))
    if bounds.units_per_host is not None and reach.units > bounds.units_per_host:
        why = f"{count(reach.units, 'unit')} on {facts.host.name} within {within}, {bounds.units_per_host} allowed"
        yield Reason(extra_approvals, ExtraApprovalReason(REACH, why))


def count(number: int, thing: str) -> str:
    """`1 host`, `3 hosts`."""
    return f"{number} {thing}" + "s" * (number != 1)


def highest(policy: Policy) -> ExtraApprovals:
    """The most approvals that the policy asks for anywhere."""
    return ExtraApprovals(more=0, need=max(policy.guarded_need, *(rule.need for rule in policy.rules), 0))
