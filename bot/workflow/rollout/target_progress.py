"""How far the targets of a rollout have come: a glance finds those that have moved, and what is verified counts."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from bot.core.audit.chain import Event
from bot.core.cards.rollout import reasons
from bot.core.cards.rollout.state_summary import state_summary
from bot.core.requests import Request, Rollout, RolloutTarget, TargetStatus
from bot.core.rollout.progress import Progress, with_progress
from bot.errors import NoSuchRequest, NotSealed
from bot.workflow.process.deps import Deps
from bot.workflow.process.update import update

_MOVES = (TargetStatus.PLANNING, TargetStatus.STARTED, TargetStatus.UNKNOWN, TargetStatus.ASKED_AGAIN)


class NotRecorded(Exception):
    """A target is not stored as a bot recorded it, so its rollout begins nothing more."""


def as_now(deps: Deps, request: Request) -> tuple[Rollout, list[Progress]]:
    """The rollout with each target as its request is now, and what the glance has shown. Raises `NotRecorded`."""
    known = request.rollout or Rollout()
    found = deps.store.progress(request.id, among=[one.request_id for one in _that_may_move(known) if one.request_id])
    requests = [_verified(deps, one) for one in _moved(known, with_progress(known, found))]
    return _as_found(with_progress(known, map(Progress.of, requests)), requests), found


def as_recorded(
    deps: Deps,
    whole_id: str,
    known: Rollout,
    see: Callable[[Rollout, Sequence[Progress]], Rollout] = with_progress,
) -> Rollout:
    """A rollout that is over, or a hold that goes on, as `see` sees its targets now.

    What no bot recorded moves none.
    """
    verified = list[Progress]()
    for one in _moved(known, see(known, deps.store.progress(whole_id))):
        with suppress(NotRecorded):
            verified.append(Progress.of(_verified(deps, one)))
    return see(known, verified)


def mark_progress(deps: Deps, whole_id: str) -> Request:
    """Write into a rollout how far its targets have come, and return it."""

    def marked(whole: Request) -> tuple[Request, list[Event]]:
        return replace(whole, rollout=whole.rollout and as_recorded(deps, whole.id, whole.rollout)), []

    return update(deps, whole_id, marked)


def real_names(deps: Deps, rollout: Rollout, hosts: Iterable[str]) -> dict[str, str]:
    """The real name of each unit on those of these hosts that have several, by the ids of their requests.

    Raises `NotRecorded`.
    """
    counts = Counter(one.host for one in rollout.targets)
    shared = {host for host in hosts if counts[host] > 1}
    asked = (one for one in rollout.targets if one.host in shared and one.request_id)
    return {one.request_id: str(_verified(deps, one).target.unit) for one in asked}


def wave_as_now(deps: Deps, rollout: Rollout) -> tuple[Rollout, bool]:
    """The rollout with every request of the running wave verified, and whether each was checked after its change.

    Raises `NotRecorded`.
    """
    found = [Progress.of(_verified(deps, one)) for one in rollout.in_wave(rollout.wave)]
    return with_progress(rollout, found), is_checked(rollout, found)


def why_not_recorded(deps: Deps, targets: Iterable[RolloutTarget]) -> str:
    """Why these must not begin; empty if their requests are what a bot recorded."""
    try:
        for one in targets:
            _verified(deps, one)
    except NotRecorded as error:
        return str(error)
    return ""


def is_checked(rollout: Rollout, found: list[Progress]) -> bool:
    """Whether each target of the wave was checked after its change, and nothing worse was found."""
    if not rollout.settings.wait_for_aftercheck:
        return True
    of_wave = {one.request_id for one in rollout.in_wave(rollout.wave) if one.status is TargetStatus.DONE}
    return all(one.looks > 0 and not one.found for one in found if one.request_id in of_wave)


def _moved(known: Rollout, now: Rollout) -> list[RolloutTarget]:
    return [newer for was, newer in zip(known.targets, now.targets, strict=True) if newer != was]


def _that_may_move(rollout: Rollout) -> Iterator[RolloutTarget]:
    """What rests is only moved by the rollout itself, and an undo of one target is written into the rollout."""
    is_checked_later, wave = rollout.settings.wait_for_aftercheck, rollout.wave
    for one in rollout.targets:
        if one.status in _MOVES or (is_checked_later and one.wave == wave and one.status is TargetStatus.DONE):
            yield one


def _as_found(rollout: Rollout, requests: Iterable[Request]) -> Rollout:
    """The rollout with the state of each unit as the last look before its change found it: plans may be hours old."""
    before = {one.id: one.target.before for one in requests}
    known = ((one, before.get(one.request_id)) for one in rollout.targets if one.state_summary)
    return rollout.put(*(replace(one, state_summary=state_summary(seen)) for one, seen in known if seen))


def _verified(deps: Deps, target: RolloutTarget) -> Request:
    try:
        return deps.store.get(target.request_id)
    except (NotSealed, NoSuchRequest) as error:
        raise NotRecorded(reasons.not_recorded(target)) from error
