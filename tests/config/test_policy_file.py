"""policy.yaml: what is read from it, and every way to get it wrong."""

import re
from dataclasses import replace
from datetime import UTC, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.core.people.identity import PersonId
from bot.core.people.same_person import SamePerson
from bot.core.policy.groups import BreakGlassPolicy, Group
from bot.core.policy.model import Rule
from bot.core.requests import REMIND, EscalationStep, Verb
from bot.core.requests.scheduled_window import ScheduledWindowLimits
from bot.core.time.handover_schedule import HandoverSchedule, Schedule
from tests.config.folder import POLICY, Folder

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
BOB, CAROL = PersonId("T0TEAM", "U0BOB"), PersonId("T0TEAM", "U0CAROL")
RULE = Rule(
    "prod",
    environments=frozenset({"prod"}),
    ask=frozenset({"eng"}),
    approve=("sre",),
    line=7,
)


def test_a_policy_is_read_with_the_usual_where_nothing_is_said(folder: Folder) -> None:
    policy = folder.load().policy
    assert policy.teams == {"T0TEAM"}
    assert (policy.channels, policy.channel_prefixes) == (frozenset(), ("inc-",))
    assert policy.groups[1] == Group("sre", frozenset({BOB, CAROL}))
    assert policy.rules == (RULE,)
    assert policy.rules[0].remind == REMIND
    assert policy.unit_types == {"service", "socket", "timer", "path"}
    assert policy.break_glass == BreakGlassPolicy()  # nobody goes ahead alone unless somebody is named
    assert (policy.guarded_need, policy.undo_without_approval_for, policy.instances) == (2, timedelta(hours=24), True)
    assert (policy.shortest_mask, policy.longest_mask) == (timedelta(minutes=1), timedelta(days=30))
    assert policy.free_extension == 1


def test_everything_that_may_be_said_is_read(folder: Folder) -> None:
    folder.policy = (
        POLICY.replace("{prefixes: [inc-]}", "{ids: [C0OPS], prefixes: [inc-]}")
        .replace("sre: {users: [U0BOB, U0CAROL]}", "sre: {slack_group: S0SRE}")
        .replace("approve: [sre]", "approve: [sre, eng]")
        + """\
    host_groups: [web]
    units: [cron.service, "backup-*"]
    verbs: [unmask]
    need: 2
    distinct: true
    step_up: true
    approve_within: 1h30m
    good_for: 90s
    requires_expiry: true
    break_glass: false
    remind: [10m, 30m]
    escalate:
      - {after: 20m, mention: [eng]}
      - {after: 30m, mention: [sre], channel: C0OPS}
      - {after: 1h, page: true}
people: {bob: U0BOB}
shell_channel: C0OPS
guarded_need: 3
undo_without_approval_for: 2d
shortest_mask: 10m
longest_mask: 12h
free_extension: 0.5
unit_types: [service]
instances: false
no_start_proof: [nginx.service]
break_glass: {groups: [sre], tell: [C0SEC, eng], min_reason_length: 20, step_up: true}
"""
    )
    policy = folder.load().policy
    assert policy.rules == (
        replace(
            RULE,
            host_groups=frozenset({"web"}),
            units=("cron.service", "backup-*"),
            verbs=frozenset({Verb.UNMASK}),
            need=2,
            approve=("sre", "eng"),
            distinct=True,
            step_up=True,
            approve_within=timedelta(minutes=90),
            good_for=timedelta(seconds=90),
            requires_expiry=True,
            allows_break_glass=False,
            remind=(10 * MINUTE, 30 * MINUTE),
            escalate=(
                EscalationStep(20 * MINUTE, ("eng",)),
                EscalationStep(30 * MINUTE, ("sre",), channel="C0OPS"),
                EscalationStep(60 * MINUTE, page=True),
            ),
        ),
    )
    assert policy.groups[1] == Group("sre", slack_group="S0SRE")
    assert (policy.people, policy.shell_channel) == ({"bob": BOB}, "C0OPS")
    assert (policy.guarded_need, policy.undo_without_approval_for) == (3, timedelta(days=2))
    assert (policy.shortest_mask, policy.longest_mask) == (timedelta(minutes=10), timedelta(hours=12))
    assert policy.free_extension == 0.5
    assert (policy.unit_types, policy.instances) == (frozenset({"service"}), False)
    assert policy.break_glass == BreakGlassPolicy(frozenset({"sre"}), ("C0SEC",), ("eng",), 20, step_up=True)
    assert (policy.channels, policy.no_start_proof) == (frozenset({"C0OPS"}), ("nginx.service",))


