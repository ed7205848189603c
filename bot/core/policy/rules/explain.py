"""Explain, line by line, how each rule, freeze, window and limit of the policy file applies to a change (`why`)."""

from collections.abc import Iterator
from datetime import datetime

from bot.core.policy.calendar_and_limits import ExtraApprovals, Freeze, MaintenanceWindow, RequestLimits
from bot.core.policy.model import Explanation, Facts, Policy, Rule
from bot.core.policy.rules.approval import WITH_CODE
from bot.core.policy.rules.calendar_and_limits import REACH, count, reasons, when
from bot.core.policy.rules.permission import approvers_of, as_mentions, matching, mismatch, outside_scope
from bot.core.time.calendar import current, upcoming
from bot.core.time.human_time import humanize

LIMITS = "limits"  # the one line of `why` about all of them


def explain_decision(facts: Facts, policy: Policy) -> Iterator[Explanation]:
    """Explanations in the order of the policy file's sections."""
    for rule in policy.rules:
        why_not = mismatch(rule, facts)
        yield Explanation(f"rule {rule.name}", applies=not why_not, why=why_not or _rule(rule, policy), line=rule.line)
    if facts.request.lasts_like_a_new_mask:
        yield from (_freeze(freeze, facts) for freeze in policy.freezes)
        yield from (_window(window, facts, policy) for window in policy.maintenance_windows)
        yield from _limits(facts, policy)


def _rule(rule: Rule, policy: Policy) -> str:
    if rule.forbid:
        return f"it forbids: {rule.forbid}"
    asks = as_mentions(sorted(rule.ask)) or "nobody"
    groups = as_mentions(sorted(policy.break_glass.groups))
    code = " with a code" if rule.step_up or policy.break_glass.step_up else ""
    break_glass = f"; {groups} may use break-glass{code}" if rule.allows_break_glass else "; no break-glass"
    needs = f"needs {rule.need} of {approvers_of(rule)}{WITH_CODE * rule.step_up}"
    return f"{asks} may ask; {needs}{break_glass if groups else ''}"


def _freeze(freeze: Freeze, facts: Facts) -> Explanation:
    step, period = f"change freeze {freeze.name}", current(freeze.times, when(facts))
    if why_not := outside_scope(freeze, facts):
        return Explanation(step, applies=False, why=why_not, line=freeze.line)
    if period is None:
        following = upcoming(freeze.times, when(facts))
        why_not = f"it begins {_at(following.begins)}" if following else "it is not now"
        return Explanation(step, applies=False, why=why_not, line=freeze.line)
    why = f"until {_at(period.ends)}: {_describe_extra(freeze.extra_approvals)}"
    return Explanation(step, applies=True, why=why, line=freeze.line)


def _window(window: MaintenanceWindow, facts: Facts, policy: Policy) -> Explanation:
    step, period = f"maintenance window {window.name}", current(window.times, when(facts))
    asking = [rule for rule in matching(facts, policy) if window.name in rule.maintenance_windows]
    if not asking:
        return Explanation(step, applies=False, why="no rule that matches names it", line=window.line)
    if period:
        return Explanation(step, applies=True, why=f"it is open until {_at(period.ends)}", line=window.line)
    following = upcoming(window.times, when(facts))
    opens = f", and opens {_at(following.begins)}" if following else ""
    why = f"it is closed{opens}; outside: {_describe_extra(asking[0].outside)}"
    return Explanation(step, applies=False, why=why, line=window.line)


def _limits(facts: Facts, policy: Policy) -> Iterator[Explanation]:
    """The blast radius of this change where a limit applies, and the rate limits for everybody."""
    beyond = [reason for reason in reasons(facts, policy) if reason.raised.code == REACH]
    if beyond:
        why = f"{'; '.join(reason.raised.why for reason in beyond)}: {_describe_extra(beyond[0].extra_approvals)}"
    else:
        why = "; ".join([*_limits_reached(facts, policy.limits), *_admission_limits(policy.limits)])
    if why:
        yield Explanation(LIMITS, applies=bool(beyond), why=why, line=policy.limits.line)


def _limits_reached(facts: Facts, bounds: RequestLimits) -> Iterator[str]:
    if facts.blast_radius and bounds.hosts is not None:
        hosts = count(bounds.hosts, "host")
        yield f"{facts.blast_radius.hosts} of {hosts} with this one, within {humanize(bounds.within)}"
    if facts.blast_radius and bounds.units_per_host is not None:
        units, within = count(bounds.units_per_host, "unit"), humanize(bounds.within)
        where = f"on {facts.host.name} with this one, within {within}"
        yield f"{facts.blast_radius.units} of {units} {where}"


def _admission_limits(bounds: RequestLimits) -> Iterator[str]:
    if bounds.requests_per_minute is not None:
        yield f"one person may ask {count(bounds.requests_per_minute, 'time')} a minute"
    if bounds.open_requests is not None:
        yield f"{count(bounds.open_requests, 'request')} may be open"


def _describe_extra(extra_approvals: ExtraApprovals) -> str:
    if extra_approvals.forbid:
        return f"it forbids: {extra_approvals.forbid}"
    more = [f"{extra_approvals.more} more"] * bool(extra_approvals.more) + [f"{extra_approvals.need} at least"] * bool(
        extra_approvals.need
    )
    groups = [f"from {as_mentions(extra_approvals.approve)}"] * bool(extra_approvals.approve)
    return " ".join([" and ".join(more) or "as many", "approve", *groups])


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
