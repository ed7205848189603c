"""Rollouts as they come about, for reading the cards that they make."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.core.cards.rollout.notes import (
    asked_again,
    continued,
    differs,
    not_in_force,
    paused,
    paused_by_itself,
    retried,
    stopped,
    tries_again,
)
from bot.core.cards.rollout.reasons import TIME_IS_UP, kill_switch_is_on, not_undone, too_few_active
from bot.core.requests import (
    Aftercare,
    Duration,
    Hold,
    KeepActive,
    NewKind,
    Outcome,
    Request,
    Rollout,
    RolloutSettings,
    RolloutTarget,
    Selection,
    Stage,
    TargetStatus,
    Verb,
)
from bot.core.rollout.keep_active import Count
from bot.core.rollout.wave_sizes import in_waves
from bot.core.systemd.units import UnitName
from tests.core.cards.situations import NOW, change, vote, waiting, with_break_glass

NGINX = UnitName("nginx.service")
SETTINGS = RolloutSettings(waves=("1", "2", "rest"), pause=timedelta(minutes=10))
HOLD = Hold("sre", NOW + timedelta(days=90))
TEN_MINUTES = timedelta(minutes=10)


def target(number: int, status: TargetStatus = TargetStatus.READY, **changes: Any) -> RolloutTarget:
    """One target: `web-07`, which ran."""
    plain = RolloutTarget(
        f"web-{number:02}", NGINX, f"r{number}", status, digest="d", state_summary="running, enabled", outcome=""
    )
    if status is TargetStatus.DONE:
        plain = replace(plain, outcome=Outcome.PROVEN.value)
    return replace(plain, **changes)


def rollout(*targets: RolloutTarget, settings: RolloutSettings = SETTINGS, **changes: Any) -> Rollout:
    """A rollout with its targets in waves."""
    return Rollout(settings, in_waves(targets, settings.waves), **changes)


def request(state: Rollout, stage: Stage = Stage.WAITING, **options: Any) -> Request:
    """A request for a rollout; `options` are of its change."""
    asked = waiting(wanted=change("nginx.service", **{"host": "@web"} | options))
    found = replace(
        asked,
        ask=replace(asked.ask, selection=Selection(("@web",), (NGINX,))),
        stage=stage,
        rollout=state,
        target=replace(asked.target, host="@web", unit=NGINX, planned=None, before=None),
    )
    if stage is Stage.WAITING:
        return found
    return replace(
        found,
        votes=(vote(),),
        approved_at=NOW - timedelta(seconds=4),
        act_by=NOW + TEN_MINUTES,
        finished_at=NOW if stage is Stage.DONE else None,
        undo_until=NOW + timedelta(hours=24) if stage is Stage.DONE and found.ask.change.verb is Verb.MASK else None,
    )


def undo(state: Rollout, stage: Stage = Stage.DONE) -> Request:
    """The undo of a whole rollout."""
    found = request(state, stage, verb=Verb.UNMASK)
    allowed = replace(found, votes=(), because="it is the undo of our own mask")
    return replace(allowed, ask=replace(allowed.ask, undoes="r0", reason=""))


def extending(stage: Stage, **options: Any) -> Request:
    """More time for a whole rollout, or another review."""
    found = request(Rollout(), stage, **options)
    after = replace(found.target, outcome=Outcome.EXTENDED) if stage is Stage.DONE else found.target
    return replace(found, ask=replace(found.ask, extends="r0", instead_of=NOW), rollout=None, target=after)


def held_later(stage: Stage, state: Rollout | None = None) -> Request:
    """The masks of a rollout become a hold."""
    found = extending(stage, hold=HOLD)
    return replace(found, ask=replace(found.ask, new_kind=NewKind.HELD), rollout=state)


def typed(found: Request, *hosts: str, units: tuple[str, ...] = ("nginx.service",), **changes: Any) -> Request:
    """The same, asked for in other words."""
    selection = Selection(hosts, tuple(map(UnitName, units)), **changes)
    return replace(found, ask=replace(found.ask, selection=selection))


def several(status: TargetStatus, *numbers: int, **changes: Any) -> list[RolloutTarget]:
    return [target(number, status, **changes) for number in numbers]


DONE, READY, STARTED = TargetStatus.DONE, TargetStatus.READY, TargetStatus.STARTED
FAILED, UNKNOWN, SKIPPED = TargetStatus.FAILED, TargetStatus.UNKNOWN, TargetStatus.SKIPPED
LEFT_OUT, ASKED_AGAIN, PLANNING = TargetStatus.LEFT_OUT, TargetStatus.ASKED_AGAIN, TargetStatus.PLANNING

DIFFERING = replace(target(7), state_summary="inactive, enabled")
TWELVE = [DIFFERING if number == 7 else target(number) for number in range(1, 13)]
MASKED = [replace(one, status=DONE, outcome=Outcome.PROVEN.value) for one in TWELVE]
NOT_WEB = (
    target(13, LEFT_OUT, note="nginx.service is on the critical list there"),
    target(14, LEFT_OUT, note="it does not answer"),
    target(15, LEFT_OUT, note="it does not answer"),
)
BROKEN = target(
    4, FAILED, outcome=Outcome.MASKED_RUNNING.value, note="PID 4711 (nginx) ignores SIGTERM and still runs."
)
LOST = target(5, UNKNOWN, note="The connection was lost after stop was sent.")
MOVED = target(6, ASKED_AGAIN, note="its unit file: 1a2b3c4d → 5e6f7a8b")


def of_set(status: TargetStatus, outcome: str = "") -> list[RolloutTarget]:
    """A service with its socket and its timer, on one host."""
    seen = {"worker.socket": "listening, enabled", "worker.timer": "waiting, enabled", "worker.service": "running"}
    return [
        RolloutTarget(
            "web-01", UnitName(unit), f"r-{unit}", status, digest="d", state_summary=state_summary, outcome=outcome
        )
        for unit, state_summary in seen.items()
    ]


def many(status: TargetStatus = READY, *, number: int = 500, **changes: Any) -> list[RolloutTarget]:
    """As many targets as there may be, with the longest names."""
    return [
        target(
            one, status, **{"host": f"web-{one:03}." + "a" * 244, "unit": UnitName("u" * 247 + ".service")} | changes
        )
        for one in range(number)
    ]


WAITING = {
    "12 hosts": request(rollout(*TWELVE)),
    "what differs and what is left out, for an hour": request(
        rollout(*TWELVE, *NOT_WEB, settings=replace(SETTINGS, stop_after="10%", keep_active=(KeepActive("web", 2),))),
        duration=Duration(lasts=timedelta(hours=1)),
    ),
    "two units": typed(
        request(
            rollout(
                *(
                    replace(one, note="stops php-metrics.service too") if one.host == "web-02" else one
                    for one in TWELVE
                ),
                *(replace(one, unit=UnitName("php-fpm.service")) for one in TWELVE[:6]),
                settings=replace(SETTINGS, strict=True, wait_for_aftercheck=True, in_parallel=4),
            )
        ),
        "@web",
        "db-01",
        units=("nginx.service", "php-fpm.service"),
        in_order=True,
    ),
    "a set": typed(request(rollout(*of_set(READY))), "web-01", units=("worker.service",), with_triggers=True),
    "every host another kind": request(
        rollout(
            *(replace(target(one), state_summary=f"running, enabled, {one} restarts") for one in range(7)),
            *(target(20 + one, LEFT_OUT, note=f"reason {one}") for one in range(7)),
            settings=replace(SETTINGS, waves=("1",) * 8),
        )
    ),
    "many notes and many units": typed(
        request(
            rollout(
                *(
                    replace(target(1), unit=UnitName(f"u{one}.service"), note=f"stops v{one}.service too")
                    for one in range(6)
                ),
                target(2, note="stops v.service too"),
            ),
            runtime=True,
            keep_running=True,
        ),
        "web-01",
        "web-02",
        units=tuple(f"u{one}.service" for one in range(6)),
    ),
    "all at once": request(rollout(*TWELVE, settings=replace(SETTINGS, waves=("rest",), in_parallel=20))),
    "in one wave, some at a time": request(
        rollout(*TWELVE, settings=replace(SETTINGS, waves=("rest",), stop_after="100%"))
    ),
    "being checked": replace(request(rollout(*several(PLANNING, 1, 2), *TWELVE[2:])), stage=Stage.ASKED),
    "nothing is known yet": replace(request(Rollout()), stage=Stage.ASKED),
    "approved": request(rollout(*TWELVE), Stage.APPROVED),
    "an undo": undo(rollout(*TWELVE), Stage.APPROVED),
    "foreign masks": request(rollout(*TWELVE), verb=Verb.UNMASK),
    "more time": extending(Stage.WAITING, duration=Duration(until=NOW + timedelta(hours=4))),
    "another review": extending(Stage.APPROVED, hold=HOLD),
    "kept": extending(Stage.WAITING),
    "all of it becomes a hold": held_later(Stage.WAITING, rollout(*MASKED)),
    "what is there of it becomes a hold": held_later(Stage.WAITING, rollout(*MASKED[:9], *NOT_WEB)),
    "what was made until it was stopped becomes a hold": held_later(
        Stage.WAITING, rollout(*MASKED[:3], *TWELVE[3:], stopped_at=NOW)
    ),
    "masks on hosts that are named become a hold": typed(
        held_later(Stage.WAITING, rollout(*MASKED[:2])), "web-01", "web-02"
    ),
    "a hold": request(rollout(*TWELVE), hold=HOLD),
    "a hold on hosts that are named": typed(request(rollout(*TWELVE[:2]), hold=HOLD), "web-01", "web-02"),
    "one host": typed(request(rollout(target(1, note="stops web.target too"))), "web-01"),
    "a set, of which not all is there": typed(
        request(
            rollout(
                *of_set(READY)[2:],
                *(replace(one, status=LEFT_OUT, state_summary="", note="it is not found") for one in of_set(READY)[:2]),
                *several(LEFT_OUT, 2, 3, unit=UnitName("worker.timer"), note="it is masked already"),
            )
        ),
        "web-01",
        "web-02",
        units=("worker.service",),
        with_triggers=True,
    ),
    "500 with the longest names": request(rollout(*many(note="n" * 400), *many(LEFT_OUT, number=40, note="x" * 500))),
}

WAVE_2 = rollout(
    *several(DONE, 1, 2),
    target(3, STARTED),
    *several(READY, *range(4, 13)),
    *NOT_WEB,
    wave=2,
)
PAUSED = rollout(
    *several(DONE, 1, 2, 3, 5),
    BROKEN,
    target(6, STARTED),
    *several(READY, *range(7, 13)),
    wave=3,
    paused_at=NOW - timedelta(seconds=3),
    why_paused="after 1 failure",
)
BETWEEN = rollout(
    *several(DONE, 1, 2, 3), *several(READY, *range(4, 13)), wave=2, wave_ended_at=NOW - timedelta(minutes=2)
)
RUNNING = {
    "wave 2": request(WAVE_2, Stage.RUNNING),
    "while the kill switch is on": request(replace(WAVE_2, waits_for=kill_switch_is_on("bob")), Stage.RUNNING),
    "too few would stay active": request(
        replace(
            BETWEEN,
            waits_for=too_few_active(
                Count(KeepActive("web", 9), NGINX, frozenset(f"web-{n:02}" for n in range(4, 13)))
            ),
        ),
        Stage.RUNNING,
    ),
    "its time is up, and one still runs": request(
        replace(WAVE_2, stopped_at=NOW, stopped_by=TIME_IS_UP), Stage.RUNNING
    ),
    "not begun yet": request(rollout(*TWELVE), Stage.RUNNING),
    "between two waves": request(BETWEEN, Stage.RUNNING),
    "between two waves, and somebody does not want to wait": request(replace(BETWEEN, go_on=True), Stage.RUNNING),
    "between two waves, until the check after it": request(
        replace(BETWEEN, settings=replace(SETTINGS, pause=timedelta(), wait_for_aftercheck=True)), Stage.RUNNING
    ),
    "between two waves, at once": request(
        replace(BETWEEN, settings=replace(SETTINGS, pause=timedelta())), Stage.RUNNING
    ),
    "paused after a failure": request(PAUSED, Stage.RUNNING),
    "paused by somebody, with a failure that was seen": request(
        replace(PAUSED, paused_by="Bob", why_paused="", forgiven=1), Stage.RUNNING
    ),
    "one is not known, one is asked again": request(
        rollout(*several(DONE, 1, 2, 3), BROKEN, LOST, MOVED, *several(READY, *range(7, 13)), wave=3), Stage.RUNNING
    ),
    "one is not known, and a wave is to come": request(
        rollout(*several(DONE, 1), target(2, UNKNOWN), *several(READY, 3, 4, 5), wave=2), Stage.RUNNING
    ),
    "several are not known, and a wave is to come": request(
        rollout(*several(DONE, 1), *several(UNKNOWN, 2, 3), *several(READY, 4, 5), wave=2), Stage.RUNNING
    ),
    "only what is asked again is left": request(rollout(*several(DONE, 1, 2, 3), MOVED, wave=3), Stage.RUNNING),
    "many are asked again and many failed": request(
        rollout(
            *several(ASKED_AGAIN, *range(1, 6)),
            *several(FAILED, *range(6, 14), note="It is not reachable."),
            *several(UNKNOWN, 14, 15),
            wave=3,
            forgiven=9,
        ),
        Stage.RUNNING,
    ),
    "stopped, and one still runs": request(
        rollout(
            *several(DONE, 1, 2),
            target(3, STARTED),
            *several(SKIPPED, *range(4, 13), note="not begun: the rollout was stopped"),
            wave=2,
            stopped_at=NOW,
            stopped_by="bob",
        ),
        Stage.RUNNING,
    ),
    "all at once": request(
        rollout(*several(DONE, 1), *several(STARTED, 2, 3), settings=replace(SETTINGS, waves=("rest",)), wave=1),
        Stage.RUNNING,
    ),
    "an undo": undo(
        rollout(
            *several(DONE, 1, outcome=Outcome.RESTORED.value),
            *several(STARTED, 2, 3),
            settings=replace(SETTINGS, waves=("rest",)),
            wave=1,
        ),
        Stage.RUNNING,
    ),
    "an undo that pauses": undo(
        rollout(
            *several(DONE, 1, 2, outcome=Outcome.RESTORED.value),
            target(3, FAILED, outcome=Outcome.RESTORED_PARTLY.value, note="worker.socket was not started again."),
            *several(READY, 4, 5),
            wave=3,
            paused_at=NOW,
            paused_by="bob",
        ),
        Stage.RUNNING,
    ),
    "500": request(
        rollout(*many(DONE, number=200), *many(FAILED, number=3, note="n" * 400), *many(number=297), wave=3),
        Stage.RUNNING,
    ),
}

TAKEN_OFF = replace(MASKED[3], status=TargetStatus.LOST)
PARTLY = rollout(
    *(one for one in MASKED if one.host not in ("web-04", "web-05", "web-12")),
    BROKEN,
    target(5, FAILED, outcome=Outcome.FAILED.value, note="The link was refused."),
    target(12, SKIPPED, note="not begun: another unit of the set on this host did not end as asked"),
    *NOT_WEB,
    wave=3,
)
BACK = [replace(one, status=DONE, outcome=Outcome.RESTORED.value) for one in several(READY, *range(1, 19))]
OVER = {
    "masked and proven": request(rollout(*MASKED, wave=3), Stage.DONE),
    "masked and proven, for an hour": replace(
        request(rollout(*MASKED, wave=3), Stage.DONE), aftercare=Aftercare(expires_at=NOW + timedelta(hours=1))
    ),
    "until the next reboot": request(rollout(*MASKED, wave=3), Stage.DONE, runtime=True),
    "partly": replace(request(PARTLY, Stage.DONE), aftercare=Aftercare(expires_at=NOW + timedelta(hours=1))),
    "partly, by break-glass": with_break_glass(request(PARTLY, Stage.DONE)),
    "stopped": request(
        rollout(
            *several(DONE, 1, 2, 3),
            *several(SKIPPED, *range(4, 13), note="not begun: the rollout was stopped"),
            wave=2,
            stopped_at=NOW,
            stopped_by="bob",
        ),
        Stage.DONE,
    ),
    "stopped because its time is up": request(
        rollout(*several(DONE, 1), *several(SKIPPED, 2), stopped_at=NOW, stopped_by=TIME_IS_UP), Stage.DONE
    ),
    "partly, and what failed was retried": replace(request(PARTLY, Stage.DONE), repeated_by="r7"),
    "none": request(rollout(*several(FAILED, *range(1, 9), outcome=Outcome.FAILED.value)), Stage.DONE),
    "undone": replace(request(rollout(*MASKED), Stage.DONE), undone_by="r9", undone_at=NOW),
    "gone": replace(request(rollout(*MASKED), Stage.DONE), undone_by="r9", was_gone=True),
    "one was undone since": request(rollout(*MASKED[:11], replace(MASKED[11], status=TargetStatus.UNDONE)), Stage.DONE),
    "an undo": undo(rollout(*BACK[:12])),
    "an undo, partly": undo(
        rollout(
            *BACK,
            target(19, UNKNOWN, note="The connection was lost after the mask was removed."),
            target(20, FAILED, outcome=Outcome.NOT_OURS.value, note="Somebody replaced the mask."),
        )
    ),
    "an undo at the expiry": replace(
        undo(rollout(*BACK[:12])),
        ask=replace(undo(rollout(*BACK[:12])).ask, by_itself=True),
        because="its time is up, as approved",
    ),
    "foreign masks": request(
        rollout(*several(DONE, 1, 2, outcome=Outcome.UNMASKED.value)), Stage.DONE, verb=Verb.UNMASK
    ),
    "a set": typed(request(rollout(*of_set(DONE, Outcome.PROVEN.value)), Stage.DONE), "web-01"),
    "two units, one of them on one host only": typed(
        request(rollout(*several(DONE, 1, 2), *several(DONE, 1, unit=UnitName("php-fpm.service"))), Stage.DONE),
        "web-01",
        "web-02",
    ),
    "two units on two hosts": typed(
        request(rollout(*several(DONE, 1, 2), *several(DONE, 1, 2, unit=UnitName("php-fpm.service"))), Stage.DONE),
        "web-01",
        "web-02",
    ),
    "every end there is": request(
        rollout(
            *(
                target(number, FAILED, outcome=outcome.value, state_summary=f"running, {number}")
                for number, outcome in enumerate(Outcome)
            ),
            target(50, FAILED, note="Its approval timed out."),
        ),
        Stage.DONE,
    ),
    "held": replace(request(rollout(*MASKED), Stage.DONE, hold=HOLD), undo_until=None),
    "more time": extending(Stage.DONE, duration=Duration(until=NOW + timedelta(hours=4))),
    "kept": extending(Stage.DONE, hold=HOLD),
    "made a hold": held_later(Stage.DONE),
    "held, taken off one host and missing on another": replace(
        request(rollout(*MASKED[:3], replace(MASKED[3], status=TargetStatus.LOST), NOT_WEB[0]), Stage.DONE, hold=HOLD),
        undo_until=None,
    ),
    "500 with the longest names": request(
        rollout(*many(DONE, number=480), *many(FAILED, number=20, note="n" * 400)), Stage.DONE
    ),
}
ENDED = {
    "denied": replace(request(rollout(*TWELVE)), stage=Stage.DENIED, because="no", finished_at=NOW),
    "timed out": replace(request(rollout(*TWELVE)), stage=Stage.TIMED_OUT, because="Nobody decided in time."),
}
ONE_ASKED_AGAIN = replace(
    waiting(), ask=replace(waiting().ask, rollout="r0"), changed_since=("its unit file: 1a2b3c4d → 5e6f7a8b",)
)
WAITING["one target is asked again"] = ONE_ASKED_AGAIN
CARDS = {"waiting": WAITING, "running": RUNNING, "over": OVER, "ended": ENDED}


def notes() -> dict[str, str]:
    """Every message in the thread of a rollout."""
    paused_one, running_one = request(PAUSED, Stage.RUNNING), request(WAVE_2, Stage.RUNNING)
    nothing = rollout(*several(FAILED, 1), *several(READY, 2), paused_at=NOW, why_paused="after 1 failure", wave=1)
    return {
        "paused by itself": paused_by_itself(paused_one, PAUSED),
        "paused by itself, and nothing is masked": paused_by_itself(request(nothing, Stage.RUNNING), nothing),
        "paused": paused(running_one, WAVE_2, "bob"),
        "paused, and nothing runs": paused(request(BETWEEN, Stage.RUNNING), BETWEEN, "bob"),
        "continued": continued(paused_one, PAUSED, "bob"),
        "stopped": stopped(running_one, WAVE_2, "bob"),
        "stopped, and nothing is masked": stopped(request(nothing, Stage.RUNNING), nothing, "bob"),
        "a hold is tried again": tries_again(rollout(*MASKED, *several(LEFT_OUT, 5, 6, 7, 8)), "bob"),
        "a hold is tried again on one host": tries_again(rollout(*several(LEFT_OUT, 5)), "bob"),
        "retried": retried(2, "bob"),
        "one retried": retried(1, "bob"),
        "asked again": asked_again(running_one, MOVED),
        "asked again, without a note": asked_again(running_one, replace(MOVED, note="")),
        "a hold that differs on a host": differs(MOVED),
        "a hold that is not in force": not_in_force([replace(one, note=f"{one.host} is away.") for one in TWELVE[:2]]),
        "a hold that is not in force on many": not_in_force([replace(one, note="No.") for one in TWELVE]),
        "an undo that left something": not_undone(rollout(MASKED[0], BROKEN, *several(LEFT_OUT, 5, 6, 7, 8))),
        "an undo that left nothing": not_undone(rollout(*MASKED)),
        "all is done while it pauses": paused(request(rollout(*MASKED), Stage.RUNNING), rollout(*MASKED), "bob"),
    }
