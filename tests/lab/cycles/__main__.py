"""Check that an undo restores a host exactly: `python -m tests.lab.cycles`, as root.

Each kind of unit is masked and undone in turn through the bot's own workflow, at least forty times in all (`--cycles
N`; a word runs one kind alone). After each undo the files below /etc/systemd and /run/systemd, all properties of all
units and the timers' next elapses must be as before, or the cards must have said what is not; else it exits 1. Its
findings are in docs/systemd.md.
"""

import argparse
import sys
from itertools import cycle as repeated
from itertools import islice

from tests.lab.cycles.cycle import bot, cycle, prepare
from tests.lab.cycles.units import KINDS
from tests.lab.hosts import Lab
from tests.workflow.invariants import violations

CYCLES = 40


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
        prepare(host)
        print(host.run("systemctl", "--version").stdout.partition("\n")[0])
        print(
            "| kind | mask | undo | different, and said before: said after | not said |\n|---|---|---|---|---|",
            flush=True,
        )
        with bot(host) as world:
            for kind in islice(repeated(kinds), count):
                left, _ = cycle(world, host, kind)
                faults += len(left)
                for line in left:
                    print(f"    {line}", flush=True)
            faults += len(broken := violations(world))
    print(f"{count} cycles, {faults} faults", *broken, sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
