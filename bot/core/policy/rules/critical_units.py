"""What nobody may mask, even with approval: critical units under every name, what stops them, and our own SSH login."""

from collections.abc import Iterable

from bot.core.policy.model import Facts, ListedUnit, Policy, Refuse
from bot.core.policy.rules.unit_names import find_listed, names_of
from bot.core.requests import Verb
from bot.core.systemd.host_rules import first_that_carries, started_by_name, with_templates
from bot.core.systemd.units import RelatedUnit

_NEVER = "Nobody can approve this."


def unit_is_not_critical(facts: Facts, policy: Policy) -> Refuse | None:
    """Only masks are refused: an unmask of a critical unit helps, and needs as much as that of a guarded one.

    A unit that runs the same unit file as a critical unit is as critical, whatever its name is.
    """
    twins = facts.snapshot.twins if facts.snapshot else ()
    found = find_listed(policy.critical, (*names_of(facts), *with_templates(twins))) if _masks(facts) else None
    if found is None:
        return None
    name, entry = found
    asked = str(facts.request.ask.change.unit)
    known = asked if name in with_templates([asked]) else f"{asked} is {name} on {facts.host.name}, which"
    return Refuse("critical_unit", f"{known} is on the critical list: {reason_of(entry, facts)}.", _NEVER)


def unit_starts_nothing_critical(facts: Facts, policy: Policy) -> Refuse | None:
    """What starts a critical unit is as critical: a masked `dbus.socket` leaves D-Bus unreachable.

    The started units are read from the host. Before a look, and in addition to it, the name counts (systemd.socket(5),
    systemd.timer(5), systemd.path(5): the unit of the same name unless configured).
    """
    if not _masks(facts):
        return None
    started = started_by_name(names_of(facts))
    around = facts.snapshot.around if facts.snapshot else None
    started += _names_of_related(around.starts) if around else []
    found = _carries_the_host(policy, with_templates(started))
    if found is None:
        return None
    name, entry = found
    asked = facts.request.ask.change.unit
    why = f"{asked} starts {name}, which is on the critical list: {reason_of(entry, facts)}."
    return Refuse("critical_unit", why, _NEVER)


def nothing_critical_stops_with_it(facts: Facts, policy: Policy) -> Refuse | None:
    """A critical unit that requires this one would stop with it, or could not be started any more."""
    around = facts.snapshot.around if facts.snapshot else None
    if around is None or not _masks(facts):
        return None
    found = _carries_the_host(policy, with_templates(_names_of_related(around.would_stop)))
    if found is None:
        return None
    name, entry = found
    unit = facts.request.target.unit
    why = f"{name} depends on {unit} and is on the critical list: {reason_of(entry, facts)}."
    return Refuse("critical_would_stop", why, _NEVER)


def _carries_the_host(policy: Policy, names: Iterable[str]) -> tuple[str, ListedUnit] | None:
    """The first of these units that carries the host for itself, and its entry."""
    found = first_that_carries([unit.pattern for unit in policy.critical], names)
    return found and (found[0], next(unit for unit in policy.critical if unit.pattern == found[1]))


def our_own_login_survives(facts: Facts, _policy: Policy) -> Refuse | None:
    """The unit that carries our SSH login is our only way to check the host, and to undo."""
    around = facts.snapshot.around if facts.snapshot else None
    if around is None or not _masks(facts):
        return None
    at_stake = [*names_of(facts), *_names_of_related(around.would_stop)]
    where = facts.host.name
    if cut := next((name for name in at_stake if name in around.login_units), None):
        why = f"{cut} carries the bot's own login on {where}. The bot could neither prove nor undo its mask."
        return Refuse("own_login", why, _NEVER)
    if may := next((name for name in at_stake if name in around.may_carry_us), None):
        why = f"{may} may carry the bot's own login on {where}: the host does not tell which units do."
        hint = (
            "ss(8) must show the cgroup of each socket (iproute2 5.8 or later, cgroup v2). It shows none for UNIX "
            "sockets, and none in another network namespace of the host: let the bot log in by TCP, from outside."
        )
        return Refuse("own_login_unknown", why, hint)
    return None


def the_bot_survives(facts: Facts, _policy: Policy) -> Refuse | None:
    """The unit that runs the bot, or the engine of its container, on the bot's own machine."""
    around = facts.snapshot.around if facts.snapshot else None
    if around is None or not _masks(facts):
        return None
    at_stake = [*names_of(facts), *_names_of_related(around.would_stop), *_names_of_related(around.starts)]
    cut = facts.own_machine.carrier(around.boot_id, at_stake)
    if not cut:
        return None
    why = f"The bot runs on {facts.host.name}, and {cut} may carry it: it could neither prove nor undo this."
    return Refuse("carries_the_bot", why, _NEVER)


def host_survives_its_end(facts: Facts, _policy: Policy) -> Refuse | None:
    """SuccessAction=, FailureAction= and JobTimeoutAction= can reboot or halt the whole host when a unit ends.

    So can StartLimitAction= when a unit is started too often, and the start of an undo may be one too many (measured).
    """
    snapshot = facts.snapshot
    if snapshot is None or not _masks(facts) or snapshot.active.is_down:
        return None
    around = snapshot.around
    beside = [(other.unit, other.actions) for other in around.would_stop if not other.active.is_down] if around else []
    ending = next((one for one in ((str(snapshot.id), snapshot.actions), *beside) if one[1]), None)
    if ending is None:
        return None
    unit, actions = ending
    only_starts = all(action.startswith("StartLimitAction=") for action in actions)
    when = "when it is started again" if only_starts else "when it ends"
    why = f"{unit} has {' and '.join(actions)}: {when}, {facts.host.name} may go down with it."
    return Refuse("ends_the_host", why, _NEVER)


def is_never_allowed(facts: Facts, policy: Policy) -> bool:
    """Whether the change is refused by one of the rules that no approval can override."""
    checks = (
        unit_is_not_critical,
        unit_starts_nothing_critical,
        nothing_critical_stops_with_it,
        our_own_login_survives,
        the_bot_survives,
        host_survives_its_end,
    )
    return any(check(facts, policy) for check in checks)


def reason_of(entry: ListedUnit, facts: Facts) -> str:
    """The reason that people are shown; `{host}` in the file stands for the host's name."""
    return entry.because.replace("{host}", facts.host.name).rstrip(".")


def _masks(facts: Facts) -> bool:
    return facts.request.ask.change.verb is Verb.MASK


def _names_of_related(units: Iterable[RelatedUnit]) -> list[str]:
    return [name for other in units for name in (other.unit, *sorted(other.names))]
