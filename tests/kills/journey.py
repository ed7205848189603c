"""One mask from its request to the end of its hour, in which a bot is killed at every moment, one after the other."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from bot.core.requests import Outcome, Request
from bot.edges.clock import SystemClock
from tests.kills.mortal import UNIT
from tests.kills.points import MOMENTS
from tests.kills.rounds import Lane, Life
from tests.lab.hosts import LabHost

# Beside K0 to K12: what else a change does that somebody outside can see. What a command did is not asked for again, so
# each is survived once after it was sent; a try to start three times, and that is at `after start`, K9 and K12.
_CHANGE = (
    "before look",
    "after look",
    "before stop",
    "before daemon-reload",
    "after daemon-reload",
    "after start",
    "before post line",
    "after post line",
    "before post evidence",
    "after post evidence",
    "before update",
)
OF_A_MASK = (*chain.from_iterable(MOMENTS.values()), *_CHANGE)
# Nobody asks for an end, and nobody approves it: the bot itself does it, by a request of its own.
OF_AN_END = (
    "before look",
    "after look",
    "before add",
    "after add",
    "before post card",
    "after post card",
    "after save running",
    "append exec.intent",
    "before unmask",
    "after unmask",
    "before save exec.result",
    "before daemon-reload",
    "after daemon-reload",
    "before start",
    "after start",
    "append request.finished",
    "after save done",
    "before post line",
    "after post line",
    "before update",
    "after update UNMASKED, AS BEFORE",
    "after update UNDONE",
)
CARDS = ["UNDONE · worker.service on", "UNMASKED, AS BEFORE · worker.service on"]


def journey(lane: Lane) -> Iterator[str]:
    """Every promise that was broken on the way, in words."""
    before, stops = _states(lane.host), _own_stops(lane.host)
    with lane.life(OF_A_MASK) as life:
        broken = [*life.promises_broken()]
        yield from broken
        if broken:
            return
        if (stopped := _own_stops(lane.host) - stops) != 1:
            yield f"the unit's own stop command ran {stopped} times"
        lane.death.wait_for(OF_AN_END)
        try:
            back = _its_hour_passes(life)
        except TimeoutError as late:
            yield f"I6: {late}; the bots said: {(lane.folder / 'log').read_text()[-1500:]}"
            return
        yield from _brought_back(life, back)
        if (now := _states(lane.host)) != before:
            yield f"I3: {before} was so before the mask, and after it {now}"


def _its_hour_passes(life: Life) -> Request:
    """Its end is due now, and comes; the bot's own request for it, once all is said."""
    (mask,) = life.requests()
    now = SystemClock().now()
    life.store.save(replace(mask, aftercare=replace(mask.aftercare, expires_at=now), due_at=now))
    life.until(lambda: bool(life.store.get(mask.id).undone_by), "an end of the mask")
    life.until(lambda: life.is_said(CARDS[0]) and life.is_said(CARDS[1]), "two final cards")
    (back,) = (one for one in life.requests() if one.ask.undoes == mask.id)
    return back


def _brought_back(life: Life, back: Request) -> Iterator[str]:
    if back.target.outcome is not Outcome.RESTORED:
        yield f"I3: {back.target.outcome} is stored; {back.target.note} {back.because}"
    cards = sorted(text for mark, text in life.messages() if mark.endswith(":card"))
    if len(cards) != len(CARDS) or not all(map(str.startswith, cards, CARDS)):
        yield f"I4: the cards are {cards}"
    steps = [record["data"]["step"] for record in life.store.records() if record["type"] == "exec.intent"]
    if missing := {"link", "stop", "reload", "try-start"} - {*steps}:
        yield f"I2: {missing} are not on record"
    if (starts := steps.count(f"start {UNIT}")) != 2:
        yield f"{starts} starts are on record: the first was not sent, and the second must not be repeated"
    yield from life.checked()


def _states(host: LabHost) -> list[dict[str, str]]:
    """The unit, and what stops with it."""
    asked_of = ("LoadState", "ActiveState", "UnitFileState")
    return [host.show(unit, *asked_of) for unit in (str(UNIT), "metrics.service")]


def _own_stops(host: LabHost) -> int:
    """How often the unit's own stop command has run."""
    return host.run("sh", "-c", "cat /var/lib/lab/worker.stopped 2>/dev/null").stdout.count("stopped")
