"""The plan that people approve: what the unit is and what would stop with it, its digest, and later differences."""

import hashlib
import json
from collections.abc import Mapping

from bot.core.requests import Change
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
        "what stops with it": sorted(other.unit for other in around.would_stop),
        "what triggers it": sorted(other.unit for other in around.triggers),
    }


def plan_digest(change: Change, snapshot: Snapshot, layer: Layer | None) -> str:
    """SHA-256 of the plan, in hexadecimal."""
    text = json.dumps(plan_of(change, snapshot, layer), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def differences(approved: Mapping[str, object], found: Mapping[str, object]) -> tuple[str, ...]:
    """The differences from the approved plan, in words; empty when the plan still holds."""
    return tuple(
        f"{name}: {_say(approved[name])} → {_say(found[name])}" for name in found if approved[name] != found[name]
    )


def _say(part: object) -> str:
    """A part of a plan for people; content hashes are cut to their first characters."""
    if isinstance(part, list | tuple):
        return ", ".join(_say(item) for item in part) or "none"
    text = str(part)
    is_hash = len(text) == hashlib.sha256().digest_size * 2
    return (text[:8] if is_hash else text) or "none"
