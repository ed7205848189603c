"""A unit's state in people's words. Everything here is foreign until a card escapes it."""

from collections.abc import Iterator
from math import isfinite

from bot.core.systemd.units import ActiveState, Layer, RelatedUnit, Snapshot

_BOOT = {
    "masked": "blocked",
    "masked-runtime": "not blocked",  # a runtime mask ends with the boot
    "enabled-runtime": "not enabled",  # and so does this enablement
    "linked-runtime": "not linked",
}
_AT_BOOT = {"enabled": "starts", "disabled": "not started", "enabled-runtime": "not started"}
_TELLING = ("running", "listening", "waiting", "mounted")
_NO_LIMIT = 10 * 365 * 24 * 3600  # systemd says `infinity` with a very large number

LAYERS = {
    Layer.PERSISTENT: "/etc/systemd/system",
    Layer.RUNTIME: "/run/systemd/system, until the next reboot",
    Layer.CONTROL: "the control layer",
}


def activity(unit: Snapshot | RelatedUnit) -> str:
    """The active state: systemd's sub state if it says more, or both."""
    active, sub = unit.active, unit.sub
    if active is ActiveState.ACTIVE and sub in _TELLING:
        return sub
    says_more = sub and sub not in (active, "dead")
    return f"{active} ({sub})" if says_more else str(active)


def boot(file_state: str) -> str:
    """The fate of the unit at the next boot."""
    return _BOOT.get(file_state, file_state) or "-"


def at_boot(file_state: str) -> str:
    """What the next boot does with the unit, in one short word or two."""
    return _AT_BOOT.get(file_state) or boot(file_state)


def now(unit: Snapshot) -> str:
    """The unit's state in one line: `running, enabled, 7 restarts`."""
    return ", ".join(_now(unit))


def _now(unit: Snapshot) -> Iterator[str]:
    if unit.is_masked:
        yield "masked"
    elif unit.mask_layers:
        yield "mask in place but not loaded by systemd"
    yield activity(unit)
    if unit.file_state and not unit.file_state.startswith("masked"):
        yield boot(unit.file_state)
    if unit.active is ActiveState.FAILED and unit.result:
        yield f"Result={unit.result}"
    if unit.restarts:
        yield f"{unit.restarts} restart" + "s" * (unit.restarts > 1)
    if unit.pending_job:
        yield "systemd has a job queued for it"


def stop_limit(unit: Snapshot) -> float | None:
    """The unit's own limit for its stop, in seconds; infinity if it has none, None if unknown."""
    seconds = unit.timeout_stop_usec / 1e6
    if not seconds:
        return None
    return float("inf") if seconds > _NO_LIMIT else seconds


def span(seconds: float) -> str:
    """A length of time: `14 s`, `3 min`, `2 h`, `5 d`."""
    if not isfinite(seconds):
        return "a time without limit"
    if seconds < 120:  # noqa: PLR2004 - two minutes: seconds still tell more
        return f"{max(0, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 120:  # noqa: PLR2004 - the same, for hours
        return f"{minutes} min"
    hours = round(minutes / 60)
    return f"{hours} h" if hours < 48 else f"{round(hours / 24)} d"  # noqa: PLR2004 - and for days
