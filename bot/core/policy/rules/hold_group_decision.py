"""Judge a hold for several hosts: decide for each host, and let the strictest answer stand for all."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.core.hosts.inventory import Host
from bot.core.policy.model import Decision, Facts, NeedsApproval, Refuse
from bot.core.policy.rules.approval import WITH_CODE
from bot.core.policy.rules.permission import as_mentions

HostDecisions = Sequence[tuple[Host, Decision]]


def per_host(facts: Facts) -> Iterator[Facts]:
    """The facts for one host at a time. Only the first host has been checked; the others are when their turn comes."""
    yield replace(facts, others=())
    yield from (replace(facts, host=host, others=(), snapshot=None) for host in facts.others)


def strictest(answers: HostDecisions) -> Decision:
    """A refusal for one host refuses all. People are asked once, so the approvers must be the same for every host."""
    refused = next(((host, answer) for host, answer in answers if isinstance(answer, Refuse)), None)
    if refused:
        host, no = refused
        return no if host is answers[0][0] else replace(no, reason=f"On {host.name}: {no.reason}")
    asked = [(host, answer) for host, answer in answers if isinstance(answer, NeedsApproval)]
    if not asked:
        return answers[0][1]
    return _differing_approvers(asked) or _strictest(asked)


def _differing_approvers(asked: Sequence[tuple[Host, NeedsApproval]]) -> Refuse | None:
    (one, first), *others = asked
    for host, other in others:
        if ({*first.groups}, first.distinct) != ({*other.groups}, other.distinct):
            ours, theirs = as_mentions(first.groups), as_mentions(other.groups)
            why = f"{ours} approves it on {one.name}, and {theirs} on {host.name}."
            return Refuse("approvers_differ", why, "Ask for one hold per set of approvers.")
    return None


def _strictest(asked: Sequence[tuple[Host, NeedsApproval]]) -> NeedsApproval:
    """The most approvals, console access and a step-up if any host needs them, and the calendar's soonest change."""
    answers = [answer for _, answer in asked]
    turns = [answer.calendar_changes_at for answer in answers if answer.calendar_changes_at]
    guarded = next((answer.guarded for answer in answers if answer.guarded), "")
    strictest, step_up = max(answers, key=lambda answer: answer.need), any(answer.step_up for answer in answers)
    because = strictest.because + WITH_CODE * (step_up and not strictest.step_up)
    return replace(
        strictest, because=because, guarded=guarded, step_up=step_up, calendar_changes_at=min(turns, default=None)
    )
