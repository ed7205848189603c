"""What is said beside a card: in its thread, elsewhere, to one person, and what belongs to no request at all."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.hosts.inventory import Host, Inventory
from bot.core.people.identity import Place
from bot.core.policy.configuration import ConfigSnapshot
from bot.core.requests import Request, Stage
from bot.core.systemd.guard import Note
from bot.edges.database import Database
from bot.ports import CommandResult, Message, MessageKind, Periodic
from bot.workflow import Deps, InForce
from bot.workflow.outbox.deliver import deliver
from tests.edges.asked import INCIDENT, a_request
from tests.lab.keys import KEYS
from tests.lab.sqlite import new_sqlite
from tests.workflow.slack import Channels, People, Said
from tests.workflow.wire import Wire
from tests.workflow.world import POLICY, Hands

OPERATIONS = Place("COPS")


@pytest.fixture
def deps(tmp_path: Path) -> Iterator[Deps]:
    """A store and a Slack; nobody goes to any host."""
    clock = Hands()
    store = Database(new_sqlite(tmp_path / "var/maskbot.db"), clock=clock, instance="bot-1", keys=KEYS)
    with store.exclusive():
        nowhere = InForce(ConfigSnapshot(Inventory(()), POLICY))
        yield Deps(store, Wire(_Nowhere()), People(), Channels(), clock, nowhere)


class _Nowhere:
    def run(
        self,
        host: Host,
        argv: tuple[str, ...],
        *,
        deadline: float,
        note: Note | None = None,
        then: tuple[str, ...] = (),
    ) -> CommandResult:
        raise AssertionError(f"no host is asked here: {host.name} {argv} {deadline}")


def posted_messages(deps: Deps) -> list[Said]:
    assert isinstance(deps.channel, Channels)
    return list(deps.channel.messages.values())


@pytest.fixture
def request_(deps: Deps) -> Request:
    """A request whose card is posted."""
    recorded, _ = deps.store.add(a_request(), events=[])
    waiting = deps.store.save(recorded.move(Stage.WAITING))
    say_all(deps)
    return waiting


def say_all(deps: Deps) -> None:
    while due := deps.store.claim_message("bot-1"):
        deliver(deps, due)


def message_with_mark(deps: Deps, mark: str) -> tuple[str, str, str]:
    """Channel, thread and words of the one message whose mark begins so."""
    (one,) = [one for one in posted_messages(deps) if one.mark.startswith(mark)]
    return one.channel, one.thread, one.text.text


def test_a_note_stands_in_the_thread_that_the_request_was_asked_in(deps: Deps, request_: Request) -> None:
    note = Message(MessageKind.NOTE, body="<!channel> 3 minutes are left.", mentions=("UBOB", "S0SRE", "<!here>"))

    deps.store.save(request_, messages=[note])
    say_all(deps)

    channel, thread, text = message_with_mark(deps, "r1:note:")
    assert (channel, thread) == (INCIDENT.channel, INCIDENT.thread)
    assert text == "<@UBOB> <!subteam^S0SRE> &lt;!here&gt; &lt;!channel&gt; 3 minutes are left."


def test_a_note_elsewhere_and_a_direct_message_lead_to_the_card(deps: Deps, request_: Request) -> None:
    elsewhere = Message(MessageKind.NOTE, body="A mask is asked for.", place=OPERATIONS)
    direct = Message(MessageKind.DIRECT, to="UALICE", body="Your mask ends soon.")

    deps.store.save(request_, messages=[elsewhere, direct])
    say_all(deps)

    link = f"<{deps.channel.permalink(*deps.store.card('r1'))}|the card>"
    assert message_with_mark(deps, "r1:note:") == ("COPS", "", f"A mask is asked for.\n{link}")
    assert message_with_mark(deps, "r1:direct:") == ("UALICE", "", f"Your mask ends soon.\n{link}")


def test_what_belongs_to_no_request_is_said_where_it_names(deps: Deps) -> None:
    note = Message(MessageKind.NOTE, body="Nothing new is masked until the kill switch is off.", place=OPERATIONS)

    deps.store.save_periodic(
        Periodic("kill_switch"), messages=[note, Message(MessageKind.DIRECT, to="UBOB", body="A sign-off is owed.")]
    )
    say_all(deps)

    assert [one.channel for one in posted_messages(deps)] == ["COPS", "UBOB"]


def test_what_belongs_to_no_request_and_names_no_place_is_said_in_the_operations_channel(deps: Deps) -> None:
    policy = replace(deps.in_force.policy, operations_channel="COPS")
    deps.in_force.put(ConfigSnapshot(deps.in_force.inventory, policy))

    deps.store.save_periodic(
        Periodic("watch:web-01"), messages=[Message(MessageKind.NOTE, body="Masked, and not through me.")]
    )
    say_all(deps)

    assert [one.channel for one in posted_messages(deps)] == ["COPS"]


def test_what_has_no_place_is_given_up_and_stands_in_nobodys_way(deps: Deps) -> None:
    deps.store.save_periodic(Periodic("kill_switch"), messages=[Message(MessageKind.NOTE, body="To whom?")])

    say_all(deps)

    assert posted_messages(deps) == []


def test_what_names_no_place_is_said_in_the_operations_channel(deps: Deps) -> None:
    now = deps.in_force.now
    deps.in_force.put(replace(now, policy=replace(now.policy, operations_channel="COPS")))
    deps.store.record([], [Message(MessageKind.NOTE, body="The configuration was read again.")])

    say_all(deps)

    assert [(one.channel, one.text.text) for one in posted_messages(deps)] == [
        ("COPS", "The configuration was read again.")
    ]
