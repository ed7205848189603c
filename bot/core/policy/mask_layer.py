"""Choose the layer in which a mask takes effect, or say why none would: systemctl exits 0 in both cases."""

from pathlib import PurePosixPath

from bot.core.policy.model import Refuse
from bot.core.requests import Change, Request, Verb
from bot.core.requests.plan import plan_digest
from bot.core.systemd.aliases import subject
from bot.core.systemd.search_path import PACKAGED, folder_of, rank
from bot.core.systemd.units import FileKind, Layer, Snapshot

# Files that somebody put there: a mask cannot take their place, and they hide a mask in a lower layer.
_IN_THE_WAY = (FileKind.FILE, FileKind.LINK, FileKind.EMPTY, FileKind.OTHER)
_CONTROL_FOLDERS = ("system.control", "user.control")
CONTROL_RIGHT = "control"


def choose_layer(change: Change, snapshot: Snapshot) -> Layer | Refuse:
    """The layer for the link of a MASK, or why none would work; for an UNMASK the highest layer that holds a mask.

    Measured for every kind of unit, see docs/systemd.md. `snapshot` must come from a full look.
    """
    if change.verb is Verb.UNMASK or change.adopt:
        return _layer_to_clear(change, snapshot)
    refusal = _cannot_be_masked(change, snapshot)
    if refusal is not None:
        return refusal
    return _runtime_layer(change, snapshot) if change.runtime else _lasting_layer(change, snapshot)


def _cannot_be_masked(change: Change, snapshot: Snapshot) -> Refuse | None:
    """`systemctl mask` exits 0 for all of these units, and --now even stops them, but none of them ever gets masked."""
    unit = snapshot.id
    if snapshot.perpetual:
        return Refuse("perpetual", f"{unit} is part of systemd itself: it runs as long as {change.host} does.")
    folder = PurePosixPath(snapshot.fragment).parent
    if snapshot.transient or folder.name == "transient":
        hint = "Stop it instead: once stopped, it is gone."
        return Refuse("transient", f"{unit} is transient and has no unit file: a mask would not last.", hint)
    if folder.name == "generator.early":
        hint = "Change what it is generated from."
        return Refuse("generated_early", f"{unit} is made by an early generator, which no mask overrides.", hint)
    masked_there = snapshot.layer(Layer.CONTROL).kind is FileKind.MASK
    if not masked_there and (_is_in_the_way(snapshot, Layer.CONTROL) or folder.name in _CONTROL_FOLDERS):
        hint = "Move its unit file out of there first."
        return Refuse("control_file", f"The unit file of {unit} is in {folder}, which no mask overrides.", hint)
    return None


def _runtime_layer(change: Change, snapshot: Snapshot) -> Layer | Refuse:
    unit = snapshot.id
    if above := file_above(snapshot, Layer.RUNTIME):
        why = f"A mask of {unit} until the next reboot would have no effect: {above} comes first."
        return Refuse("runtime_shadowed", why, "Ask without --runtime.")
    folder = PurePosixPath(snapshot.layer(Layer.PERSISTENT).path).parent
    if _is_in_the_way(snapshot, Layer.PERSISTENT):
        why = f"A mask of {unit} until the next reboot would have no effect: its unit file in {folder} comes first."
        return Refuse("runtime_shadowed", why, "Ask without --runtime.")
    if _is_in_the_way(snapshot, Layer.RUNTIME):
        there = PurePosixPath(snapshot.layer(Layer.RUNTIME).path).parent
        why = f"The unit file of {unit} is in {there} itself, where a mask until the next reboot would have to go."
        return Refuse("runtime_file", why, "Ask without --runtime.")
    return Layer.RUNTIME


def _lasting_layer(change: Change, snapshot: Snapshot) -> Layer | Refuse:
    """The persistent layer; but a unit file of the administrator is masked one layer higher, where that is allowed."""
    if first := file_above(snapshot, Layer.PERSISTENT):
        hint = "Whoever put that file there has to remove it first."
        return Refuse("shadowed", f"A mask of {snapshot.id} would have no effect: {first} comes first.", hint)
    if not _is_in_the_way(snapshot, Layer.PERSISTENT):
        return Layer.PERSISTENT
    folder = PurePosixPath(snapshot.layer(Layer.PERSISTENT).path).parent
    if change.user:
        why = f"The unit file of {snapshot.id} is in {folder} itself, where systemctl cannot put a mask."
        return Refuse("needs_control_layer", why, f"{change.user} can rename that file, or disable and stop the unit.")
    if snapshot.around is not None and CONTROL_RIGHT in snapshot.around.rights:
        return Layer.CONTROL
    above = PurePosixPath(snapshot.layer(Layer.CONTROL).path).parent
    why = f"The unit file of {snapshot.id} is in {folder} itself, where systemctl cannot put a mask."
    hint = f"It can be masked in {above} once {change.host} lets the bot do that: docs/operations.md says how."
    return Refuse("needs_control_layer", why, hint)


def _layer_to_clear(change: Change, snapshot: Snapshot) -> Layer | Refuse:
    if not snapshot.mask_layers:
        return Refuse("not_masked", f"{snapshot.id} is not masked on {change.host}.")
    return min(snapshot.mask_layers, key=list(Layer).index)


def file_above(snapshot: Snapshot, layer: Layer) -> str:
    """The file that systemd reads instead of a mask in that layer; empty if there is none.

    Another mask does not count.
    """
    ours = rank(snapshot.layer(layer).path)
    found = (file for file in snapshot.elsewhere if rank(file.path) < ours and file.kind is not FileKind.MASK)
    return next((file.path for file in found), "")


def where_masked(snapshot: Snapshot) -> str:
    """Where a masked unit has its mask, in words: the layers that hold one, or else the file that systemd uses."""
    folder = folder_of(snapshot.fragment)
    if snapshot.mask_layers:
        return " and ".join(snapshot.mask_layers)
    if folder in PACKAGED:
        return "by its package"
    if folder.rpartition("/")[2].startswith("generator"):
        return "since it was booted: by a generator, or the kernel's command line (systemd.mask=)"
    return f"by {snapshot.fragment}" if snapshot.fragment else "in a way that systemd does not show"


def _is_in_the_way(snapshot: Snapshot, layer: Layer) -> bool:
    return snapshot.layer(layer).kind in _IN_THE_WAY


def with_plan(request: Request, seen: Snapshot) -> Request:
    """The request with the unit's real Id, the layer and the plan digest, taken from a full look."""
    layer = choose_layer(request.ask.change, seen)
    chosen = layer if isinstance(layer, Layer) else None
    digest = plan_digest(request.ask.change, seen, chosen)
    unit = seen.id if request.ask.change.verb is Verb.MASK else subject(seen)
    return request.on_target(unit=unit, layer=chosen, digest=digest, planned=seen, before=seen, note="")
