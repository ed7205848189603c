"""The watch over hosts: what somebody does behind the bot's back is told once, within one turn of the watch."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.drift import HostView, MaskInventory
from bot.core.hosts.inventory import Inventory
from bot.core.policy.configuration import ConfigSnapshot
from bot.core.requests import Loss, Outcome, Request
from bot.core.requests.expiry import AftercarePolicy
from bot.errors import HostError
from bot.workflow.engine.periodic import schedule_configured
from bot.workflow.process.documents import from_document
from bot.workflow.requests.mask_inventory import read_mask_inventory
from tests.workflow.hands import knock
from tests.workflow.slack import ALICE, words
from tests.workflow.wire import SCAN, Call
from tests.workflow.world import POLICY, World, inventory

PERIOD = timedelta(minutes=5)
OPERATIONS = "COPS"
ETC = "/etc/systemd/system"


@pytest.fixture
def changed_deps() -> Mapping[str, Any]:
    """A bot that says what belongs to no request in a channel of its own, and leaves all looking to the watch."""
    return {"policy": replace(POLICY, operations_channel=OPERATIONS), "aftercare": AftercarePolicy(aftercheck=())}


@pytest.fixture
def watched(world: World) -> World:
    """Every host was looked at once."""
    schedule_configured(world.deps)
    world.until(
        lambda: all(view.seen_at for view in read_mask_inventory(world.deps).host_views), "a look at every host"
    )
    return world


def turn(world: World, host: str = "web-01") -> HostView:
    """A period passes, and the watch has looked at that host since."""
    before = scans(world, host)
    world.clock.ahead += PERIOD
    world.store.wake()
    world.until(lambda: scans(world, host) > before and is_kept(world, host), f"a turn of the watch over {host}")
    return view(world, host)


def scans(world: World, host: str) -> int:
    return sum(call.host == host and SCAN in call.argv for call in list(world.wire.calls))


def is_kept(world: World, host: str) -> bool:
    task = world.store.get_periodic(f"watch:{host}")
    return bool(task and task.due_at and task.due_at > world.clock.now())


def view(world: World, host: str = "web-01") -> HostView:
    task = world.store.get_periodic(f"watch:{host}")
    assert task
    return from_document(HostView, {"host": host, **task.document})


def announced(world: World, channel: str = OPERATIONS) -> list[str]:
    """What was said in a channel by itself, beside cards and lines."""
    said = [one for one in world.slack.messages.values() if one.channel == channel and not one.thread]
    return [words(one.text).partition("\n")[0] for one in said if ":card" not in one.mark and ":line" not in one.mark]


def notes(world: World, request: Request) -> list[str]:
    """What the watch said of a request, in its thread and in its channel."""
    said = [one for one in world.slack.messages.values() if one.mark.startswith(f"{request.id}:note")]
    return [one.text.text for one in said]


def records(world: World, kind: str) -> list[Mapping[str, Any]]:
    return [event for event in world.store.chain() if event["type"] == kind]


def test_the_ledger_holds_every_mask_of_every_host_ours_and_foreign(watched: World) -> None:
    ours = watched.masked("worker")
    turn(watched)

    known: MaskInventory = read_mask_inventory(watched.deps)
    told = [(entry.host, entry.unit, entry.request.id if entry.request else "") for entry in known.entries]
    assert told == [
        ("web-01", "worker.service", ours.id),
        ("db-01", "handmade.service", ""),
        ("web-01", "handmade.service", ""),
        ("web-02", "handmade.service", ""),
    ]
    assert announced(watched) == []


def test_a_mask_made_by_hand_is_found_and_told_once(watched: World) -> None:
    watched.hosts["web-01"].run("systemctl", "mask", "cron.service")

    found = turn(watched)
    assert found.scan and found.scan.at(f"{ETC}/cron.service")
    watched.until(lambda: bool(announced(watched)), "word of it")
    turn(watched)

    assert announced(watched) == [f"Masked on web-01 by others: cron.service ({ETC}). `/mask list web-01` shows all."]
    (event,) = records(watched, "drift.mask_appeared")
    assert event["data"] == {"host": "web-01", "masks": [f"{ETC}/cron.service"]}


def test_a_mask_of_somebody_else_that_is_gone_is_told_but_not_one_that_we_removed(watched: World) -> None:
    watched.hosts["web-02"].run("systemctl", "unmask", "handmade.service")
    turn(watched, "web-02")
    removed = watched.approve(watched.unmask("handmade"))
    assert removed.target.outcome is Outcome.UNMASKED
    turn(watched)

    watched.until(lambda: bool(announced(watched)), "word of it")
    assert announced(watched) == [f"Masks made by others are gone from web-02: handmade.service ({ETC})."]


def test_a_mask_of_ours_that_somebody_removed_is_announced_within_one_turn_and_once(watched: World) -> None:
    ours = watched.masked("worker")
    watched.hosts["web-01"].run("systemctl", "unmask", "worker.service")

    turn(watched)

    lost = watched.when(ours, lambda now: now.drift.lost is not None, "a loss")
    assert (lost.drift.lost, lost.is_live_mask, lost.can_be_undone) == (Loss.REMOVED, False, False)
    assert watched.card(ours).startswith("OUR MASK IS GONE · worker.service on web-01")
    assert "[Unmask]" not in watched.card(ours)
    watched.until(lambda: len(notes(watched, ours)) == 2, "word of it")
    turn(watched)
    turn(watched)
    thread, channel = sorted(notes(watched, ours), key=len)
    assert thread.startswith("OUR MASK IS GONE: worker.service on web-01. It was not removed by maskbot")
    assert thread.endswith("The unit is loaded and inactive now.")
    assert channel.startswith(f"<@{ALICE.id.user}> OUR MASK IS GONE")
    assert "the card" in channel
    assert len(notes(watched, ours)) == 2
    assert len(records(watched, "drift.mask_lost")) == 1
    assert announced(watched) == []


def test_a_mask_of_ours_that_somebody_made_anew_is_not_ours_any_more(watched: World) -> None:
    ours = watched.masked("worker")
    host = watched.hosts["web-01"]
    host.run("rm", f"{ETC}/worker.service")
    host.run("ln", "-s", "/dev/null", f"{ETC}/worker.service")

    turn(watched)

    lost = watched.when(ours, lambda now: now.drift.lost is not None, "a loss")
    assert lost.drift.lost is Loss.REPLACED
    watched.until(lambda: len(notes(watched, ours)) == 2, "word of it")
    assert "OUR MASK WAS REPLACED" in notes(watched, ours)[0]
    assert [entry.request for entry in read_mask_inventory(watched.deps, "web-01").entries] == [None, None]
    asked = watched.unmask("worker")
    assert (asked.ask.undoes, asked.approval is not None) == ("", True)
    assert announced(watched) == []


def test_a_mask_until_the_next_reboot_ends_with_one_and_calls_nobody(watched: World) -> None:
    ours = watched.masked("tuned", runtime=True)
    watched.hosts["web-01"].reboot()

    turn(watched)

    lost = watched.when(ours, lambda now: now.drift.lost is not None, "an end")
    assert lost.drift.lost is Loss.REBOOTED
    watched.until(lambda: bool(notes(watched, ours)), "word of it")
    (note,) = notes(watched, ours)
    assert note.startswith("The mask of tuned.service on web-01 has ended with a reboot of the host")
    assert watched.card(ours).startswith("ENDED WITH THE REBOOT")


def test_a_persistent_mask_is_known_again_after_a_reboot(watched: World) -> None:
    ours = watched.masked("worker")
    watched.hosts["web-01"].reboot()

    turn(watched)

    assert watched.store.get(ours.id).is_live_mask
    assert notes(watched, ours) == []


def test_our_own_undo_is_no_loss(watched: World) -> None:
    ours = watched.masked("worker")
    turn(watched)
    assert watched.undo(ours).target.outcome is Outcome.RESTORED

    turn(watched)

    assert watched.store.get(ours.id).drift.lost is None
    assert notes(watched, ours) == []
    assert announced(watched) == []


def test_what_fails_because_of_a_mask_is_told_in_its_thread_once(watched: World) -> None:
    ours = watched.masked("echo")
    host = watched.hosts["web-01"]
    knock(host)

    turn(watched)
    watched.until(lambda: bool(notes(watched, ours)), "word of it")
    turn(watched)

    (note,) = notes(watched, ours)
    assert note.startswith(
        f"<@{ALICE.id.user}> echo.socket on web-01 depends on echo.service and failed after it was masked"
    )


def test_a_host_that_is_away_is_noted_and_tried_again_with_growing_pauses(watched: World) -> None:
    ours = watched.masked("worker")
    turn(watched)

    def unreachable(call: Call) -> None:
        if call.host == "web-01":
            raise HostError("No route to host.", code="ssh_unreachable", passing=True)

    watched.wire.before.append(unreachable)
    watched.clock.ahead += PERIOD
    watched.store.wake()
    watched.until(lambda: view(watched).unreachable is not None, "web-01 being away")
    gone = view(watched).unreachable
    assert gone
    assert "No route to host." in gone.because
    for tries in (2, 3, 4):
        watched.clock.ahead += PERIOD
        watched.store.wake()
        watched.until(lambda tries=tries: tries_of(watched) == tries, "another try")  # type: ignore[misc]
    assert view(watched).unreachable == replace(gone, tries=4)
    assert watched.store.get(ours.id).is_live_mask

    watched.wire.before.clear()
    assert turn(watched).unreachable is None
    assert notes(watched, ours) == []


def tries_of(world: World) -> int:
    unreachable = view(world).unreachable
    return unreachable.tries if unreachable else 0


def test_a_change_brings_the_next_look_forward(watched: World) -> None:
    def due_in() -> timedelta:
        task = watched.store.get_periodic("watch:web-01")
        assert task
        assert task.due_at
        return task.due_at - watched.clock.now()

    assert due_in() > PERIOD / 2
    watched.masked("worker")
    watched.until(lambda: due_in() <= PERIOD / 5, "an earlier look")


def test_a_host_that_is_not_configured_any_more_is_watched_no_more_and_a_new_one_is(watched: World) -> None:
    all_hosts = inventory(watched.hosts)
    fewer = Inventory(all_hosts.hosts[:-1])
    dropped = all_hosts.hosts[-1].name
    watched.deps.in_force.put(ConfigSnapshot(fewer, watched.deps.in_force.policy))
    watched.clock.ahead += PERIOD
    watched.store.wake()
    watched.until(
        lambda: (task := watched.store.get_periodic(f"watch:{dropped}")) is not None and not task.due_at, "an end"
    )

    watched.deps.in_force.put(ConfigSnapshot(all_hosts, watched.deps.in_force.policy))
    schedule_configured(watched.deps)

    watched.until(lambda: view(watched, dropped).seen_at is not None, "a look at the host that is back")


def test_a_machine_that_is_not_the_one_we_know_is_not_believed(watched: World) -> None:
    pinned = tuple(replace(host, machine_id="0" * 32) for host in inventory(watched.hosts).hosts)
    watched.deps.in_force.put(ConfigSnapshot(Inventory(pinned), watched.deps.in_force.policy))
    watched.clock.ahead += PERIOD
    watched.store.wake()

    watched.until(lambda: view(watched).unreachable is not None, "a host that is away")

    assert "no longer the same machine" in (view(watched).unreachable or pytest.fail()).because
