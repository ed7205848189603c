"""`calendar` and `limits` of policy.yaml: what is read from them, and every way to get them wrong."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.core.policy.calendar_and_limits import ExtraApprovals, Freeze, MaintenanceWindow, RequestLimits
from bot.core.time.calendar import Once, Times, Weekly
from config.calendar_and_limits import read_times
from tests.config.folder import POLICY, Folder

BERLIN = ZoneInfo("Europe/Berlin")
WEEK = frozenset(range(7))


def days(*numbers: int) -> frozenset[int]:
    return frozenset(numbers)


TIMES = {
    "2026-12-24 to 2026-12-26": Once(datetime(2026, 12, 24), datetime(2026, 12, 27)),  # noqa: DTZ001 - on the wall
    "2026-12-24 18:00 to 2027-01-04 08:00": Once(datetime(2026, 12, 24, 18), datetime(2027, 1, 4, 8)),  # noqa: DTZ001
    "2026-12-24 00:00 to 2026-12-24 24:00": Once(datetime(2026, 12, 24), datetime(2026, 12, 25)),  # noqa: DTZ001
    "daily 22:00 to 06:00": Weekly(WEEK, time(22), time(6), 1),
    "daily 09:00 to 17:00": Weekly(WEEK, time(9), time(17), 0),
    "Mon-Fri 22:00 to 24:00": Weekly(days(0, 1, 2, 3, 4), time(22), time(), 1),
    "Sat,Sun": Weekly(days(5, 6), time(), time(), 1),
    "Fri-Mon": Weekly(days(4, 5, 6, 0), time(), time(), 1),
    "Mon,Wed-Thu 00:00 to 00:30": Weekly(days(0, 2, 3), time(), time(0, 30), 0),
    "Fri 18:00 to Mon 08:00": Weekly(days(4), time(18), time(8), 3),
    "Fri 18:00 to Fri 20:00": Weekly(days(4), time(18), time(20), 0),
    "Fri 18:00 to Fri 08:00": Weekly(days(4), time(18), time(8), 7),
    "Sat 10:00 to Sun 24:00": Weekly(days(5), time(10), time(), 2),
    "Sun 12:00 to 12:00": Weekly(days(6), time(12), time(12), 1),
}


@pytest.mark.parametrize(("typed", "read"), TIMES.items(), ids=TIMES)
def test_times_are_read(typed: str, read: Times) -> None:
    assert read_times(typed, UTC) == read


NO_TIMES = {
    "tomorrow": "is not a period; write it like ",
    "Monday 22:00 to 06:00": "is not a period",
    "Mon 22:00": "is not a period",
    "Mon 22:00 to 25:00": "is not a period",
    "Mon 9:00 to 10:00": "is not a period",
    "Mon-Wed-Fri": "has more than a first and a last day",
    "Mon,Tue 22:00 to Wed 06:00": "begins on several days, so leave out the day on which it ends",
    "2026-02-30 to 2026-03-01": "`2026-02-30` is not a date",
    "2026-12-26 to 2026-12-24": "ends before it begins",
    "2026-12-24 18:00 to 2026-12-24 18:00": "ends before it begins",
    "2026-12-24 18:00 to 2026-12-26": "has a time of day at one end only",
    "2026-12-24": "is not a period",
}


@pytest.mark.parametrize(("typed", "said"), NO_TIMES.items(), ids=NO_TIMES)
def test_refused(typed: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_times(typed, UTC)


CALENDAR = """\
    maintenance_windows: [nights]
    outside: {need: 2}
time_zone: Europe/Berlin
calendar:
  freezes:
    - name: year-end
      times: [2026-12-24 to 2026-12-26, "Sat,Sun"]
      because: few people are there.
      environments: [prod]
      host_groups: [web]
      units: [nginx.service]
      extra_approvals: {more: 2, need: 3, approve: [eng]}
    - {name: audit, times: [daily 00:00 to 24:00], time_zone: UTC, extra_approvals: {forbid: auditors count}}
  maintenance_windows:
    - {name: nights, times: [daily 22:00 to 06:00]}
