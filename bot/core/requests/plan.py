"""The plan that people approve: what the unit is and what would stop with it, its digest, and later differences."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.core.requests import Change, Request, Target
from bot.core.systemd.units import FileKind, Layer, Snapshot


def plan_of(change: Change, snapshot: Snapshot, layer: Layer | None) -> Mapping[str, object]:
    """The parts of the plan by name: only what the unit *is*, never its current state.

    Active state, pids, restart counts and boot are left out on purpose: a unit that crashes in a loop must not void its
    own approval while people read the card. `snapshot` must come from a full look; without a `layer` there is no link
    to make or to remove.
    """
    around = snapshot.around
    if around is None:
        raise ValueError("a plan needs a full look")
    return {
        "the change": [str(change), str(layer or "")],
        "the machine": snapshot.machine_id,
        "the unit's name": str(snapshot.id),
        "its other names": sorted(snapshot.names),
        "what else starts the same file": sorted(snapshot.twins),
        "its unit file": [snapshot.fragment, around.fragment_hash],
        "its drop-ins": sorted(around.drop_ins),
        "its masks": sorted(file.layer for file in snapshot.layers if file.kind is not FileKind.ABSENT),
        "what stops with it": sorted({other.unit for other in around.would_stop} - {*change.beside}),
        "what triggers it": sorted({other.unit for other in around.triggers} - {*change.beside}),
    }


def plan_digest(change: Change, snapshot: Snapshot, layer: Layer | None) -> str:
    """SHA-256 of the plan, in hexadecimal."""
    text = json.dumps(plan_of(change, snapshot, layer), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def kind_digest(change: Change, snapshot: Snapshot, layer: Layer | None) -> str:
    """SHA-256 of the plan but for its machine, and for how long it lasts: the same where the same would be done."""
    anywhere = replace(change, host="", duration=None, hold=None, scheduled_window=None)
    return plan_digest(anywhere, replace(snapshot, machine_id=""), layer)


def differences(approved: Mapping[str, object], found: Mapping[str, object]) -> tuple[str, ...]:
    """The differences from the approved plan, in words; empty when the plan still holds."""
    return tuple(
        f"{name}: {_say(approved[name])} → {_say(found[name])}" for name in found if approved[name] != found[name]
    )


def with_earlier_approvals(request: Request, first: Request, now: datetime) -> Request:
    """A repeated request runs under the approvals of the first, while they are good and the unit is unchanged."""
    if request.ask.by_itself or first.act_by is None or now > first.act_by:
        return request
    if not _is_same_plan(request.ask.change, first.target, request.target):
        return request
    return under_approvals_of(first, request)


def under_approvals_of(first: Request, request: Request) -> Request:
    """The request with the approvals of the first one: its votes or break-glass count for the plan of this one."""
    digest = request.target.digest
    votes = tuple(replace(vote, digest=digest) for vote in first.counted_votes)
    used = replace(first.break_glass, digest=digest) if first.break_glass and first.is_break_glass else None
    return replace(request, votes=votes, break_glass=used, approval=first.approval, act_by=first.act_by)


def _is_same_plan(change: Change, was: Target, is_now: Target) -> bool:
    """Whether nothing differs from the approved plan; our own link may be in place already."""
    if was.before is None or is_now.before is None or was.layer is None or was.layer is not is_now.layer:
        return False
    first, second = plan_of(change, was.before, was.layer), plan_of(change, is_now.before, was.layer)
    return all(first[part] == second[part] for part in first if part != "its masks")


def _say(part: object) -> str:
    """A part of a plan for people; content hashes are cut to their first characters."""
    if isinstance(part, list | tuple):
        return ", ".join(_say(item) for item in part) or "none"
    text = str(part)
    is_hash = len(text) == hashlib.sha256().digest_size * 2
    return (text[:8] if is_hash else text) or "none"
