"""After a soak, find every broken promise (I1 to I6) from what Slack, the hosts and the database each say."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.core.cards import render
from bot.core.requests import Outcome, Request, Stage, Verb
from bot.edges.clock import SystemClock
from bot.ports import Query
from tests.core.cards.reading import read_message
from tests.lab.hosts import LabHost
from tests.lab.slack.workspace import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET
from tests.soak.fleet import Fleet
from tests.soak.traffic import Traffic
from tests.stories.scene import NAMES
from tests.workflow.invariants import MASKED, Seen, broken


def requests_of(fleet: Fleet, *, since: datetime | None = None) -> list[Request]:
    """Every request of the soak."""
    return fleet.desk.find(Query(limit=100_000, since=since))


@dataclass(frozen=True, slots=True)
class Beforehand:
    """The state before the soak; what happened earlier is not checked."""

    at: datetime
    ran: Mapping[str, Counter[str]]  # by host

    @classmethod
    def of(cls, fleet: Fleet) -> "Beforehand":
        """Read it now."""
        return cls(SystemClock().now(), {host.name: guard_did(host) for host in fleet.hosts.values()})


def find_broken(fleet: Fleet, traffic: Traffic, before: Beforehand) -> list[str]:
    """Every promise that was broken, in words."""
    requests, records = requests_of(fleet, since=before.at), list(fleet.desk.records())
    messages = [one for one in fleet.slack.messages("incident") if _mark(one)]
    said = [(_mark(one), read_message(one, NAMES)) for one in messages]
    seen = Seen(records, fleet.desk.head(), requests, said, SystemClock().now())
    return [
        *broken(seen),
        *_sent_without_record(fleet, requests, records, before),
        *(line for request in requests for line in _ended(request, seen)),
        *_hosts_disagree(fleet, requests),
        *_twins(said),
        *_lost_commands(traffic, requests),
        *_secrets(fleet, said),
    ]


def _mark(message: Mapping[str, Any]) -> str:
    return str(message.get("metadata", {}).get("event_payload", {}).get("mark", ""))


def _ended(request: Request, seen: Seen) -> Iterator[str]:
    """I4 and I6: the request is over, and one card shows how."""
    if not request.stage.is_final:
        yield f"I6: {request.ask.change} ({request.id}) is {request.stage}"
        return
    cards = [text for mark, text in seen.said if mark == f"{request.id}:card"]
    shown = request.stage is Stage.DONE
    head = render(request, now=seen.now).text.partition("\n")[0]
    if shown and len(cards) != 1:
        yield f"I4: {request.ask.change} ({request.id}) has {len(cards)} cards"
    if cards and not cards[0].startswith(head):
        yield f"I4: the card of {request.id} says `{cards[0].partition(chr(10))[0]}` and not `{head}`"


def _hosts_disagree(fleet: Fleet, requests: list[Request]) -> Iterator[str]:
    """I3: root sees on the host what the newest change of each unit says it did."""
    newest: dict[tuple[str, str], Request] = {}
    for request in sorted(requests, key=lambda one: one.finished_at or one.asked_at):
        if request.stage is Stage.DONE and request.target.outcome in (*MASKED, Outcome.RESTORED):
            newest[request.target.host, str(request.target.unit)] = request
    for (host, unit), request in newest.items():
        states = fleet.hosts[host].show(unit, "LoadState", "ActiveState")
        is_masked = request.ask.change.verb is Verb.MASK
        if (states["LoadState"] == "masked") != is_masked:
            yield f"I3: {request.id} says {request.target.outcome} of {unit} on {host}, and it is {states}"


def _sent_without_record(
    fleet: Fleet, requests: list[Request], records: list[Mapping[str, Any]], before: Beforehand
) -> Iterator[str]:
    """I2: changes that the guard logged on a host more often than they were recorded."""
    host_of = {request.id: request.target.host for request in requests}
    intents: Counter[tuple[str, str]] = Counter()
    for record in records:
        if record["type"] == "exec.intent" and record["request_id"] in host_of:
            words = [word for word in record["data"]["argv"][1:] if ":" not in word]  # without a link's identity
            intents[host_of[record["request_id"]], " ".join(words)] += 1
    for host in fleet.hosts.values():
        for command, times in (guard_did(host) - before.ran[host.name]).items():
            if times > intents[host.name, command]:
                yield f"I2: {host.name} ran `{command}` {times} times, on record are {intents[host.name, command]}"


def guard_did(host: LabHost) -> Counter[str]:
    """The changes that the guard wrote into the host's journal, in the words of the record."""
    fields = ("-o", "cat", "--output-fields=MASKBOT_DID")
    journal = host.run("journalctl", "--no-pager", *fields, "-t", "maskbot-guard", "_UID=0", seconds=120).stdout
    return Counter(line for line in journal.splitlines() if line)


def _twins(said: list[tuple[str, str]]) -> Iterator[str]:
    counted = Counter(mark for mark, _ in said)
    return (f"I4: {mark} stands there {times} times" for mark, times in counted.items() if times > 1)


def _lost_commands(traffic: Traffic, requests: list[Request]) -> Iterator[str]:
    """Acknowledged commands that are not exactly one request."""
    recorded = Counter(request.ask.reason for request in requests)
    for token, typed in traffic.acknowledged.items():
        if recorded[token] != 1:
            yield f"`{typed}` was acknowledged, and is {recorded[token]} requests"
    yield from (f"`{token}` is {recorded[token]} requests" for token in traffic.lost if recorded[token] > 1)


def _secrets(fleet: Fleet, said: list[tuple[str, str]]) -> Iterator[str]:
    """I5: secrets in Slack or in the bots' logs."""
    places = {"Slack": repr(said), **{f"the log of bot {n}": bot.output for n, bot in enumerate(fleet.bots)}}
    for word in (BOT_TOKEN, APP_TOKEN, SIGNING_SECRET, "PRIVATE KEY", "/_hooks/response/"):
        yield from (f"I5: `{word}` is in {place}" for place, text in places.items() if word in text)