def test_what_belongs_to_no_request_is_said_in_its_own_channel_or_where_the_shells_requests_are(folder: Folder) -> None:
    folder.policy += "shell_channel: C0SHELL\n"
    assert folder.load().policy.operations_channel == "C0SHELL"

    folder.policy += "operations_channel: C0OPS\n"
    assert folder.load().policy.operations_channel == "C0OPS"


def test_a_policy_says_how_long_and_how_far_ahead_windows_are(folder: Folder) -> None:
    assert folder.load().policy.scheduled_windows == ScheduledWindowLimits(1 * HOUR, 12 * HOUR, 30 * 24 * HOUR)
    whole = folder.policy
    folder.policy = f"{whole}scheduled_windows: {{usual: 2h, longest: 1h}}\n"
    assert folder.complaints()[0].startswith("policy.yaml:11: scheduled_windows: `usual` has to be more than zero and")
    folder.policy = f"{whole}scheduled_windows: {{usual: 2h, longest: 4h, ahead: 7d}}\n"
    assert folder.load().policy.scheduled_windows == ScheduledWindowLimits(2 * HOUR, 4 * HOUR, 7 * 24 * HOUR)


def test_times_are_meant_in_the_zone_of_the_policy(folder: Folder) -> None:
    assert folder.load().policy.time_zone == UTC
    folder.policy += "time_zone: Europe/Berlin\n"
    assert folder.load().policy.time_zone == ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("zone", ["CST", "Europe/Bielefeld", "../etc/passwd", "/etc/passwd", "2", "[UTC]"])
def test_a_zone_that_nobody_knows_is_refused(zone: str, folder: Folder) -> None:
    folder.policy += f"time_zone: {zone}\n"
    (complaint,) = folder.complaints()
    assert complaint.startswith("policy.yaml:11: time_zone: is not a time zone known on this machine; write it like")


def test_a_rule_may_remind_nobody(folder: Folder) -> None:
    folder.policy += "    remind: []\n"
    assert folder.load().policy.rules[0].remind == ()


def test_a_handover_goes_by_its_own_zone_and_channel_or_by_those_of_the_policy(folder: Folder) -> None:
    assert folder.load().policy.handover_schedule is None

    folder.policy += 'time_zone: Europe/Berlin\noperations_channel: C0OPS\nhandover: {at: "09:00"}\n'
    plain = folder.load().policy.handover_schedule
    assert plain == HandoverSchedule(Schedule(time(9), ZoneInfo("Europe/Berlin")), "C0OPS")

    folder.policy = folder.policy.replace(
        '"09:00"', '"22:30", time_zone: America/New_York, channel: C0NIGHT, days: [fri, sat]'
    )
    own = Schedule(time(22, 30), ZoneInfo("America/New_York"), frozenset({"fri", "sat"}))
    assert folder.load().policy.handover_schedule == HandoverSchedule(own, "C0NIGHT")


def test_masks_of_others_are_told_unless_the_policy_says_no(folder: Folder) -> None:
    assert folder.load().policy.tell_foreign_masks
    folder.policy += "tell_foreign_masks: false\n"
    assert not folder.load().policy.tell_foreign_masks


