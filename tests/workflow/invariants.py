"""Invariants that must hold after every workflow test."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from pydantic import ValidationError

from bot.cli.audit_schema import ExportedRecord
from bot.core.audit.chain import Head, VerifiedChain, verify
from bot.core.cards import render
from bot.core.requests import Outcome, Request, Rollout, TargetStatus, Verb
from tests.lab.keys import KEYS
from tests.workflow.slack import words
from tests.workflow.wire import Call, not_needed
from tests.workflow.world import World

Records = list[Mapping[str, Any]]
MASKED = (Outcome.PROVEN, Outcome.MASKED_RUNNING, Outcome.MASKED_RESTARTED)
SAYS_MASKED = ("MASKED AND PROVEN", "MASKED, STILL RUNNING", "MASKED, RESTARTED")


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that a bot, or several on one database, left behind, to be checked."""

    records: Records
    head: Head
    requests: Sequence[Request]
    said: Sequence[tuple[str, str]]  # the mark of each message, and its text
    now: datetime
    calls: Sequence[list[Call]] = ()  # what each process sent to the hosts, if that was recorded


def violations(world: World) -> list[str]:
    """The violated invariants of a world, in words."""
    said = [(one.mark, words(one.text)) for one in list(world.slack.messages.values())]
    records, head = list(world.store.records()), world.store.head()
    seen = Seen(records, head, world.requests(), said, world.clock.now(), [world.wire.calls])
    return [*broken(seen), *(() if world.has_lost_an_answer else _unanswered(seen))]


def broken(seen: Seen) -> list[str]:
    """The violated invariants, in words."""
    return [
        *chain.from_iterable(not_needed(of_one) for of_one in seen.calls),
        *_chain_is_broken(seen),
        *_not_as_described(seen),
        *_no_intent(seen),
        *_secrets(seen),
        *chain.from_iterable(_cards(seen, request) for request in seen.requests),
        *chain.from_iterable(_forgotten(request) for request in seen.requests),
    ]


def _not_as_described(seen: Seen) -> Iterator[str]:
    """Every record is as the schema of the export says."""
    for record in seen.records:
        try:
            ExportedRecord.model_validate(record)
        except ValidationError as error:
            yield f"record {record['seq']} is not as described: {error}"


def _chain_is_broken(seen: Seen) -> Iterator[str]:
    verified = verify(seen.records, KEYS, anchor=seen.head)
    if not isinstance(verified, VerifiedChain):
        yield f"the audit chain does not hold: {verified}"


def _no_intent(seen: Seen) -> Iterator[str]:
    """Each command that was sent must have an intent of its own, in the same order."""
    intents = [tuple(record["data"]["argv"]) for record in seen.records if record["type"] == "exec.intent"]
    for call in chain.from_iterable(seen.calls):
        if call.verb and call.argv not in intents:
            yield f"{call.argv} was sent without an intent on record"
        elif call.verb:
            intents.remove(call.argv)


def _unanswered(seen: Seen) -> Iterator[str]:
    """Each command's answer must be recorded, or why there is none, unless the process was killed."""
    left = Counter[tuple[str, str]]()
    for record in seen.records:
        if (
            record["type"] in ("exec.intent", "exec.result", "exec.outcome_unknown", "exec.not_sent")
            and "step" in record["data"]
        ):
            left[record["request_id"], record["data"]["step"]] += 1 if record["type"] == "exec.intent" else -1
    yield from (
        f"{step} of {request} has an intent on record and no answer" for (request, step), more in left.items() if more
    )


def _secrets(seen: Seen) -> Iterator[str]:
    everything = json.dumps(seen.records, default=str) + repr(seen.said)
    for word in ("response_url", "PRIVATE KEY", "xoxb-", "hooks.slack.com"):
        if word in everything:
            yield f"`{word}` is in the record or in Slack"


def _forgotten(request: Request) -> Iterator[str]:
    """Each mask that expires must have a timer, however often its undo failed."""
    expires_at = request.aftercare.expires_at
    if request.is_live_mask and expires_at and request.due_at is None:
        yield f"{request.ask.change} ends at {expires_at}, and nothing is due that ends it"


def _cards(seen: Seen, request: Request) -> Iterator[str]:
    """One card at most, in the stored request's state; and it says masked only with a proof."""
    cards = [mark for mark, _ in seen.said if mark == f"{request.id}:card"]
    if len(cards) > 1:
        yield f"{request.ask.change} has {len(cards)} cards"
    title = render(request, now=seen.now).text
    if request.rollout is not None and not request.ask.extends:
        yield from _of_rollout(seen, request, request.rollout, title)
        return
    says_masked = request.ask.change.verb is Verb.MASK and title.startswith(SAYS_MASKED)
    after = request.target.after
    if says_masked and (request.target.outcome not in MASKED or after is None or not after.is_masked):
        yield f"{request.ask.change} says {title} and no look showed it"


def _of_rollout(seen: Seen, whole: Request, rollout: Rollout, title: str) -> Iterator[str]:
    """It calls masked only what a look has shown, and nothing was sent for a target that it never began."""
    now = {one.request_id for one in rollout.targets}  # not those that were repeated since
    requests = {one.id: one for one in seen.requests if one.id in now}
    looks = [one.target.after for one in requests.values() if one.target.outcome is Outcome.PROVEN]
    masked = sum(1 for after in looks if after and after.is_masked)
    if title.startswith(SAYS_MASKED) and masked != len(rollout.planned):
        yield f"{whole.ask.change} says {title}, and looks showed {masked} of {len(rollout.planned)} masked"
    for one in rollout.targets:
        is_ahead = one.wave > rollout.wave or one.status in (TargetStatus.READY, TargetStatus.LEFT_OUT)
        if is_ahead and one.request_id in requests and requests[one.request_id].target.sent:
            yield f"{one.unit} on {one.host} was touched before its wave"
    yield from _out_of_turn(seen, whole, rollout)


def _out_of_turn(seen: Seen, whole: Request, rollout: Rollout) -> Iterator[str]:
    """By the record: nothing was meant for a target before its wave began, and no wave began while something ran."""
    wave_of, wave, runs = {one.request_id: one.wave for one in rollout.planned}, 0, set[str]()
    for record in seen.records:
        about, kind = record["request_id"], record["type"]
        if about == whole.id and kind == "rollout.wave_begun":
            wave = record["data"]["wave"]
            yield from (f"wave {wave} of {whole.id} began while {one} ran" for one in runs)
        elif about in wave_of and kind == "exec.intent":
            runs.add(about)
            if wave_of[about] > wave:
                yield f"{about} was touched in wave {wave}, before its own"
        elif kind == "request.finished":
            runs.discard(about)
