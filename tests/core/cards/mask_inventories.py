"""Mask inventories, and what people read of them: lists, handovers, messages of the host watch."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.core.cards import drift, handover, mask_inventory, unrecorded
from bot.core.drift import HostOutage, HostView, MaskInventory
from bot.core.requests import Aftercare, BreakGlass, Hold, HoldState, Loss, SeenDrift, SlowWait, Stage
from bot.core.systemd.remembered import RememberedMask
from bot.core.systemd.scan import FoundMask, Scan
from bot.core.systemd.units import ActiveState, FileKind, Layer, LayerFile, LoadState
from tests.core.cards.reading import read
from tests.core.cards.rollouts import OVER, RUNNING, WAITING
from tests.core.cards.situations import (
    BOB,
    NAMES,
    NOW,
    change,
    masked,
    of_deploy,
    proven,
    running,
    under_way,
    vote,
    waiting,
)

ETC = "/etc/systemd/system"
LINK = LayerFile(Layer.PERSISTENT, f"{ETC}/worker.service", FileKind.MASK, "/dev/null", "7:1773457442.000000001")


def hand(unit: str = "hand.service", identity: str = "1:1773370000.000000001", **changes: Any) -> FoundMask:
    """A mask that somebody made by hand."""
    plain = FoundMask(f"{ETC}/{unit}", FileKind.MASK, identity, LoadState.MASKED, ActiveState.INACTIVE, "masked")
    return replace(plain, **changes)


def host_view(*masks: FoundMask, host: str = "web-01", **changes: Any) -> HostView:
    """A host that was looked at a minute ago."""
    scan = Scan("a" * 32, "boot-1", masks, len(masks), vendor=8)
    return replace(HostView(host, NOW - timedelta(minutes=1), scan), **changes)


FORGOTTEN = RememberedMask("hand.service", "", "persistent", "1:1773370000.000000001", "r7", ran=True)
DOWN = replace(FORGOTTEN, unit="down.service", ran=False)
OFF_RECORD = host_view(
    *(hand(), hand("down.service"), hand("a.service")),
    unrecorded={f"{ETC}/hand.service": FORGOTTEN, f"{ETC}/down.service": DOWN},
)
OURS = proven(made=LINK)
UNTIL_REBOOT = replace(proven(), id="r8", ask=replace(proven().ask, change=change("tuned.service", runtime=True)))
ALONE = replace(proven(), break_glass=BreakGlass(BOB, "bob", "nobody answers, INC-2041", NOW - timedelta(hours=5), ""))
USERS = replace(proven(), id="r9", ask=replace(proven().ask, change=change("player.service", user="deploy")))
ENDING = replace(OURS, aftercare=Aftercare(expires_at=NOW + timedelta(hours=1)))
OVERDUE = replace(USERS, aftercare=Aftercare(expires_at=NOW, overdue="web-01 does not answer <!here>."))
ODD = (
    hand("empty.service", kind=FileKind.EMPTY),
    hand("link.service", kind=FileKind.LINK),
    hand("runs.service", active=ActiveState.ACTIVE),
    hand("template@.service", load=None, active=None),
    hand("unread.service", load=LoadState.LOADED),
    hand("data.mount"),
    hand(r"\x2dodd.service"),
    FoundMask("/etc/systemd/system.attached/far.service", FileKind.MASK, "1:1773370000.0", LoadState.MASKED),
)
HOLD = Hold("sre", NOW + timedelta(days=90))
HELD = replace(OURS, ask=replace(OURS.ask, change=replace(OURS.ask.change, hold=HOLD)))
OFF = replace(HELD, hold_state=HoldState(loss=Loss.REMOVED))
PENDING = replace(HELD, id="r7", stage=Stage.ASKED).on_target(note="web-01 does not <answer>.")
SLOW = under_way(
    waiting=SlowWait(NOW, NOW), last_seen=running(active=ActiveState.DEACTIVATING, sub="stop-sigterm", main_pid=7)
)
WITHDRAWN = replace(under_way(called_off=NOW), id="r9")
OF_ALL = replace(OVER["held"], id="r0")
ROLLOUT, HALFWAY = (replace(one, id="r0") for one in (OVER["partly"], RUNNING["paused after a failure"]))
TARGET, AGAIN = (replace(one, id="r6", ask=replace(one.ask, rollout="r0")) for one in (OURS, waiting()))
SEEN = host_view(hand("worker.service", LINK.identity, load=LoadState.LOADED, active=ActiveState.ACTIVE))
BOOK = MaskInventory(
    NOW,
    (host_view(hand(), hand("worker.service", LINK.identity)), host_view(*ODD, host="web-02"), host_view(host="db-01")),
    (OURS, USERS),
)
AWAY = (
    host_view(hand(), unreachable=HostOutage(NOW - timedelta(hours=2), "No route to host.", 9)),
    HostView("web-02", unreachable=HostOutage(NOW, "Its host key does not match.")),
    HostView("db-01"),
    *(HostView(f"gone-{n:02}", unreachable=HostOutage(NOW, "No answer.")) for n in range(9)),
)
CALM = tuple(host_view(host=f"web-{n:02}") for n in range(1, 13))
MANY = (host_view(scan=Scan("a" * 32, "boot-1", tuple(hand(f"m{n:03}.service") for n in range(120)), 900)),)


def said_in_lists() -> dict[str, str]:
    later = NOW + timedelta(days=3)
    texts = {
        "not on record": mask_inventory.listing(MaskInventory(NOW, (OFF_RECORD,))),
        "nothing was ever checked": mask_inventory.listing(MaskInventory(NOW, (HostView("web-01"),))),
        "no mask": mask_inventory.listing(replace(BOOK, host_views=(host_view(),), ours=())),
        "ours and foreign": mask_inventory.listing(BOOK),
        "one host": mask_inventory.listing(replace(BOOK, host_views=BOOK.host_views[:1]), host="web-01"),
        "the status of a host": mask_inventory.host_status(
            replace(BOOK, host_views=BOOK.host_views[:1], ours=()), "web-01", full=True
        ),
        "days later": mask_inventory.listing(replace(BOOK, now=later)),
        "hosts that cannot be seen": mask_inventory.listing(replace(BOOK, host_views=AWAY)),
        "ends by itself, or should have": mask_inventory.listing(replace(BOOK, ours=(ENDING, OVERDUE, UNTIL_REBOOT))),
        "with sign-offs owed": mask_inventory.listing(
            replace(BOOK, host_views=(host_view(),), ours=(), sign_offs=(ALONE, proven()))
        ),
        "held, and pending": mask_inventory.listing(replace(BOOK, ours=(HELD,), open=(PENDING,))),
        "held, and taken off": mask_inventory.listing(replace(BOOK, host_views=(host_view(),), ours=(OFF,))),
        "held on many hosts": mask_inventory.listing(replace(BOOK, ours=(OF_ALL,))),
        "slow to stop": mask_inventory.listing(replace(BOOK, ours=(), open=(SLOW, WITHDRAWN))),
        "a rollout": mask_inventory.listing(MaskInventory(NOW, (SEEN,), (ROLLOUT, TARGET, replace(TARGET, id="r7")))),
        "a rollout that still runs": mask_inventory.listing(MaskInventory(NOW, (SEEN,), (TARGET,), (HALFWAY, AGAIN))),
        "one target of a rollout that is not in the list": mask_inventory.listing(
            MaskInventory(NOW, (host_view(),), (TARGET,))
        ),
        "many targets that are not quite masked": mask_inventory.listing(
            MaskInventory(
                NOW,
                tuple(replace(SEEN, host=f"web-{n:02}", ours={f"{ETC}/worker.service": f"t{n}"}) for n in range(5)),
                (ROLLOUT, *(replace(TARGET, id=f"t{n}").on_target(host=f"web-{n:02}", made=None) for n in range(5))),
            )
        ),
        "many hosts": mask_inventory.listing(replace(BOOK, host_views=CALM, ours=())),
    }
    return {name: read(text, NAMES) for name, text in texts.items()}


def said_in_handovers() -> dict[str, str]:
    waits = replace(waiting(), id="r2")
    approved = replace(waits, id="r3", stage=Stage.APPROVED, votes=(vote(),), act_by=NOW + timedelta(minutes=10))
    unknown = replace(under_way(unknown_since=NOW - timedelta(minutes=7), note="no answer <!here>"), id="r4")
    looking = replace(waits, stage=Stage.ASKED, approval=None, ask=replace(waits.ask, reason=""))
    books = {
        "nothing": MaskInventory(NOW, (host_view(),)),
        "nothing of ours": replace(BOOK, ours=(), host_views=AWAY),
        "a shift": replace(
            BOOK,
            ours=(*BOOK.ours, replace(proven(), id="r5", aftercare=Aftercare(expires_at=NOW + timedelta(hours=1)))),
            open=(waits, approved, looking, under_way(), unknown),
            sign_offs=(ALONE, proven()),
        ),
    }
    books["slow to stop"] = MaskInventory(NOW, (host_view(),), open=(SLOW, WITHDRAWN))
    books["a hold"] = replace(BOOK, ours=(HELD,), open=(PENDING,))
    books["a hold for many hosts"] = replace(BOOK, ours=(OF_ALL,))
    books["not on record"] = MaskInventory(NOW, (OFF_RECORD,))
    books["a rollout"] = MaskInventory(NOW, (SEEN,), (ROLLOUT, TARGET))
    books["a rollout that still runs"] = MaskInventory(NOW, (SEEN,), (TARGET,), (HALFWAY, AGAIN))
    books["a rollout that waits"] = MaskInventory(NOW, (SEEN,), open=(replace(WAITING["12 hosts"], id="r0"), AGAIN))
    shown = {name: read(handover.handover(inventory), NAMES) for name, inventory in books.items()}
    scheduled = {
        f"scheduled, {name}": read(handover.scheduled_handover(inventory), NAMES) for name, inventory in books.items()
    }
    return shown | scheduled


def said_of_the_watch() -> dict[str, str]:
    lost = SeenDrift(Loss.REMOVED, NOW, ("puppet",))
    few, many = [hand("a.service")], [hand(f"m{n}.service") for n in range(12)]
    return {
        "removed": drift.loss_message(replace(proven(), drift=lost), running()),
        "replaced": drift.loss_message(replace(proven(), drift=replace(lost, lost=Loss.REPLACED)), masked()),
        "undone": drift.loss_message(replace(proven(), drift=replace(lost, lost=Loss.UNDONE)), running()),
        "rebooted": drift.loss_message(replace(proven(), drift=replace(lost, lost=Loss.REBOOTED)), running()),
        "logged out": drift.loss_message(of_deploy(replace(proven(), drift=replace(lost, lost=Loss.ENDED))), running()),
        "failed": drift.failed_units_message(proven(), ["metrics.service", "worker.socket"]),
        "appeared": drift.new_masks_notice("web-01", few),
        "many appeared": drift.new_masks_notice("web-01", many),
        "not on record": unrecorded.notice("web-01", [FORGOTTEN, replace(FORGOTTEN, unit="b.service", request="")]),
        "vanished": drift.gone_masks_notice("web-01", few),
    }
