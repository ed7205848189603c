"""Answers to questions: status, plan, why, list, history and help. They change nothing."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import assert_never

from bot.core.cards import calendar_and_limits, mask_line, rights, slow_unit, step_up, unit_state, unrecorded
from bot.core.cards.approval import on_call, plan_rows, who_may
from bot.core.cards.blocks import (
    Block,
    Markup,
    Text,
    clock,
    day,
    escape,
    in_channel,
    join,
    mention,
    message,
    row,
    section,
    words,
)
from bot.core.cards.outcomes import TITLES
from bot.core.cards.titles import requester_and_reason, stage_words, title
from bot.core.people.identity import Shift
from bot.core.policy.home import RuleRights
from bot.core.policy.model import Allow, Decision, Explanation, NeedsApproval, Refuse, Routing
from bot.core.policy.rules.approvers import Approvers
from bot.core.policy.rules.explain import LIMITS
from bot.core.requests import Outcome, Request, Stage, TargetStatus
from bot.core.systemd.units import FileKind, Snapshot


def status(host: str, snapshot: Snapshot, ours: Sequence[Request], now: datetime) -> Text:
    """The state of a unit."""
    head = f"STATUS · {snapshot.id} on {host}"
    return message(head, section("status", [*_unit(snapshot), *_masked_by(host, snapshot, ours, now)]))


def plan(request: Request, decision: Decision, now: datetime) -> Text:
    """What approvers would see, and what the decision would be."""
    head = f"PLAN, NOBODY IS ASKED · {title(request)}"
    answer = [*_decision_rows(decision), words("Checked {}. Nothing was changed and nobody was asked.", clock(now))]
    parts = [section("plan", [*plan_rows(request)]), section("answer", answer)]
    if isinstance(decision, Refuse):  # what would be done is not what will be done
        parts.reverse()
    return message(head, section("people", [requester_and_reason(request)]), *parts)


def why(
    request: Request,
    decision: Decision,
    explained: Sequence[Explanation],
    approvers: Sequence[Approvers] = (),
    *,
    stopping: Markup | None = None,
) -> Text:
    """The decision, the check that made it, who could approve, and what each rule of the policy says.

    `stopping` is the note about our mask while it waits for the unit's own stop.
    """
    head = f"WHY · {title(request)}"
    passed = sum(one.applies and not one.decides for one in explained if not one.line)
    deciding = [_deciding(one, decision) for one in explained if one.decides]
    rules = [_rule(one) for one in explained if one.line]
    checks = [
        row("Checks", f"{passed} passed"),
        *(row("Refused by" if isinstance(decision, Refuse) else "Decided by", text) for text in deciding),
    ]
    could = [section("approvers", [*_could_approve(approvers)])] if approvers else []
    first = [row("Mask", stopping)] if stopping else []
    return message(
        head, section("answer", [*first, *_decision_rows(decision), *checks]), *could, *_sections("rules", rules)
    )


def _deciding(one: Explanation, decision: Decision) -> Markup:
    """The deciding check; without its reason after a refusal, which names the reason already."""
    if isinstance(decision, Refuse):
        return words('the check "{}"', one.step)
    return words("{}: {}", one.step, one.why)


def _could_approve(approvers: Sequence[Approvers]) -> Iterator[Markup]:
    """Each group with its members; an answer to one person mentions nobody."""
    for one in approvers:
        if one.unknown:
            who = words("not known: {}", escape(one.unknown, width=300))
        elif one.shifts:
            who = join(map(_on_call, one.shifts))
        else:
            who = join(map(mention, one.people)) or words("nobody but you")
        yield row("Could approve", words("@{}: {}", one.group, who))


def _on_call(shift: Shift) -> Markup:
    until = words(" until {}", day(shift.until)) if shift.until else Markup("")
    return words("{}{}", mention(shift.person, shift.name), until)


def history(requests: Sequence[Request], now: datetime) -> Text:
    """Recent requests, newest first, with their outcomes."""
    lines = [_past_request(request, now) for request in requests]
    blocks = _sections("history", lines) or [section("history", [words("No requests yet.")])]
    return message(f"HISTORY · {len(lines)} requests", *blocks)


def help_text(hosts: Sequence[str], may: Sequence[RuleRights], *, uses_kill_switch: bool, not_here: str = "") -> Text:
    """What people can type, what they may do, and where; `not_here` is why they may not do it in this channel."""
    asks = any(right.may_ask for right in may)
    hidden = _FOR_THOSE_WHO_ASK * (not asks) + _FOR_KILL_SWITCH_USERS * (not uses_kill_switch)
    lines = [line for line in _HELP if not line.startswith(hidden)]
    return message(
        "HELP",
        *([section("here", [row("Not here", not_here)])] if not_here else []),
        section("help", lines),
        section("may", [words("What you may do:"), *rights.rows(may)]),
        section("hosts", [row("Hosts", join(hosts, most=40))]),
    )


_FOR_THOSE_WHO_ASK = ("`/mask HOST", "    `--", "`/unmask", "`/mask`  a form")
_FOR_KILL_SWITCH_USERS = ("`/mask freeze",)


_HELP = (
    Markup("`/mask HOST UNIT [reason]`  stop the unit and mask it, once the right people approve"),
    Markup("    `--waves 1,10%,rest`  the hosts in each wave, of several; `--order`  one after the other"),
    Markup("    `--set`  also what triggers the unit: its sockets, timers and paths"),
    Markup("    `--runtime`  until the next reboot"),
    Markup("    `--keep-running`  mask it, but do not stop it"),
    Markup("    `--for 2h`, `--until 18:00`  the mask expires, then everything is put back"),
    Markup("    `--hold OWNERS --review 90d`  a hold: the mask lasts until OWNERS lift it; they review it then"),
    Markup("    `--hold` on `@GROUP`: all its hosts, and those that join later"),
    Markup("    `--at Tue 22:00`, `--window 2h`  approved now, carried out at that time"),
    Markup("    `--user NAME`  a unit of that user's own manager"),
    Markup("    `--break-glass`  go on without the missing approvals, if the policy lets you; the reason must say why"),
    Markup("    `--break-glass --console-works`  the same for a guarded unit: console access works today"),
    Markup("    `--break-glass --code 123456`  the same where it needs a code from your authenticator"),
    Markup("    `--adopt --for 7d`  adopt a mask that somebody else made; it gets a reason and an expiry"),
    Markup("    `--force`  kill (SIGKILL) the unit whose stop a mask waits for; this needs its own approval"),
    Markup("`/unmask HOST UNIT [reason]`  undo the mask: put the unit back as it was"),
    Markup("`/mask status HOST UNIT`  the unit's state now; without UNIT the masks on the host"),
    Markup("`/mask plan HOST UNIT`  post what approvers would see; nobody is asked"),
    Markup("`/mask why HOST UNIT`  who may ask and approve, and which rule says so"),
    Markup("`/mask list [HOST]`  every mask on the hosts, whoever made it"),
    Markup("`/mask handover`  what the next on-call needs to know: masks, what waits, what runs, what is due soon"),
    Markup("`/mask history [HOST]`  recent requests"),
    Markup("`/mask freeze REASON`  turn the kill switch on: no new masks; two people turn it off: `/mask thaw`"),
    Markup("`/mask enrol`  connect your authenticator app, for approvals that need a code"),
    Markup("`/mask`  a form"),
    Markup("HOST and UNIT may be lists, with groups of hosts and without spaces: `web-01,@db nginx,php-fpm`."),
    Markup("In a thread: the same words after `@maskbot`. `cron` means `cron.service`."),
)


def _unit(seen: Snapshot) -> Iterator[Markup]:
    around = seen.around
    if seen.is_missing:
        yield words("There is no such unit.")
        if around and around.near:
            yield words("Did you mean {}?", join(around.near, " or "))
        return
    yield row("Now", unit_state.now(seen))
    if seen.asked != seen.id:
        yield row("Name", f"`{seen.asked}` is another name of `{seen.id}`")
    yield row("File", seen.fragment or "none")
    if around and around.triggers:
        yield row("Started by", join(f"{other.unit} ({unit_state.activity(other)})" for other in around.triggers))


def _masked_by(host: str, seen: Snapshot, ours: Sequence[Request], now: datetime) -> Iterator[Markup]:
    for mask in ours:
        yield row("Mask", slow_unit.status(mask, now) if mask.waits_for_its_stop else mask_line.ours(mask, now))
    if ours or not seen.mask_layers:
        return
    if made := seen.made_by_us:
        yield row("Mask", join([unrecorded.whose(made), *unrecorded.in_list(host, made)], " · "))
        return
    paths = [file.path for file in seen.layers if file.kind in (FileKind.MASK, FileKind.EMPTY)]
    yield row("Masked by", words("others, not by maskbot: {}", join(paths)))


def _past_request(request: Request, now: datetime) -> Markup:
    age = unit_state.span((now - request.asked_at).total_seconds())
    who = mention(request.ask.requester, request.ask.requester_name)
    said = words("{} ago: {}, {}", age, title(request), _end(request))
    return join([said, words("by {}", who), *mask_line.reason(request)])


def _end(request: Request) -> str:
    """How a request ended; of a rollout, on how many of its targets it ended as asked."""
    if request.stage is not Stage.DONE:
        return stage_words(request)
    if request.rollout:
        done = request.rollout.with_status(TargetStatus.DONE, TargetStatus.UNDONE, TargetStatus.LOST)
        return f"as asked on {len(done)} of {len(request.rollout.planned)} targets"
    return TITLES[request.target.outcome or Outcome.UNKNOWN].lower()


def in_short(decision: Decision) -> Markup:
    """The decision in one line."""
    match decision:
        case Allow(because=because):
            return words("needs no approval: {}", because)
        case NeedsApproval(rule=rule):
            who = who_may(decision.need, decision.groups, distinct=decision.distinct)
            return words("needs {} (rule {})", who, rule)
        case Refuse(reason=reason, hint=hint):
            return words("no. {} {}", escape(reason, width=500), escape(hint, width=500))
        case _:
            assert_never(decision)


def _decision_rows(decision: Decision) -> Iterator[Markup]:
    yield row("Answer", in_short(decision))
    if not isinstance(decision, NeedsApproval):
        return
    yield from calendar_and_limits.rows(decision.raised)
    yield from on_call(decision.on_call)
    yield from _routing_rows(decision.routing)
    if decision.guarded:
        yield row("Guarded", words("{}. The approver must confirm that console access works today", decision.guarded))
    yield from step_up.rows(is_needed=decision.step_up)


def _routing_rows(routing: Routing) -> Iterator[Markup]:
    """Where people would be told of it; this mentions nobody."""
    if routing.card_channel:
        yield row("Card", words("in {}", in_channel(routing.card_channel)))
    if routing.mention:
        yield row("Notifies", join(f"@{group}" for group in routing.mention))
    if routing.tell:
        yield row("Also in", join(in_channel(channel) for channel in routing.tell))


def _rule(one: Explanation) -> Markup:
    not_now = "not exceeded: " if one.step == LIMITS else "does not match: "
    return words("• {} (line {}): {}{}", one.step, one.line, "" if one.applies else not_now, one.why)


def _sections(name: str, lines: Sequence[Markup]) -> list[Block]:
    """At most three sections for the lines: a message has its limit."""
    size, most = 15, 45
    groups = [lines[start : start + size] for start in range(0, min(len(lines), most), size)]
    blocks = [section(f"{name}-{number}", group) for number, group in enumerate(groups, 1)]
    more = [section(f"{name}-more", [f"… {len(lines) - most} more"])] if len(lines) > most else []
    return [*blocks, *more]
