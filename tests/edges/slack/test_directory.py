"""Who somebody is, asked of Slack each time; what it cannot say for certain counts as a no."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.core.people.identity import PersonId, Place, Shift
from bot.core.policy.groups import Group
from bot.edges.slack.channel import Account, web_client
from bot.edges.slack.directory import SlackDirectory
from bot.errors import Unverified
from bot.ports import Schedules
from tests.handlers.web_api import WebApi, web_api

BOB = PersonId("T1", "UBOB")
SRE = Group("sre", slack_group="S012ABC")
NAMED = Group("named", users=frozenset({PersonId("", "UBOB")}))
CHANNEL = {
    "id": "C1",
    "name": "inc-42",
    "is_member": True,
    "is_archived": False,
    "is_ext_shared": False,
    "is_private": False,
}
APPROVERS = Group("approvers", channel="C2")


@pytest.fixture
def slack() -> Iterator[WebApi]:
    with web_api() as running:
        yield running


def directory(
    slack: WebApi,
    *,
    teams: frozenset[str] = frozenset(),
    enterprise: str = "",
    schedules: Schedules | None = None,
) -> SlackDirectory:
    client, us = web_client("xoxb-test", base=slack.base), Account("T1", enterprise, "UBOT", "A1")
    return SlackDirectory(client, us, teams=lambda: teams, schedules=schedules, ttl=0)


def knows(slack: WebApi, **flags: Any) -> None:
    """Slack describes bob so."""
    slack.answer("users.info", {"ok": True, "user": {"id": "UBOB", "team_id": "T1", "name": "bob"} | flags})


class TestPeople:
    def test_a_member_of_our_own(self, slack: WebApi) -> None:
        knows(slack, profile={"display_name": "Bob B."})
        bob = directory(slack).person(BOB, [])
        assert (bob.name, bob.id) == ("Bob B.", BOB)
        assert not any((bob.is_guest, bob.is_bot, bob.is_deleted, bob.is_foreign))

    @pytest.mark.parametrize(
        ("flag", "reason"),
        [
            ({"is_restricted": True}, "is_guest"),
            ({"is_ultra_restricted": True}, "is_guest"),
            ({"is_bot": True}, "is_bot"),
            ({"is_workflow_bot": True}, "is_bot"),
            ({"deleted": True}, "is_deleted"),
            ({"is_stranger": True}, "is_foreign"),
            ({"team_id": "TEVIL"}, "is_foreign"),
            ({"team_id": None}, "is_foreign"),
            ({"team_id": "TEVIL", "is_stranger": False}, "is_foreign"),
        ],
    )
    def test_each_flag_is_a_reason_to_say_no(self, slack: WebApi, flag: dict[str, Any], reason: str) -> None:
        knows(slack, **flag)
        assert getattr(directory(slack).person(BOB, []), reason)

    def test_slackbot_has_the_flags_of_a_person(self, slack: WebApi) -> None:
        knows(slack, id="USLACKBOT")
        assert directory(slack).person(PersonId("T1", "USLACKBOT"), []).is_bot

    def test_teams_of_the_policy_take_the_place_of_our_own(self, slack: WebApi) -> None:
        knows(slack, team_id="T2")
        assert not directory(slack, teams=frozenset({"T1", "T2"})).person(BOB, []).is_foreign
        knows(slack, team_id="T9", enterprise_user={"enterprise_id": "E1", "teams": ["T9"]})
        assert not directory(slack, teams=frozenset({"E1"})).person(BOB, []).is_foreign
        assert directory(slack, teams=frozenset({"E2"})).person(BOB, []).is_foreign

    def test_on_enterprise_grid_one_account_has_one_key(self, slack: WebApi) -> None:
        knows(slack)
        grid = directory(slack, enterprise="E1")
        keys = {grid.person(PersonId(team, "UBOB"), []).id.key for team in ("T1", "T2")}
        assert keys == {("E1", "UBOB")}

    @pytest.mark.parametrize("status", [200, 429, 500])
    def test_an_error_is_a_no(self, slack: WebApi, status: int) -> None:
        slack.answer("users.info", {"ok": False, "error": "user_not_found"}, status)
        with pytest.raises(Unverified, match="the answer is no for now"):
            directory(slack).person(BOB, [])

    def test_an_answer_without_the_person_is_a_no(self, slack: WebApi) -> None:
        slack.answer("users.info", {"ok": True})
        with pytest.raises(Unverified):
            directory(slack).person(BOB, [])


class TestGroups:
    def test_a_user_group_is_resolved_whenever_it_is_asked(self, slack: WebApi) -> None:
        knows(slack)
        slack.answer("usergroups.users.list", {"ok": True, "users": ["UBOB"]})
        bob = directory(slack).person(BOB, [SRE, NAMED, Group("others", users=frozenset({PersonId("T1", "UX")}))])
        assert bob.groups == {"sre", "named"}
        assert slack.call("usergroups.users.list")["usergroup"] == "S012ABC"
        slack.answer("usergroups.users.list", {"ok": True, "users": []})
        assert directory(slack).person(BOB, [SRE]).groups == frozenset()

    @pytest.mark.parametrize("word", ["unknown_method", "missing_scope", "no_such_subteam", "ratelimited"])
    def test_an_error_is_a_no_for_whoever_asks_for_the_group(self, slack: WebApi, word: str) -> None:
        knows(slack)
        slack.answer("usergroups.users.list", {"ok": False, "error": word})
        with pytest.raises(Unverified, match=word):
            directory(slack).person(BOB, [SRE])


def has_channel(slack: WebApi, *pages: list[str], **flags: Any) -> None:
    """The channel of the approvers, with so many pages of members."""
    slack.answer("conversations.info", {"ok": True, "channel": CHANNEL | {"is_private": True, "name": "sre"} | flags})
    cursors = [*(f"page-{number}" for number in range(1, len(pages))), ""][: len(pages)]
    slack.answer_in_turn(
        "conversations.members",
        *(
            {"ok": True, "members": members, "response_metadata": {"next_cursor": cursor}}
            for members, cursor in zip(pages, cursors, strict=True)
        ),
    )


class TestChannelsOfApprovers:
    def test_everybody_in_it_but_the_bot_is_read_page_by_page(self, slack: WebApi) -> None:
        has_channel(slack, ["UBOB", "UBOT"], ["UCAROL"], ["UDORA"])
        members = directory(slack).members(APPROVERS)
        assert {person.user for person in members} == {"UBOB", "UCAROL", "UDORA"}
        assert {person.team for person in members} == {"T1"}
        asked = [slack.call("conversations.members") for _ in range(3)]
        assert [one.get("cursor", "") for one in asked] == ["", "page-1", "page-2"]
        assert {(one["channel"], one["limit"]) for one in asked} == {("C2", "200")}

    def test_it_is_read_again_whenever_it_matters(self, slack: WebApi) -> None:
        knows(slack)
        has_channel(slack, ["UBOB"])
        assert directory(slack).person(BOB, [APPROVERS]).groups == {"approvers"}
        has_channel(slack, [])
        assert directory(slack).person(BOB, [APPROVERS]).groups == frozenset()

    def test_all_pages_are_kept_together_for_a_moment(self, slack: WebApi) -> None:
        keeping = SlackDirectory(web_client("xoxb-test", base=slack.base), Account("T1", "", "UBOT", "A1"), ttl=60)
        has_channel(slack, ["UBOB"], ["UCAROL"])
        assert keeping.members(APPROVERS) == keeping.members(APPROVERS)
        assert slack.count("conversations.members") == 2

    @pytest.mark.parametrize(
        ("flag", "why"),
        [
            ({"is_private": False}, "#sre is public, so anybody could join @approvers"),
            ({"is_ext_shared": True}, "archived or shared with others"),
            ({"is_archived": True}, "archived or shared with others"),
            ({"is_member": False}, "the bot is not in it"),
        ],
    )
    def test_a_channel_that_others_decide_about_tells_nobody(
        self, slack: WebApi, flag: dict[str, Any], why: str
    ) -> None:
        has_channel(slack, ["UBOB"], **flag)
        with pytest.raises(Unverified, match=why):
            directory(slack).members(APPROVERS)
        assert slack.count("conversations.members") == 0

    def test_a_public_one_counts_where_the_policy_says_so(self, slack: WebApi) -> None:
        has_channel(slack, ["UBOB"], is_private=False, is_member=False)
        assert directory(slack).members(replace(APPROVERS, anybody_may_join=True)) == {BOB}

    def test_a_town_square_is_no_channel_of_approvers(self, slack: WebApi) -> None:
        has_channel(slack, *[[f"U{page}X{number}" for number in range(200)] for page in range(6)])
        with pytest.raises(Unverified, match="more than 1000 members"):
            directory(slack).members(APPROVERS)

    @pytest.mark.parametrize("second", [{"ok": False, "error": "ratelimited"}, {"ok": True}])
    def test_half_of_it_is_a_no(self, slack: WebApi, second: dict[str, Any]) -> None:
        has_channel(slack)
        first = {"ok": True, "members": ["UBOB"], "response_metadata": {"next_cursor": "more"}}
        slack.answer_in_turn("conversations.members", first, second)
        with pytest.raises(Unverified, match="who is in a channel"):
            directory(slack).members(APPROVERS)


class TestWhoReadsAChannel:
    def test_members_are_looked_for_page_by_page_until_they_are_found(self, slack: WebApi) -> None:
        has_channel(slack, ["UCAROL"], ["UBOB"], ["UDORA"])
        assert directory(slack).is_in(BOB, Place("C2"))
        assert [slack.call("conversations.members")["limit"] for _ in range(2)] == ["1000", "1000"]
        assert slack.count("conversations.members") == 0

    def test_who_is_on_no_page_is_not_in_it(self, slack: WebApi) -> None:
        has_channel(slack, ["UCAROL"], ["UDORA"])
        assert not directory(slack).is_in(BOB, Place("C2"))

    def test_what_slack_does_not_tell_is_not_known(self, slack: WebApi) -> None:
        slack.answer("conversations.members", {"ok": False, "error": "missing_scope"})
        with pytest.raises(Unverified, match="missing_scope"):
            directory(slack).is_in(BOB, Place("C2"))


class Rota:
    """Bob is on call until six, or nobody knows."""

    def shifts(self, schedule: str) -> tuple[Shift, ...]:
        if schedule != "primary":
            raise Unverified(f"nobody knows {schedule}")
        return (Shift(PersonId("", "UBOB"), UNTIL),)


UNTIL = datetime(2026, 3, 14, 18, 0, tzinfo=UTC)


class TestOnCall:
    def test_who_is_on_call_is_asked_of_the_source_and_known_as_one_of_ours(self, slack: WebApi) -> None:
        asking, group = directory(slack, schedules=Rota()), Group("on-call", on_call="primary")
        assert asking.members(group) == {BOB}
        assert asking.shifts(group) == (Shift(BOB, UNTIL),)
        assert asking.shifts(SRE) == ()
        knows(slack)
        assert asking.person(BOB, [group]).groups == {"on-call"}

    def test_what_the_source_does_not_tell_is_a_no(self, slack: WebApi) -> None:
        with pytest.raises(Unverified, match="nobody knows night"):
            directory(slack, schedules=Rota()).members(Group("on-call", on_call="night"))

    def test_without_a_source_nobody_is_known_to_be_on_call(self, slack: WebApi) -> None:
        with pytest.raises(Unverified, match="No on-call source is configured"):
            directory(slack).members(Group("on-call", on_call="primary"))


class TestPlaces:
    def test_a_channel_of_our_own(self, slack: WebApi) -> None:
        slack.answer("conversations.info", {"ok": True, "channel": CHANNEL})
        place = directory(slack).place(Place("C1", thread="1.2"))
        assert place == Place("C1", "1.2", "inc-42", is_internal=True, is_member=True, is_archived=False)

    @pytest.mark.parametrize(
        "flag",
        [
            {"is_ext_shared": True},
            {"is_org_shared": True},
            {"is_pending_ext_shared": True},
            {"pending_shared": ["TEVIL"]},
            {"pending_connected_team_ids": ["TEVIL"]},
        ],
    )
    def test_a_channel_that_others_share_or_are_about_to(self, slack: WebApi, flag: dict[str, Any]) -> None:
        slack.answer("conversations.info", {"ok": True, "channel": CHANNEL | flag})
        assert not directory(slack).place(Place("C1")).is_internal

    @pytest.mark.parametrize(
        ("said", "is_private"), [({}, True), ({"is_private": True}, True), ({"is_private": False}, False)]
    )
    def test_what_is_not_said_to_be_public_is_private(
        self, slack: WebApi, said: dict[str, Any], is_private: object
    ) -> None:
        slack.answer("conversations.info", {"ok": True, "channel": {"id": "C1", "name": "inc-42"} | said})
        assert directory(slack).place(Place("C1")).is_private is is_private

    def test_membership_that_is_not_said_is_none(self, slack: WebApi) -> None:
        slack.answer("conversations.info", {"ok": True, "channel": {"id": "D1", "is_im": True}})
        assert not directory(slack).place(Place("D1")).is_member

    def test_a_private_channel_that_we_cannot_see_is_one_we_are_not_in(self, slack: WebApi) -> None:
        slack.answer("conversations.info", {"ok": False, "error": "channel_not_found"})
        assert not directory(slack).place(Place("C9")).is_member

    def test_any_other_error_is_a_no(self, slack: WebApi) -> None:
        slack.answer("conversations.info", {"ok": False, "error": "missing_scope"})
        with pytest.raises(Unverified, match="missing_scope"):
            directory(slack).place(Place("C1"))

    def test_the_command_line_is_no_channel(self, slack: WebApi) -> None:
        assert directory(slack).place(Place("shell")) == Place("shell")
        assert slack.count("conversations.info") == 0


def test_answers_are_kept_for_a_moment_and_errors_never(slack: WebApi) -> None:
    keeping = SlackDirectory(web_client("xoxb-test", base=slack.base), Account("T1", "", "UBOT", "A1"), ttl=60)
    slack.answer("users.info", {"ok": False, "error": "internal_error"})
    with pytest.raises(Unverified):
        keeping.person(BOB, [])
    knows(slack)
    for _ in range(3):
        keeping.person(BOB, [])
    assert slack.count("users.info") == 2