limits:
  requests_per_minute: 9
  open_requests: 99
  within: 1h
  hosts: 3
  units_per_host: 4
  targets: 50
  beyond: {approve: [eng]}
"""


def test_everything_that_may_be_said_is_read(folder: Folder) -> None:
    folder.policy = POLICY + CALENDAR
    policy = folder.load().policy
    christmas = Once(datetime(2026, 12, 24), datetime(2026, 12, 27), BERLIN)  # noqa: DTZ001 - on the wall
    assert policy.freezes == (
        Freeze(
            "year-end",
            (christmas, Weekly(days(5, 6), time(), time(), 1, BERLIN)),
            "few people are there",
            environments=frozenset({"prod"}),
            host_groups=frozenset({"web"}),
            units=("nginx.service",),
            extra_approvals=ExtraApprovals(more=2, need=3, approve=("eng",)),
            line=16,
        ),
        Freeze(
            "audit",
            (Weekly(WEEK, time(), time(), 1),),
            extra_approvals=ExtraApprovals(forbid="auditors count"),
            line=23,
        ),
    )
    assert policy.maintenance_windows == (
        MaintenanceWindow("nights", (Weekly(WEEK, time(22), time(6), 1, BERLIN),), line=25),
    )
    assert (policy.rules[0].maintenance_windows, policy.rules[0].outside) == (
        ("nights",),
        ExtraApprovals(more=0, need=2),
    )
    assert policy.limits == RequestLimits(
        requests_per_minute=9,
        open_requests=99,
        within=timedelta(hours=1),
        hosts=3,
        units_per_host=4,
        targets=50,
        beyond=ExtraApprovals(more=0, approve=("eng",)),
        line=26,
    )


def test_where_nothing_is_said_there_are_limits_and_no_calendar(folder: Folder) -> None:
    policy = folder.load().policy
    assert (policy.freezes, policy.maintenance_windows, policy.rules[0].maintenance_windows) == ((), (), ())
    assert (policy.limits.requests_per_minute, policy.limits.open_requests) == (5, 500)
    assert (policy.limits.hosts, policy.limits.units_per_host, policy.limits.targets) == (10, 10, 500)
    assert policy.limits.beyond is None


def test_a_freeze_asks_for_one_more_unless_it_says_otherwise(folder: Folder) -> None:
    folder.policy += 'calendar: {freezes: [{name: quiet, times: ["Sat,Sun"]}]}\n'
    assert folder.load().policy.freezes[0].extra_approvals == ExtraApprovals(more=1)


WRONG = {
    "times": ("Sat,Sun", "on weekends", "policy.yaml:17: calendar.freezes[0].times[1]: `on weekends` is not a period"),
    "a zone": ("time_zone: UTC", "time_zone: CET", "policy.yaml:23: calendar.freezes[1].time_zone: is not a time zone"),
    "no times": (
        "[daily 22:00 to 06:00]",
        "[]",
        "policy.yaml:25: calendar.maintenance_windows[0].times: has to have at least 1 item",
    ),
    "an unknown key": (
        "because:",
        "reason:",
        "policy.yaml:18: calendar.freezes[0].reason: unknown key",
    ),
    "a freeze's name twice": (
        "name: audit",
        "name: year-end",
        "policy.yaml:23: calendar.freezes[1].name: `year-end` is already the name of a change freeze above",
    ),
    "an unknown group": (
        "approve: [eng]}\n    - {name: audit",
        "approve: [enx]}\n    - {name: audit",
        "policy.yaml:22: calendar.freezes[0].extra_approvals.approve[0]: there is no group `enx`. Did you mean `eng`?",
    ),
    "an unknown group beyond the limits": (
        "beyond: {approve: [eng]}",
        "beyond: {approve: [x]}",
        "policy.yaml:33: limits.beyond.approve[0]: there is no group `x`.",
    ),
    "an unknown group outside of a window": (
        "outside: {need: 2}",
        "outside: {approve: [x]}",
        "policy.yaml:12: rules[0].outside.approve[0]: there is no group `x`.",
    ),
    "an unknown window": (
        "maintenance_windows: [nights]",
        "maintenance_windows: [night]",
        "policy.yaml:11: rules[0].maintenance_windows[0]: there is no window `night` in `calendar`. Did you mean "
        "`nights`?",
    ),
    "outside of nothing": (
        "    maintenance_windows: [nights]\n",
        "",
        "policy.yaml:7: rules[0]: `outside` needs `maintenance_windows`",
    ),
    "extra approvals that are none": (
        "outside: {need: 2}",
        "outside: {more: 0}",
        "policy.yaml:12: rules[0].outside: adds nothing",
    ),
    "a no that asks": (
        "{forbid: auditors count}",
        "{forbid: auditors count, need: 2}",
        "policy.yaml:23: calendar.freezes[1].extra_approvals: forbids the change, so leave out `need`",
    ),
    "a long while": ("within: 1h", "within: 25h", "policy.yaml:26: limits: `within` has to be more than zero"),
    "no hosts": ("hosts: 3", "hosts: 0", "policy.yaml:30: limits.hosts: has to be greater than or equal to 1"),
    "too many targets": ("targets: 50", "targets: 501", "policy.yaml:32: limits.targets: has to be less than or equal"),
}


@pytest.mark.parametrize(("right", "wrong", "said"), WRONG.values(), ids=WRONG)
def test_refused_with_file_and_line(right: str, wrong: str, said: str, folder: Folder) -> None:
    assert right in CALENDAR
    folder.policy = POLICY + CALENDAR.replace(right, wrong, 1)
    assert any(line.startswith(said) for line in folder.complaints()), folder.complaints()


def test_a_window_twice_is_refused(folder: Folder) -> None:
    folder.policy = POLICY + CALENDAR.replace("limits:", "    - {name: nights, times: [daily]}\nlimits:")
    assert folder.complaints() == [
        "policy.yaml:26: calendar.maintenance_windows[1].name: `nights` is already the name of a window above"
    ]


QUESTIONABLE = {
    "an environment that no host has": (
        "{name: q, times: [daily], environments: [prd]}",
        "policy.yaml:12: change freeze q: no host has environment `prd`. Did you mean `prod`?",
    ),
    "a freeze that asks for more than there are": (
        "{name: q, times: [daily], extra_approvals: {more: 2}}",
        "policy.yaml:12: change freeze q asks for 3 approvals under rule prod, and at most 2 people can approve: "
        "nothing could be approved then",
    ),
}


@pytest.mark.parametrize(("freeze", "said"), QUESTIONABLE.values(), ids=QUESTIONABLE)
def test_doubtful_is(freeze: str, said: str, folder: Folder) -> None:
    folder.policy += f"calendar:\n  freezes: [{freeze}]\n"
    assert [warning.text.removeprefix(f"{folder.path}/") for warning in folder.load().warnings] == [said]


def test_doubtful_is_also_what_windows_and_limits_ask_for(folder: Folder) -> None:
    folder.policy += """\
    maintenance_windows: [nights]
    outside: {need: 5}
calendar: {maintenance_windows: [{name: nights, times: [daily]}]}
limits: {beyond: {need: 4}}
"""
    said = [warning.text.removeprefix(f"{folder.path}/").partition(" under")[0] for warning in folder.load().warnings]
    assert said == [
        "policy.yaml:7: a closed window asks for 5 approvals",
        "policy.yaml:14: what is beyond the limits asks for 4 approvals",
    ]


def test_a_no_and_what_others_approve_are_no_dead_ends(folder: Folder) -> None:
    folder.policy += (
        "calendar: {freezes: [{name: a, times: [daily], extra_approvals: {forbid: never}},"
        " {name: b, times: [daily], extra_approvals: {approve: [eng]}}]}\n"
    )
    assert folder.load().warnings == ()
