"""The list of all masks on the hosts, and the state of each host's scan."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from urllib.parse import quote, unquote

from bot.core.cards import mask_line, slow_unit
from bot.core.cards.blocks import (
    LABEL,
    MESSAGE,
    SECTION,
    Action,
    Block,
    Markup,
    Text,
    clock,
    day,
    escape,
    header,
    join,
    message,
    plain_text,
    row,
    section,
    words,
)
from bot.core.cards.form_options import LONGEST_VALUE
from bot.core.cards.titles import subject
from bot.core.cards.unrecorded import to_adopt
from bot.core.drift import HostView, MaskEntry, MaskInventory
from bot.core.input.options import ADOPT
from bot.core.systemd.scan import FoundMask
from bot.core.systemd.units import LoadState

_ROOM = MESSAGE - 2000  # characters for the lines of masks; the rest is for notes about the hosts
_HOSTS = 8
_BUTTONS = 5  # of masks by others that can be adopted
_WHERE_ALL_ARE = "`/mask list HOST` lists one host, `maskbot list` at a terminal all of them."


def listing(inventory: MaskInventory, *, host: str = "") -> Text:
    """The list of masks, as many as fit into a message."""
    blocks, left = lines("masks", [mask_line.line(entry, inventory) for entry in inventory.entries], room=_ROOM)
    more = [section("more", [words("… {} more. {}", left, Markup(_WHERE_ALL_ARE))])] if left else []
    ends = [
        *_stopping(inventory),
        *_pending(inventory),
        *_sign_offs(inventory),
        *_adoption(inventory, most_buttons=_BUTTONS),
        section("hosts", [*about_hosts(inventory)]),
    ]
    return message(_head(inventory, host), *(blocks or [_none()]), *more, *ends)


def host_status(inventory: MaskInventory, host: str, *, full: bool = False) -> Text:
    """The masks of a host, for who asked for its status, and how to ask for a unit's."""
    text = (full_listing if full else listing)(inventory, host=host)
    said = words("These are the masks on {}. The state of a unit: {}", host, Markup(f"`/mask status {host} UNIT`"))
    return Text(text.text, (*text.blocks, section("only_masks", [said])))


def full_listing(inventory: MaskInventory, *, host: str = "") -> Text:
    """The whole list, for a terminal."""
    every = [mask_line.line(entry, inventory) for entry in inventory.entries]
    blocks = [section(f"masks-{number}", [one]) for number, one in enumerate(every, 1)] or [_none()]
    head = _head(inventory, host)
    hosts = section("hosts", [*about_hosts(inventory, most=len(inventory.host_views))])
    lists = (*_stopping(inventory), *_pending(inventory), *_sign_offs(inventory), *_adoption(inventory))
    return Text(head, (header(head), *blocks, *lists, hosts))


def _sign_offs(inventory: MaskInventory) -> list[Block]:
    found = [line for request in inventory.sign_offs for line in mask_line.open_sign_off(request, inventory.now)]
    return [section("sign_offs", [row("Sign-offs owed", str(len(found))), *found[:_HOSTS]])] if found else []


def _adoption(inventory: MaskInventory, *, most_buttons: int = 0) -> list[Block]:
    """How a mask by others gets an owner, a reason and an expiry, where there is one for which people may ask."""
    masks_by_others = [entry for entry in inventory.entries if not entry.is_ours]
    others = Counter((entry.host, entry.unit) for entry in masks_by_others)
    can_be_adopted = [
        entry
        for entry in masks_by_others
        if others[entry.host, entry.unit] == 1 and entry.found and _is_plain(entry.found, inventory)
    ]
    if not can_be_adopted:
        return []
    typed = to_adopt(can_be_adopted[0].host, can_be_adopted[0].unit)
    told = section("adoption", [words("To give a mask by others an owner, a reason and an expiry: {}", typed)])
    fit = [one for one in can_be_adopted if max(len(one.host), len(one.unit)) <= LONGEST_VALUE]  # in the form
    return [told, *(_adopt_button(number, entry) for number, entry in enumerate(fit[:most_buttons], 1))]


def _is_plain(found: FoundMask, inventory: MaskInventory) -> bool:
    return found.load is LoadState.MASKED and inventory.can_ask_to_remove(found)


