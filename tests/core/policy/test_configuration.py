"""What is said of a configuration that takes the place of another: what is different in it, and nothing else."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.hosts.inventory import Inventory
from bot.core.policy.calendar_and_limits import Freeze, MaintenanceWindow
from bot.core.policy.configuration import ConfigSnapshot, changes
from bot.core.policy.groups import Group
from bot.core.policy.model import ListedUnit, Rule
from tests.core.situations import POLICY, PROD, WEB

SRE = Group("sre", slack_group="@sre")
OLD = ConfigSnapshot(Inventory((WEB,)), replace(POLICY, groups=(SRE,)))
DB = replace(WEB, name="db-01")


def with_policy(**changed: object) -> ConfigSnapshot:
    return replace(OLD, policy=replace(OLD.policy, digest="1" * 64, **changed))  # type: ignore[arg-type]


CHANGED = {
    "another text that says the same": (with_policy(rules=(replace(PROD, line=99),)), ()),
    "a host": (replace(OLD, inventory=Inventory((DB, WEB))), ("host db-01 is new",)),
    "no host any more": (replace(OLD, inventory=Inventory((DB,))), ("host web-01 is gone", "host db-01 is new")),
    "a host's address": (
        replace(OLD, inventory=Inventory((replace(WEB, address="192.0.2.9"),))),
        ("host web-01 changed",),
    ),
    "a rule": (
        with_policy(rules=(replace(PROD, need=2), Rule("stage"))),
        ("rule stage is new", "rule prod changed"),
    ),
    "a group": (with_policy(groups=(replace(SRE, slack_group="@ops"),)), ("group sre changed",)),
    "a freeze and a window": (
        with_policy(freezes=(Freeze("quiet", ()),), maintenance_windows=(MaintenanceWindow("nights", ()),)),
        ("change freeze quiet is new", "maintenance window nights is new"),
    ),
    "the critical list": (with_policy(critical=(ListedUnit("x*", "y"),)), ("`critical` changed",)),
    "the mode": (with_policy(observe=True), ("mode: act → observe",)),
    "where limits stand in the file": (with_policy(limits=replace(OLD.policy.limits, line=7)), ()),
    "how long an undo is free": (
        with_policy(undo_without_approval_for=timedelta(hours=1)),
        ("`undo_without_approval_for` changed",),
    ),
}


@pytest.mark.parametrize(("new", "said"), CHANGED.values(), ids=CHANGED)
def test_what_changed_is(new: ConfigSnapshot, said: tuple[str, ...]) -> None:
    assert changes(OLD, new) == said
