"""Read where the bot itself runs: the boot of its machine, its control groups, and whether it is in a container."""

from pathlib import Path

from bot.core.systemd.own_machine import OwnMachine

# What container engines leave inside (systemd's own detection, src/basic/virt.c, reads the same marks), and the control
# groups that they make where the container has no namespace of its own for these.
_MARKS = (".dockerenv", "run/.containerenv", "run/systemd/container")
_GROUPS = ("/docker", "/libpod", "/kubepods", "/crio", "/cri-containerd", "/lxc", "/machine.slice", ".scope/container")
_UNIT = (".service", ".socket", ".scope")


def read_own_machine(root: Path = Path("/")) -> OwnMachine:
    """Where the bot runs; empty where the kernel does not say, as on a system without /proc."""
    try:
        boot_id = (root / "proc/sys/kernel/random/boot_id").read_text().strip()
        paths = [line.split(":", 2)[2] for line in (root / "proc/self/cgroup").read_text().splitlines()]
    except OSError:
        return OwnMachine()
    parts = {part for path in paths for part in path.split("/")}
    marked = any((root / mark).exists() for mark in _MARKS)
    grouped = any(group in path for path in paths for group in _GROUPS)
    return OwnMachine(boot_id, frozenset(part for part in parts if part.endswith(_UNIT)), marked or grouped)
