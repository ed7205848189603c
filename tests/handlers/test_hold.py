"""Holds in forms: offered where the policy names owners, read as typed, and kept with a reason and a day."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core.hosts.inventory import Inventory
from bot.core.people.identity import Caller
from bot.core.policy.configuration import ConfigSnapshot
from bot.core.policy.hold import HoldPolicy
from bot.core.requests import Duration, Hold, Outcome, Request, Selection, Stage
from bot.core.systemd.units import UnitName
from bot.errors import UsageError
from tests.handlers.payloads import click, command, submission
from tests.handlers.world import POLICY, World

PLAN = "0123456789ab"


@pytest.fixture(autouse=True)
def owners(world: World) -> None:
    """A policy under which @sre may own holds."""
    policy = replace(POLICY, holds=HoldPolicy(frozenset({"sre"})))
    world.in_force.put(ConfigSnapshot(world.in_force.now.inventory, policy))


def open_form(world: World, payload: dict[str, Any]) -> dict[str, Any]:
    world.send(payload)
    view = world.slack.call("views.open")["view"]
    return dict(json.loads(view) if isinstance(view, str) else view)


def sent(world: World, form: dict[str, Any], **values: Any) -> dict[str, str]:
    """What was wrong with it, by field."""
    answer = world.send(submission(form, values))
    return dict(json.loads(answer.body)["errors"]) if answer.body else {}


class TestAsking:
    def form(self, world: World, text: str = "") -> dict[str, Any]:
        return open_form(world, command(text))

    def test_the_form_offers_those_who_may_own_one(self, world: World) -> None:
        fields = {block["block_id"]: block["element"] for block in self.form(world)["blocks"]}
        assert [one["value"] for one in fields["hold"]["options"]] == ["sre"]
        assert "initial_option" not in fields["hold"]

    def test_where_nobody_may_there_is_no_such_field(self, world: World) -> None:
        world.in_force.put(ConfigSnapshot(world.in_force.now.inventory, POLICY))
        assert "hold" not in {block["block_id"] for block in self.form(world)["blocks"]}

    def test_what_made_sense_of_a_mistake_stands_in_it(self, world: World) -> None:
        fields = {
            block["block_id"]: block["element"]
            for block in self.form(world, "web-01 cr* --hold @sre --review 90d")["blocks"]
        }
        assert (fields["review"]["initial_value"], "initial_option" in fields["hold"]) == ("90d", False)

    def test_it_is_asked_for_as_it_is_typed(self, world: World) -> None:
        assert sent(world, self.form(world), host="web-01", unit="cron", hold="sre", review="2d") == {}
        (request,) = world.requests()
        hold = request.ask.change.hold
        assert hold
        assert (hold.owners, hold.review - request.asked_at < timedelta(days=2)) == ("sre", True)

    def test_what_makes_no_sense_is_said_beside_its_field(self, world: World) -> None:
        form = self.form(world)
        assert "A hold needs its owners" in sent(world, form, host="web-01", unit="cron", hold="sre")["review"]
        wrong = sent(world, form, **{"host": "web-01", "unit": "cron", "hold": "sre", "review": "2d", "for": "2h"})
        assert wrong == {"hold": "A hold never expires: leave out `--for` and `--until`, or the hold."}
        assert world.requests() == []


class TestKeeping:
    @pytest.fixture
    def mask(self, world: World) -> Request:
        """A hold of ours."""
        done = world.moved(world.moved(world.waiting(), Stage.APPROVED), Stage.RUNNING)
        done = world.moved(done, Stage.DONE, outcome=Outcome.PROVEN)
        hold = Hold("sre", done.asked_at + timedelta(days=1))
        ask = replace(done.ask, change=replace(done.ask.change, hold=hold))
        return world.store.save(replace(done, ask=ask, finished_at=done.asked_at))

    def test_it_asks_for_the_same_hold_with_a_later_review(self, world: World, mask: Request) -> None:
        form = open_form(world, click("keep", f"{mask.id}:{PLAN}"))
        assert sent(world, form, review="soon", reason="it goes on") == {
            "review": f"`soon` is not a date; write it like 90d or {mask.asked_at.year + 1}-03-01."
        }
        assert sent(world, form, review="30d", reason="it goes on") == {}
        (kept,) = (one for one in world.requests() if one.ask.extends == mask.id)
        hold = kept.ask.change.hold
        assert hold
        assert (hold.owners, hold.review > mask.asked_at + timedelta(days=29)) == ("sre", True)
        assert (kept.ask.instead_of, kept.ask.reason) == (mask.hold and mask.hold.review, "it goes on")

    def test_it_cannot_be_extended(self, world: World, mask: Request) -> None:
        with pytest.raises(UsageError, match="It is a hold"):
            world.desk.extensions.extend(
                mask.id, Duration(lasts=timedelta(hours=1)), Caller(mask.owner, "", mask.ask.place, "k")
            )


class TestAGroup:
    """Asked about a group, it is one request for all of its hosts."""

    TEXT = "@web cron --hold sre --review 2d it is evil"

    @pytest.fixture(autouse=True)
    def groups(self, world: World) -> None:
        """Two of the three hosts are in `@web`."""
        now = world.in_force.now
        hosts = (replace(one, groups=frozenset({one.name.partition("-")[0]})) for one in now.inventory.hosts)
        world.in_force.put(replace(now, inventory=Inventory(tuple(hosts))))

    def test_it_is_asked_for_as_it_is_typed(self, world: World) -> None:
        asked = world.ask(self.TEXT).ask
        assert asked.selection == Selection(("@web",), (UnitName("cron.service"),))
        assert str(asked.change).startswith("mask @web cron.service --hold sre --review ")

    def test_what_is_no_group_is_said(self, world: World) -> None:
        answer = world.send(command("@wbe cron --hold sre --review 2d"))
        assert "Did you mean `@web`?" in str(answer.body)
        assert world.requests() == []

    def test_a_change_that_no_words_ask_for_is_refused_as_well(self, world: World) -> None:
        asked = world.ask("web-01 cron").ask
        with pytest.raises(UsageError, match="There is no host `@web`"):
            world.desk.submit(replace(asked, change=replace(asked.change, host="@web")), key="k")

    def test_its_hosts_are_not_kept_one_by_one(self, world: World) -> None:
        whole = world.ask(self.TEXT)
        asked = world.ask("web-01 cron --hold sre --review 2d it is evil")
        done = replace(asked, ask=replace(asked.ask, rollout=whole.id), stage=Stage.DONE)
        world.store.save(done.on_target(outcome=Outcome.PROVEN))
        with pytest.raises(UsageError, match="This mask is held with cron.service on @web: use Keep on the card of"):
            world.desk.extensions.mask_to_keep(asked.id)
