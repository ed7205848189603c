"""The contract between model and systemd: what the bot relies on, tested on the model and on a real host alike."""

from collections.abc import Mapping
from time import monotonic, sleep

import pytest

from bot.core.systemd.guard import REFUSED
from bot.core.systemd.look import look_argv
from bot.core.systemd.scan import parse_scan, scan_argv
from bot.core.systemd.status import parse_status, read_status
from bot.core.systemd.systemctl import (
    kill_argv,
    link_argv,
    reload_argv,
    reset_failed_argv,
    start_argv,
    status_argv,
    stop_argv,
)
from bot.core.systemd.unit_list import parse_unit_list, unit_list_argv
from bot.core.systemd.units import ActiveState, Layer, LoadState, Snapshot, Surroundings, UnitName
from tests.model.files import ETC, RUN
from tests.model.sides import Side

# Every kind of unit that workflow tests use, and each oddity of a name or a file.
UNITS = (
    "worker.service", "metrics.service", "tuned.service", "restless.service", "primary.service", "secondary.service",
    "oldname.service", "cron.service", "handmade.service", "local.service", "linked.service", "template@1.service",
    "template@9.service", "beat.timer", "echo.socket", "watched.path", "refusestop.service", "norestart.service",
    "generated.service", "vendormasked.service", "nosuch.service", "slowstop.service",
)  # fmt: skip

MACHINES_OWN = ("cron.service", "ssh.service", "generated.service")  # units whose text is not the lab's


def test_both_see_the_same_units(real: Side, model: Side) -> None:
    """Everything that a rule or a step reads, for every unit that tests use."""
    differ: dict[str, object] = {}
    for unit in UNITS:
        ours, theirs = (_essence(each.look(unit, full=True)) for each in (model, real))
        differ |= {f"{unit} {key}": (ours[key], theirs[key]) for key in ours if ours[key] != theirs[key]}
    assert differ == {}, "\n".join(f"{key}: {value}" for key, value in differ.items())


def _essence(seen: Snapshot) -> Mapping[str, object]:
    around = seen.around
    assert isinstance(around, Surroundings)
    return {
        "id": seen.id,
        "names": seen.names,
        "states": (seen.load, seen.active, seen.sub, seen.file_state),
        "fragment": seen.fragment.removeprefix("/usr"),  # /lib is /usr/lib
        "other names": seen.other_names_load,
        "layers": [(file.layer, file.path, file.kind, file.target) for file in seen.layers],
        "manners": (seen.can_start, seen.refuse_manual_start, seen.refuse_manual_stop, seen.kill_mode, seen.restart),
        "stop limit": seen.timeout_stop_usec,
        "has a process": bool(seen.main_pid),
        "hash": around.fragment_hash if str(seen.id) not in MACHINES_OWN else "",
        "drop-ins": around.drop_ins,
        "would stop": [(each.unit, each.active) for each in around.would_stop],
        "triggers": [(each.unit, each.active) for each in around.triggers],
        "starts": [each.unit for each in around.starts],
        "links": around.wants_links,
        "rights": around.rights,
        "login_units": {"ssh.service", "sshd.service"} <= around.login_units,
        "near": around.near[:1],
    }


def test_a_link_alone_masks_nothing_and_a_start_still_works(side: Side) -> None:
    """facts: only the link on the disk tells, until systemd reads it."""
    unit = UnitName("tuned.service")
    assert side.send(link_argv(unit, Layer.PERSISTENT)) == (0, "")
    seen = side.look("tuned.service")
    assert (seen.load, seen.active, seen.file_state) == (LoadState.LOADED, ActiveState.ACTIVE, "enabled")
    assert [layer.name for layer in seen.mask_layers] == ["PERSISTENT"]
    assert side.send(stop_argv(unit)) == (0, "")
    assert side.send(start_argv(unit)) == (0, "")
    assert side.states("tuned.service") == (LoadState.LOADED, ActiveState.ACTIVE)
    side.send(side.removal(unit, Layer.PERSISTENT))
    side.send(reload_argv())


