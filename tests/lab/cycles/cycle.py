"""One mask and its undo through the bot's own workflow, and what they left different."""

import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bot.core.cards import render
from bot.edges.ssh.guarded import GuardedHosts
from bot.edges.ssh.hosts import SshHosts
from tests.lab.cycles.picture import Picture, take
from tests.lab.cycles.units import ALWAYS, FILES, PREPARED, Kind
from tests.lab.hosts import LabHost
from tests.workflow.slack import words
from tests.workflow.world import World

_SETTLE = 5.0  # seconds until systemd unloads unreferenced units, and closes the sessions of logins


def prepare(host: LabHost) -> None:
    """Make the units of all cycles, once."""
    for path, text in FILES.items():
        host.write(path, text)
    done = host.run("sh", "-c", PREPARED, seconds=60)
    if "cyc-failed" not in host.run("systemctl", "--failed", "--plain", "--no-legend").stdout:
        raise SystemExit(f"the host is not as it should be: {done.stderr}")


@contextmanager
def bot(host: LabHost) -> Iterator[World]:
    """A bot that knows this host."""
    ways = GuardedHosts(SshHosts(host.key_file))
    with tempfile.TemporaryDirectory(prefix="maskbot-cycles-") as folder:
        world = World({host.name: host}, f"sqlite:///{folder}/maskbot.db", ways=ways)
        with world.store.exclusive(), world.running():
            yield world
            world.answers.close()
    ways.close()


def cycle(world: World, host: LabHost, kind: Kind) -> tuple[list[str], tuple[str, str]]:
    """One mask and its undo: the differences that the card had not announced before the approval, and both outcomes."""
    if kind.before:
        host.run("sh", "-c", kind.before)
    before = take(host)
    asked = world.mask(kind.unit, host=host.name, **kind.options)
    said = words(render(asked, now=world.clock.now()))
    done = world.approve(asked) if not asked.stage.is_final else asked
    back = world.undo(done) if done.is_live_mask else done
    left, told = _settled(before, host, {**ALWAYS, **kind.lost}, said)
    outcomes = done.target.outcome or done.because, back.target.outcome
    print(f"| {kind.what} | {outcomes[0]} | {outcomes[1]} | {told}: {back.target.note} | {len(left)} |", flush=True)
    return left, (str(outcomes[0]), str(outcomes[1]))


def _settled(before: Picture, host: LabHost, lost: Mapping[str, str], said: str) -> tuple[list[str], int]:
    """Unannounced differences, once they are stable; and the number of announced ones."""
    patterns = [pattern for pattern, sentence in lost.items() if re.search(sentence, said)]
    deadline = time.monotonic() + _SETTLE
    while True:
        differences = before.differences(take(host))
        left = [one for one in differences if not any(re.search(pattern, one) for pattern in patterns)]
        if not left or time.monotonic() > deadline:
            return left, len(differences) - len(left)
        time.sleep(0.3)
