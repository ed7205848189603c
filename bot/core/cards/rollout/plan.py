"""The plan of a rollout, for those who approve it: what is alike, what differs, what is left out, and the waves."""

from collections.abc import Callable, Iterator, Sequence

from bot.core.cards import consequences
from bot.core.cards.blocks import Markup, escape, join, mention, row, words
from bot.core.cards.rollout.counts import Targets, hosts, names, number_of
from bot.core.cards.titles import selection
from bot.core.requests import Change, Request, Rollout, RolloutTarget, TargetStatus, Verb
from bot.core.rollout.wave_sizes import share
from bot.core.time.human_time import humanize

_KINDS = 4  # of what is alike, of reasons, of units: the rest is counted
_WAVES = 6
_FEW = 3  # hosts that are named in a list of several kinds
_NOTE = 160


def rows(request: Request, rollout: Rollout) -> Iterator[Markup]:
    """The rows of the plan, always in the same order."""
    if not rollout.planned or rollout.with_status(TargetStatus.PLANNING):
        yield row("Now", _being_checked(rollout))
        return
    yield from _kinds(rollout)
    yield from left_out(rollout)
    yield from consequences.window(request.ask.change)
    yield row("Then", _then(request))
    yield from _notes(rollout)
    if request.ask.change.verb is Verb.MASK:
        is_one = len(rollout.planned) == 1
        undo = "unmask, and start it again if it ran" if is_one else "unmask all of them, and start again what ran"
        yield from consequences.lasts(request, undo)
    yield from _waves(request, rollout)


def left_out(rollout: Rollout) -> Iterator[Markup]:
    """What does not belong to the plan, by the reason."""
    found = _grouped(rollout.left_out, lambda one: one.note or "no reason given")
    for why, targets in [*found.items()][:_KINDS]:
        yield row("Left out", words("{}: {}", names(targets, rollout), escape(why, width=_NOTE)))
    if len(found) > _KINDS:
        rest = [one for targets in [*found.values()][_KINDS:] for one in targets]
        yield row("Left out", words("{} for other reasons: {}", number_of(rest, "more host"), hosts(rest)))


def _being_checked(rollout: Rollout) -> str:
    planning = len(rollout.with_status(TargetStatus.PLANNING))
    if not planning:
        return "not checked yet"
    return f"{len(rollout.targets) - planning} of {len(rollout.targets)} checked"


def _kinds(rollout: Rollout) -> Iterator[Markup]:
    """`11 alike  running, enabled: web-01, …` and `1 differs  inactive, enabled: web-07`; for several units by unit."""
    by_unit = _grouped(rollout.planned, lambda one: str(one.unit))
    if len(by_unit) == 1:
        yield from _kinds_of_one(rollout.planned)
        return
    for unit, targets in [*by_unit.items()][:_KINDS]:
        kinds = _by_state(targets)
        yield words("*{}*  {}", escape(unit, width=80), join([*_unit_kinds(kinds, rollout)], " · ", most=_KINDS))
    if len(by_unit) > _KINDS:
        yield row("Units", words("{} more: {}", len(by_unit) - _KINDS, join([*by_unit][_KINDS:])))
    if len({one.host for one in rollout.planned}) > 1:
        yield row("Hosts", hosts(rollout.planned))


def _kinds_of_one(targets: Targets) -> Iterator[Markup]:
    kinds = _by_state(targets)
    for number, found in enumerate(kinds[:_KINDS]):
        yield row(_how_many(found, kinds, number), words("{}: {}", _state(found), hosts(found)))
    if len(kinds) > _KINDS:
        rest = [one for found in kinds[_KINDS:] for one in found]
        yield row("Others", words("{} in {} more kinds: {}", number_of(rest), len(kinds) - _KINDS, hosts(rest)))


def _how_many(found: Targets, kinds: Sequence[Targets], number: int) -> str:
    if len(kinds) == 1:
        return f"All {len(found)}" if len(found) > 1 else "Now"
    if len(kinds[0]) == 1:
        return f"1 of {len(kinds)}"
    if number == 0:
        return f"{len(found)} alike"
    return f"{len(found)} differ" + "s" * (len(found) == 1)


