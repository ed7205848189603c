"""The lists of the form: what is known at once, what comes in the background, and what was typed at any time."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from bot.errors import HostError
from tests.handlers.payloads import choice, command, submission, typing
from tests.handlers.world import UNITS, World

MEMBER = {"id": "UALICE", "team_id": "T1", "name": "alice"}
PATIENCE = 10.0


@pytest.fixture(autouse=True)
def _members(world: World) -> None:
    world.slack.answer("users.info", {"ok": True, "user": MEMBER})


def form(world: World, text: str = "web-01") -> dict[str, Any]:
    """The form as it opens with what was typed."""
    world.send(command(text))
    view = world.slack.call("views.open")["view"]
    return dict(json.loads(view) if isinstance(view, str) else view)


def offered(world: World, view: dict[str, Any], typed: str = "", *, field: str = "unit") -> list[str]:
    """What the list shows now."""
    answer = json.loads(world.send(typing(field, typed, view)).body)
    return [option["text"]["text"] for option in answer["options"]]


def until(world: World, holds: Callable[[], bool]) -> None:
    """Wait for what goes on in the background."""
    for _ in range(int(PATIENCE / 0.02)):
        if holds():
            return
        world.store.wait_for_work(0.02)
    raise AssertionError("waited in vain")


def known(world: World, view: dict[str, Any]) -> None:
    """The units of the host have been taken."""
    until(world, lambda: not any("I am looking" in text for text in offered(world, view)))


class TestUnits:
    def test_while_the_host_is_looked_at_nobody_waits_and_what_was_typed_can_be_chosen(self, world: World) -> None:
        world.hosts.answers.clear()
        view = form(world)
        assert offered(world, view, "cron") == [
            "Type on: I am looking at web-01 …",
            "Use cron.service: as it is typed",
        ]
        world.hosts.answers.set()

    def test_then_the_units_of_that_very_host_are_offered_with_what_protects_them(self, world: World) -> None:
        view = form(world)
        known(world, view)
        assert world.hosts.asked == ["web-01"]
        assert offered(world, view) == [
            *(unit for unit in UNITS if "ssh" not in unit),
            "ssh.service: critical: remote access",
        ]
        assert offered(world, view, "cron") == ["cron.service", "cronjob@daily.service"]
        assert offered(world, view, "foo") == ["Use foo.service: not seen on web-01"]
        assert offered(world, view, "sshd") == ["Use sshd.service: critical: remote access"]
        assert offered(world, view, "cr*") == ["Nothing on web-01 has a name like that"]
        assert world.hosts.asked == ["web-01"]

    def test_a_host_that_does_not_answer_leaves_what_was_typed(self, world: World) -> None:
        world.hosts.trouble = HostError("No route.", code="unreachable")
        view = form(world)
        known(world, view)
        assert offered(world, view, "cron") == [
            "web-01 does not answer: type the whole name",
            "Use cron.service: as it is typed",
        ]

    def test_before_a_host_is_chosen_it_says_so(self, world: World) -> None:
        assert offered(world, form(world, ""), "cron") == ["Choose the host first"]
        assert world.hosts.asked == []

    @pytest.mark.parametrize("flag", [{"is_restricted": True}, {"is_bot": True}, {"deleted": True}])
    def test_the_units_of_our_hosts_are_shown_to_nobody_but_full_members(self, world: World, flag: Any) -> None:
        world.slack.answer("users.info", {"ok": True, "user": MEMBER | flag})
        view = form(world)
        known(world, view)
        assert offered(world, view, "cron")[0] == "Units are shown to full members only: type the whole name"

    def test_while_slack_does_not_say_who_somebody_is_nothing_is_shown(self, world: World) -> None:
        world.slack.answer("users.info", {"ok": False, "error": "ratelimited"}, 429, Retry_After="1")
        view = form(world)
        offered(world, view)
        world.slack.call("users.info")
        until(world, lambda: world.hosts.asked == ["web-01"])
        assert offered(world, view, "cron")[1:] == ["Use cron.service: as it is typed"]


class TestHosts:
    def test_many_hosts_are_found_as_one_types(self, world: World) -> None:
        assert offered(world, form(world, ""), "web", field="host") == ["web-01", "web-02"]
        assert offered(world, form(world, ""), "x", field="host") == ["No host has a name like that"]

    def test_a_chosen_host_is_noted_in_the_form_and_looked_at_ahead(self, world: World) -> None:
        view = form(world, "")
        values = {"unit": "cron.service", "how": ["runtime"], "user": "deploy", "reason": "INC-1"}
        chosen = choice("host", "web-02", view, values)
        assert world.send(chosen).body == ""
        update = world.slack.call("views.update")
        assert update["view_id"] == chosen["view"]["id"]
        newer = update["view"]
        assert json.loads(newer["private_metadata"])["host"] == "web-02"
        assert json.loads(newer["private_metadata"])["channel"] == "C1"
        assert [block["block_id"] for block in newer["blocks"]] == [block["block_id"] for block in view["blocks"]]
        until(world, lambda: world.hosts.asked == ["web-02"])
        known(world, newer)
        assert "worker.service" in offered(world, newer)


class TestSentOff:
    @pytest.mark.parametrize("unit", ["ssh.service", "sshd.service"])
    def test_a_protected_unit_is_refused_beside_its_field_and_recorded(self, world: World, unit: str) -> None:
        view = form(world)
        answer = json.loads(world.send(submission(view, {"host": "web-01", "unit": unit}, user="UALICE")).body)
        assert answer["errors"] == {
            "unit": f"{unit} is on the critical list: remote access. Masking it would lock everybody out of web-01. "
            "Nobody can approve this."
        }
        assert world.requests() == []
        (event,) = world.events("form.refused")
        assert (event["reason_code"], event["actor"]["user"]) == ("critical_unit", "UALICE")

    def test_what_only_explains_is_no_unit(self, world: World) -> None:
        view = form(world)
        answer = json.loads(world.send(submission(view, {"host": "web-01", "unit": "-"})).body)
        assert answer["errors"] == {"unit": "A unit is needed."}

    def test_a_name_that_nobody_has_seen_is_asked_for_all_the_same(self, world: World) -> None:
        world.send(submission(form(world), {"host": "web-01", "unit": "new-one.service"}))
        assert str(world.requests()[0].ask.change) == "mask web-01 new-one.service"
