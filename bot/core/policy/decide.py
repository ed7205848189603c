"""Decide whether a change may be made, by whom, and with whose approval. Rules look at facts and fetch nothing."""

from collections.abc import Iterable, Iterator
from itertools import takewhile

from bot.core.people.identity import Person, PersonId
from bot.core.policy.model import (
    Check,
    Decision,
    Explanation,
    Facts,
    Policy,
    Refuse,
)
from bot.core.policy.rules import (
    approval,
    approval_deadlines,
    audit_chain,
    audit_shipping,
    break_glass,
    break_glass_sign_off,
    calendar_and_limits,
    channel,
    critical_units,
    dead_ends,
    existence,
    expiry,
    force_stop,
    guard_rights,
    hold,
    identity,
    kill_switch,
    maskable,
    observe,
    ownership,
    permission,
    rollout,
    scheduled_window,
    undo,
    unit_kind,
    unmaskable,
)
from bot.core.policy.rules.explain import explain_decision
from bot.core.policy.rules.identity import is_one_of_us

# The order matters: the first rule that answers decides. Strangers learn nothing; dead ends are reported before
# what is impossible, and that before who may ask. A rule that needs a look passes while there is none.
RULES: tuple[Check, ...] = (
    identity.requester_is_one_of_us,
    identity.voter_is_one_of_us,
    identity.break_glass_requester_is_one_of_us,
    channel.channel_is_allowed,
    channel.channel_is_internal,
    channel.channel_is_open,
    channel.bot_is_in_channel,
    audit_chain.audit_chain_is_intact,
    expiry.expiry_is_due,
    expiry.extended_mask_stands,
    force_stop.stop_is_waited_for,
    hold.mask_is_off,
    existence.host_is_the_right_one,
    existence.host_runs_systemd,
    critical_units.unit_is_not_critical,
    critical_units.unit_starts_nothing_critical,
    critical_units.nothing_critical_stops_with_it,
    critical_units.our_own_login_survives,
    critical_units.the_bot_survives,
    critical_units.host_survives_its_end,
    unit_kind.unit_type_is_allowed,
    unit_kind.unit_is_no_template,
    unit_kind.instances_are_allowed,
    permission.no_rule_forbids,
    kill_switch.new_masks_are_not_stopped,
    audit_shipping.required_sinks_are_current,
    calendar_and_limits.nothing_forbids_it_now,
    hold.owners_lift_it,
    existence.unit_exists,
    existence.asked_name_is_covered,
    maskable.is_not_masked_already,
    maskable.mask_would_hold,
    maskable.can_be_stopped,
    maskable.nothing_keeps_it_up,
    maskable.can_be_started_again,
    maskable.what_stops_too_can_be_started_again,
    maskable.watchdog_stays_quiet,
    unmaskable.there_is_a_mask,
    unmaskable.mask_is_a_link,
    guard_rights.host_grants_the_rights,
    existence.unit_is_not_busy,
    scheduled_window.window_is_not_over,
    scheduled_window.window_is_allowed,
    approval_deadlines.there_is_still_time_to_decide,
    approval_deadlines.approval_is_still_good,
    scheduled_window.window_is_open,
    expiry.expiry_was_approved,
    hold.hold_may_be_reapplied,
    hold.is_kept,
    observe.the_bot_may_act,
    rollout.approved_with_its_rollout,
    undo.own_mask_is_undone,
    expiry.extension_is_free,
    permission.some_rule_matches,
    permission.requester_may_ask,
    channel.card_has_its_place,
    expiry.mask_expires_where_required,
    expiry.length_is_allowed,
    hold.may_be_held,
    hold.review_is_ahead,
    approval.voter_is_not_the_requester,
    approval.voter_may_decide,
    approval.voter_has_not_voted_before,
    approval.voter_has_stepped_up,
    break_glass.may_break_glass,
    break_glass.break_glass_is_allowed,
    dead_ends.enough_people_could_approve,
    approval.quorum,
)


def decide(facts: Facts, policy: Policy) -> Decision:
    """Decide: allow, needs approval or refuse. Every later moment asks this one function again with fresh facts."""
    if facts.targets:
        answers = [(name, decide(one, policy)) for name, one in rollout.each_target(facts)]
        return rollout.strictest_target(answers, policy, is_one_act=bool(facts.request.ask.extends))
    return next(answer for rule in RULES if (answer := rule(facts, policy)) is not None)


def why_not_look(facts: Facts, policy: Policy) -> Refuse | None:
    """Refuse whoever may not read what is on the hosts: only our own people, in allowed channels. None means yes."""
    return _no(RULES[: RULES.index(channel.bot_is_in_channel) + 1], facts, policy)


def why_not_see_all(facts: Facts, policy: Policy) -> Refuse | None:
    """Refuse whoever may not see all details of a change: they must be able to ask for it or approve it.

    None means yes.
    """
    return why_not_look(facts, policy) or _no((permission.requester_could_take_part,), facts, policy)