@pytest.mark.parametrize(
    ("said", "verbs"),
    [
        ("", {Verb.MASK}),
        ("    verbs: [mask, unmask]\n", {Verb.MASK, Verb.UNMASK}),
        ("    verbs: [unmask]\n", {Verb.UNMASK}),
    ],
)
def test_a_no_is_about_masks_unless_it_says_more(said: str, verbs: set[Verb], folder: Folder) -> None:
    folder.policy += f"  - name: freeze\n    forbid: payday\n{said}"
    assert folder.load().policy.rules[1].verbs == verbs


TEAMS = {
    "one team": ("[T0TEAM]", "U0BOB", PersonId("T0TEAM", "U0BOB")),
    "an enterprise": ("[E0CORP]", "U0BOB", PersonId("", "U0BOB", enterprise="E0CORP")),
    "one of several teams": ("[T0TEAM, T1TEAM]", "T1TEAM:U0BOB", PersonId("T1TEAM", "U0BOB")),
    "no list: the bot's own": ("[]", "U0BOB", PersonId("", "U0BOB")),
}


@pytest.mark.parametrize(("teams", "typed", "person"), TEAMS.values(), ids=TEAMS)
def test_a_person_is_one_of(teams: str, typed: str, person: PersonId, folder: Folder) -> None:
    folder.policy = POLICY.replace("[T0TEAM]", teams).replace("sre: {users: [U0BOB", f"sre: {{users: [{typed!r}")
    assert person in folder.load().policy.groups[1].users


WRONG = {
    "an unknown key": ("approve:", "aprove:", "policy.yaml:10: rules[0].aprove: unknown key. Did you mean `approve`?"),
    "an unknown group": (
        "[eng]",
        "[enx]",
        "policy.yaml:9: rules[0].ask[0]: there is no group `enx`. Did you mean `eng`",
    ),
    "an unknown group of approvers": ("[sre]", "[x]", "policy.yaml:10: rules[0].approve[0]: there is no group `x`."),
    "no channel": ("{prefixes: [inc-]}", "{}", "policy.yaml:2: channels: names no channel"),
    "a channel by its name": ("prefixes: [inc-]", "ids: [incidents]", "policy.yaml:2: channels.ids[0]: "),
    "nobody in a group": (
        "{users: [U0BOB, U0CAROL]}",
        "{}",
        "policy.yaml:5: groups.sre: needs exactly one of `users`,",
    ),
    "a group twice over": (
        "{users: [U0BOB, U0CAROL]}",
        "{users: [U0BOB], slack_group: S0SRE}",
        "policy.yaml:5: groups.sre: needs exactly one of `users`, `slack_group`, `channel` and `on_call`",
    ),
    "a user group by its handle": (
        "{users: [U0BOB, U0CAROL]}",
        '{slack_group: "@sre"}',
        "policy.yaml:5: groups.sre.slack_group: `@sre` is not the id of a Slack user group",
    ),
    "a person by name": (
        "sre: {users: [U0BOB",
        "sre: {users: [bob",
        "policy.yaml:5: groups.sre.users[0]: `bob` is not a Slack user id",
    ),
    "a person of no team of ours": (
        "sre: {users: [U0BOB",
        "sre: {users: ['T9:U0BOB'",
        "policy.yaml:5: groups.sre.users[0]: `T9` is not among `teams`",
    ),
    "a team's name": ("[T0TEAM]", "[acme]", "policy.yaml:1: teams[0]: `acme` is not a Slack team id, like `T0123ABCD`"),
    "no rule": ("rules:", "rules: []\nx:", "policy.yaml:6: rules: has to have at least 1 item"),
    "a rule that nobody may use": ("    ask: [eng]\n", "", "policy.yaml:7: rules[0]: needs `ask`"),
    "a rule that nobody approves": ("    approve: [sre]\n", "", "policy.yaml:7: rules[0]: needs `approve`"),
    "a no that asks": (
        "    ask: [eng]\n",
        "    forbid: no\n",
        "policy.yaml:9: rules[0].forbid: has to be text; write numbers",
    ),
    "a no that asks for codes": (
        "    ask: [eng]\n    approve: [sre]\n",
        "    forbid: never\n    step_up: true\n",
        "policy.yaml:7: rules[0]: forbids the change, so leave out `step_up`",
    ),
    "a no with rights": (
        "    ask: [eng]\n",
        "    forbid: never\n",
        "policy.yaml:7: rules[0]: forbids the change, so leave out `approve`",
    ),
}


