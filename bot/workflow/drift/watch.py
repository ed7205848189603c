"""The watch over a host: scanned now and then, compared with what was seen last, and what is new is told once."""

import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.core.drift import Away, Findings, Page, compare, read_page, settled, write_page
from bot.core.hosts.inventory import Host
from bot.core.requests import Request
from bot.core.systemd.scan import Scan
from bot.errors import HostError, Stale
from bot.ports import Duty
from bot.workflow.drift.report import of_others, see_what_became, tell_failed
from bot.workflow.hosts.look import scan
from bot.workflow.process.deps import Parts
from bot.workflow.requests.hold_pending import host_is_back
from bot.workflow.requests.mask_inventory import _SOON, busy, live_masks, owners_of, watch_of
from bot.workflow.requests.own_changes import own_changes

log = structlog.get_logger()

_EARLIER = 0.1  # of the interval, at most: so that not all hosts are looked at together for ever


def appoint_watches(parts: Parts) -> None:
    """See that every host is watched; a watch over a host that is not configured any more ends by itself."""
    for host in parts.inventory.names:
        duty = parts.store.duty(watch_of(host))
        if duty is None or duty.due_at is None:
            begun = Duty(watch_of(host), {}, parts.clock.now(), duty.version if duty else 0)
            with suppress(Stale):  # another replica was quicker
                parts.store.keep(begun)


def watch(parts: Parts, duty: Duty) -> None:
    """One turn. Whatever is told is told in the transaction that makes it known, so nobody tells it again."""
    parts = parts.pinned()
    host = parts.inventory.get(duty.name.partition(":")[2])
    if host is None:
        parts.store.keep(Duty(duty.name, {}, None, duty.version))
        return
    page = read_page(host.name, duty.document)
    try:
        newer, found = _turn(parts, host, page)
    except HostError as error:
        away = _away(parts, page, error)
        parts.store.keep(replace(duty, document=write_page(away), due_at=_try_again(parts, away)))
        return
    if page.away:
        log.info("host is back", host=host.name, since=page.away.since.isoformat())
        host_is_back(parts, host.name)
    events, messages = of_others(parts, page, found)
    kept = replace(duty, document=write_page(newer), due_at=_next(parts, duty))
    parts.store.keep(kept, events=events, messages=messages)


def _turn(parts: Parts, host: Host, page: Page) -> tuple[Page, Findings]:
    """Scan, compare, and tell of our own masks in their requests. Raises `HostError`."""
    live = live_masks(parts, host.name)
    ours = [request for request in live if not request.ask.change.user]
    seen = scan(parts, host)
    at_work = busy(parts, host.name)  # after the scan: what was changed during it is among them, or on record by now
    seen = settled(page, seen, at_work)
    owners = owners_of(parts, page, seen, ours)
    found = compare(page, seen, ours=ours, owners=owners, busy=at_work)
    for request in found.missing:
        see_what_became(parts, host, request, seen)
    told = set[str]()
    for request, units in found.broken:
        of_its_doing = [unit for unit in units if unit not in own_changes(parts, request).units]
        tell_failed(parts, request, of_its_doing, told)
        told.update(of_its_doing)
    _look_at_those_of_users(parts, host, [request for request in live if request.ask.change.user], seen)
    return Page(host.name, parts.clock.now(), seen, owners), found


def _look_at_those_of_users(parts: Parts, host: Host, theirs: Sequence[Request], seen: Scan) -> None:
    """A scan sees only the system's masks; of ours in users' own managers each is looked at by itself.

    One whose manager does not answer, because its user is gone, is no loss and does not make the host one that is away.
    """
    for request in theirs:
        try:
            see_what_became(parts, host, request, seen)
        except HostError as error:
            log.info("mask of a user not looked at", request=request.id, why=error.code)


def _away(parts: Parts, page: Page, error: HostError) -> Page:
    """What was known of it stays, with since when nothing more is."""
    if page.away is None:
        log.warning("host is away", host=page.host, why=error.code)
        return replace(page, away=Away(parts.clock.now(), str(error)))
    return replace(page, away=replace(page.away, because=str(error), tries=page.away.tries + 1))


def _try_again(parts: Parts, page: Page) -> datetime:
    """At first soon, then with growing pauses, until it is looked for as often as any other host."""
    tries = page.away.tries if page.away else 1
    pause = min(1.0, _SOON * 2 ** (tries - 1)) * parts.timings.watch
    return parts.clock.now() + timedelta(seconds=pause)


def _next(parts: Parts, duty: Duty) -> datetime:
    """An interval later, or a little earlier: scattered, and the same for a host and a turn."""
    scattered = zlib.crc32(f"{duty.name}:{duty.version}".encode()) / 2**32
    return parts.clock.now() + timedelta(seconds=parts.timings.watch * (1 - _EARLIER * scattered))
