"""The world that the questions of these tests are about: three people's groups, one host, one unit, one policy."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.hosts.inventory import Host
from bot.core.people.identity import Person, PersonId, Place
from bot.core.policy.model import Facts, ListedUnit, Moment, Policy, Rule
from bot.core.requests import (
    Approval,
    Ask,
    BreakGlass,
    Change,
    Escalation,
    Outcome,
    Request,
    Stage,
    Tally,
    Target,
    Transfer,
    Verb,
    Verdict,
    Vote,
)
from bot.core.systemd.guard import RIGHTS
from bot.core.systemd.units import (
    ActiveState,
    FileKind,
    Layer,
    LayerFile,
    LoadState,
    RelatedUnit,
    Snapshot,
    Surroundings,
    UnitName,
)

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
TEAM = "T1"
FOLDERS = {
    Layer.CONTROL: "/etc/systemd/system.control",
    Layer.PERSISTENT: "/etc/systemd/system",
    Layer.RUNTIME: "/run/systemd/system",
}


def person(name: str, *groups: str, **flags: bool) -> Person:
    return Person(PersonId(TEAM, f"U{name.upper()}"), name, frozenset(groups), **flags)


ALICE = person("alice", "eng")
BOB = person("bob", "eng", "sre")
CAROL = person("carol", "eng", "sre")
DAVE = person("dave")
MEMBERS = {
    "eng": frozenset({ALICE.id, BOB.id, CAROL.id}),
    "sre": frozenset({BOB.id, CAROL.id}),
}
WEB = Host("web-01", "192.0.2.1", 22, "maskbot", "prod", frozenset({"web"}))
INCIDENT = Place("C1", name="inc-42")
PROD = Rule("prod", environments=frozenset({"prod"}), ask=frozenset({"eng"}), approve=("sre",), line=12)
POLICY = Policy(
    digest="0" * 64,
    teams=frozenset({TEAM}),
    channels=frozenset({"C9"}),
    channel_prefixes=("inc-",),
    groups=(),
    rules=(PROD,),
    critical=(
        ListedUnit("ssh*", "remote access. Masking it would lock everybody out of {host}"),
        ListedUnit("dbus*", "D-Bus"),
        ListedUnit("getty@*", "login on the console"),
        ListedUnit("*.mount", "storage"),
    ),
    guarded=(ListedUnit("docker.service", "every container of this host stops with it"),),
)


def layer_files(unit: str, kinds: Mapping[Layer, FileKind]) -> tuple[LayerFile, ...]:
    return tuple(
        LayerFile(layer, f"{folder}/{unit}", kinds.get(layer, FileKind.ABSENT)) for layer, folder in FOLDERS.items()
    )


def related_unit(unit: str, *aliases: str, active: ActiveState = ActiveState.ACTIVE) -> RelatedUnit:
    return RelatedUnit(unit, frozenset({unit, *aliases}), LoadState.LOADED, active)


def surroundings(**changed: Any) -> Surroundings:
    known = Surroundings("web-01", "b00t", "252", "hash", rights=frozenset(RIGHTS))
    return replace(known, **changed)


def snapshot(
    unit: str = "cron.service",
    *,
    aliases: tuple[str, ...] = (),
    layers: Mapping[Layer, FileKind] | None = None,
    **changed: Any,
) -> Snapshot:
    """A vendor unit, enabled and running; `layers` says what else stands at its layers' paths."""
    around = {key: changed.pop(key) for key in list(changed) if key in Surroundings.__slots__}
    ordinary = Snapshot(
        asked=UnitName(unit),
        id=UnitName(unit),
        names=frozenset({unit, *aliases}),
        machine_id="m1",
        load=LoadState.LOADED,
        active=ActiveState.ACTIVE,
        sub="running",
        file_state="enabled",
        fragment=f"/lib/systemd/system/{unit}",
        layers=layer_files(unit, layers or {}),
        around=surroundings(**around),
    )
    return replace(ordinary, **changed)


def masked(*layers: Layer, **changed: Any) -> Snapshot:
    """A unit that is masked in these layers, and down."""
    fragment = f"{FOLDERS[layers[0]]}/cron.service" if layers else "/lib/systemd/system/cron.service"
    return snapshot(
        layers=dict.fromkeys(layers, FileKind.MASK),
        **{"load": LoadState.MASKED, "active": ActiveState.INACTIVE, "sub": "dead", "fragment": fragment} | changed,
    )


def request(unit: str = "cron.service", verb: Verb = Verb.MASK, *, by: Person = ALICE, **options: Any) -> Request:
    change = Change(verb, "web-01", UnitName(unit), **options)
    ask = Ask(change, by.id, by.name, INCIDENT)
    return Request("r1", "k1", ask, NOW, Target("web-01", UnitName(unit)))


def facts(asked: Request | None = None, moment: Moment = Moment.ASK, **changed: Any) -> Facts:
    """Alice asks in the incident channel, the groups are as `MEMBERS` has them."""
    known = Facts(NOW, moment, asked or request(), WEB, ALICE, INCIDENT, members=MEMBERS)
    return replace(known, **changed)


def looked(seen: Snapshot, asked: Request | None = None, moment: Moment = Moment.LOOKED, **changed: Any) -> Facts:
    """The same with a snapshot, and the request's target under the unit's real name."""
    asked = (asked or request(str(seen.asked))).on_target(unit=seen.id)
    return facts(asked, moment, snapshot=seen, **changed)


def waiting(asked: Request | None = None, need: int = 1) -> Request:
    approval = Approval("prod", need, ("sre",), NOW + timedelta(minutes=15))
    return replace(asked or request(), stage=Stage.WAITING, approval=approval)


def handed(asked: Request, *owners: Person) -> Request:
    """The same request, handed from one to the next."""
    return replace(asked, transfers=tuple(Transfer(one.id, one.name, ALICE.id, ALICE.name, NOW) for one in owners))


def broken(asked: Request, by: Person = ALICE, reason: str = "nobody is awake", **changed: Any) -> Request:
    """The same request, and somebody uses break-glass for its plan."""
    asked = asked if asked.target.digest else asked.on_target(digest="d1")
    used = BreakGlass(by.id, by.name, reason, NOW, asked.target.digest, groups=("sre",), need=1)
    return replace(asked, break_glass=replace(used, **changed))


def waiting_since(escalation: Escalation) -> Request:
    """A request that waits for a vote, fifteen minutes in all."""
    return replace(waiting(), escalation=escalation)


def our_mask(layer: Layer = Layer.PERSISTENT, outcome: Outcome = Outcome.PROVEN) -> Request:
    """A mask of cron.service that alice asked for and bob approved an hour ago."""
    approved = Vote(BOB.id, BOB.name, Verdict.APPROVE, NOW - timedelta(hours=1), digest="d1", tally=Tally.COUNTED)
    done = request().on_target(digest="d1", layer=layer, outcome=outcome)
    return replace(done, id="r0", stage=Stage.DONE, votes=(approved,), finished_at=NOW - timedelta(hours=1))
