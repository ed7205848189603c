"""`python -m tests.benchmarks.serial`: a rollout to eight real hosts beside Ansible's `serial:` on the same ones.

Both mask and stop one unit in the waves 1, 1, rest, and bring it back. The bot also looks at each host twice, has the
plan approved, records every step and proves the result; Ansible's `systemd` module checks the state before it acts.
Cold is the first run, without any connection; warm is the next one, with the connections that each keeps by itself
(ControlPersist for Ansible). The CPU is that of the controlling side, on this machine; the hosts' own is not counted.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from bot.core.hosts.inventory import Inventory
from bot.core.policy.configuration import ConfigSnapshot
from bot.core.requests import Request, RolloutRule, Selection
from bot.core.systemd.units import UnitName
from bot.edges.ssh.guarded import GuardedHosts
from bot.edges.ssh.hosts import SshHosts
from bot.workflow import Timings
from tests.lab.hosts import Lab, LabHost
from tests.lab.sqlite import new_sqlite
from tests.workflow.world import POLICY, World, inventory

NAMES = tuple(f"web-{number:02}" for number in range(1, 9))
ANSIBLE = Path(sys.executable).with_name("ansible-playbook")
UNIT = UnitName("worker.service")
PLAY = """\
- hosts: all
  gather_facts: false
  serial: [1, 1, "100%"]
  max_fail_percentage: 0
  tasks:
    - ansible.builtin.systemd: {name: worker, masked: "{{ mask }}", state: "{{ state }}"}
"""
Cost = tuple[float, float]  # seconds, and seconds of CPU


def main() -> None:
    """Print both, cold and warm, and the ratios."""
    with Lab() as lab, tempfile.TemporaryDirectory() as folder:
        hosts = lab.boot(NAMES)
        for host in hosts.values():
            _let_root_in(host)
        rows = {"maskbot": _of_the_bot(hosts, Path(folder)), "ansible": _of_ansible(hosts, Path(folder))}
    print(f"one unit masked on {len(NAMES)} hosts in three waves, and brought back: s (s of CPU)")
    for name, row in rows.items():
        print(f"  {name:<8}", "   ".join(f"{what} {took:6.2f} ({cpu:5.2f})" for what, (took, cpu) in row.items()))
    for part, what in enumerate(("time", "CPU")):
        ratios = {key: rows["maskbot"][key][part] / rows["ansible"][key][part] for key in rows["maskbot"]}
        print(f"  {what:<8}", "   ".join(f"{key} {ratio:6.2f}" for key, ratio in ratios.items()), "  (bot / ansible)")


def _of_the_bot(hosts: Mapping[str, LabHost], folder: Path) -> dict[str, Cost]:
    ways, found = GuardedHosts(SshHosts(hosts[NAMES[0]].key_file)), dict[str, Cost]()
    (rule,) = POLICY.rules
    policy = replace(POLICY, rules=(replace(rule, rollout=RolloutRule(waves=("1", "1", "rest"))),))
    world = World(hosts, new_sqlite(folder / "var/maskbot.db"), ways=ways, policy=policy, timings=Timings())
    web = tuple(replace(host, groups=frozenset({"web"})) for host in inventory(hosts).hosts)
    world.in_force.put(ConfigSnapshot(Inventory(web), policy))
    with world.store.exclusive(), world.running():
        for run in ("cold", "warm"):
            asked = list[Request]()

            found[f"{run} plan"] = _cost(partial(_plan, world, asked))
            found[f"{run} mask"] = _cost(partial(_approve, world, asked))
            found[f"{run} undo"] = _cost(partial(_undo, world, asked))
            done = world.store.get(asked[0].id).rollout
            assert done and {str(one.status) for one in done.targets} == {"undone"}, done
    world.answers.close()
    ways.close()
    for run in ("cold", "warm"):  # what Ansible does: the plan is part of what it takes
        plan_cost, mask = found.pop(f"{run} plan"), found[f"{run} mask"]
        found[f"{run} mask"] = (plan_cost[0] + mask[0], plan_cost[1] + mask[1])
    return found


def _plan(world: World, asked: list[Request]) -> None:
    chosen = Selection(("@web",), (UNIT,))
    asked.append(world.until_answered(world.ask_mask("worker", host="@web", selection=chosen)))


def _approve(world: World, asked: list[Request]) -> None:
    world.approve(asked[0])


def _undo(world: World, asked: list[Request]) -> None:
    world.until_final(world.begin_undo(asked[0]))


def _of_ansible(hosts: Mapping[str, LabHost], folder: Path) -> dict[str, Cost]:
    play, known = folder / "play.yml", folder / "inventory"
    play.write_text(PLAY)
    known.write_text("".join(f"{_line(host)}\n" for host in hosts.values()))
    return {f"{run} {what}": _cost(partial(_play, play, known, folder, what)) for run in ("cold", "warm")
            for what in ("mask", "undo")}  # fmt: skip


def _let_root_in(host: LabHost) -> None:
    """With the same key, for Ansible."""
    host.write("/root/.ssh/authorized_keys", Path(f"{host.key_file}.pub").read_text(), 0o600)
    admit = "s/^AllowUsers.*/AllowUsers maskbot root/; s/^PermitRootLogin.*/PermitRootLogin prohibit-password/"
    host.run("sed", "-i", admit, "/etc/ssh/sshd_config")
    host.run("systemctl", "reload", "ssh")


def _line(host: LabHost) -> str:
    return (
        f"{host.name} ansible_host={host.address} ansible_port={host.port} ansible_user=root"
        f" ansible_ssh_private_key_file={host.key_file} ansible_python_interpreter=/usr/bin/python3"
        f" ansible_ssh_common_args='-F none -o UserKnownHostsFile={host.known_hosts}'"
    )


def _play(play: Path, known: Path, folder: Path, what: str) -> None:
    words = ("mask=true", "state=stopped") if what == "mask" else ("mask=false", "state=started")
    extra = [word for pair in words for word in ("-e", pair)]
    settings = {
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_PIPELINING": "true",
        "ANSIBLE_FORKS": "10",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "cp"),
        "LC_ALL": "C.UTF-8",
    }
    argv = [str(ANSIBLE), "-i", str(known), *extra, str(play)]
    done = subprocess.run(argv, env={**os.environ, **settings}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _cost(work: Callable[[], object]) -> Cost:
    with _clock() as took:
        work()
    return took[0], took[1]


@contextmanager
def _clock() -> Iterator[list[float]]:
    """Seconds, and seconds of CPU of this process and of its children that have ended."""
    took = list[float]()
    began, cpu = time.monotonic(), _cpu()
    yield took
    took += [time.monotonic() - began, _cpu() - cpu]


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    main()
