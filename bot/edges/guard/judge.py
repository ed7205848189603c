"""Whether a unit may go down or be brought back: the rules of the bot, asked again on the host by root."""

from collections.abc import Iterable, Mapping, Sequence

from bot.core.systemd.host_rules import (
    END_STARTS,
    ENDS_THE_HOST,
    MASKABLE_TYPES,
    NEEDED_BY,
    NEEDED_BY_ALL,
    REMOTE_ACCESS,
    RIVALS,
    STARTS_TOO,
    STOPS_TOO,
    ends_of_host,
    first_listed,
    first_that_carries,
    is_template,
    is_unit_name,
    started_by_name,
    with_templates,
)
from bot.edges.guard.own_login import OwnLogin
from bot.edges.guard.process import Refused
from bot.edges.guard.units import Manager, is_up, names_in

_MASKED, _NOT_FOUND = "masked", "not-found"
_TOLD = ("loaded", "bad-setting", "error", _NOT_FOUND)
"""The load states in which systemd still knows what depends on a unit."""


class Judged:
    """A unit that may go down: its names, and what runs of it and around it."""

    def __init__(self, names: "list[str]", running: "list[str]") -> None:
        self.names = names
        self.running = running


def check_name(unit: str) -> None:
    """Raises `Refused` for what is no name of one unit that is ever masked."""
    if not is_unit_name(unit) or is_template(unit) or unit.rpartition(".")[2] not in MASKABLE_TYPES:
        raise Refused(f"{unit[:80]!r} is not the name of a unit that the bot handles")


def judge(
    manager: Manager, unit: str, critical: "Sequence[str]", known: "Sequence[str]", connection: str, *, is_ours: bool
) -> Judged:
    """Raises `Refused` if the unit may not go down, or if that cannot be told.

    `known` are its names from before the bot's own change; `is_ours`: if it is masked, the bot did it. A masked unit
    still has those that depend on it, and are loaded (measured); a masked socket, timer or path does not say any more
    what it starts.
    """
    check_name(unit)
    with OwnLogin(connection) as login:
        return _judge(manager, unit, critical, known, login, is_ours=is_ours)


def _judge(
    manager: Manager, unit: str, critical: "Sequence[str]", known: "Sequence[str]", login: OwnLogin, *, is_ours: bool
) -> Judged:
    found = manager.one(unit)
    names = [*dict.fromkeys([unit, *manager.names_of(found), *known])]
    _check_names(unit, names, critical)
    check_load_state(unit, found, is_known=bool(known), is_ours=is_ours)
    stops = manager.closure(unit, STOPS_TOO)
    beside = _with_names(manager, stops)
    started = started_by_name(names) + _with_names(manager, names_in(found.get("Triggers", "")))
    triggers = names_in(found.get("TriggeredBy", ""))  # which fail when they are to start a masked unit (measured)
    unneeded = _unneeded(manager, [unit, *stops])
    idle = _with_names(manager, unneeded)
    at_stake = ((started, "is started by"), (beside, "depends on"), (_with_names(manager, triggers), "starts"))
    for others, how in (*at_stake, (idle, "stops with")):
        listed = first_that_carries(critical, with_templates(others))
        if listed:
            raise Refused(f"{listed[0]} {how} {unit} and is critical on this host ({listed[1]})")
    ours = login.carriers(manager)
    _check_own_login(unit, [*names, *beside, *idle], ours)
    running = [one for one in manager.show([unit, *stops, *triggers]) if is_up(one)]
    for one in (*running, *manager.show(unneeded)):
        _check_end(one)
        _check_what_follows(manager, one, critical, ours)
    return Judged(names, [one["Id"] for one in running])


def _unneeded(manager: Manager, going: "Sequence[str]") -> "list[str]":
    """What systemd stops with these, for nothing that runs needs it any more (StopWhenUnneeded=)."""
    gone = [one["Id"] for one in manager.show(going)]
    _show_all_of(manager, gone, STARTS_TOO)  # all at once, so that each is known below
    for name in gone:  # which grows
        for one in _show_all_of(manager, [name], STARTS_TOO):
            if one["Id"] in gone or one.get("StopWhenUnneeded") != "yes" or not is_up(one):
                continue
            needed_by = _show_all_of(manager, [one["Id"]], NEEDED_BY)
            if not any(is_up(other) and other["Id"] not in gone for other in needed_by):
                gone += [one["Id"], *manager.closure(one["Id"], STOPS_TOO)]
    return gone[len(going) :]


def _show_all_of(manager: Manager, units: "Sequence[str]", relations: "Sequence[str]") -> "list[dict[str, str]]":
    """All that these units name in these relations, but for what is needed by all."""
    found = manager.show(units)
    named = {other for one in found for relation in relations for other in names_in(one.get(relation, ""))}
    return manager.show(sorted(named.difference(NEEDED_BY_ALL)), only_loaded=True)


