"""Write docs/soak.md from a run: what was done, what broke, what it cost."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from tests.kills.points import POINTS
from tests.kills.rounds import Round
from tests.soak.process_stats import quarters
from tests.soak.run import Soaked

PAGE = Path(__file__).parents[2] / "docs" / "soak.md"
HEAD = """\
# What holds up over time

Each part comes from a run of its own of `script/soak`. What a run found was fixed before the next one. Processes, sshd,
systemd and databases are real.
"""
_SOAK = """\
Run on {today}: {minutes} minutes, {rate} request a second over {targets} targets on three hosts, {replicas} replicas on
PostgreSQL, a fault every {fault_every} s and a replica killed or frozen every {kill_every} s on average (seed {seed}).
Only replica 0 is killed; the others run all the time. The last request was over {settled} s after traffic stopped.

Checked for every request:

- The audit chain verifies, and every change that the guard logged on a host was recorded before it was sent (I2).
- The stored outcome is what systemd shows (I3).
- There is one card, which shows the outcome, and no message was posted twice (I4).
- No secret is in messages and logs (I5).
- The request is over, and work never stood still for a lease and 60 s (I6).
- Whatever was acknowledged is exactly one request.

Whether each command followed a look that showed the need for it (I1) is checked in the kills, where every look is
recorded.
"""
_KILLS = """\
Run on {today}: {total} kills, {per_point} wanted at each point on each database. Somebody asks for a mask, a bot kills
itself at the point (SIGKILL), and the work goes on; then I1 to I6 are checked. On SQLite there is one process, which is
started again. On PostgreSQL there are two: either dies, the other takes over, and the dead one is started again.

I1 (a look showed the need) is checked for each process by itself, because leases last only three seconds here. A
process that a busy machine starves for longer loses its claim, possibly between its look and its command. Then
both processes send what their own look showed, as [operations.md](operations.md) says of bots that freeze.
"""
_PART = re.compile(r"\n(?=## )")


def write_part(title: str, lines: Iterator[str], page: Path = PAGE) -> None:
    """Replace the part of the page that has this title, or add it."""
    old = _PART.split(page.read_text())[1:] if page.exists() else []
    parts = {part.partition("\n")[0]: part.rstrip() + "\n" for part in old}
    parts[f"## {title}"] = f"## {title}\n\n" + "".join(f"{line}\n" for line in lines)
    page.write_text(HEAD + "".join(f"\n{parts[name]}" for name in sorted(parts, reverse=True)))


def of_soak(soaked: Soaked) -> Iterator[str]:
    """The report of a soak, in words and numbers."""
    plan = soaked.plan
    yield _SOAK.format(
        today=_today(),
        minutes=f"{plan.seconds / 60:.0f}",
        rate=f"{1 / plan.every:g}",
        fault_every=f"{plan.fault_every:g}",
        kill_every=f"{plan.kill_every:g}",
        seed=plan.seed,
        targets=soaked.targets,
        replicas=soaked.replicas,
        settled=f"{soaked.settled_after:.0f}",
    )
    yield f"**Promises broken: {len(soaked.broken)}**"
    yield from (f"- {line}" for line in soaked.broken[:50])
    yield ""
    yield from _table("what people did", soaked.counts)
    yield from _table("how requests ended", soaked.outcomes)
    yield from _table("what went wrong meanwhile", soaked.disturbances)
    yield from _costs(soaked)
    if soaked.troubles:
        yield ""
        yield f"{len(soaked.troubles)} attempts to break something failed by themselves, like:"
        yield f"`{soaked.troubles[0][:100]}`."


def _costs(soaked: Soaked) -> Iterator[str]:
    yield "| replica (its longest life) | minutes | memory, first and last quarter | open files | threads |"
    yield "|---|---|---|---|---|"
    for number in range(soaked.replicas):
        life = soaked.meter.longest_life(number)
        minutes = (life[-1].at - life[0].at) / 60 if life else 0
        memory, files, threads = (quarters(life, of) for of in ("resident", "files", "threads"))
        yield (
            f"| {number} | {minutes:.1f} | {memory.first:.1f} and {memory.last:.1f} MB | {files.first:.0f} and "
            f"{files.last:.0f} | {threads.first:.0f} and {threads.last:.0f} |"
        )


def of_kills(rounds: Mapping[str, list[Round]], per_point: int) -> Iterator[str]:
    """The table of kills: by point and database, how many kept every promise."""
    total = sum(len(done) for done in rounds.values())
    broken = [(name, one) for name, done in rounds.items() for one in done if one.broken]
    yield _KILLS.format(today=_today(), total=total, per_point=per_point)
    yield f"**Promises broken: {len(broken)}**"
    yield from (f"- {name}, {one.point}: {'; '.join(one.broken)}"[:400] for name, one in broken[:50])
    yield ""
    yield f"| point | killed when | {' | '.join(f'{name}: kept, of' for name in rounds)} |"
    yield f"|---|---|{'---|' * len(rounds)}"
    for point, when in POINTS.items():
        cells = [[one for one in done if one.point == point] for done in rounds.values()]
        if not any(cells):
            continue
        kept = " | ".join(f"{sum(not one.broken for one in cell)} of {len(cell)}" for cell in cells)
        yield f"| {point} | {when} | {kept} |"


def _table(title: str, counts: Counter[str]) -> Iterator[str]:
    yield f"| {title} | times |"
    yield "|---|---|"
    yield from (f"| {name} | {times} |" for name, times in counts.most_common())
    yield ""


def _today() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
