"""Requests, decisions and snapshots as JSON for programs. Existing keys stay; new ones may be added."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.core.drift import HostView, MaskEntry, MaskInventory
from bot.core.kill_switch import KillSwitchState
from bot.core.people.identity import PersonId, Shift
from bot.core.policy.model import Allow, Decision, Explanation, NeedsApproval, Refuse
from bot.core.policy.rules.approvers import Approvers
from bot.core.requests import Approval, BreakGlass, ExtraApprovalReason, Request, ScheduledWindow, Sent, Vote
from bot.core.systemd.units import Snapshot
from handlers.json_rollout import rollout

Shown = dict[str, Any]


def request(stored: Request) -> Shown:
    """A request. Times are ISO 8601 in UTC; `outcome` is None until it is known; `before` is the first look."""
    target, ask = stored.target, stored.ask
    return {
        "id": stored.id,
        "change": ask.words,
        "verb": str(ask.change.verb),
        "host": target.host,
        "unit": str(target.unit),
        "reason": ask.reason,
        "hosts": _hosts(stored),
        "rollout": rollout(stored.rollout, ask.selection) if stored.rollout else None,
        "requester": ask.requester_name,
        "owner": stored.owner_name,
        "stage": str(stored.stage),
        "outcome": str(target.outcome) if target.outcome else None,
        "because": stored.because,
        "note": target.note,
        "asked_at": stored.asked_at.isoformat(),
        "finished_at": stored.finished_at.isoformat() if stored.finished_at else None,
        "scheduled_window": _window(ask.change.scheduled_window) if ask.change.scheduled_window else None,
        "approval": _approval(stored.approval) if stored.approval else None,
        "votes": [_vote(vote) for vote in stored.votes],
        "counted": stored.have,
        "changed_since": list(stored.changed_since),
        "layer": str(target.layer) if target.layer else None,
        "plan": target.digest,
        "commands": [_command(sent) for sent in target.sent],
        "unknown_since": target.unknown_since.isoformat() if target.unknown_since else None,
        "before": snapshot(target.before),
        "after": snapshot(target.after),
        "expires_at": stored.aftercare.expires_at.isoformat() if stored.aftercare.expires_at else None,
        "hold": _hold(stored) if stored.hold or stored.ask.change.hold else None,
        "overdue": stored.aftercare.overdue or None,
        "break_glass": _break_glass(stored.break_glass) if stored.break_glass else None,
        "undoes": ask.undoes or None,
        "forces": ask.forces or None,
        "undone_by": stored.undone_by or None,
        "lost": str(stored.drift.lost) if stored.drift.lost else None,
    }


def kill_switch(state: KillSwitchState) -> Shown | None:
    """The kill switch: who stopped new masks, and who asked to thaw; None while it is off."""
    if state.kill_switch is None:
        return None
    return {
        "by": state.kill_switch.by_name,
        "reason": state.kill_switch.reason,
        "since": state.kill_switch.since.isoformat(),
        "off_requested_by": [one.name for one in state.turn_off_requests],
    }


def snapshot(seen: Snapshot | None) -> Shown | None:
    """A unit at one moment, in systemd's own words; `masked_in` are the layers that hold a mask."""
    if seen is None:
        return None
    return {
        "unit": str(seen.id),
        "names": sorted(seen.names),
        "load": str(seen.load),
        "active": str(seen.active),
        "sub": seen.sub,
        "unit_file": seen.file_state,
        "file": seen.fragment,
        "is_masked": seen.is_masked,
        "masked_in": [str(layer) for layer in seen.mask_layers],
        "machine_id": seen.machine_id,
    }


def mask_inventory(inventory: MaskInventory) -> Shown:
    """Every mask, ours with its `request`; and when each host was scanned last, or since when it does not answer."""
    return {
        "masks": [_entry(entry) for entry in inventory.entries],
        "hosts": [_host_view(view) for view in inventory.host_views],
        "sign_offs_owed": [request(one) for one in inventory.sign_offs],
    }


def handover(inventory: MaskInventory) -> Shown:
    """The handover: everything that the next on-call has to know."""
    return {
        "waiting": [request(one) for one in inventory.waiting],
        "running": [request(one) for one in inventory.running],
        **mask_inventory(inventory),
    }


def _entry(entry: MaskEntry) -> Shown:
    """`made_at` is by the host's own clock; None if no look has seen the mask.

    `unrecorded` is the request for which the guard made a mask of ours that is not on record.
    """
    found = entry.found
    return {
        "host": entry.host,
        "unit": entry.unit,
        "ours": entry.is_ours,
        "unrecorded": entry.unrecorded.request if entry.unrecorded else None,
        "path": found.path if found else None,
        "kind": str(found.kind) if found else None,
        "made_at": found.made_at.isoformat() if found else None,
        "load": found.load if found else None,
        "active": found.active if found else None,
        "request": request(entry.request) if entry.request else None,
    }


