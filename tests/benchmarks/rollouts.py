"""`python -m tests.benchmarks.rollouts`: what a rollout to many hosts costs a bot: time, memory, database, Slack.

The real workflow and database (SQLite) with hosts of the model, which answer at once: what is measured is the bot. The
model hosts live in the same process; what they take is measured before the bot has anything to do, and subtracted.
With `--real`, eight real hosts share the targets, over SSH: so many units run on each of them.
"""

import argparse
import collections
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.core.cards.blocks import Text
from bot.core.hosts.inventory import Inventory
from bot.core.people.identity import Place
from bot.core.policy.configuration import ConfigSnapshot
from bot.core.requests import Request, Selection, TargetStatus
from bot.core.systemd.units import UnitName
from bot.edges.database import Database, DatabaseLimits
from bot.edges.ssh.guarded import GuardedHosts
from bot.edges.ssh.hosts import SshHosts
from bot.ports import Hosts
from bot.workflow import Timings
from tests.lab.hosts import Lab
from tests.lab.slack.blockrules import MESSAGE_TOTAL, check, total
from tests.lab.sqlite import new_sqlite
from tests.model.hosts import ModelHost, ModelHosts
from tests.workflow.fleet import AnyHost
from tests.workflow.slack import Channels
from tests.workflow.world import POLICY, World, inventory

MEGABYTE = 1024 * 1024
ALLOWED_MEMORY, ALLOWED_EDITS = 300.0, 1  # MB; edits of one card in a second
UNIT = UnitName("worker.service")
NAMES = tuple(f"web-{number}" for number in range(1, 9))  # real hosts
WATCHED = ("progress", "save", "get", "find", "add", "claim", "release", "make_due", "events_about", "mark_delivered")
PATIENCE = 1200.0


