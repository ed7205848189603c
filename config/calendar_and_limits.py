"""`calendar` and `limits` of policy.yaml: freezes, maintenance windows and limits that raise the approvals."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, model_validator

from bot.core.policy.calendar_and_limits import ExtraApprovals, Freeze, MaintenanceWindow, RequestLimits
from bot.core.requests.rollout import MOST_TARGETS
from bot.core.time.calendar import Once, Times, Weekly
from config.policy_types import Duration, Pattern, Sentence, TimeZone, Word
from config.strict_yaml import STRICT

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY = f"(?:{'|'.join(_DAYS)})"
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d|24:00"
_DATES = re.compile(
    rf"(?P<first>\d{{4}}-\d\d-\d\d)(?: (?P<begins>{_CLOCK}))? to (?P<last>\d{{4}}-\d\d-\d\d)(?: (?P<ends>{_CLOCK}))?"
)
_WEEK = re.compile(
    rf"(?P<days>daily|{_DAY}(?:[-,]{_DAY})*)(?: (?P<begins>{_CLOCK}) to (?:(?P<last>{_DAY}) )?(?P<ends>{_CLOCK}))?"
)
_LIKE = "2026-12-24 18:00 to 2027-01-04 08:00, or Mon-Fri 22:00 to 06:00, or Fri 18:00 to Mon 08:00, or Sat,Sun"
_TOMORROW = timedelta(days=1)
_LONGEST_WHILE = timedelta(days=1)


def read_times(typed: str, zone: tzinfo) -> Times:
    """Dates or days of the week, with wall-clock times in this zone. Raises `ValueError`."""
    if found := _DATES.fullmatch(typed):
        return _once(found, zone)
    if found := _WEEK.fullmatch(typed):
        return _weekly(found, zone)
    raise ValueError(f"`{typed}` is not a period; write it like {_LIKE}")


def _once(found: re.Match[str], zone: tzinfo) -> Once:
    if (found["begins"] is None) != (found["ends"] is None):
        raise ValueError(f"`{found[0]}` has a time of day at one end only; give one at both ends, or at neither")
    begins = _wall(found["first"], found["begins"] or "00:00")
    ends = _wall(found["last"], found["ends"] or "24:00")
    if begins >= ends:
        raise ValueError(f"`{found[0]}` ends before it begins")
    return Once(begins, ends, zone)


def _wall(day: str, clock: str) -> datetime:
    try:
        whole = date.fromisoformat(day)
    except ValueError:
        raise ValueError(f"`{day}` is not a date") from None
    if clock == "24:00":
        return datetime.combine(whole, time()) + _TOMORROW
    return datetime.combine(whole, time.fromisoformat(clock))


def _weekly(found: re.Match[str], zone: tzinfo) -> Weekly:
    days = frozenset(range(len(_DAYS)) if found["days"] == "daily" else _days(found["days"]))
    if found["begins"] is None:
        return Weekly(days, time(), time(), 1, zone)
    begins, midnight = time.fromisoformat(found["begins"]), found["ends"] == "24:00"
    ends = time() if midnight else time.fromisoformat(found["ends"])
    later = int(midnight)
    if found["last"]:
        if len(days) > 1:
            raise ValueError(f"`{found[0]}` begins on several days, so leave out the day on which it ends")
        later += (_DAYS.index(found["last"]) - min(days)) % len(_DAYS)
    if (later, ends) <= (0, begins):  # the next day, or a week later
        later += len(_DAYS) if found["last"] else 1
    return Weekly(days, begins, ends, later, zone)


def _days(typed: str) -> Iterator[int]:
    for part in typed.split(","):
        first, *last = (_DAYS.index(day) for day in part.split("-"))
        if len(last) > 1:
            raise ValueError(f"`{part}` has more than a first and a last day")
        length = (last[0] - first) % len(_DAYS) if last else 0
        yield from ((first + step) % len(_DAYS) for step in range(length + 1))


def _check(typed: str) -> str:
    read_times(typed, UTC)
    return typed


class ExtraApprovalsEntry(BaseModel):
    """Extra approvals: so many more, at least so many, other approvers; or an explicit refusal."""

    model_config = STRICT

    more: int | None = Field(default=None, ge=0, le=9)
    need: int = Field(default=0, ge=0, le=10)
    approve: list[Word] = []
    forbid: Sentence | None = None

    @model_validator(mode="after")
    def _asks_for_more(self) -> "ExtraApprovalsEntry":
        rises = {"more", "need", "approve"} & self.model_fields_set
        if self.forbid is not None and rises:
            raise ValueError(f"forbids the change, so leave out `{min(rises)}`")
        if self.more == 0 and not (self.need or self.approve):
            raise ValueError("adds nothing; give `more`, `need`, `approve`, or a reason to `forbid`")
        return self

    def as_policy(self) -> ExtraApprovals:
        """One more approval, unless something else is configured."""
        usual = 0 if self.need or self.approve else 1
        more = usual if self.more is None else self.more
        return ExtraApprovals(more, self.need, tuple(self.approve), self.forbid or "")


TimesText = Annotated[str, AfterValidator(_check)]


class FreezeEntry(BaseModel):
    """A change freeze."""

    model_config = STRICT

    name: Word
    times: list[TimesText] = Field(min_length=1)
    time_zone: TimeZone | None = None
    because: Sentence | None = None
    environments: list[Word] = []
    host_groups: list[Word] = []
    units: list[Pattern] = ["*"]
    extra_approvals: ExtraApprovalsEntry = ExtraApprovalsEntry()

    def freeze(self, usual: tzinfo, line: int) -> Freeze:
        """The freeze for the policy; its times in its own zone or the default one."""
        return Freeze(
            name=self.name,
            times=tuple(read_times(typed, self.time_zone or usual) for typed in self.times),
            because=(self.because or "").rstrip("."),
            environments=frozenset(self.environments),
            host_groups=frozenset(self.host_groups),
            units=tuple(self.units),
            extra_approvals=self.extra_approvals.as_policy(),
            line=line,
        )


class MaintenanceWindowEntry(BaseModel):
    """A maintenance window; outside, the rules that name it ask for more approvals."""

    model_config = STRICT

    name: Word
    times: list[TimesText] = Field(min_length=1)
    time_zone: TimeZone | None = None

    def window(self, usual: tzinfo, line: int) -> MaintenanceWindow:
        """The window for the policy."""
        return MaintenanceWindow(
            self.name, tuple(read_times(typed, self.time_zone or usual) for typed in self.times), line
        )


class CalendarEntry(BaseModel):
    """Freezes and maintenance windows."""

    model_config = STRICT

    freezes: list[FreezeEntry] = []
    maintenance_windows: list[MaintenanceWindowEntry] = []


class RequestLimitsEntry(BaseModel):
    """Limits on requests and masks in a period, beyond which more approvals are needed."""

    model_config = STRICT

    requests_per_minute: int = Field(default=5, ge=1, le=1000)
    open_requests: int = Field(default=500, ge=1, le=100_000)
    within: Duration = timedelta(minutes=10)
    hosts: int | None = Field(default=10, ge=1)
    units_per_host: int | None = Field(default=10, ge=1)
    targets: int = Field(default=MOST_TARGETS, ge=1, le=MOST_TARGETS)
    beyond: ExtraApprovalsEntry | None = None

    @model_validator(mode="after")
    def _is_a_while(self) -> "RequestLimitsEntry":
        if not timedelta() < self.within <= _LONGEST_WHILE:
            raise ValueError("`within` has to be more than zero and at most a day")
        return self

    def bounds(self, line: int) -> RequestLimits:
        """The limits for the policy."""
        return RequestLimits(
            requests_per_minute=self.requests_per_minute,
            open_requests=self.open_requests,
            within=self.within,
            hosts=self.hosts,
            units_per_host=self.units_per_host,
            targets=self.targets,
            beyond=self.beyond.as_policy() if self.beyond else None,
            line=line,
        )
