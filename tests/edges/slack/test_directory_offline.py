"""People when Slack is silent: those whom configuration names, and no others."""

from collections.abc import Sequence

import pytest

from bot.core.people.identity import Person, PersonId, Place, Shift
from bot.core.policy.groups import Group
from bot.core.policy.model import Policy
from bot.edges.slack.directory_offline import FallbackDirectory, OfflineDirectory
from bot.errors import NotYet, SlackError, Unverified
from bot.ports import Directory

ALICE, BOB, EVE = PersonId("T1", "UALICE"), PersonId("T1", "UBOB"), PersonId("T1", "UEVE")
NAMED = Group("sre", frozenset({ALICE, BOB}))
IN_SLACK = Group("dba", slack_group="S0DBA")
POLICY = Policy(
    "digest", frozenset({"T1"}), frozenset(), (), (NAMED, IN_SLACK), (), (), (), people={"alice": ALICE, "eve": EVE}
)
SHELL, CHANNEL = Place("shell"), Place("C1")


class Slack:
    """A Slack that knows everybody, until it is told how to fail."""

    def __init__(self) -> None:
        self.code = ""
        self.calls = 0

    def person(self, person: PersonId, groups: Sequence[Group]) -> Person:
        self._answer()
        return Person(person, "as Slack has them", is_deleted=True)

    def members(self, group: Group) -> frozenset[PersonId]:
        self._answer()
        return frozenset({BOB})

    def shifts(self, group: Group) -> tuple[Shift, ...]:
        self._answer()
        return (Shift(BOB),)

    def is_in(self, person: PersonId, place: Place) -> bool:
        self._answer()
        return True

    def place(self, place: Place) -> Place:
        self._answer()
        return Place(place.channel, name="incident")

    def _answer(self) -> None:
        self.calls += 1
        if self.code:
            raise Unverified("no") from SlackError("no", code=self.code, passing=True)


@pytest.fixture
def offline() -> OfflineDirectory:
    return OfflineDirectory(lambda: POLICY)


def test_a_mapped_person_is_described_by_the_groups_that_name_them(offline: OfflineDirectory) -> None:
    assert offline.person(ALICE, POLICY.groups) == Person(ALICE, "alice", frozenset({"sre"}))


def test_nobody_is_in_a_group_that_only_slack_knows(offline: OfflineDirectory) -> None:
    assert offline.person(EVE, POLICY.groups).groups == frozenset()
    for group in (IN_SLACK, Group("ops", channel="C1")):
        with pytest.raises(Unverified, match=f"who is in @{group.name}"):
            offline.members(group)


class Rota:
    """Alice is on call, and somebody whom nobody mapped; or nobody knows."""

    def __init__(self) -> None:
        self.is_known = True

    def shifts(self, schedule: str) -> tuple[Shift, ...]:
        if not self.is_known:
            raise Unverified(f"nobody knows {schedule}")
        return (Shift(PersonId("", "UALICE")), Shift(PersonId("", "UX")))


def test_who_is_on_call_is_not_asked_of_slack() -> None:
    rota, on_call = Rota(), Group("on-call", on_call="primary")
    offline = OfflineDirectory(lambda: POLICY, rota)
    assert offline.members(on_call) == {ALICE, PersonId("", "UX")}
    assert offline.person(ALICE, [on_call]).groups == {"on-call"}
    assert offline.person(EVE, [on_call]).groups == frozenset()
    assert offline.shifts(NAMED) == ()
    rota.is_known = False
    with pytest.raises(Unverified, match="nobody knows primary"):
        offline.members(on_call)


@pytest.mark.parametrize("person", [BOB, PersonId("T2", "UALICE")])
def test_whom_nobody_mapped_cannot_be_verified(offline: OfflineDirectory, person: PersonId) -> None:
    with pytest.raises(Unverified):
        offline.person(person, POLICY.groups)


def test_one_account_keeps_one_id_whether_its_enterprise_is_known_or_not(offline: OfflineDirectory) -> None:
    """Else somebody on Enterprise Grid could ask in Slack and approve on the command line."""
    assert offline.person(PersonId("T1", "UALICE", "E1"), ()).id == offline.person(ALICE, ()).id


def test_the_command_line_is_a_place_and_a_channel_cannot_be_verified(offline: OfflineDirectory) -> None:
    assert offline.place(SHELL) == SHELL
    with pytest.raises(Unverified):
        offline.place(CHANNEL)
    with pytest.raises(Unverified):
        offline.is_in(ALICE, CHANNEL)


class Hands:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def fallback(slack: Directory, clock: Hands | None = None) -> FallbackDirectory:
    directory = FallbackDirectory(OfflineDirectory(lambda: POLICY), clock=clock or Hands())
    directory.slack = slack
    return directory


def test_while_slack_answers_its_word_counts_and_configuration_is_not_asked() -> None:
    assert fallback(Slack()).person(ALICE, POLICY.groups).is_deleted
    assert fallback(Slack()).shifts(NAMED) == (Shift(BOB),)
    assert fallback(Slack()).is_in(ALICE, CHANNEL)


@pytest.mark.parametrize("code", ["unreachable", "http_503", "unreadable_answer"])
def test_where_slack_is_silent_mapped_people_are_still_known(code: str) -> None:
    slack = Slack()
    slack.code = code

    assert fallback(slack).person(ALICE, POLICY.groups).groups == {"sre"}


@pytest.mark.parametrize("code", ["user_not_found", "account_inactive", "missing_scope", "ratelimited"])
def test_a_no_of_slack_is_not_made_up_for(code: str) -> None:
    slack = Slack()
    slack.code = code

    with pytest.raises(Unverified):
        fallback(slack).person(ALICE, POLICY.groups)


def test_a_silent_slack_is_not_asked_for_every_person_anew_but_soon_again() -> None:
    slack, clock = Slack(), Hands()
    slack.code = "unreachable"
    directory = fallback(slack, clock)
    for _ in range(10):
        directory.person(ALICE, POLICY.groups)
    assert slack.calls == 1

    slack.code = ""
    clock.seconds += 6

    assert directory.person(ALICE, POLICY.groups).is_deleted


def test_before_the_first_connection_configuration_tells_and_the_rest_has_to_wait() -> None:
    directory = FallbackDirectory(OfflineDirectory(lambda: POLICY))

    assert directory.person(ALICE, POLICY.groups).name == "alice"
    with pytest.raises(NotYet):
        directory.person(BOB, POLICY.groups)
