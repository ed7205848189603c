"""Check beforehand, without any effect, that the guard on the host may do all that this change needs."""

from bot.core.policy.mask_layer import CONTROL_RIGHT, choose_layer
from bot.core.policy.model import Facts, Policy, Refuse
from bot.core.policy.rules.maskable import would_be_stopped
from bot.core.policy.rules.unmaskable import layers_to_clear
from bot.core.requests import Verb
from bot.core.systemd.guard import NEVER
from bot.core.systemd.units import Layer, Snapshot

_FOREIGN = "foreign-masks"
_BRING_BACK = frozenset({"start", "reset-failed"})


def host_grants_the_rights(facts: Facts, _policy: Policy) -> Refuse | None:
    """The host must grant every right for the change and its undo: half a change is worse than none."""
    snapshot = facts.snapshot
    if snapshot is None or snapshot.around is None:
        return None
    where, rights = facts.host.name, snapshot.around.rights
    if NEVER in rights and facts.request.ask.change.verb is Verb.MASK:
        why = f"{where} itself refuses this unit (host policy); nothing was changed."
        return Refuse("host_policy", why, f"Its guard, which is root's, says: {snapshot.around.spared}.")
    if not rights:
        why = f"sudo or doas on {where} does not let the bot's login call the guard as root; nothing was changed."
        return Refuse("no_rights", why, f"`maskbot doctor {where}` shows what is missing.")
    missing = sorted(_needed_rights(facts, snapshot) - rights)
    if missing == [_FOREIGN]:
        why = f"The guard on {where} does not remove masks that the bot did not make; nothing was changed."
        return Refuse("no_rights", why, "Root there can allow it: `foreign-masks: yes` in /etc/maskbot/guard.conf.")
    if not missing:
        return None
    why = f"The guard on {where} may not do all of this; nothing was changed. It lacks: {', '.join(missing)}."
    return Refuse("no_rights", why, f"`maskbot doctor {where}` shows what is missing.")


def _needed_rights(facts: Facts, snapshot: Snapshot) -> frozenset[str]:
    """The words of `guard.RIGHTS` that the change needs."""
    change = facts.request.ask.change
    if change.verb is Verb.UNMASK or change.adopt:
        is_made_by_us = facts.own_mask is not None and not facts.own_mask.ask.change.adopt
        back = _BRING_BACK if is_made_by_us else frozenset({_FOREIGN})
        return _for_layers(*layers_to_clear(facts, snapshot)) - {"mask"} | back
    if change.force:
        return frozenset({"kill"})
    layer = choose_layer(change, snapshot)
    link = _for_layers(layer) if isinstance(layer, Layer) else frozenset[str]()
    # If the guard refused the start that the proof tries, that refusal would look like the mask's.
    proof = {"stop"} | _BRING_BACK if would_be_stopped(change, snapshot) else {"start"}
    return link | proof


def _for_layers(*layers: Layer) -> frozenset[str]:
    """The rights to make and remove the links, and to reload systemd."""
    words = [{CONTROL_RIGHT} if layer is Layer.CONTROL else {"mask", "unmask"} for layer in layers]
    return frozenset({"reload"}).union(*words)
