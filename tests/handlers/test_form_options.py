"""The lists of the form: what is known at once, what comes in the background, and what was typed at any time."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.core.hosts.inventory import Inventory
from bot.core.policy.hold import HoldPolicy
from bot.errors import HostError
from tests.handlers.payloads import choice, command, shortcut, submission, typing
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


def scan_units(world: World, view: dict[str, Any]) -> None:
    """The units of the host have been taken."""
    until(world, lambda: not any("Keep typing" in text for text in offered(world, view)))


class TestUnits:
    def test_while_the_host_is_looked_at_nobody_waits_and_what_was_typed_can_be_chosen(self, world: World) -> None:
        world.hosts.answers.clear()
        view = form(world)
        assert offered(world, view, "cron") == [
            "Keep typing: checking web-01 …",
            "Use cron.service (as typed)",
        ]
        world.hosts.answers.set()

    def test_then_the_units_of_that_very_host_are_offered_with_what_protects_them(self, world: World) -> None:
        view = form(world)
        scan_units(world, view)
        assert world.hosts.asked == ["web-01"]
        assert offered(world, view) == [
            *(unit for unit in UNITS if "ssh" not in unit),
            "ssh.service (critical: remote access)",
        ]
        assert offered(world, view, "cron") == ["cron.service", "cronjob@daily.service"]
        assert offered(world, view, "foo") == ["Use foo.service (not seen on web-01)"]
        assert offered(world, view, "sshd") == ["Use sshd.service (critical: remote access)"]
        assert offered(world, view, "cr*") == ["No unit on web-01 matches"]
        assert world.hosts.asked == ["web-01"]

    def test_a_host_that_does_not_answer_leaves_what_was_typed(self, world: World) -> None:
        world.hosts.trouble = HostError("No route.", code="unreachable")
        view = form(world)
        scan_units(world, view)
        assert offered(world, view, "cron") == [
            "web-01 does not answer: type the whole name",
            "Use cron.service (as typed)",
        ]

    def test_before_a_host_is_chosen_it_says_so(self, world: World) -> None:
        assert offered(world, form(world, ""), "cron") == ["Choose the host first"]
        assert world.hosts.asked == []

    @pytest.mark.parametrize("flag", [{"is_restricted": True}, {"is_bot": True}, {"deleted": True}])
    def test_the_units_of_our_hosts_are_shown_to_nobody_but_full_members(self, world: World, flag: Any) -> None:
        world.slack.answer("users.info", {"ok": True, "user": MEMBER | flag})
        view = form(world)
        scan_units(world, view)
        assert offered(world, view, "cron")[0] == "Units are shown to full members only: type the whole name"
        until(world, lambda: world.hosts.asked == ["web-01"])  # in the background, before anybody knew who asks
        assert offered(world, form(world, "db-01"), "cron")[0].startswith("Units are shown to full members only")
        assert world.hosts.asked == ["web-01"]  # whoever is no member makes the bot ask no further host

    def test_while_slack_does_not_say_who_somebody_is_nothing_is_shown(self, world: World) -> None:
        world.slack.answer("users.info", {"ok": False, "error": "ratelimited"}, 429, Retry_After="1")
        view = form(world)
        offered(world, view)
        world.slack.call("users.info")
        until(world, lambda: world.hosts.asked == ["web-01"])
        assert offered(world, view, "cron")[1:] == ["Use cron.service (as typed)"]


class TestHosts:
    def test_many_hosts_are_found_as_one_types(self, world: World) -> None:
        assert offered(world, form(world, ""), "web", field="host") == ["web-01", "web-02"]
        assert offered(world, form(world, ""), "x", field="host") == ["No host matches"]

    def test_groups_are_found_too_and_their_first_host_is_asked_for_its_units(self, world: World) -> None:
        now = world.in_force.now
        hosts = tuple(replace(one, groups=frozenset({one.name.partition("-")[0]})) for one in now.inventory.hosts)
        world.in_force.put(replace(now, inventory=Inventory(hosts)))
        assert offered(world, form(world, ""), "we", field="host") == ["web-01", "web-02", "@web"]
        world.send(choice("host", "@web", form(world, ""), {}))
        newer = world.slack.call("views.update")["view"]
        assert json.loads(newer["private_metadata"])["host"] == "@web"
        until(world, lambda: world.hosts.asked == ["web-01"])
        scan_units(world, newer)
        assert "worker.service" in offered(world, newer)

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
        scan_units(world, newer)
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
        assert answer["errors"] == {"unit": "Name a unit."}

    def test_several_hosts_groups_and_units_are_one_request_with_its_waves(self, world: World) -> None:
        values = {"host": ["web-01", "web-02"], "unit": ["cron.service", "worker.service"], "waves": " 1,rest "}
        world.send(submission(form(world), values | {"how": ["set", "order", "runtime"], "reason": "INC-1"}))
        ask = world.requests()[0].ask
        assert str(ask.selection) == "web-01,web-02 cron.service,worker.service --set --order --waves 1,rest"
        assert (ask.change.host, str(ask.change.unit)) == ("web-01,web-02", "cron.service")
        assert ask.change.runtime
        told = world.slack.call("chat.postEphemeral")["text"]
        assert "`mask web-01,web-02 cron.service,worker.service --set --order --waves 1,rest --runtime`" in told

    def test_one_that_somebody_could_approve_is_enough(self, world: World) -> None:
        units = ["ssh.service", "cron.service"]
        world.send(submission(form(world), {"host": ["web-01", "web-02"], "unit": units}))
        assert len(world.requests()) == 1
        answer = world.send(submission(form(world), {"host": ["web-01", "web-02"], "unit": ["ssh.service"]}))
        assert "remote access" in json.loads(answer.body)["errors"]["unit"]
        (event,) = world.events("form.refused")
        assert event["data"]["change"] == "mask web-01,web-02 ssh.service"

    @pytest.mark.parametrize(
        ("values", "field", "said"),
        [
            ({"host": "web-01", "waves": "1,rest"}, "waves", "is about several hosts"),
            ({"host": ["web-01", "web-02"], "waves": "x"}, "waves", "write them like `1,10%,rest`"),
            ({"host": "web-01", "how": ["order"]}, "how", "is about several hosts"),
            ({"host": []}, "host", "Name a host."),
        ],
    )
    def test_what_does_not_go_together_is_said_beside_its_field(
        self, world: World, values: dict[str, Any], field: str, said: str
    ) -> None:
        answer = json.loads(world.send(submission(form(world), {"unit": "cron.service"} | values)).body)
        assert said in answer["errors"][field]
        assert world.requests() == []

    def test_several_hosts_are_held_like_one(self, world: World) -> None:
        now = world.in_force.now
        world.in_force.put(replace(now, policy=replace(now.policy, holds=HoldPolicy(frozenset({"sre"})))))
        values = {"host": ["web-01", "web-02"], "unit": "cron.service", "hold": "sre", "review": "2d"}
        world.send(submission(form(world), values))
        (asked,) = world.requests()
        assert asked.ask.selection and asked.ask.selection.hosts == ("web-01", "web-02")
        assert asked.ask.change.hold and asked.ask.change.hold.owners == "sre"

    def test_too_many_targets_are_said_beside_the_hosts(self, world: World) -> None:
        now = world.in_force.now
        limits = replace(now.policy.limits, targets=1)
        world.in_force.put(replace(now, policy=replace(now.policy, limits=limits)))
        values = {"host": ["web-01", "web-02"], "unit": "cron.service"}
        answer = json.loads(world.send(submission(form(world), values)).body)
        assert answer["errors"] == {
            "host": "That is 2 hosts: 2 targets, and one request may have 1. "
            "Name fewer, and ask for the others in another request."
        }

    def test_a_form_from_before_an_update_has_lists_for_one(self, world: World) -> None:
        sent = submission(form(world), {"host": "web-01", "unit": "cron.service"})
        values = sent["view"]["state"]["values"]
        for name in ("host", "unit"):
            (chosen,) = values[name][name]["selected_options"]
            values[name][name] = {"type": "static_select", "selected_option": chosen}
        world.send(sent)
        assert str(world.requests()[0].ask.change) == "mask web-01 cron.service"

    def test_a_name_that_nobody_has_seen_is_asked_for_all_the_same(self, world: World) -> None:
        world.send(submission(form(world), {"host": "web-01", "unit": "new-one.service"}))
        assert str(world.requests()[0].ask.change) == "mask web-01 new-one.service"


class TestShortcuts:
    MESSAGE = {"ts": "1700000000.000700", "text": "worker.service on web-01 eats &lt;all&gt; memory"}

    def opened(self, world: World, payload: dict[str, Any]) -> dict[str, Any]:
        assert world.send(payload).body == ""
        call = world.slack.call("views.open")
        assert call["trigger_id"] == payload["trigger_id"]
        return dict(call["view"])

    def test_one_on_a_message_fills_the_form_with_it(self, world: World) -> None:
        view = self.opened(world, shortcut("mask_for_message", self.MESSAGE))
        fields = {block["block_id"]: block["element"] for block in view["blocks"]}
        assert fields["host"]["initial_options"][0]["value"] == "web-01"
        assert fields["unit"]["initial_options"][0]["value"] == "worker.service"
        reason = "worker.service on web-01 eats <all> memory https://lab.slack.com/archives/C1/p1700000000000700"
        assert fields["reason"]["initial_value"] == reason
        assert "channel" not in fields
        until(world, lambda: world.hosts.asked == ["web-01"])

    @pytest.mark.parametrize("thread", ["", "1700000000.000100"])
    def test_the_card_goes_where_the_message_is(self, world: World, thread: str) -> None:
        said = self.MESSAGE | ({"thread_ts": thread} if thread else {})
        view = self.opened(world, shortcut("mask_for_message", said))
        world.send(submission(view, {"host": "web-01", "unit": "worker.service"}, user="UALICE"))
        place = world.requests()[0].ask.place
        assert (place.channel, place.thread) == ("C1", thread)

    def test_an_alert_without_text_is_quoted_by_what_is_attached(self, world: World) -> None:
        alert = {"ts": "1700000000.000700", "text": "", "attachments": [{"fallback": "disk full on db-01"}]}
        view = self.opened(world, shortcut("mask_for_message", alert))
        assert "disk full on db-01" in json.dumps(view)

    def test_one_from_anywhere_asks_where_people_are_to_see_it(self, world: World) -> None:
        view = self.opened(world, shortcut("mask_from_anywhere"))
        values = {"host": "web-01", "unit": "cron.service"}
        missing = json.loads(world.send(submission(view, values, user="UALICE")).body)
        assert set(missing["errors"]) == {"channel"}
        world.send(submission(view, values | {"channel": "C1"}, user="UALICE"))
        (request,) = world.requests()
        assert (request.ask.place.channel, request.ask.requester.user) == ("C1", "UALICE")
        assert world.slack.call("chat.postEphemeral")["channel"] == "C1"

    @pytest.mark.parametrize("channel", ["shell", "home", "C1 ", "#incident", "U1"])
    def test_what_is_no_channel_of_slack_is_no_place(self, world: World, channel: str) -> None:
        view = self.opened(world, shortcut("mask_from_anywhere"))
        values = {"host": "web-01", "unit": "cron.service", "channel": channel}
        assert set(json.loads(world.send(submission(view, values)).body)["errors"]) == {"channel"}
        assert world.requests() == []

    def test_it_still_asks_once_the_host_is_chosen(self, world: World) -> None:
        view = self.opened(world, shortcut("mask_from_anywhere"))
        world.send(choice("host", "web-02", view, {"channel": "C1"}))
        newer = world.slack.call("views.update")["view"]
        assert [block["block_id"] for block in newer["blocks"]] == [block["block_id"] for block in view["blocks"]]

    def test_where_the_form_cannot_be_opened_it_is_said_in_a_direct_message(self, world: World) -> None:
        world.slack.answer("views.open", {"ok": False, "error": "expired_trigger_id"})
        world.send(shortcut("mask_from_anywhere"))
        told = world.slack.call("chat.postMessage")
        assert (told["channel"], "took too long" in told["text"]) == ("UALICE", True)