def _host_view(view: HostView) -> Shown:
    scan, unreachable = view.scan, view.unreachable
    return {
        "host": view.host,
        "seen_at": view.seen_at.isoformat() if view.seen_at else None,
        "unreachable_since": unreachable.since.isoformat() if unreachable else None,
        "unreachable_because": unreachable.because if unreachable else None,
        "vendor_masks": scan.vendor if scan else None,
        "not_listed": scan.total - len(scan.masks) if scan else None,
        "agents": list(scan.agents) if scan else [],
    }


def decision(answer: Decision) -> Shown:
    """The decision: `allow`, `needs_approval` or `refuse`, with the rule or the code, and why."""
    match answer:
        case Allow(rule=rule, because=because):
            return {"answer": "allow", "rule": rule, "because": because}
        case NeedsApproval():
            return {
                "answer": "needs_approval",
                "rule": answer.rule,
                "because": answer.because,
                "need": answer.need,
                "groups": list(answer.groups),
                "distinct": answer.distinct,
                "on_call": [_shift(shift) for shift in answer.on_call],
                "raised": [_extra_approval(one) for one in answer.raised],
                "guarded": answer.guarded or None,
                "step_up": answer.step_up,
            }
        case Refuse(code=code, reason=reason, hint=hint):
            return {"answer": "refuse", "code": code, "because": reason, "hint": hint}


def explanation(steps: Sequence[Explanation]) -> list[Shown]:
    """Every check up to the one that decides, then every rule of the policy file with its line."""
    return [
        {"step": one.step, "applies": one.applies, "why": one.why, "decides": one.decides, "line": one.line or None}
        for one in steps
    ]


def _break_glass(used: BreakGlass) -> Shown:
    """Who used break-glass; `sign_off` is who signed it off, None while that is owed."""
    signed = used.signed
    sign_off = {"by": signed.name, "at": signed.at.isoformat(), "remark": signed.remark} if signed else None
    return {"by": used.name, "at": used.at.isoformat(), "reason": used.reason, "sign_off": sign_off}


def _hold(stored: Request) -> Shown:
    """The hold's owner and review date; `loss` is how its mask was removed."""
    hold, held = stored.hold or stored.ask.change.hold, stored.hold_state
    return {
        "owners": hold.owners if hold else None,
        "review": hold.review.isoformat() if hold else None,
        "loss": str(held.loss) if held.loss else None,
        "why": held.why or None,
        "reapplied_at": [at.isoformat() for at in held.reapplied_at],
    }


def _hosts(stored: Request) -> list[str]:
    """The hosts of a rollout, or the one host that it is about."""
    named = stored.rollout.targets if stored.rollout else ()
    return [*dict.fromkeys(one.host for one in named)] or [stored.target.host]


def _window(window: ScheduledWindow) -> Shown:
    return {"opens": window.opens.isoformat(), "closes": window.closes.isoformat()}


def approvers(groups: Sequence[Approvers], names: Mapping[PersonId, str]) -> list[Shown]:
    """Who could approve, by group; `unknown` says why a group's members are not known."""
    return [
        {
            "group": one.group,
            "people": [{"user": person.user, "name": names.get(person, "")} for person in one.people],
            "on_call": [_shift(shift) for shift in one.shifts],
            "unknown": one.unknown or None,
        }
        for one in groups
    ]


def _approval(asked: Approval) -> Shown:
    return {
        "rule": asked.rule,
        "need": asked.need,
        "groups": list(asked.groups),
        "distinct": asked.distinct,
        "on_call": [_shift(shift) for shift in asked.on_call],
        "raised": [_extra_approval(one) for one in asked.raised],
        "approve_by": asked.approve_by.isoformat(),
        "guarded": asked.guarded or None,
        "step_up": asked.step_up,
    }


def _extra_approval(one: ExtraApprovalReason) -> Shown:
    return {"code": one.code, "why": one.why, "until": one.until.isoformat() if one.until else None}


def _shift(one: Shift) -> Shown:
    return {"user": one.person.user, "name": one.name, "until": one.until.isoformat() if one.until else None}


def _vote(vote: Vote) -> Shown:
    return {
        "voter": vote.voter_name,
        "groups": list(vote.groups),
        "verdict": str(vote.verdict),
        "tally": str(vote.tally),
        "at": vote.at.isoformat(),
        "reason": vote.reason,
        "stepped_up": vote.stepped_up,
    }


def _command(sent: Sent) -> Shown:
    """`exit_code` is None if there was no answer (yet)."""
    said = {"exit_code": sent.exit_code, "millis": sent.millis, "output": sent.output}
    return {"step": sent.step, "argv": list(sent.argv), "at": sent.at.isoformat(), **said}
