"""Whether there is a mask that can be removed, and whether its removal destroys nothing."""

from bot.core.policy.mask_layer import where_masked
from bot.core.policy.model import Facts, Policy, Refuse
from bot.core.policy.rules.permission import hold_to_lift
from bot.core.requests import Verb
from bot.core.systemd.units import FileKind, Layer, LoadState, Snapshot


def there_is_a_mask(facts: Facts, _policy: Policy) -> Refuse | None:
    """There must be a mask, or a unit that we stopped without masking it: that is restored too.

    A hold counts until it is lifted, also while its mask is off the host.
    """
    snapshot = facts.snapshot
    if snapshot is None or not _unmasks(facts) or snapshot.mask_layers or _half_done(facts) or hold_to_lift(facts):
        return None
    where = facts.host.name
    if snapshot.load is not LoadState.MASKED:
        return Refuse("not_masked", f"{snapshot.id} is not masked on {where}.")
    why = f"{snapshot.id} is masked on {where} {where_masked(snapshot)}, which no unmask removes."
    return Refuse("vendor_masked", why, f"Only whoever put {snapshot.fragment or 'its mask'} there can change that.")


def mask_is_a_link(facts: Facts, _policy: Policy) -> Refuse | None:
    """An empty unit file masks as well, and `systemctl unmask` would delete it (measured): it is somebody's file."""
    snapshot = facts.snapshot
    if snapshot is None or not _unmasks(facts):
        return None
    layers = layers_to_clear(facts, snapshot)
    empty = next((file for file in snapshot.layers if file.layer in layers and file.kind is FileKind.EMPTY), None)
    if empty is None:
        return None
    why = f"{snapshot.id} is masked by the empty file {empty.path}, and an unmask would delete that file."
    return Refuse("empty_file", why, "Whoever made that file must fill or remove it.")


def layers_to_clear(facts: Facts, snapshot: Snapshot) -> tuple[Layer, ...]:
    """The layer of our own mask and no other; for a foreign mask every layer that holds one."""
    own = facts.own_mask.target.layer if facts.own_mask else None
    return (own,) if own else snapshot.mask_layers


def _unmasks(facts: Facts) -> bool:
    return facts.request.ask.change.verb is Verb.UNMASK


def _half_done(facts: Facts) -> bool:
    own = facts.own_mask
    return own is not None and own.can_be_undone and not own.is_live_mask
