"""A payload that is not as Slack documents it is acknowledged, says nothing to people, and logs no traceback."""

import copy
import json
import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.core.cards import forms
from bot.edges.slack.socket_mode import dispatch
from tests.handlers.payloads import at_home, choice, click, command, home_opened, mention, shortcut, submission, typing
from tests.handlers.test_origin_check import form
from tests.handlers.world import World

Payload = dict[str, Any]
Path = tuple[str | int, ...]
ODD: tuple[Any, ...] = (None, 7, "x", "\0:\0", [], {}, ["x"], {"x": 7})
MASK = {**forms.mask_form(["web-01"], asks_where=True), "private_metadata": form()["private_metadata"]}
TYPED = {"host": "web-01", "unit": "cron", "reason": "why not", "how": ["runtime"], "channel": "C1"}
PAYLOADS: dict[str, Payload] = {
    "a command": command("web-01"),
    "an undo": command("web-01 cron", name="/unmask"),
    "a mention": mention("help"),
    "a button": click("approve", "r1:0123456789ab"),
    "a button at home": at_home("approve", "r1:0123456789ab"),
    "a form": submission(MASK, TYPED),
    "a choice": choice("host", "web-01", MASK, TYPED),
    "a list": typing("unit", "cr", form()),
    "a shortcut": shortcut(forms.FROM_MESSAGE, {"ts": "1.2", "text": "x"}),
    "the Home tab": home_opened(),
}


def paths(payload: Any, so_far: Path = ()) -> Iterator[Path]:
    """The way to every value in a payload, at any depth."""
    inside = (
        payload.items() if isinstance(payload, Mapping) else enumerate(payload) if isinstance(payload, list) else ()
    )
    for key, value in inside:
        yield (*so_far, key)
        yield from paths(value, (*so_far, key))


def mutants(payload: Payload) -> Iterator[tuple[Path, Any, Payload]]:
    """The payload with each of its values left out, or replaced by something else."""
    for path in paths(payload):
        for odd in (*ODD, "left out"):
            mutant = copy.deepcopy(payload)
            place: Any = mutant
            for key in path[:-1]:
                place = place[key]
            if odd == "left out":
                del place[path[-1]]
            else:
                place[path[-1]] = odd
            yield path, odd, mutant


@pytest.mark.parametrize("kind", PAYLOADS)
def test_whatever_is_wrong_with_a_payload_it_is_acknowledged_without_a_traceback(
    world: World, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    unanswered, logged_traces = [], []
    with capture_logs() as logged, caplog.at_level(logging.WARNING):
        for number, (path, odd, mutant) in enumerate(mutants(PAYLOADS[kind])):
            sender = f"U{number // 50}X"  # nobody is refused because they do too much
            answer = dispatch(world.app, json.loads(re.sub("UALICE|UBOB", sender, json.dumps(mutant))), {})
            if answer.status != 200 and not is_for_nobody(path):
                unanswered.append((path, odd, answer.status))
    logged_traces = [entry for entry in logged if entry.get("exc_info")] + [
        one for one in caplog.records if one.exc_info
    ]
    assert unanswered == []
    assert len(logged_traces) == 0, logged_traces[0]


def is_for_nobody(path: Path) -> bool:
    """Whether the value says what kind of payload it is: one of an unknown kind is not ours to acknowledge."""
    return path[-1] in ("type", "command", "callback_id", "action_id", "block_id", "event", "actions") or path == (
        "view",
    )
