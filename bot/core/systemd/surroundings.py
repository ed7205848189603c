"""Find what surrounds a unit: its files, its related units, and facts for decisions. Everything is read already."""

from collections.abc import Collection
from dataclasses import replace

from bot.core.systemd.dependencies import UnitGraph, near_names
from bot.core.systemd.look_answer import LookAnswer, OfADecision, OfAResult
from bot.core.systemd.own_access import OwnAccess, own_access
from bot.core.systemd.shown_unit import UnitItself
from bot.core.systemd.unit_files import contents_of
from bot.core.systemd.units import LoadState, Surroundings, UnitName
from bot.core.systemd.unread_edits import is_among, pending_reload


def surroundings(answer: LookAnswer, also: Collection[str]) -> Surroundings | None:
    """As far as the look's size goes, with the states of the units in `also`; None for a short look."""
    unit, result, decision = answer.base.unit, answer.result, answer.decision
    if result is None:
        return None
    around = _around(unit, result, also)
    return _for_a_decision(around, unit, result, decision) if decision else around


def _around(unit: UnitItself, result: OfAResult, also: Collection[str]) -> Surroundings:
    shown, kernel, own = unit.shown, result.kernel, UnitName(unit.shown.id)
    fragment, drop_ins = contents_of(unit.fragment, unit.drop_ins, result.contents)
    nearby = UnitGraph([*result.related, shown], result.listed)
    return Surroundings(
        hostname=kernel.hostname,
        boot_id=kernel.boot_id,
        systemd=kernel.systemd,
        uptime=kernel.uptime,
        fragment_hash=fragment,
        drop_ins=drop_ins,
        wants_links=result.links,
        would_stop=nearby.would_stop(own.text),
        triggers=nearby.triggers(shown),
        upheld_by=nearby.named(unit.upheld_by),
        starts=nearby.starts(shown),
        members=nearby.members(own),
        others=nearby.named(also),
        failed=nearby.failed(),
        up=nearby.up(),
        moving=nearby.moving(),
        near=near_names(own, (*nearby.names(), *result.near)) if shown.load is LoadState.NOT_FOUND else (),
        agents=nearby.agents(),
    )


def _for_a_decision(around: Surroundings, unit: UnitItself, result: OfAResult, decision: OfADecision) -> Surroundings:
    """Add what only decisions need: our login's units, our rights, and other edits that a reload would apply."""
    way, shown, own = own_access(decision.login), unit.shown, UnitName(unit.shown.id)
    edited = pending_reload(decision.edits, result.listed)
    copies = (name for name in decision.copies if name.endswith(f".{own.type}") and "@." not in name)
    return replace(
        around,
        copies=tuple(sorted({*copies}.difference(shown.names))),
        counted_anew=tuple(sorted(decision.counted_anew.intersection(around.up))),
        pending_reload=tuple(sorted(edited - {shown.id})),
        is_edited=shown.load is LoadState.LOADED and is_among(shown.id, edited),
        pending_besides=decision.edits.besides,
        login_units=way.units,
        may_carry_us=_may_carry_us(way, around, unit, result),
        rights=decision.rights.words,
        spared=decision.rights.spared,
        remembered=decision.rights.masks,
    )


def _may_carry_us(way: OwnAccess, around: Surroundings, unit: UnitItself, result: OfAResult) -> frozenset[str]:
    """The units at stake that may carry our login, where it is not known which unit does."""
    shown = unit.shown
    at_stake = {shown.id: {*shown.names, *(trigger.unit for trigger in around.triggers)}}
    at_stake |= {other.unit: {other.unit, *other.names} for other in around.would_stop}
    is_open = way.is_behind or way.is_in_scope or not way.is_told
    own_networks = {one.id for one in (*result.related, shown) if is_open and one.may_have_own_network}
    return frozenset(name for name, names in at_stake.items() if name in own_networks or way.may_be(names))