def _adopt_button(number: int, entry: MaskEntry) -> Block:
    """Its value has no colon, by which the values of other buttons begin with a request."""
    about = f"Adopt {entry.unit} on {entry.host}"
    button = {
        "type": "button",
        "action_id": Action.ADOPT.value,
        "text": plain_text(about, LABEL),
        "value": quote(f"{entry.host} {entry.unit}", safe=""),
        "accessibility_label": plain_text(about, LABEL)["text"],
    }
    return {"type": "actions", "block_id": f"adopt-{number}", "elements": [button]}


def words_to_adopt(value: str) -> str:
    """What a button to adopt a mask stands for, as it is typed behind `/mask`."""
    return f"{unquote(value)} {ADOPT}"


def _pending(inventory: MaskInventory) -> list[Block]:
    """Holds for hosts that cannot be reached."""
    found = [
        words("*{}*: pending, held by @{} once it is in place: {}", subject(one), hold.owners, one.target.note)
        for one in inventory.waiting
        if (hold := one.ask.change.hold) and one.target.note
    ]
    return [section("pending", [*found[:_HOSTS]])] if found else []


def _stopping(inventory: MaskInventory) -> list[Block]:
    """Masks that are not made yet, because their units are slow to stop."""
    slowly = [one for one in inventory.running if one.waits_for_its_stop]
    found = [words("*{}*: {}", subject(one), slow_unit.status(one, inventory.now)) for one in slowly]
    return [section("stopping", [*found[:_HOSTS]])] if found else []


def lines(name: str, all_lines: Sequence[Markup], *, room: int) -> tuple[list[Block], int]:
    """Sections with as many lines as fit, and the number of lines left out."""
    blocks: list[Block] = []
    rest = list(all_lines)
    while rest and len(rest[0]) < min(room, SECTION - 100):
        group: list[Markup] = []
        size = 0
        while rest and size + len(rest[0]) < min(room, SECTION - 100):
            size += len(rest[0]) + 1
            group.append(rest.pop(0))
        room -= size
        blocks.append(section(f"{name}-{len(blocks) + 1}", group))
    return blocks, len(rest)


def about_hosts(inventory: MaskInventory, *, most: int = _HOSTS) -> Iterator[Markup]:
    """When each host was scanned last, which hosts do not answer, and what was left out."""
    seen = [view for view in inventory.host_views if view.seen_at and not view.unreachable]
    if seen:
        yield row("Checked", _scan_times(seen, most))
    yield from _unreachable(inventory.host_views, most)
    if never := [view.host for view in inventory.host_views if not view.seen_at and not view.unreachable]:
        yield row("Not checked yet", join(never, most=most))
    for view in inventory.host_views:
        if view.scan and not view.scan.is_whole:
            yield row("Not listed", words("{} more on {}", view.scan.total - len(view.scan.masks), view.host))
    if vendor := sum(view.scan.vendor for view in inventory.host_views if view.scan):
        yield row("Not listed", words("{} mask{} shipped by packages", vendor, "s" * (vendor != 1)))


def _scan_times(seen: Sequence[HostView], most: int) -> Markup:
    times: list[tuple[datetime, str]] = sorted((view.seen_at, view.host) for view in seen if view.seen_at)
    if len(times) > most:
        return words("{} hosts, the earliest {} at {}", len(times), times[0][1], clock(times[0][0]))
    return join((words("{} at {}", host, clock(at)) for at, host in times), most=most)


def _unreachable(host_views: Sequence[HostView], most: int) -> Iterator[Markup]:
    gone = [(view, view.unreachable) for view in host_views if view.unreachable]
    for view, unreachable in gone[:most]:
        last = words("last checked {}", day(view.seen_at)) if view.seen_at else words("never checked")
        why = escape(unreachable.because, width=160)
        yield row("Unreachable", words("{} since {}, {}: {}", view.host, day(unreachable.since), last, why))
    if len(gone) > most:
        yield row("Unreachable", words("{} more hosts", len(gone) - most))


def _none() -> Block:
    return section("masks", [words("No mask found.")])


def _head(inventory: MaskInventory, host: str) -> str:
    mine = sum(entry.is_ours for entry in inventory.entries)
    where = f" ON {host}" if host else ""
    return f"MASKS{where} · {mine} by maskbot, {len(inventory.entries) - mine} by others"