@pytest.mark.parametrize(("right", "wrong", "said"), WRONG.values(), ids=WRONG)
def test_refused_with_file_and_line(right: str, wrong: str, said: str, folder: Folder) -> None:
    assert right in POLICY
    folder.policy = POLICY.replace(right, wrong, 1)
    assert any(line.startswith(said) for line in folder.complaints()), folder.complaints()


ADDED = {
    "reminders out of order": (
        "    remind: [10m, 5m]",
        "policy.yaml:7: rules[0]: the times of `remind` have to increase",
    ),
    "a reminder too late": (
        "    remind: [15m]",
        "policy.yaml:7: rules[0]: the times of `remind` have to increase and stay",
    ),
    "a ladder out of order": (
        "    escalate: [{after: 9m, page: true}, {after: 9m, page: true}]",
        "policy.yaml:7: rules[0]: the times of `escalate` have to increase",
    ),
    "a step that calls nobody": (
        "    escalate: [{after: 9m}]",
        "policy.yaml:11: rules[0].escalate[0]: notifies nobody; give groups to `mention`, a `channel`, or `page: true`",
    ),
    "a step that calls strangers": (
        "    escalate: [{after: 9m, mention: [sre, leads]}]",
        "policy.yaml:11: rules[0].escalate[0].mention[1]: there is no group `leads`",
    ),
    "a duration": ("    good_for: 15", "policy.yaml:11: rules[0].good_for: is not a duration; write it like 15m"),
    "no duration": ("    good_for: 0m", "policy.yaml:7: rules[0]: `good_for` has to be more than zero"),
    "a week and more": ("    approve_within: 8d", "policy.yaml:7: rules[0]: `approve_within` has to be more than"),
    "distinct groups where there is one": (
        "    distinct: true",
        "policy.yaml:7: rules[0]: `distinct` with need: 1 needs at least 2",
    ),
    "a unit without suffix": ("    units: [cron]", "policy.yaml:11: rules[0].units[0]: `cron` matches no unit"),
    "an unknown suffix": ("    units: [cron.x]", "policy.yaml:11: rules[0].units[0]: `cron.x` matches no unit"),
    "a path": (
        "    units: [/etc/cron]",
        "policy.yaml:11: rules[0].units[0]: `/etc/cron` is not a pattern of unit names",
    ),
    "an exception": (
        '    units: ["!cron.service"]',
        "policy.yaml:11: rules[0].units[0]: `!cron.service` would exclude units",
    ),
    "a verb": ("    verbs: [stop]", "policy.yaml:11: rules[0].verbs[0]: has to be 'mask' or 'unmask'"),
    "a rule's name twice": (
        "  - {name: prod, ask: [eng], approve: [sre]}",
        "policy.yaml:11: rules[1].name: `prod` is already the name of a rule above",
    ),
    "people without a channel": ("people: {bob: U0BOB}", "policy.yaml:1: `people` needs `shell_channel`"),
    "a person of the command line": (
        "shell_channel: C0OPS\npeople: {bob: bob}",
        "policy.yaml:12: people.bob: `bob` is not a Slack user id",
    ),
    "a user that nobody can have": ("shell_channel: C0OPS\npeople: {Bob: U0BOB}", "policy.yaml:12: people.Bob: "),
    "a shortest mask that is too long": ("shortest_mask: 31d", "policy.yaml:1: `shortest_mask` cannot be longer than"),
    "a longest mask of years": ("longest_mask: 999d", "policy.yaml:1: `shortest_mask` cannot be longer than"),
    "an extension without bounds": ("free_extension: 11", "policy.yaml:11: free_extension: has to be less than"),
    "break-glass for nobody": ("break_glass: {groups: []}", "policy.yaml:11: break_glass.groups: has to have at"),
    "break-glass for an unknown group": (
        "break_glass: {groups: [sree]}",
        "policy.yaml:11: break_glass.groups[0]: there is no group `sree`. Did you mean `sre`",
    ),
    "break-glass told to nobody known": (
        "break_glass:\n  groups: [sre]\n  tell: [C0SEC, '#sec']",
        "policy.yaml:13: break_glass.tell[1]: there is no group `#sec`.",
    ),
    "break-glass without a word": (
        "break_glass: {groups: [sre], min_reason_length: 0}",
        "policy.yaml:11: break_glass.min_reason_length: has to be greater than or equal to 1",
    ),
    "a handover without a channel": ('handover: {at: "09:00"}', "policy.yaml:1: `handover` needs a `channel`"),
    "a time that YAML takes for a number": (
        "handover: {at: 10:00, channel: C0OPS}",
        'policy.yaml:11: handover.at: is not a time of day; write it like "09:00", with the quotes',
    ),
    "a time that no clock shows": (
        'handover: {at: "24:00", channel: C0OPS}',
        "policy.yaml:11: handover.at: is not a time",
    ),
    "a zone that is none": (
        'handover: {at: "09:00", time_zone: CST, channel: C0OPS}',
        "policy.yaml:11: handover.time_zone: is not a time zone",
    ),
    "a day that is none": (
        'handover: {at: "09:00", days: [monday], channel: C0OPS}',
        "policy.yaml:11: handover.days[0]: has to be 'mon'",
    ),
    "one account of a person": (
        "same_person:\n  - [U0BOB]",
        "policy.yaml:12: same_person[0]: has to have at least 2 items",
    ),
    "an account by its name": (
        "same_person:\n  - [U0BOB, bob2]",
        "policy.yaml:12: same_person[0][1]: `bob2` is not a Slack user id",
    ),
    "an account of a team that is not ours": (
        "same_person: [[U0BOB, 'T9:U0BOB2']]",
        "policy.yaml:11: same_person[0][1]: `T9` is not among `teams`",
    ),
    "an account of two people": (
        "same_person:\n  - [U0BOB, U0BOB2]\n  - [U0CAROL, 'T0TEAM:U0BOB2']",
        "policy.yaml:13: same_person[1][1]: `U0BOB2` is already listed in `same_person`, on line 12",
    ),
    "an account twice": (
        "same_person: [[U0BOB, U0BOB]]",
        "policy.yaml:11: same_person[0][1]: `U0BOB` is already listed in `same_person`, on line 11",
    ),
    "a type that is never masked": ("unit_types: [mount]", "policy.yaml:11: unit_types[0]: has to be"),
}


