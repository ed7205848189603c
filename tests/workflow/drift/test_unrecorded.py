"""After a restore from an older backup: what the guard made and removed for the bot since is told as maskbot's own."""

from dataclasses import replace

import pytest

from bot.core.cards import answers, handover, many_targets, mask_inventory
from bot.core.requests import Duration, Loss, Outcome, Request
from bot.core.systemd import systemctl
from bot.core.systemd.guard import Argv, Note
from bot.core.systemd.units import Layer, UnitName
from bot.workflow.queries.answers import unit_status
from bot.workflow.requests.mask_inventory import read_mask_inventory
from tests.model.hosts import ModelHost, ModelHosts
from tests.workflow.drift.test_watch import ETC, PERIOD, announced, changed_deps, notes, records, turn, view, watched
from tests.workflow.slack import words
from tests.workflow.wire import Call
from tests.workflow.world import World

__all__ = ["changed_deps", "watched"]
AS_AFTER = "(as after a restore from an older backup)"
LOST = f"by maskbot for request rlost, but not on record here {AS_AFTER}"
MADE = LOST.replace("but not", "but is not")
WAYS = "/unmask web-01 metrics.service` or `/mask web-01 metrics.service --adopt --for 7d WHY"
METRICS = UnitName("metrics.service")


def sent(world: World, argv: Argv, request: str = "rlost") -> None:
    """The bot's own command, of whose request the database knows nothing any more."""
    host = world.deps.in_force.inventory.host("web-01")
    model = world.hosts["web-01"]
    assert isinstance(model, ModelHost)
    assert ModelHosts({"web-01": model}).run(host, argv, deadline=30, note=Note(request)).exit_code == 0


def masked_off_record(world: World, unit: UnitName = METRICS, request: str = "rlost") -> None:
    for argv in (
        systemctl.stop_argv(unit),
        systemctl.link_argv(unit, Layer.PERSISTENT),
        systemctl.reload_argv(),
    ):
        sent(world, argv, request)


def undone_off_record(world: World, mask: Request) -> None:
    assert mask.target.made
    sent(world, systemctl.unlink_argv(mask.target.unit, mask.target.made))
    sent(world, systemctl.reload_argv())


def test_a_mask_of_a_lost_request_is_told_once_and_is_in_every_list_as_maskbot_s(watched: World) -> None:
    masked_off_record(watched)
    watched.hosts["web-01"].run("systemctl", "mask", "cron.service")
    turn(watched)
    watched.until(lambda: len(announced(watched)) == 2, "word of both")
    turn(watched)

    ours, theirs = sorted(announced(watched), key=lambda said: "by others" in said)
    assert ours.startswith("Masked on web-01 by maskbot, but not on record here")
    assert "metrics.service (request rlost)" in ours
    assert "cron" not in ours
    assert theirs.startswith(f"Masked on web-01 by others: cron.service ({ETC}).")
    (event,) = records(watched, "drift.mask_unrecorded")
    assert event["data"] == {"host": "web-01", "masks": [f"{ETC}/metrics.service"], "requests": ["rlost"]}
    known = read_mask_inventory(watched.deps, "web-01")
    for listed in (mask_inventory.listing(known, host="web-01"), mask_inventory.full_listing(known, host="web-01")):
        text = words(listed)
        assert "MASKS ON web-01 · 1 by maskbot, 2 by others" in text
        assert f"*metrics.service on web-01*: {LOST}" in text
        assert f"it ran before, if it was to expire, it no longer does: `{WAYS}`" in text
        assert "`journalctl -u metrics.service` there says who asked, and why" in text
        assert "*cron.service on web-01*: not by maskbot" in text
        assert "To give a mask by others an owner, a reason and an expiry: `/mask web-01 cron.service" in text
    assert not known.is_empty
    assert f"*metrics.service on web-01*: {LOST}" in words(handover.handover(known))


def test_the_state_of_a_unit_says_the_same(watched: World) -> None:
    masked_off_record(watched)
    seen, ours = unit_status(watched.deps, watched.deps.in_force.inventory.host("web-01"), METRICS)

    text = words(answers.status("web-01", seen, ours, watched.clock.now()))
    assert LOST in text
    assert WAYS in text
    assert "not by maskbot" not in text
    assert many_targets.state(seen, ours).endswith(" (by maskbot, not on record)")


