"""The mask inventory: what is new on a host, whose each mask is, and views that outlive the process that wrote them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.drift import (
    HostView,
    MaskInventory,
    ScanDrift,
    compare,
    is_remembered,
    loss,
    our_masks,
    with_known_state,
)
from bot.core.requests import Aftercare, Loss, Outcome, Request, SeenDrift, Stage
from bot.core.systemd.remembered import RememberedMask
from bot.core.systemd.scan import FoundMask, Scan
from bot.core.systemd.units import ActiveState, FileKind, Layer, LayerFile, LoadState, Snapshot
from tests.core.cards.situations import NOW, around, finished, layers, masked, proven, related_unit, running, stopped
from tests.core.cards.situations import waiting as waiting_request

ETC = "/etc/systemd/system"
LINK = LayerFile(Layer.PERSISTENT, f"{ETC}/worker.service", FileKind.MASK, "/dev/null", "7:1700000000.000000001")
HOOD = around(
    would_stop=(related_unit("metrics.service"),),
    triggers=(related_unit("worker.socket"),),
    boot_id="boot-1",
    failed=("old.service",),
)


def mask(unit: str, identity: str = "1:1600000000.000000001", **changes: Any) -> FoundMask:
    found = FoundMask(f"{ETC}/{unit}", FileKind.MASK, identity, LoadState.MASKED, ActiveState.INACTIVE, "masked")
    return replace(found, **changes)


def scan(*masks: FoundMask, **changes: Any) -> Scan:
    plain = Scan("a" * 32, "boot-1", tuple(sorted(masks, key=lambda one: one.path)), len(masks))
    return replace(plain, **changes)


OUR_LINK, HAND, OTHER = mask("worker.service", LINK.identity), mask("hand.service"), mask("other.service")


def ours(**target: Any) -> Request:
    """A proven mask of worker.service on web-01, with the link that we made."""
    known = {"made": LINK, "before": running(around=HOOD), "after": masked(around=around(boot_id="boot-1"))}
    return proven(**(known | target))


def view(seen: Scan | None = None, **changes: Any) -> HostView:
    return replace(HostView("web-01", NOW - timedelta(minutes=5), seen), **changes)


def drift(before: HostView, now: Scan, *live: Request, busy: tuple[str, ...] = ()) -> ScanDrift:
    return compare(before, now, ours=live, owners=our_masks(now, live), busy=busy)


class TestWhatIsNew:
    """Compared with the last look, and with our own record."""

    def test_the_first_look_at_a_host_tells_of_nothing(self) -> None:
        assert drift(view(), scan(HAND, OTHER)) == ScanDrift()

    def test_what_was_there_before_is_not_told_again(self) -> None:
        assert drift(view(scan(HAND, OUR_LINK)), scan(HAND, OUR_LINK), ours()) == ScanDrift()

    def test_a_mask_that_somebody_made_has_appeared(self) -> None:
        assert drift(view(scan(HAND)), scan(HAND, OTHER)).appeared == (OTHER,)

    def test_a_mask_that_somebody_made_anew_has_appeared(self) -> None:
        anew = mask("hand.service", "9:1700000009.000000001")
        assert drift(view(scan(HAND)), scan(anew)) == ScanDrift(appeared=(anew,))

    def test_a_mask_of_somebody_that_is_gone_has_vanished(self) -> None:
        assert drift(view(scan(HAND, OTHER)), scan(OTHER)).vanished == (HAND,)

    def test_a_mask_that_we_made_or_took_back_is_nobody_elses(self) -> None:
        assert drift(view(scan(HAND)), scan(HAND, OUR_LINK), ours()) == ScanDrift()
        assert drift(view(scan(HAND, OUR_LINK), ours={OUR_LINK.path: "r1"}), scan(HAND)) == ScanDrift()

    def test_a_mask_of_ours_that_is_not_there_is_missing(self) -> None:
        request = ours()
        assert drift(view(), scan(HAND), request).missing == (request,)

    def test_a_mask_of_ours_that_was_replaced_is_missing_and_the_new_one_is_no_news_of_its_own(self) -> None:
        request, anew = ours(), mask("worker.service", "8:1700000008.000000001")
        assert drift(view(scan(OUR_LINK)), scan(anew), request) == ScanDrift(missing=(request,))

    def test_a_mask_whose_link_we_never_saw_is_not_missed(self) -> None:
        assert drift(view(), scan(), ours(made=None)).missing == ()

    def test_of_what_we_are_just_changing_nothing_is_concluded(self) -> None:
        before, now = view(scan(OUR_LINK, HAND)), scan(OTHER, HAND)
        busy = ("worker.service", "other.service")
        assert drift(before, with_known_state(before, now, busy), ours(), busy=busy) == ScanDrift()
        assert with_known_state(before, now, busy) == scan(OUR_LINK, HAND)

    def test_where_not_all_could_be_listed_nothing_new_is_known(self) -> None:
        cut = scan(HAND, total=900)
        assert drift(view(cut), scan(HAND, OTHER)).appeared == ()
        assert drift(view(scan(HAND, OTHER)), cut).vanished == ()

    def test_a_host_that_was_installed_anew_begins_anew(self) -> None:
        assert drift(view(scan(HAND, machine_id="b" * 32)), scan(OTHER)) == ScanDrift()


class TestWhatFailed:
    """Only what had to do with a unit that we masked, and each once."""

    def test_what_depended_on_it_and_what_triggers_it(self) -> None:
        request = ours()
        now = scan(OUR_LINK, failed=("metrics.service", "nginx.service", "worker.socket"))
        assert drift(view(), now, request).broken == ((request, ("metrics.service", "worker.socket")),)

    @pytest.mark.parametrize(
        "request_",
        [
            ours(before=running(around=replace(HOOD, failed=("metrics.service",)))),
            ours(after=masked(around=around(failed=("metrics.service",)))),
            replace(ours(), drift=SeenDrift(failed=("metrics.service",))),
            replace(ours(), aftercare=Aftercare(found=("metrics.service has failed.",))),
            ours(before=None),
            ours(before=running(around=None)),
        ],
        ids=[
            "before the mask",
            "when it was proven",
            "told already",
            "told by a look after",
            "never looked at",
            "not looked around",
        ],
    )
    def test_nothing_is_told_of_what_had_failed_already(self, request_: Request) -> None:
        assert drift(view(), scan(OUR_LINK, failed=("metrics.service",)), request_).broken == ()

    def test_what_failed_after_a_mask_without_a_last_look_around_is_told(self) -> None:
        request = ours(after=masked(around=None))
        assert drift(view(), scan(OUR_LINK, failed=("metrics.service",)), request).broken

    def test_of_a_mask_that_is_missing_only_that_is_told(self) -> None:
        assert drift(view(), scan(failed=("metrics.service",)), ours()).broken == ()


class TestWhatBecameOfIt:
    """A look at the unit says how a mask was lost."""

    def look(self, kind: FileKind, identity: str = "", **changes: Any) -> Snapshot:
        files = (replace(LINK, kind=kind, identity=identity), *layers("worker.service")[0::2])
        return stopped(layers=files, **changes)

    @pytest.mark.parametrize(
        ("kind", "identity", "became"),
        [
            (FileKind.MASK, LINK.identity, None),
            (FileKind.MASK, "8:1700000008.000000001", Loss.REPLACED),
            (FileKind.EMPTY, "8:1700000008.000000001", Loss.REPLACED),
            (FileKind.ABSENT, "", Loss.REMOVED),
            (FileKind.FILE, "8:1700000008.000000001", Loss.REMOVED),
        ],
    )
    def test_by_what_stands_in_its_place(self, kind: FileKind, identity: str, became: Loss | None) -> None:
        assert loss(ours(), self.look(kind, identity), boot_id="boot-2") == became

    @pytest.mark.parametrize(("boot", "became"), [("boot-2", Loss.REBOOTED), ("boot-1", Loss.REMOVED)])
    def test_a_mask_until_the_next_reboot_ends_with_one(self, boot: str, became: Loss) -> None:
        link = replace(LINK, layer=Layer.RUNTIME, path="/run/systemd/system/worker.service")
        assert loss(ours(made=link), stopped(), boot_id=boot) == became

    @pytest.mark.parametrize(
        ("layer", "was", "now", "became"),
        [
            (Layer.RUNTIME, "run-1", "run-2", Loss.ENDED),
            (Layer.RUNTIME, "run-1", "run-1", Loss.REMOVED),
            (Layer.RUNTIME, "", "run-2", Loss.REMOVED),
            (Layer.RUNTIME, "run-1", "", Loss.REMOVED),
            (Layer.PERSISTENT, "run-1", "run-2", Loss.REMOVED),
        ],
    )
    def test_a_runtime_mask_ends_with_its_users_manager(self, layer: Layer, was: str, now: str, became: Loss) -> None:
        after = masked(manager=was, around=around(boot_id="boot-1"))
        mask = ours(made=replace(LINK, layer=layer), after=after)
        assert loss(mask, stopped(manager=now), boot_id="boot-1") == became

    def test_without_a_last_look_nobody_knows_of_a_reboot(self) -> None:
        link = replace(LINK, layer=Layer.RUNTIME)
        assert loss(ours(made=link, after=None), stopped(), boot_id="boot-2") is Loss.REMOVED
        assert loss(ours(made=link, after=masked(around=None)), stopped(), boot_id="boot-2") is Loss.REMOVED

    def test_a_link_that_was_never_seen_is_not_lost(self) -> None:
        assert loss(ours(made=None), stopped(), boot_id="boot-2") is None

    def test_what_is_lost_is_no_live_mask_any_more(self) -> None:
        lost = replace(ours(), drift=SeenDrift(Loss.REMOVED))
        assert (ours().is_live_mask, lost.is_live_mask, lost.can_be_undone) == (True, False, False)


class TestTheBook:
    """All pages, beside our own record."""

    def test_each_mask_is_ours_or_is_not_and_ours_come_first(self) -> None:
        request = ours()
        inventory = MaskInventory(NOW, (view(scan(HAND, OUR_LINK)),), (request,))
        assert [(entry.unit, entry.request) for entry in inventory.entries] == [
            ("worker.service", request),
            ("hand.service", None),
        ]

    def test_what_no_look_has_seen_yet_is_there_from_our_record(self) -> None:
        request = ours()
        (entry,) = MaskInventory(NOW, (view(scan()),), (request,)).entries
        assert (entry.host, entry.unit, entry.found, entry.request) == ("web-01", "worker.service", None, request)

    def test_what_we_took_back_since_the_last_look_is_left_out(self) -> None:
        before = view(scan(HAND, OUR_LINK), ours={OUR_LINK.path: "r1"})
        assert [entry.unit for entry in MaskInventory(NOW, (before,)).entries] == ["hand.service"]

    def test_a_link_that_is_not_loaded_is_ours_where_it_was_seen(self) -> None:
        halfway = finished(Outcome.NOT_LOADED, running(), made=LINK)
        seen = view(scan(mask("worker.service", "5:1.000000001")), ours={OUR_LINK.path: halfway.id})
        assert [entry.request for entry in MaskInventory(NOW, (seen,), (halfway,)).entries] == [halfway]
        assert MaskInventory(NOW, (view(),), (halfway,)).entries == ()

    def test_a_users_own_manager_is_not_scanned_and_is_told_from_our_record(self) -> None:
        users = replace(ours(), ask=replace(ours().ask, change=replace(ours().ask.change, user="deploy")))
        entries = MaskInventory(NOW, (view(scan(OUR_LINK)),), (users,)).entries
        assert [(entry.found is None, entry.request) for entry in entries] == [(True, users), (False, None)]

    def test_what_is_open_waits_or_runs_and_the_longest_comes_first(self) -> None:
        first, second = replace(waiting_request(), id="r1"), replace(waiting_request(), id="r2")
        second = replace(second, asked_at=second.asked_at + timedelta(seconds=1))
        under_way = replace(waiting_request(), stage=Stage.RUNNING)
        inventory = MaskInventory(NOW, (), open=(second, under_way, first))
        assert (inventory.waiting, inventory.running) == ((first, second), (under_way,))

    def test_a_book_is_empty_where_nothing_is_ours(self) -> None:
        assert MaskInventory(NOW, (view(scan(HAND)),)).is_empty
        assert not MaskInventory(NOW, (view(scan(OUR_LINK)),), (ours(),)).is_empty
        assert not MaskInventory(NOW, (), open=(waiting_request(),)).is_empty
        assert not MaskInventory(NOW, (), sign_offs=(ours(),)).is_empty


def test_a_guard_remembers_a_mask_by_its_request_or_by_its_link() -> None:
    known = RememberedMask("worker.service", "", "persistent", LINK.identity, "r7", ran=True)
    mine = ours()
    assert is_remembered(mine, [known])
    assert is_remembered(mine, [replace(known, identity="9:9.9", request=mine.id)])
    for other in (replace(known, identity="9:9.9"), replace(known, user="deploy"), replace(known, unit="a.service")):
        assert not is_remembered(mine, [other])
    assert not is_remembered(ours(made=None), [known])


def test_a_mask_that_is_not_on_record_stands_between_ours_and_those_of_others() -> None:
    lost = RememberedMask("other.service", "", "persistent", OTHER.identity, "r7", ran=True)
    seen = scan(OUR_LINK, HAND, OTHER)
    known = view(seen, ours={OUR_LINK.path: "r1"}, unrecorded={OTHER.path: lost, OUR_LINK.path: lost})
    found = MaskInventory(NOW, (known,), (ours(),)).entries
    assert [(one.unit, one.is_ours, one.unrecorded) for one in found] == [
        ("worker.service", True, None),
        ("other.service", True, lost),
        ("hand.service", False, None),
    ]
