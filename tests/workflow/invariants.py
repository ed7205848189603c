"""What must hold after every story, whatever happened in it."""

import json
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from bot.core.audit import Verified, verify
from bot.core.cards import render
from bot.core.changes import Outcome, Request, Verb
from tests.workflow.wire import not_needed
from tests.workflow.world import World

Records = list[Mapping[str, Any]]
MASKED = (Outcome.PROVEN, Outcome.MASKED_RUNNING, Outcome.MASKED_RESTARTED)
SAYS_MASKED = ("MASKED AND PROVEN", "MASKED, STILL RUNNING", "MASKED, RESTARTED")


def violations(world: World) -> list[str]:
    """Every promise that was broken, in words."""
    records = list(world.store.records())
    return [
        *not_needed(world.wire.calls),
        *_chain_is_broken(world, records),
        *_no_intent(world, records),
        *_secrets(world, records),
        *chain.from_iterable(_cards(world, request) for request in world.requests()),
        *chain.from_iterable(_forgotten(request) for request in world.requests()),
    ]


def _chain_is_broken(world: World, records: Records) -> Iterator[str]:
    verified = verify(records, anchor=world.store.head())
    if not isinstance(verified, Verified):
        yield f"the audit chain does not hold: {verified}"


def _no_intent(world: World, records: Records) -> Iterator[str]:
    """Each verb on the wire has its own intent, in the same order."""
    intents = [tuple(record["data"]["argv"]) for record in records if record["type"] == "exec.intent"]
    for call in world.wire.calls:
        if call.verb and call.argv not in intents:
            yield f"{call.argv} was sent without an intent on record"
        elif call.verb:
            intents.remove(call.argv)


def _secrets(world: World, records: Records) -> Iterator[str]:
    everything = json.dumps(records, default=str) + repr(world.slack.messages)
    for word in ("response_url", "PRIVATE KEY", "xoxb-", "hooks.slack.com"):
        if word in everything:
            yield f"`{word}` is in the record or in Slack"


def _forgotten(request: Request) -> Iterator[str]:
    """A mask that is to end has somebody who comes back to it, however often that was in vain."""
    ends_at = request.standing.ends_at
    if request.is_live_mask and ends_at and request.due_at is None:
        yield f"{request.ask.change} ends at {ends_at}, and nothing is due that ends it"


def _cards(world: World, request: Request) -> Iterator[str]:
    """One card at most, as the stored request has it; and it says masked only of what was proven by a look."""
    cards = world.slack.marked(f"{request.id}:card")
    if len(cards) > 1:
        yield f"{request.ask.change} has {len(cards)} cards"
    title = render(request, now=world.clock.now()).text
    says_masked = request.ask.change.verb is Verb.MASK and title.startswith(SAYS_MASKED)
    after = request.target.after
    if says_masked and (request.target.outcome not in MASKED or after is None or not after.is_masked):
        yield f"{request.ask.change} says {title} and no look showed it"