@pytest.mark.parametrize(("line", "said"), ADDED.values(), ids=ADDED)
def test_refused_with_file_and_line_when_wrong_is(line: str, said: str, folder: Folder) -> None:
    folder.policy += f"{line}\n"
    (complaint,) = folder.complaints()
    assert complaint.startswith(said)


def test_two_accounts_are_one_person(folder: Folder) -> None:
    folder.policy = POLICY.replace("[T0TEAM]", "[T0TEAM, T1TEAM]") + "same_person: [['T0TEAM:U0BOB', 'T1TEAM:U1BOB']]\n"
    one, other = PersonId("T0TEAM", "U0BOB"), PersonId("T1TEAM", "U1BOB")
    assert folder.load().policy.same_person == SamePerson((frozenset({one, other}),))


@pytest.mark.parametrize("teams", ["[]", "[T0TEAM, T1TEAM]"])
def test_an_account_of_any_team_is_nobodys_other_account(teams: str, folder: Folder) -> None:
    folder.policy = POLICY.replace("[T0TEAM]", teams) + "same_person: [[U0BOB, U0BOB2]]\n"
    assert [line.split("; ")[0] for line in folder.complaints()] == [
        "policy.yaml:11: same_person[0][0]: `U0BOB` could belong to any team",
        "policy.yaml:11: same_person[0][1]: `U0BOB2` could belong to any team",
    ]


