"""Build the policy from `policy.yaml`, and check that every name in it refers to something."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.core.people.identity import PersonId
from bot.core.people.same_person import SamePerson
from bot.core.policy.calendar_and_limits import ExtraApprovals, Freeze, MaintenanceWindow
from bot.core.policy.groups import BreakGlassPolicy, Group, OnCallSource
from bot.core.policy.hold import HoldPolicy
from bot.core.policy.model import ListedUnit, Policy, Routing, Rule
from bot.core.requests import REMIND
from bot.core.time.handover_schedule import HandoverSchedule
from config.calendar_and_limits import FreezeEntry, MaintenanceWindowEntry
from config.policy_file import PolicyFile, RuleEntry, is_channel
from config.policy_types import near, read_person
from config.quorum import unreachable
from config.same_person import read_same_person, wrong_accounts
from config.strict_yaml import Document, Loc, together, validate


@dataclass(frozen=True, slots=True)
class CriticalLists:
    """The two tiers of the critical list."""

    critical: tuple[ListedUnit, ...]
    guarded: tuple[ListedUnit, ...]


def read_policy(document: Document, lists: CriticalLists, digest: str) -> Policy:
    """The policy. Raises `ConfigError` with a line for each error."""
    file = validate(document, PolicyFile)
    people, wrong = _people(document, file)
    wrong += [*_wrong_names(document, file), *wrong_accounts(document, people)]
    if wrong:
        raise together(wrong)
    groups = tuple(_group(name, file, people) for name in file.groups)
    rules = tuple(_rule(entry, document.line(("rules", position))) for position, entry in enumerate(file.rules))
    same_person = read_same_person(file, people)
    if dead_ends := [*_dead_ends(document, rules, groups, same_person)]:
        raise together(dead_ends)
    return replace(
        _without_people(document, file, lists, digest),
        groups=groups,
        rules=rules,
        break_glass=file.break_glass.break_glass() if file.break_glass else BreakGlassPolicy(),
        holds=file.holds.holds() if file.holds else HoldPolicy(),
        undo_by=tuple(file.undo_by),
        people={login: people["people", login] for login in file.people},
        same_person=same_person,
        on_call=_on_call(file),
    )


def _without_people(document: Document, file: PolicyFile, lists: CriticalLists, digest: str) -> Policy:
    """Everything that names nobody: channels, times, unit types, and limits."""
    return Policy(
        digest=digest,
        teams=frozenset(file.teams),
        channels=frozenset(file.channels.ids),
        channel_prefixes=tuple(file.channels.prefixes),
        groups=(),
        rules=(),
        critical=lists.critical,
        guarded=lists.guarded,
        guarded_need=file.guarded_need,
        freezes=tuple(_freezes(document, file)),
        maintenance_windows=tuple(_windows(document, file)),
        limits=file.limits.bounds(document.line(("limits",))),
        undo_without_approval_for=file.undo_without_approval_for,
        time_zone=file.time_zone,
        scheduled_windows=file.scheduled_windows.limits(),
        shortest_mask=file.shortest_mask,
        longest_mask=file.longest_mask,
        free_extension=file.free_extension,
        observe=file.mode == "observe",
        shell_channel=file.shell_channel or "",
        operations_channel=file.for_operations,
        tell_foreign_masks=file.tell_foreign_masks,
        handover_schedule=_handover_schedule(file),
        unit_types=frozenset(file.unit_types),
        instances=file.instances,
        no_start_proof=tuple(file.no_start_proof),
    )


def _handover_schedule(file: PolicyFile) -> HandoverSchedule | None:
    entry = file.handover
    return HandoverSchedule(entry.schedule(file.time_zone), entry.channel or file.for_operations) if entry else None


def _dead_ends(document: Document, rules: Sequence[Rule], groups: Sequence[Group], same: SamePerson) -> Iterator[str]:
    return (document.complaint(("rules", where, "need"), why) for where, why in unreachable(rules, groups, same))


def _freezes(document: Document, file: PolicyFile) -> Iterator[Freeze]:
    for position, entry in enumerate(file.calendar.freezes):
        yield entry.freeze(file.time_zone, document.line(("calendar", "freezes", position)))


def _windows(document: Document, file: PolicyFile) -> Iterator[MaintenanceWindow]:
    for position, entry in enumerate(file.calendar.maintenance_windows):
        yield entry.window(file.time_zone, document.line(("calendar", "maintenance_windows", position)))


def _people(document: Document, file: PolicyFile) -> tuple[Mapping[Loc, PersonId], list[str]]:
    """All people that are named, by their place in the file; and errors in the others."""
    people: dict[Loc, PersonId] = {}
    wrong = []
    for loc, typed in _named_people(file):
        try:
            people[loc] = read_person(typed, file.teams)
        except ValueError as error:
            wrong.append(document.complaint(loc, str(error)))
    return people, wrong


def _named_people(file: PolicyFile) -> Iterator[tuple[Loc, str]]:
    for name, group in file.groups.items():
        for position, user in enumerate(group.users):
            yield ("groups", name, "users", position), user
    for login, user in file.people.items():
        yield ("people", login), user
    for number, accounts in enumerate(file.same_person):
        for position, user in enumerate(accounts):
            yield ("same_person", number, position), user


def _wrong_names(document: Document, file: PolicyFile) -> Iterator[str]:
    """Groups and windows that are used and not defined, and ambiguous names."""
    yield from _twice(document, file)
    yield from _no_windows(document, file)
    for position, entry in enumerate(file.rules):
        if entry.card_channel and entry.card_channel not in file.channels.ids:
            text = f"`{entry.card_channel}` is not among `channels.ids`, so nobody could undo anything there"
            yield document.complaint(("rules", position, "card_channel"), text)
        if entry.requires_expiry == "or_hold" and file.holds is None:
            yield document.complaint(
                ("rules", position, "requires_expiry"), "needs `holds` at the top level, which names who may own a hold"
            )
    for loc, group in _named_groups(file):
        if group not in file.groups:
            yield document.complaint(loc, f"there is no group `{group}`.{near(group, file.groups)}")
    for name, group_entry in file.groups.items():
        if group_entry.on_call and file.on_call is None:
            yield document.complaint(
                ("groups", name, "on_call"), "needs `on_call` at the top level, which says where to ask"
            )


def _twice(document: Document, file: PolicyFile) -> Iterator[str]:
    """Names that are defined twice."""
    lists: Mapping[Loc, tuple[str, Sequence[RuleEntry | FreezeEntry | MaintenanceWindowEntry]]] = {
        ("rules",): ("rule", file.rules),
        ("calendar", "freezes"): ("change freeze", file.calendar.freezes),
        ("calendar", "maintenance_windows"): ("window", file.calendar.maintenance_windows),
    }
    for loc, (word, entries) in lists.items():
        for position, entry in enumerate(entries):
            if entry.name in {above.name for above in entries[:position]}:
                yield document.complaint(
                    (*loc, position, "name"), f"`{entry.name}` is already the name of a {word} above"
                )


def _no_windows(document: Document, file: PolicyFile) -> Iterator[str]:
    known = [window.name for window in file.calendar.maintenance_windows]
    for position, entry in enumerate(file.rules):
        for place, name in enumerate(entry.maintenance_windows):
            if name not in known:
                text = f"there is no window `{name}` in `calendar`.{near(name, known)}"
                yield document.complaint(("rules", position, "maintenance_windows", place), text)


def _named_groups(file: PolicyFile) -> Iterator[tuple[Loc, str]]:
    """Every group that is used, by its place in the file."""
    for position, entry in enumerate(file.rules):
        for loc, groups in _groups_of(entry).items():
            yield from _at(("rules", position, *loc), groups)
    yield from _at(("undo_by",), file.undo_by)
    for position, freeze in enumerate(file.calendar.freezes):
        yield from _at(("calendar", "freezes", position, "extra_approvals", "approve"), freeze.extra_approvals.approve)
    if file.limits.beyond:
        yield from _at(("limits", "beyond", "approve"), file.limits.beyond.approve)
    if file.holds:
        yield from _at(("holds", "owners"), file.holds.owners)
    if file.break_glass:
        told = ["" if is_channel(name) else name for name in file.break_glass.tell]
        yield from _at(("break_glass", "groups"), file.break_glass.groups)
        yield from _at(("break_glass", "tell"), told)


def _groups_of(entry: RuleEntry) -> Mapping[Loc, Iterable[str]]:
    groups: dict[Loc, list[str]] = {("ask",): entry.ask, ("approve",): entry.approve, ("mention",): entry.mention}
    if entry.outside:
        groups["outside", "approve"] = entry.outside.approve
    return groups | {("escalate", number, "mention"): step.mention for number, step in enumerate(entry.escalate)}


def _at(loc: Loc, groups: Iterable[str]) -> Iterator[tuple[Loc, str]]:
    """Each name with its index in the list; an empty one is not meant as a group."""
    return (((*loc, place), group) for place, group in enumerate(groups) if group)


def _group(name: str, file: PolicyFile, people: Mapping[Loc, PersonId]) -> Group:
    entry = file.groups[name]
    users = frozenset(people["groups", name, "users", position] for position in range(len(entry.users)))
    return Group(
        name,
        users,
        entry.slack_group,
        channel=entry.channel or "",
        anybody_may_join=entry.anybody_may_join,
        on_call=entry.on_call or "",
    )


def _on_call(file: PolicyFile) -> OnCallSource | None:
    entry = file.on_call
    return OnCallSource(tuple(entry.command), entry.url, entry.deadline) if entry else None


def _rule(entry: RuleEntry, line: int) -> Rule:
    return Rule(
        name=entry.name,
        environments=frozenset(entry.environments),
        host_groups=frozenset(entry.host_groups),
        units=tuple(entry.units),
        verbs=entry.which_verbs(),
        ask=frozenset(entry.ask),
        forbid=entry.forbid or "",
        need=entry.need,
        approve=tuple(entry.approve),
        distinct=entry.distinct,
        step_up=entry.step_up,
        routing=Routing(entry.card_channel or "", tuple(entry.mention), tuple(entry.tell), entry.from_private),
        approve_within=entry.approve_within,
        good_for=entry.good_for,
        requires_expiry=bool(entry.requires_expiry),
        hold_will_do=entry.requires_expiry == "or_hold",
        maintenance_windows=tuple(entry.maintenance_windows),
        outside=entry.outside.as_policy() if entry.outside else ExtraApprovals(),
        allows_break_glass=entry.break_glass,
        remind=REMIND if entry.remind is None else tuple(entry.remind),
        escalate=tuple(step.step() for step in entry.escalate),
        rollout=entry.rollout.as_policy(),
        line=line,
    )
