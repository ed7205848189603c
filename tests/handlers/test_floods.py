"""A flood from one person delays nobody else: their questions, refusals and clicks have bounds of their own."""

import json
import time
from dataclasses import replace

from bot.core.cards import forms
from bot.core.cards.blocks import Action
from bot.core.policy.calendar_and_limits import RequestLimits
from tests.handlers.payloads import choice, click, command, mention
from tests.handlers.world import World

PROMPTLY = 6.0  # seconds, of a flood that takes far longer
MEMBER = {"id": "UMALLORY", "team_id": "T1", "name": "mallory", "profile": {"display_name": "mallory"}}


def slow_slack(world: World, seconds: float) -> None:
    """Slack takes this long to say who somebody is, as a busy one does."""
    world.slack.answer("users.info", {"ok": True, "user": MEMBER})
    world.slack.answer("conversations.info", {"ok": True, "channel": {"id": "C1", "is_member": True}})
    world.slack.delays["users.info"] = seconds


def seconds_until_answered(world: World, user: str) -> float:
    began = time.monotonic()
    while world.slack.call("chat.postEphemeral")["user"] != user:
        pass
    return time.monotonic() - began


def test_150_questions_of_one_person_do_not_delay_the_answer_to_another(world: World) -> None:
    slow_slack(world, 0.6)
    told = [world.send(command("help", user="UMALLORY")).body for _ in range(150)]
    assert sum("two questions" in str(one) or "within a minute" in str(one) for one in told) >= 140
    world.send(command("help", user="UBOB"))
    assert seconds_until_answered(world, "UBOB") < PROMPTLY


def test_150_mistakes_after_a_mention_do_not_delay_the_answer_to_another(world: World) -> None:
    slow_slack(world, 0)
    world.slack.delays["chat.postEphemeral"] = 0.4
    for _ in range(150):
        world.send(mention("mask", user="UMALLORY"))
    world.send(command("help", user="UBOB"))
    assert seconds_until_answered(world, "UBOB") < PROMPTLY


def test_150_refused_clicks_do_not_delay_the_answer_to_another(world: World) -> None:
    request, respond = world.waiting(), f"{world.slack.base}respond"
    world.slack.delays["respond"] = 0.3
    for _ in range(150):
        world.send(click(Action.APPROVE, f"{request.id}:000000000000", user="UMALLORY", respond=respond))
    began = time.monotonic()
    world.send(click(Action.APPROVE, f"{request.id}:000000000000", user="UBOB", respond=f"{world.slack.base}bob"))
    assert world.slack.call("bob")["response_type"] == "ephemeral"
    assert time.monotonic() - began < PROMPTLY


def test_150_choices_in_a_form_do_not_delay_the_answer_to_another(world: World) -> None:
    world.send(command(""))
    form = world.slack.call("views.open")["view"]
    request = world.waiting()
    world.slack.delays["views.update"] = 0.4
    for _ in range(150):
        world.send(choice(forms.HOST, "web-01", form, {}, user="UMALLORY"))
    began = time.monotonic()
    world.send(click(Action.APPROVE, f"{request.id}:000000000000", user="UBOB", respond=f"{world.slack.base}bob"))
    assert world.slack.call("bob")["response_type"] == "ephemeral"
    assert time.monotonic() - began < PROMPTLY


def test_undos_have_a_limit_too(world: World) -> None:
    now = world.in_force.now
    limited = replace(now.policy, limits=RequestLimits(requests_per_minute=5))
    world.in_force.put(replace(now, policy=limited))
    told = [str(world.send(command(f"web-01 unit-{n}", name="/unmask")).body) for n in range(40)]
    assert len(world.requests()) == 30
    assert sum("within a minute" in one for one in told) == 10


def test_everything_that_one_person_does_has_a_limit_for_a_minute(world: World) -> None:
    request = world.waiting()
    for _ in range(100):
        world.send(click(Action.WITHDRAW, request.id, user="UMALLORY"))
        world.send(click(Action.APPROVE, f"{request.id}:0123456789ab", user="UMALLORY", card="1700000000.000999"))
    assert len(world.events("approval.refused")) <= 8
    refused = world.send(command("freeze everything", user="UMALLORY"))
    assert "60 things within a minute" in json.loads(refused.body or "{}")["text"]
    assert "60 things" not in str(world.send(command("list", user="UBOB")).body)
