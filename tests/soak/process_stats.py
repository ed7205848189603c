"""Memory, open files and threads of each bot over time, read from proc(5)."""

import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.soak.fleet import Fleet

_PAGE = os.sysconf("SC_PAGE_SIZE")
MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """The state of one process at one moment."""

    at: float
    pid: int
    resident: float  # MB
    files: int
    threads: int


@dataclass(frozen=True, slots=True)
class Quarters:
    """Medians of one value in the first and the last quarter of a process's life, without its first minute."""

    first: float
    last: float


class Meter:
    """Samples every bot at an interval."""

    def __init__(self, fleet: Fleet, *, every: float = 5.0) -> None:
        self._fleet, self._every = fleet, every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.samples: list[list[Sample]] = [[] for _ in fleet.bots]

    def begin(self) -> None:
        """Start sampling."""
        self._thread.start()

    def end(self) -> None:
        """Stop sampling."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            for number, bot in enumerate(self._fleet.bots):
                with suppress(OSError, AssertionError):  # it is dead at this moment
                    self.samples[number].append(_sample(bot.pid))

    def longest_life(self, number: int) -> list[Sample]:
        """The samples of the process of this replica that lived longest."""
        lives: dict[int, list[Sample]] = {}
        for sample in self.samples[number]:
            lives.setdefault(sample.pid, []).append(sample)
        return max(lives.values(), key=len, default=[])


def quarters(life: list[Sample], of: str, *, warm: float = 60.0) -> Quarters:
    """Compare the first and the last quarter of its samples."""
    begun = life[0].at if life else 0.0
    settled = [sample for sample in life if sample.at - begun >= warm] or life
    values = [float(getattr(sample, of)) for sample in settled]
    share = max(1, len(values) // 4)
    return Quarters(median(values[:share]), median(values[-share:])) if values else Quarters(0, 0)


def _sample(pid: int) -> Sample:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    files, threads = (len(os.listdir(f"/proc/{pid}/{what}")) for what in ("fd", "task"))
    return Sample(time.monotonic(), pid, pages * _PAGE / MB, files, threads)
