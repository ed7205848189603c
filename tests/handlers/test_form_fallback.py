"""A form that cannot be drawn in full opens all the same, with its fields; else its caller hears another way."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.core.cards import forms
from bot.core.requests import Remark, Request
from tests.handlers.payloads import at_home, command
from tests.handlers.test_home import _sre  # noqa: F401 - bob is an approver here as well
from tests.handlers.world import World

VALUE = "0123456789ab"


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make parts of forms throw."""

    def throw(*_: object, **__: object) -> Any:
        raise OverflowError("cannot convert float infinity to integer")

    def broken(*names: str) -> None:
        for name in names:
            monkeypatch.setattr(forms, name, throw)

    return broken


def form(world: World) -> str:
    return json.dumps(world.slack.call("views.open")["view"])


def render_failures(world: World) -> dict[str, int]:
    return dict(world.desk._deps.liveness.render_failures)


def test_a_vote_on_somebodys_own_page_is_confirmed_without_the_plan(world: World, breaks: Callable[..., None]) -> None:
    breaks("plan_rows")
    request = world.waiting()
    world.send(at_home("approve", f"{request.id}:{VALUE}"))
    assert "The consequences cannot be shown here." in form(world)
    assert render_failures(world) == {"form": 1}


def test_an_answer_can_be_given_where_the_question_cannot_be_shown(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = world.waiting()
    asked = Remark(request.owner, "bob", "is it safe?", request.asked_at)
    request = world.store.save(replace(request, remarks=(asked,)))

    def throws_at_it(one: Request, **_: int) -> tuple[str, ...]:
        if one.remarks:
            raise OverflowError
        return ()

    monkeypatch.setattr(forms, "questions", throws_at_it)
    world.send(at_home("answer", f"{request.id}:{VALUE}", user="UALICE"))
    assert "Answer" in form(world)
    assert render_failures(world) == {"form": 1}


@pytest.mark.parametrize(
    ("action", "renderer"),
    [
        ("deny", "deny_form"),
        ("hand_over", "hand_over_form"),
        ("break_glass", "break_glass_form"),
        ("sign_off", "sign_off_form"),
    ],
)
def test_who_gets_no_form_at_all_hears_so(
    world: World, breaks: Callable[..., None], action: str, renderer: str
) -> None:
    request = world.waiting()
    breaks(renderer)
    world.send(at_home(action, f"{request.id}:{VALUE}"))
    said = world.slack.call("chat.postMessage")
    assert "The bot failed to show the form" in str(said["text"])
    assert render_failures(world) == {"form": 1}


def test_a_bare_mask_command_says_that_it_can_be_typed(world: World, breaks: Callable[..., None]) -> None:
    breaks("mask_form")
    answer = world.send(command(""))
    assert "You can type a command instead" in str(answer.body)
    assert render_failures(world) == {"form": 1}