@pytest.mark.parametrize("ran", [True, False])
def test_its_unmask_says_whose_it_was_and_that_the_unit_ran(watched: World, *, ran: bool) -> None:
    if not ran:
        watched.hosts["web-01"].run("systemctl", "stop", "metrics.service")
    masked_off_record(watched)

    asked = watched.unmask("metrics")
    gone = (
        f"the mask by maskbot for request rlost in {ETC}, not on record here {AS_AFTER}, is removed; nothing is started"
    )
    assert gone in watched.card(asked)
    assert ("although the unit ran before" in watched.card(asked)) is ran
    done = watched.approve(asked)
    assert done.target.outcome is Outcome.UNMASKED, done.target.note
    assert f"That mask was made {MADE}. Nothing was started" in watched.card(done)
    assert ("though the unit ran before: `systemctl start metrics.service` on web-01" in watched.card(done)) is ran
    turn(watched)
    assert view(watched).unrecorded == {}
    assert announced(watched) == []


def test_once_adopted_it_is_on_record(watched: World) -> None:
    masked_off_record(watched)
    turn(watched)

    adopted = watched.approve(watched.mask("metrics", adopt=True, duration=Duration(lasts=12 * PERIOD)))
    assert adopted.target.outcome is Outcome.PROVEN, adopted.target.note
    assert f"This mask was made {MADE}. It is maskbot's from now on" in watched.card(adopted)
    turn(watched)
    assert view(watched).unrecorded == {}
    assert view(watched).ours[f"{ETC}/metrics.service"] == adopted.id


def test_a_mask_that_maskbot_removed_is_no_loss_by_somebody_else(watched: World) -> None:
    ours = watched.masked("worker")
    undone_off_record(watched, ours)
    turn(watched)

    lost = watched.when(ours, lambda now: now.drift.lost is not None, "its undo")
    assert (lost.drift.lost, lost.is_live_mask) == (Loss.UNDONE, False)
    assert watched.card(ours).startswith("UNDONE, NOT ON RECORD · worker.service on web-01")
    watched.until(lambda: len(notes(watched, ours)) == 2, "word of it")
    for said in (watched.card(ours), *notes(watched, ours)):
        assert "maskbot removed it, for a request that is not on record here" in said
        assert "not removed by maskbot" not in said
    assert announced(watched) == []


def test_a_mask_that_maskbot_removed_and_made_again_is_both(watched: World) -> None:
    ours = watched.masked("worker")
    undone_off_record(watched, ours)
    masked_off_record(watched, ours.target.unit, "ragain")
    turn(watched)

    assert watched.when(ours, lambda now: now.drift.lost is not None, "its undo").drift.lost is Loss.UNDONE
    turn(watched)
    (known,) = view(watched).unrecorded.values()
    assert (known.unit, known.request) == ("worker.service", "ragain")


@pytest.mark.parametrize("answer", ["nothing", "masks 1\nmask metrics.service - persistent rlost ran"])
def test_a_guard_that_does_not_say_is_no_obstacle(watched: World, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    run = watched.wire.run

    def old(*given: object, **more: object) -> object:
        reply = run(*given, **more)  # type: ignore[arg-type]
        return replace(reply, stdout=answer) if "rules" in reply.argv else reply

    monkeypatch.setattr(watched.wire, "run", old)
    ours = watched.masked("worker")
    watched.hosts["web-01"].run("systemctl", "unmask", "worker.service")
    watched.hosts["web-01"].run("systemctl", "mask", "cron.service")
    turn(watched)

    assert watched.when(ours, lambda now: now.drift.lost is not None, "a loss").drift.lost is Loss.REMOVED
    watched.until(lambda: bool(announced(watched)), "word of the other")
    assert announced(watched)[0].startswith("Masked on web-01 by others: cron.service")


def test_the_guard_is_asked_only_about_what_is_new(watched: World) -> None:
    def asked() -> list[Call]:
        return [call for call in watched.wire.calls if call.host == "web-01" and "rules" in call.argv]

    assert len(asked()) == 1  # about handmade.service, which was there
    turn(watched)
    watched.masked("worker")
    turn(watched)
    assert len(asked()) == 1
    masked_off_record(watched)
    turn(watched)
    turn(watched)
    assert len(asked()) == 2