class Clocked:
    """Counts the calls of the store's methods, and the time that each takes."""

    def __init__(self, store: Database) -> None:
        self.taken = collections.defaultdict[str, float](float)
        self.calls = collections.Counter[str]()
        self._lock = threading.Lock()
        for name in WATCHED:
            setattr(store, name, self._clocked(name, getattr(store, name)))

    def _clocked(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def clocked(*given: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return method(*given, **named)
            finally:
                with self._lock:
                    self.taken[name] += time.perf_counter() - began
                    self.calls[name] += 1

        return clocked


def main() -> int:
    """Print what one rollout and its undo cost; return 1 if a limit is exceeded."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.rollouts", description=__doc__)
    parser.add_argument("--targets", type=int, default=128)
    parser.add_argument("--waves", default="1,10%,rest")
    parser.add_argument("--real", action="store_true", help="on eight real hosts")
    given = parser.parse_args()
    units = tuple(UnitName(f"many-{one:02}.service") for one in range(given.targets // 8)) if given.real else (UNIT,)
    with tempfile.TemporaryDirectory() as folder:
        opened = real_world_of(units, Path(folder)) if given.real else world_of(given.targets, Path(folder))
        with opened as world:
            exceeded = measure(world, units, tuple(given.waves.split(",")))
        size = sum(file.stat().st_size for file in Path(folder).glob("**/*.db*"))
    print(f"  database  {size / MEGABYTE:6.1f} MB, {size / given.targets / 1024:.0f} KB for each target")
    return exceeded


@contextmanager
def world_of(targets: int, folder: Path) -> Iterator[World]:
    """A running bot with so many hosts of the model."""
    hosts: Mapping[str, ModelHost] = {f"web-{number:03}": ModelHost(f"web-{number:03}") for number in range(targets)}
    url, ways = new_sqlite(folder / "var/maskbot.db"), ModelHosts(hosts)
    with working(hosts, url, ways) as world:
        yield world


@contextmanager
def real_world_of(units: Sequence[UnitName], folder: Path) -> Iterator[World]:
    """A running bot with eight real hosts that each run all of the units."""
    with Lab() as lab:
        hosts = lab.boot(NAMES)
        made = "".join(f"cp /root/many.service /usr/lib/systemd/system/{unit}\n" for unit in units)
        start = f"{made}systemctl daemon-reload\nsystemctl start {' '.join(map(str, units))}\n"
        for host in hosts.values():
            host.write("/root/many.service", "[Service]\nExecStart=/usr/bin/sleep infinity\n")
            host.run("sh", "-ec", start, seconds=PATIENCE)
        ways = GuardedHosts(SshHosts(hosts[NAMES[0]].key_file))
        with working(hosts, new_sqlite(folder / "var/maskbot.db"), ways) as world:
            yield world
        ways.close()


@contextmanager
def working(hosts: Mapping[str, AnyHost], url: str, ways: Hosts) -> Iterator[World]:
    """A running bot with these hosts in the group web."""
    world = World(hosts, url, ways=ways, timings=Timings(), database_limits=DatabaseLimits())
    web = tuple(replace(host, groups=frozenset({"web"})) for host in inventory(hosts).hosts)
    world.in_force.put(ConfigSnapshot(Inventory(web), POLICY))
    with world.store.exclusive():
        with world.running():
            yield world
        world.answers.close()


def measure(world: World, units: tuple[UnitName, ...], waves: tuple[str, ...]) -> int:
    """One rollout and its undo; what each took, and the limits."""
    floor, clocked, edits, targets = resident(), Clocked(world.store), _edits(), len(world.hosts) * len(units)
    chosen = Selection(("@web",), units, waves=waves)
    print(f"{targets} targets on {len(world.hosts)} hosts; {floor:.0f} MB before, with what the hosts take here")
    with timed("planned", clocked):
        asked = world.ask_mask(str(units[0]), host="@web", selection=chosen)
        _until(world, asked, lambda now: now.rollout is not None and now.approval is not None)
    world.vote(asked)
    with timed("carried out", clocked):
        done = _until(world, asked, lambda now: now.stage.is_final)
    _all_done(done, targets)
    with timed("undone", clocked):
        undo = world.begin_undo(done)
        undone = _until(world, undo, lambda now: now.stage.is_final)
    _all_done(undone, targets)
    time.sleep(3)
    peak, quickest = resident(peak=True) - floor, _most_in_a_second(edits)
    size = max(total([*said.text.blocks]) for said in list(world.slack.messages.values()) if said.text.blocks)
    threads = collections.Counter(said.mark.split(":")[1] for said in list(world.slack.messages.values()))
    print(f"  memory    {peak:6.0f} MB more at most (limit {ALLOWED_MEMORY:.0f} with a bot's own 100)")
    print(f"  Slack     {len(edits)} edits, at most {quickest} of one card in a second; messages: {dict(threads)},")
    print(f"            the longest in blocks has {size} of {MESSAGE_TOTAL} characters")
    return 0 if peak + 100 < ALLOWED_MEMORY and quickest <= ALLOWED_EDITS else 1


def _all_done(whole: Request, targets: int) -> None:
    found = collections.Counter(one.status for one in whole.rollout.targets) if whole.rollout else {}
    assert found == {TargetStatus.DONE: targets}, found


@contextmanager
def timed(what: str, clocked: Clocked) -> Iterator[None]:
    """Print the time and the CPU of what happens meanwhile, and the most expensive methods of the store."""
    clocked.taken.clear()
    clocked.calls.clear()
    began, cpu = time.monotonic(), time.process_time()
    yield
    print(f"  {what:<12}{time.monotonic() - began:7.1f} s, {time.process_time() - cpu:7.1f} s of CPU", end="; ")
    most = sorted(clocked.taken, key=lambda name: -clocked.taken[name])[:6]
    print(", ".join(f"{name} {clocked.calls[name]}x {clocked.taken[name]:.1f} s" for name in most), flush=True)


def _until(world: World, request: Request, holds: Callable[[Request], bool]) -> Request:
    """Look now and then: a look at a large rollout is not for free."""
    deadline = time.monotonic() + PATIENCE
    while not holds(now := world.store.get(request.id)):
        assert time.monotonic() < deadline, now.rollout
        time.sleep(0.5)
    return now


def _edits() -> list[tuple[float, str]]:
    """When each message was edited, from now on; whatever Slack would refuse ends the benchmark."""
    edits, update, post = list[tuple[float, str]](), Channels.update, Channels.post

    def updated(channels: Channels, channel: str, ts: str, text: Text) -> None:
        _allowed(text)
        edits.append((time.monotonic(), ts))
        update(channels, channel, ts, text)

    def posted(channels: Channels, place: Place, text: Text, *, mark: str) -> str:
        _allowed(text)
        return post(channels, place, text, mark=mark)

    for name, checked in (("update", updated), ("post", posted)):
        setattr(Channels, name, checked)
    return edits


def _allowed(text: Text) -> None:
    """Slack's own rules of a message."""
    if text.blocks and (no := check([*text.blocks]) or total([*text.blocks]) > MESSAGE_TOTAL):
        raise AssertionError(no)


def _most_in_a_second(edits: list[tuple[float, str]]) -> int:
    """Of one message, in any second."""
    return max((sum(1 for at, ts in edits if ts == its and 0 <= at - began < 0.95) for began, its in edits), default=0)


def resident(*, peak: bool = False) -> float:
    """MB of this process."""
    if peak:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


if __name__ == "__main__":
    sys.exit(main())
