"""The soak: requests, faults and kills for some time, then all is settled and checked."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from bot.core.requests import Request
from bot.errors import StoreBusy
from tests.soak.disturbances import Disturbances
from tests.soak.fleet import LEASE, Fleet
from tests.soak.process_stats import Meter
from tests.soak.traffic import Traffic
from tests.soak.verdict import Beforehand, find_broken, requests_of


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how hard."""

    seconds: float
    every: float = 1.0  # seconds between two requests
    fault_every: float = 6.0
    kill_every: float = 30.0
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Soaked:
    """What a soak showed."""

    plan: Plan
    counts: Counter[str]  # what people did
    outcomes: Counter[str]  # how the requests ended
    disturbances: Counter[str]  # what went wrong meanwhile
    troubles: list[str]  # of what provokes the faults, not of the bot
    broken: list[str]
    settled_after: float  # seconds from the last request to the end of all
    targets: int
    replicas: int
    meter: Meter


class Meanwhile(Protocol):
    """What happens while people ask, from `begin` to `end`; it counts what it did."""

    counts: Counter[str]
    troubles: list[str]

    def begin(self) -> None: ...

    def end(self) -> None: ...


def soak(
    fleet: Fleet, plan: Plan, say: Callable[[str], None] = lambda _: None, *, meanwhile: Meanwhile | None = None
) -> Soaked:
    """Run traffic with faults and kills, or with `meanwhile`, and check it; hosts stay as the requests left them."""
    chance, before = random.Random(plan.seed), Beforehand.of(fleet)
    traffic, meter = Traffic(fleet, chance), Meter(fleet, every=min(5.0, plan.seconds / 8))
    disturbances = meanwhile or Disturbances(fleet, chance, fault_every=plan.fault_every, kill_every=plan.kill_every)
    meter.begin()
    disturbances.begin()
    try:
        _run_traffic(plan, traffic, disturbances, say)
    finally:
        disturbances.end()
        meter.end()
    settled = _settle(traffic, fleet, say)
    traffic.close()
    broken = find_broken(fleet, traffic, before)
    outcomes = how_they_ended(requests_of(fleet, since=before.at), fleet.desk.records())
    targets, replicas = len(traffic.targets), len(fleet.bots)
    about = (
        traffic.counts,
        outcomes,
        disturbances.counts,
        disturbances.troubles,
        broken,
        settled,
        targets,
        replicas,
        meter,
    )
    return Soaked(plan, *about)


def how_they_ended(requests: Iterable[Request], records: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """By outcome, or by stage and the code of why; the sentence of why names people and units."""
    codes = {(record["request_id"], record["type"]): record["reason_code"] for record in records}

    def ended(request: Request) -> str:
        code = codes.get((request.id, f"request.{request.stage}"))
        return str(request.target.outcome or request.stage) + (f": {code}" if code else "")

    return Counter(map(ended, requests))


def _run_traffic(plan: Plan, traffic: Traffic, disturbances: Meanwhile, say: Callable[[str], None]) -> None:
    began, number, reported = time.monotonic(), 0, 0.0
    while (passed := time.monotonic() - began) < plan.seconds:
        with suppress(StoreBusy):  # PostgreSQL is away for us as well
            traffic.tick(number)
        number += 1
        if passed - reported >= min(30.0, plan.seconds / 4):
            reported = passed
            say(f"{passed:5.0f} s: {dict(traffic.counts)}, {sum(disturbances.counts.values())} faults and kills")
        time.sleep(max(0.0, began + number * plan.every - time.monotonic()))


def _settle(traffic: Traffic, fleet: Fleet, say: Callable[[str], None]) -> float:
    """Wait until all requests are over and all messages sent, or nothing moves for too long; return the seconds."""
    began = moved = time.monotonic()
    before: object = None
    while time.monotonic() - moved < LEASE + 60:
        if traffic.settle() and not fleet.desk.is_anything_due():
            time.sleep(1)  # for messages that are being sent at this moment
            if not fleet.desk.is_anything_due():
                break
        if (now := fleet.desk.head()) != before:
            before, moved = now, time.monotonic()
        time.sleep(0.5)
    settled = time.monotonic() - began
    say(f"settled after {settled:.0f} s")
    return settled
