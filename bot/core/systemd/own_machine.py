"""The machine on which the bot itself runs: a change there can end the bot, which then proves and undoes nothing."""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.core.systemd.host_rules import first_listed

CONTAINER_ENGINES = (
    "docker*", "snap.docker*", "containerd*", "podman*", "crio*", "cri-o*", "cri-docker*", "kubelet*", "snap.kubelet*",
    "k3s*", "k0s*", "rke2*", "microk8s*", "snap.microk8s*", "nomad*", "lxc*", "lxd*", "snap.lxd*", "incus*",
    "systemd-nspawn@*",
)  # fmt: skip
"""Units that run containers. Which of them runs the bot's container cannot be told from within."""


@dataclass(frozen=True, slots=True)
class OwnMachine:
    """Where the bot runs. All containers of one kernel have one boot id, and no other machine has it (random(4))."""

    boot_id: str = ""
    units: frozenset[str] = frozenset()  # those in whose control groups the bot runs
    is_container: bool = False  # then these may be units of the container, and an engine on the machine carries the bot

    def carrier(self, boot_id: str, names: Iterable[str]) -> str:
        """Which of these units carries the bot, or may, on the host with this boot id; empty if none does."""
        names = tuple(names)
        if not self.boot_id or boot_id != self.boot_id:
            return ""
        if own := next((name for name in names if name in self.units), ""):
            return own
        engine = first_listed(CONTAINER_ENGINES, names) if self.is_container else None
        return engine[0] if engine else ""
