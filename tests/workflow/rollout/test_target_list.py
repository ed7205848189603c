"""What the words of a rollout name: its targets, or nothing that could be asked for."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.hosts.inventory import Host, Inventory
from bot.core.requests import Ask, Change, Selection, Verb
from bot.core.systemd.units import UnitName
from bot.errors import UsageError
from bot.workflow.rollout.target_list import bind, expand, expand_hosts
from tests.workflow.slack import ALICE, INCIDENT, caller
from tests.workflow.waiting import without_hosts
from tests.workflow.world import World

CRON, NGINX = UnitName("cron.service"), UnitName("nginx.service")
_GROUPS = {"web-02": {"web", "all"}, "db-01": {"db", "all"}, "web-01": {"web"}, "spare": set[str]()}


@pytest.fixture
def deskbound(tmp_path: Path) -> Iterator[World]:
    """A bot without hosts, whose inventory has groups."""
    with without_hosts(tmp_path) as world:
        hosts = tuple(
            Host(name, "192.0.2.1", 22, "maskbot", "prod", frozenset(groups)) for name, groups in _GROUPS.items()
        )
        world.in_force.put(replace(world.in_force.now, inventory=Inventory(hosts)))
        yield world


def limited(world: World, targets: int) -> None:
    now = world.in_force.now
    world.in_force.put(replace(now, policy=replace(now.policy, limits=replace(now.policy.limits, targets=targets))))


def chosen(*hosts: str, units: tuple[UnitName, ...] = (CRON,)) -> Selection:
    return Selection(hosts, units)


@pytest.mark.parametrize(
    ("words", "hosts"),
    [
        (("web-01", "db-01"), ("web-01", "db-01")),
        (("@web",), ("web-02", "web-01")),  # as the inventory has them
        (("web-01", "@web", "@all"), ("web-01", "web-02", "db-01")),
        (("@all", "@db", "spare"), ("web-02", "db-01", "spare")),
    ],
)
def test_each_host_once_as_typed_and_those_of_a_group_as_in_the_inventory(
    deskbound: World, words: tuple[str, ...], hosts: tuple[str, ...]
) -> None:
    assert expand_hosts(deskbound.deps, chosen(*words)) == hosts
    targets = expand(deskbound.deps, chosen(*words, units=(NGINX, CRON)))
    assert targets == tuple((host, unit) for host in hosts for unit in (NGINX, CRON))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("@gone",), "hosts.yaml has no host in the group `@gone`"),
        (("web-01", "gone"), "There is no host `gone`"),
    ],
)
def test_words_that_name_nobody_are_said(deskbound: World, words: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        expand(deskbound.deps, chosen(*words))


def test_too_many_targets_are_counted_and_as_many_as_the_policy_allows_are_not(deskbound: World) -> None:
    limited(deskbound, 4)
    assert len(expand(deskbound.deps, chosen("@web", "db-01", "spare"))) == 4
    with pytest.raises(UsageError, match="2 hosts with 3 units each: 6 targets, and one request may have 4"):
        expand(deskbound.deps, chosen("@web", units=(CRON, NGINX, UnitName("a.timer"))))
    limited(deskbound, 2)
    with pytest.raises(UsageError, match="3 hosts: 3 targets, and one request may have 2"):
        bind(deskbound.deps, asked("web-01,web-02,db-01", chosen("web-01", "web-02", "db-01")))


def asked(host: str, selection: Selection | None, verb: Verb = Verb.MASK) -> Ask:
    return Ask(Change(verb, host, CRON), ALICE.id, ALICE.name, INCIDENT, selection=selection)


def test_a_request_for_one_host_names_one_that_there_is(deskbound: World) -> None:
    assert bind(deskbound.deps, asked("web-01", None)) == asked("web-01", None)
    with pytest.raises(UsageError, match="There is no host `@web`"):
        bind(deskbound.deps, asked("@web", None))


def test_an_unmask_of_the_same_words_is_the_undo_of_the_rollout(world: World) -> None:
    worker = UnitName("worker.service")
    words = Selection(("web-01", "web-02"), (worker, CRON))
    change = Change(Verb.MASK, "web-01,web-02", worker)
    ask = Ask(change, ALICE.id, ALICE.name, INCIDENT, selection=words)
    done = world.approve(world.until_answered(world.desk.submit(ask, key="mask")))

    def bound(**other: object) -> str:
        unmask = replace(ask, change=replace(change, verb=Verb.UNMASK), selection=replace(words, **other))  # type: ignore[arg-type]
        return bind(world.deps, unmask).undoes

    assert bound(hosts=("web-02", "web-01"), units=(CRON, worker), waves=("1",)) == done.id
    assert [bound(hosts=("web-01",)), bound(with_triggers=True), bound(units=(CRON,))] == ["", "", ""]
    assert bind(world.deps, ask) == ask
    undone = world.until_final(
        world.desk.submit(replace(ask, change=replace(change, verb=Verb.UNMASK)), key=caller(ALICE, "undo").key)
    )
    assert (undone.ask.undoes, world.store.get(done.id).undone_by) == (done.id, undone.id)
    assert bound() == ""
