"""Drift: every mask on the hosts, ours and foreign, as each host's watch saw it last, and what changed since."""

from bot.core.drift.compare import ScanDrift, compare, is_remembered, loss, our_masks, with_known_state
from bot.core.drift.host_view import HostOutage, HostView
from bot.core.drift.mask_inventory import MaskEntry, MaskInventory

__all__ = [
    "HostOutage",
    "MaskInventory",
    "MaskEntry",
    "ScanDrift",
    "HostView",
    "compare",
    "is_remembered",
    "loss",
    "our_masks",
    "with_known_state",
]