def why_not_use_kill_switch(facts: Facts, policy: Policy) -> Refuse | None:
    """Refuse whoever may not use the kill switch: they must be able to approve something. None means yes."""
    no = why_not_look(facts, policy)
    groups = sorted(kill_switch_groups(policy))
    if no or not facts.requester.groups.isdisjoint(groups):
        return no
    return permission.not_known(groups, facts) or Refuse(
        "kill_switch_not_permitted",
        "Only people who may approve something can use the kill switch.",
        f"{permission.as_mentions(groups)} may." if groups else "",
    )


def why_not_reset_step_up(who: Person, whose: PersonId, policy: Policy) -> Refuse | None:
    """Refuse whoever may not reset this person's authenticator: that takes somebody else who may approve something."""
    if policy.same_person.are_one(who.id, whose):
        hint = "Somebody else who may approve something can, or root."
        return Refuse("own_step_up", "You cannot reset your own authenticator.", hint)
    groups = kill_switch_groups(policy)
    if is_one_of_us(who, policy) and not who.groups.isdisjoint(groups):
        return None
    why = "Only people who may approve something can reset somebody's authenticator, and root."
    return Refuse("step_up_reset_not_permitted", why, f"{permission.as_mentions(sorted(groups)) or 'Nobody'} may.")


def kill_switch_groups(policy: Policy) -> frozenset[str]:
    """The groups whose members may use the kill switch: all groups that approve something, at whatever time."""
    return frozenset(_approving(policy))


def _approving(policy: Policy) -> Iterator[str]:
    for rule in policy.rules:
        yield from (*rule.approve, *rule.outside.approve)
    for extra_approvals in (*(freeze.extra_approvals for freeze in policy.freezes), policy.limits.beyond):
        yield from extra_approvals.approve if extra_approvals else ()


def why_not_sign_off(facts: Facts, policy: Policy) -> Refuse | None:
    """Refuse `facts.voter` if they may not sign off a break-glass change. None means yes."""
    rules = (
        identity.voter_is_one_of_us,
        break_glass_sign_off.signer_is_somebody_else,
        break_glass_sign_off.signer_could_approve,
    )
    return _no(rules, facts, policy)


def why_not_vote(facts: Facts, policy: Policy) -> Refuse | None:
    """Refuse `facts.voter` if they could not approve or deny the request, judged by their identity. None means yes."""
    rules = (
        identity.voter_is_one_of_us,
        permission.some_rule_matches,
        approval.voter_is_not_the_requester,
        approval.voter_may_decide,
        approval.voter_has_not_voted_before,
    )
    return _no(rules, facts, policy)


def why_not_break_glass(facts: Facts, policy: Policy) -> Refuse | None:
    """Refuse `facts.break_glass` if they could not use break-glass, judged by their identity. None means yes."""
    rules = (identity.break_glass_requester_is_one_of_us, permission.some_rule_matches, break_glass.may_break_glass)
    return _no(rules, facts, policy)


def why_not_steer(facts: Facts, policy: Policy) -> Refuse | None:
    """Refuse `facts.voter` if they may not pause, stop or continue the rollout. None means yes."""
    return _no((identity.voter_is_one_of_us, rollout.voter_may_steer), facts, policy)


def why_not_own(facts: Facts, policy: Policy) -> Refuse | None:
    """Refuse to hand the request over to `facts.requester` if they may not own it. None means yes."""
    rules = (ownership.new_owner_is_another, ownership.new_owner_could_have_asked, ownership.new_owner_has_not_voted)
    return _no(rules, facts, policy)


def _no(rules: Iterable[Check], facts: Facts, policy: Policy) -> Refuse | None:
    """The first refusal of some of the rules; of a rollout, at any of its targets."""
    each, rules = [one for _, one in rollout.each_target(facts)] or [facts], [*rules]
    return next((no for one in each for rule in rules if isinstance(no := rule(one, policy), Refuse)), None)


def explain(facts: Facts, policy: Policy) -> tuple[Explanation, ...]:
    """Explain a decision: the steps passed before it, and what each part of the policy file says of the facts."""
    return (*_steps(facts, policy), *explain_decision(facts, policy))


def _steps(facts: Facts, policy: Policy) -> Iterator[Explanation]:
    names = [rule.__name__.replace("_", " ") for rule in RULES]  # these are sentences
    passed = sum(1 for _ in takewhile(lambda rule: rule(facts, policy) is None, RULES))
    for name in names[:passed]:
        yield Explanation(name, applies=True, why="")
    answer = decide(facts, policy)
    why = f"{answer.reason} {answer.hint}".rstrip() if isinstance(answer, Refuse) else answer.because
    yield Explanation(names[passed], applies=not isinstance(answer, Refuse), why=why, decides=True)
