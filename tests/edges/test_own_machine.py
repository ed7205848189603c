"""Where the bot itself runs, read from the files that the kernel and container engines leave."""

from pathlib import Path

import pytest

from bot.core.systemd.own_machine import OwnMachine
from bot.edges.own_machine import read_own_machine

BOOT = "0f8b7a58-6a0c-4b43-a3a5-5c6b6a3a1a11"
MACHINES = {
    "a unit": ("0::/system.slice/maskbot.service\n", "", OwnMachine(BOOT, frozenset({"maskbot.service"}))),
    "cgroup v1": (
        "3:memory:/system.slice\n1:name=systemd:/system.slice/maskbot.service\n",
        "",
        OwnMachine(BOOT, frozenset({"maskbot.service"})),
    ),
    "docker": ("0::/\n", ".dockerenv", OwnMachine(BOOT, is_container=True)),
    "podman": ("0::/\n", "run/.containerenv", OwnMachine(BOOT, is_container=True)),
    "kubernetes without a cgroup namespace": (
        "0::/kubepods/besteffort/pod1/2\n",
        "",
        OwnMachine(BOOT, is_container=True),
    ),
}


@pytest.mark.parametrize(("groups", "mark", "expected"), MACHINES.values(), ids=MACHINES)
def test_the_bot_knows_where_it_runs_in(groups: str, mark: str, expected: OwnMachine, tmp_path: Path) -> None:
    files = {"proc/sys/kernel/random/boot_id": f"{BOOT}\n", "proc/self/cgroup": groups}
    for name, text in (files | ({mark: ""} if mark else {})).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert read_own_machine(tmp_path) == expected


def test_the_boot_is_the_kernels_own() -> None:
    assert read_own_machine().boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def test_nothing_is_known_without_proc(tmp_path: Path) -> None:
    assert read_own_machine(tmp_path) == OwnMachine()