def test_a_mask_is_refused_to_start_and_what_stops_with_it_stays_down(side: Side) -> None:
    unit = UnitName("worker.service")
    before = side.look("worker.service")
    side.send(link_argv(unit, Layer.PERSISTENT))
    side.send(stop_argv(unit))
    side.send(reload_argv())
    assert side.states("worker.service") == (LoadState.MASKED, ActiveState.INACTIVE)
    why = "Failed to start worker.service: Unit worker.service is masked."
    assert side.send(start_argv(unit)) == (1, why)
    assert side.send(start_argv(UnitName("metrics.service")))[0] == 1
    masked = side.look("worker.service", full=True)
    assert (masked.fragment, masked.file_state, masked.can_start) == (f"{ETC}/worker.service", "masked", False)
    (other,) = masked.other_names_load
    assert other in (("oldname.service", LoadState.ERROR), ("oldname.service", LoadState.MASKED))  # the latter on 247
    assert masked.around
    assert [each.unit for each in masked.around.would_stop] == ["metrics.service", "partof.service"]
    assert side.states("metrics.service") == side.states("partof.service") == (LoadState.LOADED, ActiveState.INACTIVE)

    assert side.send(side.removal(unit, Layer.PERSISTENT))[0] == 0
    side.send(reload_argv())
    assert side.states("worker.service") == (LoadState.LOADED, ActiveState.INACTIVE)  # nothing starts by itself
    for name in ("worker.service", "metrics.service", "partof.service"):
        assert side.send(start_argv(UnitName(name))) == (0, "")
    after = side.look("worker.service")
    assert (after.load, after.active, after.file_state, after.names) == (
        *(before.load, before.active, before.file_state, before.names),
    )
    assert after.invocation != before.invocation


def test_a_mask_made_anew_is_another_one(side: Side) -> None:
    unit = UnitName("restless.service")
    identities = set()
    for _ in range(2):
        side.send(link_argv(unit, Layer.PERSISTENT))
        identities.add(side.look("restless.service").layer(Layer.PERSISTENT).identity)
        side.send(side.removal(unit, Layer.PERSISTENT))
    assert len(identities) == 2


def test_a_link_that_somebody_put_in_the_place_of_the_one_that_was_seen_stays(side: Side) -> None:
    """A look, then a replacement, then the removal for that look: many file systems reuse the inode."""
    unit, path = UnitName("tuned.service"), f"{ETC}/tuned.service"
    side.send(link_argv(unit, Layer.PERSISTENT))
    removal = side.removal(unit, Layer.PERSISTENT)
    side.host.run("rm", path)
    side.host.run("ln", "-s", "/dev/null", path)
    assert side.send(removal)[0] == REFUSED
    assert side.look("tuned.service").mask_layers == (Layer.PERSISTENT,)
    assert side.send(side.removal(unit, Layer.PERSISTENT, foreign=True)) == (0, "")
    assert side.look("tuned.service").mask_layers == ()


def test_a_runtime_mask_has_its_own_folder_and_its_own_way_back(side: Side) -> None:
    unit = UnitName("tuned.service")
    side.send(link_argv(unit, Layer.RUNTIME))
    side.send(reload_argv())
    seen = side.look("tuned.service")
    assert (seen.load, seen.active, seen.fragment) == (LoadState.MASKED, ActiveState.ACTIVE, f"{RUN}/tuned.service")
    assert seen.file_state == "masked-runtime"
    assert side.send(side.removal(unit, Layer.PERSISTENT))[0] == REFUSED  # a missing link is not removed
    assert side.look("tuned.service").is_masked
    side.send(side.removal(unit, Layer.RUNTIME))
    side.send(reload_argv())
    assert side.states("tuned.service") == (LoadState.LOADED, ActiveState.ACTIVE)


def test_a_unit_of_etc_is_masked_through_the_control_layer_alone(side: Side) -> None:
    unit = UnitName("local.service")
    assert side.send(link_argv(unit, Layer.PERSISTENT)) == (*(1, "/etc/systemd/system: File exists"),)
    assert side.send(link_argv(unit, Layer.CONTROL)) == (0, "")
    side.send(reload_argv())
    assert side.look("local.service").fragment == "/etc/systemd/system.control/local.service"
    assert side.send(side.removal(unit, Layer.CONTROL)) == (0, "")
    side.send(reload_argv())
    assert side.states("local.service") == (LoadState.LOADED, ActiveState.ACTIVE)