def _unit_kinds(kinds: Sequence[Targets], rollout: Rollout) -> Iterator[Markup]:
    """The kinds of one of several units, in its row."""
    is_one_host = len({one.host for one in rollout.planned}) == 1
    for found in kinds:
        few = words(" ({})", hosts(found)) if len(found) <= _FEW and len(kinds) > 1 else Markup("")
        yield _state(found) if is_one_host else words("{} {}{}", len(found), _state(found), few)


def _state(found: Targets) -> Markup:
    return escape(found[0].state_summary or "not known", width=_NOTE)


def _by_state(targets: Targets) -> list[Targets]:
    """What is most frequent first."""
    return sorted(_grouped(targets, lambda one: one.state_summary).values(), key=len, reverse=True)


def _then(request: Request) -> str:
    change = request.ask.change
    if change.verb is Verb.UNMASK and request.ask.undoes:
        return "our masks are removed, and every unit is put back as it was"
    if change.verb is Verb.UNMASK:
        return "the masks are removed; nothing is started"
    return _masked(change)


def _masked(change: Change) -> str:
    lasts = "until the next reboot" if change.runtime else "also after a reboot"
    if change.keep_running:
        return f"left running; once down they cannot be started, {lasts}"
    return f"stopped and cannot be started, {lasts}"


def _notes(rollout: Rollout) -> Iterator[Markup]:
    """Say what else happens by the plans of the targets, such as which units stop too, alike ones together."""
    planned = [one for one in rollout.planned if one.note]
    found = _grouped(planned, lambda one: one.note)
    for note, targets in [*found.items()][:_KINDS]:
        where = words("all") if len(targets) == len(rollout.planned) > 1 else names(targets, rollout)
        yield row("Also", words("{}: {}", where, escape(note, width=_NOTE)))
    if len(found) > _KINDS:
        yield row("Also", words("{} more notes, which Details shows", len(found) - _KINDS))


def _waves(request: Request, rollout: Rollout) -> Iterator[Markup]:
    """In which steps it goes, how many stay active, and what pauses it."""
    settings, is_on_one_host = rollout.settings, len({one.host for one in rollout.planned}) == 1
    if not rollout.last_wave:
        return
    if not is_on_one_host:
        yield row("Waves", words("{}{}", _sizes(rollout), ", one host after the other" * selection(request).in_order))
        if settings.wait_for_aftercheck and rollout.last_wave > 1:
            yield row("Between", "each wave begins only if the first check after the previous one finds nothing worse")
    for kept in settings.keep_active:
        group = kept.group.removeprefix("@")
        yield row("Keeps", words("at least {} of @{} active, counted again before each change", kept.at_least, group))
    failures, who = share(settings.stop_after, len(rollout.planned)), mention(request.owner, request.owner_name)
    if failures < len(rollout.planned) and not is_on_one_host:
        changed = " or when a plan has changed" * settings.strict
        after = f"{failures} failure" + "s" * (failures != 1)
        yield row("Pauses", words("automatically after {}{}, and mentions {}", after, changed, who))


def _sizes(rollout: Rollout) -> Markup:
    """`1 host, then 2, then 9; 10 minutes between waves`."""
    last, settings = rollout.last_wave, rollout.settings
    sizes = [len({one.host for one in rollout.in_wave(number)}) for number in range(1, last + 1)]
    largest = max(len(rollout.in_wave(number)) for number in range(1, last + 1))
    at_once = f", at most {settings.in_parallel} at a time" * (largest > settings.in_parallel)
    if last == 1:
        return words("all {} at once{}" if not at_once else "all {} in one{}", number_of(rollout.planned), at_once)
    first = number_of(rollout.in_wave(1))
    then = [f"then {size}" for size in sizes[1:_WAVES]]
    more = [f"and so on: {len(sizes)} waves"] if len(sizes) > _WAVES else []
    pause = f"; {humanize(settings.pause)} between waves" if settings.pause else ""
    return words("{}{}{}", join([first, *then, *more]), at_once, pause)


def _grouped(targets: Targets, key: Callable[[RolloutTarget], str]) -> dict[str, list[RolloutTarget]]:
    found: dict[str, list[RolloutTarget]] = {}
    for one in targets:
        found.setdefault(key(one), []).append(one)
    return found
