"""Help is for the one who asks: what they may do, whose approval it takes, and nothing for strangers."""

from dataclasses import replace
from typing import Any

import pytest

from bot.core.policy.groups import Group
from tests.handlers.payloads import CHANNEL, command
from tests.handlers.world import World

MEMBER = {"id": "UALICE", "team_id": "T1", "name": "alice"}
INTERNAL = {"id": CHANNEL, "name": "incident", "is_member": True}


def help_for_alice(world: World, *, in_eng: bool = True, **flags: Any) -> str:
    """What alice reads."""
    now = world.in_force.now
    groups = (Group("eng", slack_group="S0ENG"), Group("sre", slack_group="S0SRE"))
    world.in_force.put(replace(now, policy=replace(now.policy, groups=groups)))
    world.slack.answer("users.info", {"ok": True, "user": MEMBER | flags})
    world.slack.answer("usergroups.users.list", {"ok": True, "users": ["UALICE"] if in_eng else []})
    if "conversations.info" not in world.slack.answers:
        world.slack.answer("conversations.info", {"ok": True, "channel": INTERNAL})
    world.send(command("help"))
    whisper = world.slack.call("chat.postEphemeral")
    assert whisper["user"] == "UALICE"
    return str(whisper["text"])


def test_who_may_ask_reads_how_and_whose_approval_it_takes(world: World) -> None:
    said = help_for_alice(world)
    assert "`/mask HOST UNIT [reason]`" in said
    assert "prod: all hosts: you may ask for masks and unmasks, and approve (needs 1 of @sre)" in said


def test_who_may_do_nothing_reads_how_to_look(world: World) -> None:
    said = help_for_alice(world, in_eng=False)
    assert "`/mask HOST UNIT [reason]`" not in said
    assert "`/mask status HOST UNIT`" in said
    assert "No rule lets you ask or approve." in said


def test_only_who_may_approve_something_reads_how_to_stop_new_masks(world: World) -> None:
    assert "`/mask freeze REASON`" in help_for_alice(world)
    assert "freeze" not in help_for_alice(world, in_eng=False)


def test_where_the_bot_does_not_act_it_says_so(world: World) -> None:
    world.slack.answer("conversations.info", {"ok": True, "channel": INTERNAL | {"is_member": False}})
    said = help_for_alice(world)
    assert "Not here: The bot is not in this channel." in said
    assert "you may ask" in said


@pytest.mark.parametrize("flag", [{"is_restricted": True}, {"is_bot": True}, {"team_id": "T2"}])
def test_strangers_learn_nothing(world: World, flag: dict[str, Any]) -> None:
    said = help_for_alice(world, **flag)
    assert "HELP" not in said
    assert "web-01" not in said
