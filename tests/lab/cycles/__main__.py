"""Check that an undo restores a host exactly: `python -m tests.lab.cycles`, as root.

Each kind of unit is masked and undone in turn through the bot's own workflow, at least forty times in all (`--cycles
N`; a word runs one kind alone). After each undo the files below /etc/systemd and /run/systemd, all properties of all
units and the timers' next elapses must be as before, or the cards must have said what is not; else it exits 1. Its
findings are in docs/systemd.md.
"""

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import cycle, islice

from bot.core.cards import render
from bot.edges.ssh.guarded import GuardedHosts
from bot.edges.ssh.hosts import SshHosts
from tests.lab.cycles.picture import Picture, take
from tests.lab.cycles.units import ALWAYS, FILES, KINDS, PREPARED, Kind
from tests.lab.hosts import Lab, LabHost
from tests.workflow.invariants import violations
from tests.workflow.slack import words
from tests.workflow.world import World

CYCLES = 40
_SETTLE = 5.0  # seconds until systemd unloads unreferenced units, and closes the sessions of logins


def main() -> int:
    """Print a line for each cycle, with differences that no card announced."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.cycles", description=__doc__)
    parser.add_argument("--cycles", type=int, default=max(CYCLES, len(KINDS)))
    parser.add_argument("only", nargs="*", help="parts of kinds, or of units' names")
    given = parser.parse_args()
    kinds = [kind for kind in KINDS if not given.only or any(one in f"{kind.what} {kind.unit}" for one in given.only)]
    count = len(kinds) if given.only else given.cycles
    faults = 0
    with Lab() as lab:
        (host,) = lab.boot(["web-01"]).values()
        _prepare(host)
        print(host.run("systemctl", "--version").stdout.partition("\n")[0])
        print(
            "| kind | mask | undo | different, and said before: said after | not said |\n|---|---|---|---|---|",
            flush=True,
        )
        with _bot(host) as world:
            for kind in islice(cycle(kinds), count):
                left = _cycle(world, host, kind)
                faults += len(left)
                for line in left:
                    print(f"    {line}", flush=True)
            faults += len(broken := violations(world))
    print(f"{count} cycles, {faults} faults", *broken, sep="\n")
    return 1 if faults else 0


def _prepare(host: LabHost) -> None:
    for path, text in FILES.items():
        host.write(path, text)
    done = host.run("sh", "-c", PREPARED, seconds=60)
    if "cyc-failed" not in host.run("systemctl", "--failed", "--plain", "--no-legend").stdout:
        raise SystemExit(f"the host is not as it should be: {done.stderr}")


@contextmanager
def _bot(host: LabHost) -> Iterator[World]:
    ways = GuardedHosts(SshHosts(host.key_file))
    with tempfile.TemporaryDirectory(prefix="maskbot-cycles-") as folder:
        world = World({host.name: host}, f"sqlite:///{folder}/maskbot.db", ways=ways)
        with world.store.exclusive(), world.running():
            yield world
            world.answers.close()
    ways.close()


def _cycle(world: World, host: LabHost, kind: Kind) -> list[str]:
    """One mask and its undo; return the differences that the card had not announced before the approval."""
    if kind.before:
        host.run("sh", "-c", kind.before)
    before = take(host)
    asked = world.mask(kind.unit, **kind.options)
    said = words(render(asked, now=world.clock.now()))
    done = world.approve(asked) if not asked.stage.is_final else asked
    back = world.undo(done) if done.is_live_mask else done
    left, told = _settled(before, host, {**ALWAYS, **kind.lost}, said)
    outcomes = done.target.outcome or done.because, back.target.outcome
    print(f"| {kind.what} | {outcomes[0]} | {outcomes[1]} | {told}: {back.target.note} | {len(left)} |", flush=True)
    return left


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


if __name__ == "__main__":
    sys.exit(main())
