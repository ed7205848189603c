"""What is said beside a card: in its thread, elsewhere, to one person, and what belongs to no request at all."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.hosts.inventory import Host, Inventory
from bot.core.people.identity import Place
from bot.core.policy.configuration import Configured
from bot.core.requests import Request, Stage
from bot.edges.database import Database
from bot.ports import Duty, Message, MessageKind, Reply
from bot.workflow import InForce, Parts
from bot.workflow.outbox.deliver import say
from tests.edges.asked import INCIDENT, a_request
from tests.workflow.slack import Channels, People, Said
from tests.workflow.wire import Wire
from tests.workflow.world import POLICY, Hands

OPERATIONS = Place("COPS")


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    """A store and a Slack; nobody goes to any host."""
    clock = Hands()
    store = Database(f"sqlite:///{tmp_path}/var/maskbot.db", clock=clock, instance="bot-1")
    with store.exclusive():
        nowhere = InForce(Configured(Inventory(()), POLICY))
        yield Parts(store, Wire(_Nowhere()), People(), Channels(), clock, nowhere)


class _Nowhere:
    def run(self, host: Host, argv: tuple[str, ...], *, deadline: float) -> Reply:
        raise AssertionError(f"no host is asked here: {host.name} {argv} {deadline}")


def posted(parts: Parts) -> list[Said]:
    assert isinstance(parts.channel, Channels)
    return list(parts.channel.messages.values())


@pytest.fixture
def request_(parts: Parts) -> Request:
    """A request whose card is posted."""
    recorded, _ = parts.store.add(a_request(), events=[])
    waiting = parts.store.save(recorded.move(Stage.WAITING))
    say_all(parts)
    return waiting


def say_all(parts: Parts) -> None:
    while due := parts.store.due_message("bot-1"):
        say(parts, due)


def said(parts: Parts, mark: str) -> tuple[str, str, str]:
    """Channel, thread and words of the one message whose mark begins so."""
    (one,) = [one for one in posted(parts) if one.mark.startswith(mark)]
    return one.channel, one.thread, one.text.text


def test_a_note_stands_in_the_thread_that_the_request_was_asked_in(parts: Parts, request_: Request) -> None:
    note = Message(MessageKind.NOTE, body="<!channel> 3 minutes are left.", mentions=("UBOB", "S0SRE", "<!here>"))

    parts.store.save(request_, messages=[note])
    say_all(parts)

    channel, thread, text = said(parts, "r1:note:")
    assert (channel, thread) == (INCIDENT.channel, INCIDENT.thread)
    assert text == "<@UBOB> <!subteam^S0SRE> &lt;!here&gt; &lt;!channel&gt; 3 minutes are left."


def test_a_note_elsewhere_and_a_direct_message_lead_to_the_card(parts: Parts, request_: Request) -> None:
    elsewhere = Message(MessageKind.NOTE, body="A mask is asked for.", place=OPERATIONS)
    direct = Message(MessageKind.DIRECT, to="UALICE", body="Your mask ends soon.")

    parts.store.save(request_, messages=[elsewhere, direct])
    say_all(parts)

    link = f"<{parts.channel.permalink(*parts.store.card('r1'))}|the card>"
    assert said(parts, "r1:note:") == ("COPS", "", f"A mask is asked for.\n{link}")
    assert said(parts, "r1:direct:") == ("UALICE", "", f"Your mask ends soon.\n{link}")


def test_what_belongs_to_no_request_is_said_where_it_names(parts: Parts) -> None:
    note = Message(MessageKind.NOTE, body="Nothing new is masked until the freeze is over.", place=OPERATIONS)

    parts.store.keep(Duty("freeze"), messages=[note, Message(MessageKind.DIRECT, to="UBOB", body="A review is owed.")])
    say_all(parts)

    assert [one.channel for one in posted(parts)] == ["COPS", "UBOB"]


def test_what_belongs_to_no_request_and_names_no_place_is_said_in_the_operations_channel(parts: Parts) -> None:
    policy = replace(parts.policy, operations_channel="COPS")
    parts.in_force.put(Configured(parts.inventory, policy))

    parts.store.keep(Duty("watch:web-01"), messages=[Message(MessageKind.NOTE, body="Masked, and not through me.")])
    say_all(parts)

    assert [one.channel for one in posted(parts)] == ["COPS"]


def test_what_has_no_place_is_given_up_and_stands_in_nobodys_way(parts: Parts) -> None:
    parts.store.keep(Duty("freeze"), messages=[Message(MessageKind.NOTE, body="To whom?")])

    say_all(parts)

    assert posted(parts) == []


def test_what_names_no_place_is_said_in_the_operations_channel(parts: Parts) -> None:
    now = parts.in_force.now
    parts.in_force.put(replace(now, policy=replace(now.policy, operations_channel="COPS")))
    parts.store.record([], [Message(MessageKind.NOTE, body="The configuration was read again.")])

    say_all(parts)

    assert [(one.channel, one.text.text) for one in posted(parts)] == [("COPS", "The configuration was read again.")]
