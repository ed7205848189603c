"""What is said of a unit by its name while somebody is still choosing, and that it is no other word than later."""

from dataclasses import replace

import pytest

from bot.core.hosts.inventory import Host
from bot.core.policy.model import ListedUnit, Policy, Refuse, Rule
from bot.core.policy.rules.form_options import protection, refused_by_name
from bot.core.requests import Change, Verb
from bot.core.systemd.units import UnitName

HOST = Host("web-01", "192.0.2.1", 22, "maskbot", "prod", groups=frozenset({"web"}))
POLICY = Policy(
    "digest",
    teams=frozenset(),
    channels=frozenset(),
    channel_prefixes=(),
    groups=(),
    rules=(
        Rule("payroll", units=("payroll-*",), forbid="payroll is masked by its own people only"),
        Rule("prod", environments=frozenset({"prod"}), units=("[!z]*",), ask=frozenset({"eng"}), approve=("sre",)),
    ),
    critical=(ListedUnit("ssh*", "remote access. Masking it would lock everybody out of {host}"),),
    guarded=(ListedUnit("postfix*", "it carries the mail of {host}"),),
)  # fmt: skip


def mask(unit: str) -> Change:
    return Change(Verb.MASK, "web-01", UnitName(unit))


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ("cron.service", ""),
        ("ssh.service", "critical: remote access"),
        ("sshd@1.service", "critical: remote access"),
        ("ssh.socket", "critical: remote access"),
        ("postfix.service", "guarded: it carries the mail of web-01"),
        ("payroll-run.service", "Rule `payroll` forbids it: payroll is masked by its own people only"),
        ("home.mount", "home.mount is a mount unit; the policy allows path, service, socket, timer"),
        ("foo@.service", "foo@.service is a template: its mask would affect every instance and stop none that runs"),
        ("zebra.service", "No rule of the policy covers mask of zebra.service on web-01 (prod)"),
    ],
)
def test_a_list_says_in_a_few_words_why_a_unit_is_not_like_others(unit: str, said: str) -> None:
    assert protection(mask(unit), HOST, POLICY) == said


@pytest.mark.parametrize("unit", ["cron.service", "postfix.service", "foo@1.service"])
def test_what_people_could_approve_is_not_refused(unit: str) -> None:
    assert refused_by_name(mask(unit), HOST, POLICY) is None


def test_instances_are_refused_where_the_policy_has_none() -> None:
    refused = refused_by_name(mask("foo@1.service"), HOST, replace(POLICY, instances=False))
    assert isinstance(refused, Refuse)
    assert refused.code == "instance_not_allowed"


def test_a_critical_unit_is_refused_by_its_own_name() -> None:
    refused = refused_by_name(mask("ssh.service"), HOST, POLICY)
    assert isinstance(refused, Refuse)
    assert refused.reason.startswith("ssh.service is on the critical list")


def test_what_starts_a_critical_unit_is_refused_with_the_whole_reason() -> None:
    units = (ListedUnit("dbus.service", "D-Bus. systemd itself could not be spoken to on {host}"),)
    refused = refused_by_name(mask("dbus.socket"), HOST, replace(POLICY, critical=units))
    assert refused == Refuse(
        "critical_unit",
        "dbus.socket starts dbus.service, which is on the critical list: D-Bus. "
        "systemd itself could not be spoken to on web-01.",
        "Nobody can approve this.",
    )
