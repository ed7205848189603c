"""Check beforehand, without any effect, that sudo on the host allows all that this change needs."""

from bot.core.policy.mask_layer import CONTROL_RIGHT, choose_layer
from bot.core.policy.model import Facts, Policy, Refuse
from bot.core.policy.rules.maskable import would_be_stopped
from bot.core.policy.rules.unmaskable import layers_to_clear
from bot.core.requests import Verb
from bot.core.systemd.sudo_rights_script import NEVER
from bot.core.systemd.units import Layer, Snapshot

_BRING_BACK = frozenset({"start", "reset-failed"})


def host_grants_the_rights(facts: Facts, _policy: Policy) -> Refuse | None:
    """The host must grant every right for the change and its undo: half a change is worse than none."""
    snapshot = facts.snapshot
    if snapshot is None or snapshot.around is None:
        return None
    if NEVER in snapshot.around.rights and facts.request.ask.change.verb is Verb.MASK:
        why = f"{facts.host.name} itself refuses this unit (host policy); nothing was changed."
        return Refuse(
            "host_policy", why, "The guard on that host has a critical list of its own; only root can change it."
        )
    missing = sorted(_needed_rights(facts, snapshot) - snapshot.around.rights)
    if not missing:
        return None
    where, unit = facts.host.name, snapshot.id
    if "\\" in unit.text and "reload" in snapshot.around.rights:
        why = f"sudo on {where} does not allow escaped unit names like {unit}; nothing was changed."
        return Refuse(
            "no_rights",
            why,
            "Its sudoers lines are from an older version; `maskbot guard --sudoers` prints the new ones.",
        )
    why = f"The bot may not do this on {where}; nothing was changed. sudo there does not allow: {', '.join(missing)}."
    return Refuse("no_rights", why, f"`maskbot doctor {where}` shows what is missing.")


def _needed_rights(facts: Facts, snapshot: Snapshot) -> frozenset[str]:
    """The keys of `systemctl.RIGHTS` that the change needs."""
    change = facts.request.ask.change
    if change.verb is Verb.UNMASK:
        back = _BRING_BACK if facts.own_mask else frozenset[str]()
        return _for_layers(*layers_to_clear(facts, snapshot)) - {"mask"} | back
    if change.force:
        return frozenset({"kill"})
    layer = choose_layer(change, snapshot)
    link = _for_layers(layer) if isinstance(layer, Layer) else frozenset[str]()
    # If sudo refused the start that the proof tries, that refusal would look like the mask's.
    proof = {"stop"} | _BRING_BACK if would_be_stopped(change, snapshot) else {"start"}
    return link | proof


def _for_layers(*layers: Layer) -> frozenset[str]:
    """The rights to make and remove the links, and to reload systemd."""
    words = [{CONTROL_RIGHT} if layer is Layer.CONTROL else {"mask", "unmask"} for layer in layers]
    return frozenset({"reload"}).union(*words)
