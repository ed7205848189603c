"""What policy.yaml says of holds, and every way to get it wrong."""

from datetime import timedelta

import pytest

from bot.core.policy.hold import HoldPolicy
from tests.config.folder import POLICY, Folder

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_nobody_owns_holds_unless_somebody_is_named(folder: Folder) -> None:
    assert folder.load().policy.holds == HoldPolicy()
    folder.policy += "holds: {owners: [sre]}\n"
    assert folder.load().policy.holds == HoldPolicy(
        frozenset({"sre"}), reapply=True, reapply_limit=3, reapply_within=HOUR
    )


def test_everything_that_may_be_said_of_them_is_read(folder: Folder) -> None:
    folder.policy += (
        "holds: {owners: [sre, eng], reapply: false, reapply_limit: 5, reapply_within: 2h, review_within: 30d}\n"
    )
    holds = folder.load().policy.holds
    assert holds == HoldPolicy(
        frozenset({"sre", "eng"}), reapply=False, reapply_limit=5, reapply_within=2 * HOUR, review_within=30 * DAY
    )


@pytest.mark.parametrize("said", ["true", "or_hold", "false"])
def test_a_rule_can_ask_for_an_end_or_for_a_hold(folder: Folder, said: str) -> None:
    folder.policy = f"{POLICY}    requires_expiry: {said}\nholds: {{owners: [sre]}}\n"
    (rule,) = folder.load().policy.rules
    assert (rule.requires_expiry, rule.hold_will_do) == (said != "false", said == "or_hold")


@pytest.mark.parametrize(
    ("added", "complaint"),
    [
        ("holds: {owners: [sr]}\n", "policy.yaml:11: holds.owners[0]: there is no group `sr`. Did you mean `sre`?"),
        ("holds: {owners: []}\n", "policy.yaml:11: holds.owners: "),
        ("holds: {owners: [sre], reapply: fight}\n", "policy.yaml:11: holds.reapply: "),
        ("holds: {owners: [sre], reapply_limit: 0}\n", "policy.yaml:11: holds.reapply_limit: "),
        (
            "holds: {owners: [sre], reapply_within: 10s}\n",
            "policy.yaml:11: holds: `reapply_within` has to be between a minute",
        ),
        ("holds: {owners: [sre], review_within: 400d}\n", "policy.yaml:11: holds: `review_within` has to be more"),
        ("    requires_expiry: or_hold\n", "policy.yaml:11: rules[0].requires_expiry: needs `holds` at the top level"),
        (
            "    requires_expiry: sometimes\n",
            "policy.yaml:11: rules[0].requires_expiry: has to be true, false or or_hold",
        ),
    ],
)
def test_what_makes_no_sense_is_named_with_its_line(folder: Folder, added: str, complaint: str) -> None:
    folder.policy = POLICY + added
    found = folder.complaints()
    assert found[0].startswith(complaint), found


def test_a_hold_that_nobody_could_ever_lift_is_doubtful(folder: Folder) -> None:
    alone = POLICY.replace("sre: {users: [U0BOB, U0CAROL]}", "sre: {users: [U0BOB]}")
    folder.policy = f"{alone}guarded_need: 1\nholds: {{owners: [sre]}}\n"
    assert [one.text.rpartition("/")[2] for one in folder.load().warnings] == [
        "policy.yaml:12: no hold of sre could ever be lifted under rule prod: at most 0 people can approve"
    ]
    folder.policy = f"{POLICY}holds: {{owners: [sre, eng]}}\n"
    assert folder.load().warnings == ()