def _check_end(one: "Mapping[str, str]") -> None:
    """Raises `Refused` if the host may go down with the end of a unit that runs."""
    actions, ending = ends_of_host(one, names_in)
    for key, value in (*actions.items(), *ending):
        raise Refused(f"{one['Id']} has {key}={value}, so the host may go down with it")


def _check_what_follows(
    manager: Manager, one: "Mapping[str, str]", critical: "Sequence[str]", ours: "set[str]"
) -> None:
    """What systemd starts when a unit ends may bring up or stop others, like any start."""
    for key in END_STARTS:
        for other in names_in(one.get(key, "")):
            if is_up(manager.one(other)):
                continue
            try:
                _judge_start(manager, other, critical, ours)
            except Refused as why:
                raise Refused(f"{one['Id']} has {key}={other}, and {why}") from None


def check_load_state(unit: str, found: "Mapping[str, str]", *, is_known: bool, is_ours: bool) -> None:
    """Raises `Refused` if systemd does not say what depends on the unit; `is_known`: the bot took it down."""
    load = found.get("LoadState")
    if load == _NOT_FOUND and not is_known and not is_up(found):
        raise Refused(f"there is no {unit} on this host")
    if load == _MASKED and not is_ours and not unit.endswith(".service"):
        raise Refused(f"{unit} is masked by somebody else, so it cannot be told what it starts")
    if load not in (*_TOLD, _MASKED) or not found.get("Id"):
        raise Refused(f"systemd does not say what {unit} is")


def _check_names(unit: str, names: "Iterable[str]", critical: "Sequence[str]") -> None:
    listed = first_listed(critical, with_templates(names))
    if listed:
        alias = "" if listed[0] == unit else f"{unit} is {listed[0]}, which "
        raise Refused(f"{alias or unit + ' '}is critical on this host ({listed[1]})")


def judge_removal(manager: Manager, unit: str, critical: "Sequence[str]") -> None:
    """Somebody else's mask: of a critical unit it is never removed."""
    check_name(unit)
    _check_names(unit, [unit, *manager.names_of(manager.one(unit))], critical)


def judge_start(manager: Manager, unit: str, critical: "Sequence[str]", connection: str) -> None:
    """Raises `Refused` if a start would end the host, or stop what is critical or carries the bot's login."""
    with OwnLogin(connection) as login:
        _judge_start(manager, unit, critical, login.carriers(manager))


def _judge_start(manager: Manager, unit: str, critical: "Sequence[str]", ours: "set[str]") -> None:
    brought = [unit, *manager.closure(unit, STARTS_TOO, only_down=True)]
    for one in manager.show(brought):
        names = [one["Id"], *names_in(one.get("Names", ""))]
        ends = None if is_up(one) else first_listed(ENDS_THE_HOST, names)
        if ends:
            raise Refused(f"a start of {unit} would bring up {ends[0]}")
        if not is_up(one) or one["Id"] == unit:
            _check_rivals(manager, unit, one, critical, ours)


def _check_rivals(
    manager: Manager, unit: str, one: "Mapping[str, str]", critical: "Sequence[str]", ours: "set[str]"
) -> None:
    """What stops when it comes up (Conflicts=, on either side), with all that stops with that."""
    named = [other for relation in RIVALS for other in names_in(one.get(relation, ""))]
    rivals = [other["Id"] for other in manager.show(named) if is_up(other)]
    beside = [other for rival in rivals for other in manager.closure(rival, STOPS_TOO) if is_up(manager.one(other))]
    names, further = _with_names(manager, rivals), _with_names(manager, beside)
    stopped = first_listed(critical, with_templates(names)) or first_that_carries(critical, with_templates(further))
    if stopped:
        raise Refused(f"a start of {unit} would stop {stopped[0]}, which is critical on this host")
    cut = _that_carries(ours, [*names, *further])
    if cut:
        raise Refused(f"a start of {unit} would stop {cut}, which carries the bot's login")
    for other in manager.show([*rivals, *beside]):
        _check_end(other)


def _with_names(manager: Manager, units: "Iterable[str]") -> "list[str]":
    return [name for one in manager.show(units) for name in [one["Id"], *names_in(one.get("Names", ""))]]


def _check_own_login(unit: str, names: "Iterable[str]", ours: "set[str]") -> None:
    """The bot could neither prove nor undo a change of the units that carry its login."""
    cut = _that_carries(ours, names)
    if cut:
        raise Refused(f"{cut} carries the bot's login, and goes down with {unit}")


def _that_carries(ours: "set[str]", names: "Iterable[str]") -> str:
    return next((name for name in names if name in ours or name in REMOTE_ACCESS), "")
