"""The digest: said when it is due, once, also after a restart, and once for all that came due while no bot ran."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.core.hosts.inventory import Host, Inventory
from bot.core.kill_switch import KillSwitchState
from bot.core.policy.configuration import ConfigSnapshot
from bot.core.requests import KillSwitch
from bot.core.systemd.guard import Note
from bot.core.time.handover_schedule import HandoverSchedule, Schedule
from bot.ports import CommandResult, Periodic
from bot.workflow.engine.periodic import schedule_configured
from bot.workflow.outbox.handover import HANDOVER
from bot.workflow.process.documents import to_document
from tests.workflow.slack import ALICE, words
from tests.workflow.world import POLICY, World

CHANNEL = "CDIGEST"
NINE = HandoverSchedule(Schedule(time(9), ZoneInfo("Europe/Berlin")), CHANNEL)
QUIET = "maskbot has masked nothing, and nothing waits or runs."


class _Nowhere:
    def run(
        self,
        host: Host,
        argv: tuple[str, ...],
        *,
        deadline: float,
        note: Note | None = None,
        then: tuple[str, ...] = (),
    ) -> CommandResult:
        raise AssertionError(f"no host is asked here: {host.name} {argv} {deadline}")


def a_world(folder: Path, at: str) -> World:
    """A bot without a host, on the same database each time, at this time."""
    policy = replace(POLICY, handover_schedule=NINE)
    one = World({}, f"sqlite:///{folder}/maskbot.db", ways=_Nowhere(), policy=policy, inventory=Inventory(()))
    set_clock(one, at)
    return one


def set_clock(world: World, at: str) -> None:
    wanted = datetime.fromisoformat(at).replace(tzinfo=UTC)
    world.clock.ahead += wanted - world.clock.now()
    world.store.wake()


@contextmanager
def running(world: World) -> Iterator[World]:
    """The bot starts, and ends."""
    with world.store.exclusive():
        schedule_configured(world.deps)
        with world.running():
            yield world
        world.answers.close()


def posted_handovers(world: World) -> list[str]:
    return [words(one.text) for one in list(world.slack.messages.values()) if one.channel == CHANNEL]


def settled(world: World) -> list[str]:
    """What was said, once the handover is due in the future."""

    def is_settled() -> bool:
        task = world.store.get_periodic(HANDOVER)
        return bool(task and task.due_at and task.due_at > world.clock.now())

    world.until(is_settled, "a handover that is done")
    return posted_handovers(world)


def test_it_is_said_when_it_is_due_and_on_the_next_day_again(tmp_path: Path) -> None:
    with running(a_world(tmp_path, "2026-03-27 07:50")) as world:
        assert settled(world) == []

        set_clock(world, "2026-03-27 08:00:01")
        world.until(lambda: len(posted_handovers(world)) == 1, "a handover")
        assert QUIET in posted_handovers(world)[0]

        set_clock(world, "2026-03-28 08:00:01")
        world.until(lambda: len(posted_handovers(world)) == 2, "the next one")
        set_clock(world, "2026-03-29 07:00:01")  # the clock was changed that night
        world.until(lambda: len(posted_handovers(world)) == 3, "the one after the clock change")


def test_a_restart_does_not_say_it_again(tmp_path: Path) -> None:
    with running(a_world(tmp_path, "2026-03-27 07:50")) as world:
        set_clock(world, "2026-03-27 08:00:01")
        world.until(lambda: len(posted_handovers(world)) == 1, "a handover")

    with running(a_world(tmp_path, "2026-03-27 08:00:02")) as again:
        assert settled(again) == []


def test_what_came_due_while_no_bot_ran_is_said_once(tmp_path: Path) -> None:
    with running(a_world(tmp_path, "2026-03-27 07:50")):
        pass

    with running(a_world(tmp_path, "2026-03-30 12:00")) as again:
        again.until(lambda: bool(posted_handovers(again)), "the one that was missed")
        assert len(settled(again)) == 1


def test_a_digest_that_slack_did_not_take_until_the_next_one_is_left_out(tmp_path: Path) -> None:
    with running(a_world(tmp_path, "2026-03-27 07:50")) as world:
        world.slack.trouble = "unreachable"
        set_clock(world, "2026-03-27 08:00:01")
        world.until(lambda: world.slack.tries > 0, "a try")
        set_clock(world, "2026-03-28 08:00:01")
        world.slack.trouble = ""

        world.until(lambda: bool(posted_handovers(world)), "the newest one")
        assert len(settled(world)) == 1


def test_the_kill_switch_is_never_missed(tmp_path: Path) -> None:
    with running(a_world(tmp_path, "2026-03-27 07:50")) as world:
        switch = KillSwitch(ALICE.id, "alice", "everything burns", world.clock.now())
        world.store.save_periodic(Periodic("kill_switch", to_document(KillSwitchState(switch))))
        set_clock(world, "2026-03-27 08:00:01")
        world.until(lambda: bool(posted_handovers(world)), "a handover")
        assert "KILL SWITCH ON, by <@UALICE>" in posted_handovers(world)[0]


def test_another_schedule_holds_from_the_next_start_on(tmp_path: Path) -> None:
    with running(a_world(tmp_path, "2026-03-27 07:50")):
        pass
    later = a_world(tmp_path, "2026-03-27 07:51")
    noon = replace(NINE, schedule=Schedule(time(12), UTC))
    later.in_force.put(ConfigSnapshot(Inventory(()), replace(later.deps.in_force.policy, handover_schedule=noon)))

    with running(later):
        task = later.store.get_periodic(HANDOVER)
        assert task
        assert task.due_at == datetime(2026, 3, 27, 12, tzinfo=UTC)


def test_without_a_schedule_nothing_more_is_said(tmp_path: Path) -> None:
    with running(a_world(tmp_path, "2026-03-27 07:50")) as world:
        world.in_force.put(ConfigSnapshot(Inventory(()), replace(world.deps.in_force.policy, handover_schedule=None)))
        set_clock(world, "2026-03-27 08:00:01")

        world.until(lambda: (task := world.store.get_periodic(HANDOVER)) is not None and task.due_at is None, "an end")
        schedule_configured(world.deps)

        assert posted_handovers(world) == []
        assert (world.store.get_periodic(HANDOVER) or pytest.fail("no task")).due_at is None