def test_people_of_the_command_line_need_a_team_to_be_the_same_in_slack(folder: Folder) -> None:
    folder.policy = POLICY.replace("[T0TEAM]", "[]") + "shell_channel: C0OPS\npeople: {bob: U0BOB}\n"
    assert folder.complaints()[0].startswith("policy.yaml:1: `people` needs `teams`")


DISTINCT = POLICY.replace("approve: [sre]", "approve: [sre, dba]") + "    need: 2\n    distinct: true\n"
UNREACHABLE = {
    "one person in both groups of two that have to be distinct": (
        DISTINCT.replace("sre: {users: [U0BOB, U0CAROL]}", "sre: {users: [U0BOB]}\n  dba: {users: [U0BOB]}"),
        12,
    ),
    "two people in one group, and in the other one who asks alone": (
        DISTINCT.replace("eng: {users: [U0ALICE, U0BOB, U0CAROL]}", "eng: {users: [U0ALICE]}").replace(
            "sre: {users: [U0BOB, U0CAROL]}", "sre: {users: [U0BOB, U0CAROL]}\n  dba: {users: [U0ALICE]}"
        ),
        12,
    ),
    "fewer approvers than needed": (POLICY + "    need: 3\n", 11),
    "one approver, who is the only one to ask": (
        POLICY.replace("eng: {users: [U0ALICE, U0BOB, U0CAROL]}", "eng: {users: [U0BOB]}").replace(
            "sre: {users: [U0BOB, U0CAROL]}", "sre: {users: [U0BOB]}"
        ),
        7,
    ),
    "two accounts of one person": (POLICY + "    need: 2\nsame_person: [[U0BOB, U0CAROL]]\n", 11),
    "an approver's other account, which asks": (
        POLICY.replace("eng: {users: [U0ALICE, U0BOB, U0CAROL]}", "eng: {users: [U0ALICE]}")
        + "    need: 2\nsame_person: [[U0BOB, U0ALICE]]\n",
        11,
    ),
    "whoever of a Slack group asks": (
        POLICY.replace("eng: {users: [U0ALICE, U0BOB, U0CAROL]}", "eng: {slack_group: S0ENG}") + "    need: 3\n",
        11,
    ),
}


@pytest.mark.parametrize(("policy", "line"), UNREACHABLE.values(), ids=UNREACHABLE)
def test_a_quorum_that_nobody_could_reach_refuses_to_start(policy: str, line: int, folder: Folder) -> None:
    folder.policy = policy
    (complaint,) = folder.complaints()
    assert complaint.startswith(f"policy.yaml:{line}: rules[0].need: ")
    assert re.search(r"approvals? (is|are) out of reach: (at most|nobody approves their own)", complaint)


REACHABLE = {
    "alice asks, bob and carol approve": POLICY + "    need: 2\n",
    "only Slack knows who approves": POLICY.replace("sre: {users: [U0BOB, U0CAROL]}", "sre: {slack_group: S0SRE}")
    + "    need: 9\n",
    "only Slack knows who is in the other group": DISTINCT.replace(
        "sre: {users: [U0BOB, U0CAROL]}", "sre: {users: [U0BOB]}\n  dba: {slack_group: S0DBA}"
    ),
    "one of both groups, and one of the first": DISTINCT.replace(
        "sre: {users: [U0BOB, U0CAROL]}", "sre: {users: [U0BOB, U0CAROL]}\n  dba: {users: [U0BOB]}"
    ),
}


@pytest.mark.parametrize("policy", REACHABLE.values(), ids=REACHABLE)
def test_a_quorum_that_somebody_could_reach_is_fine(policy: str, folder: Folder) -> None:
    folder.policy = policy
    assert folder.load().warnings == ()