def test_what_refuses_a_stop_or_a_start_by_hand_says_so(side: Side) -> None:
    assert side.send(stop_argv(UnitName("refusestop.service")))[0] == 4
    assert side.states("refusestop.service")[1] is ActiveState.ACTIVE
    code, said = side.send(start_argv(UnitName("norestart.service")))
    assert (code, "may be requested by dependency only" in said) == (4, True)


def test_a_kill_ends_a_stop_and_the_unit_has_failed(side: Side) -> None:
    unit = UnitName("stubborn.service")
    before = side.look(unit.text)
    side.send(stop_argv(unit))
    assert side.look(unit.text).active is ActiveState.DEACTIVATING
    assert side.send(kill_argv(unit)) == (0, "")
    deadline = monotonic() + 3  # its own limit is four seconds
    while (seen := side.look(unit.text)).active is ActiveState.DEACTIVATING and monotonic() < deadline:
        sleep(0.02)
    assert (seen.active, seen.result, seen.pending_job) == (ActiveState.FAILED, "signal", "")
    assert seen.invocation == before.invocation
    assert side.send(kill_argv(UnitName("nosuch.service"))) == (
        *(1, "Failed to kill unit nosuch.service: Unit nosuch.service not loaded."),
    )
    side.send(reset_failed_argv(unit))
    side.send(start_argv(unit))


def test_a_start_of_nothing_is_told(side: Side) -> None:
    assert side.send(start_argv(UnitName("nosuch.service"))) == (
        *(5, "Failed to start nosuch.service: Unit nosuch.service not found."),
    )
    assert side.send(reset_failed_argv(UnitName("tuned.service"))) == (0, "")


def test_a_scan_finds_every_mask_that_people_made(side: Side) -> None:
    side.host.run("systemctl", "mask", "cron.service")
    seen = parse_scan(side.hosts.run(side.known, scan_argv(), deadline=20).stdout)
    assert [(mask.path, mask.load, mask.active) for mask in seen.masks] == [
        (f"{ETC}/cron.service", LoadState.MASKED, ActiveState.ACTIVE),
        (f"{ETC}/handmade.service", LoadState.MASKED, ActiveState.INACTIVE),
    ]
    assert seen.total == 2
    assert seen.vendor > 0
    assert seen.failed == ()
    side.host.run("systemctl", "unmask", "cron.service")


def test_an_edit_counts_once_systemd_has_read_it(side: Side) -> None:
    before = side.look("watched.service", full=True)
    side.host.write(f"{ETC}/watched.service.d/more.conf", "[Service]\nNice=5\n")
    side.host.run("systemctl", "daemon-reload")
    after = side.look("watched.service", full=True)
    assert before.around
    assert after.around
    assert [path for path, _ in after.around.drop_ins] == [f"{ETC}/watched.service.d/more.conf"]
    assert (before.around.drop_ins, after.around.fragment_hash) == ((), before.around.fragment_hash)
    side.host.run("rm", f"{ETC}/watched.service.d/more.conf")
    side.host.run("systemctl", "daemon-reload")


def test_every_unit_can_be_named(side: Side) -> None:
    names = parse_unit_list(side.hosts.run(side.known, unit_list_argv(), deadline=20).stdout)
    assert {UnitName("cron.service"), UnitName("transient-one.service"), UnitName("ssh.service")} <= set(names)


@pytest.mark.parametrize("size", ["result", "acting", "by itself"])
def test_a_status_begins_with_the_unit_and_its_states(side: Side, size: str) -> None:
    unit = UnitName("tuned.service")
    argv = status_argv(unit) if size == "by itself" else look_argv(unit, size=size)
    said = side.hosts.run(side.known, argv, deadline=20).stdout
    first, loaded, active, *_ = (read_status(said) if size == "by itself" else parse_status(said)).splitlines()
    assert first.startswith("* tuned.service")
    assert loaded.replace("/usr/lib/", "/lib/").strip().startswith("Loaded: loaded (/lib/systemd/system/tuned.service")
    assert "Active: active (running)" in " ".join((loaded, active, *_))
