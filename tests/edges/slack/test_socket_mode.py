"""Slack as it is at the other end: payloads come over a real socket, and a strict Web API takes what goes out."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.core.cards import forms, plain
from bot.core.cards.config_reload import too_many_connections
from bot.core.hosts.inventory import Inventory
from bot.core.people.identity import PersonId, Place
from bot.core.policy.configuration import ConfigSnapshot
from bot.core.policy.groups import Group
from bot.edges.clock import SystemClock
from bot.edges.database import Database
from bot.edges.slack.channel import SlackChannel, account, web_client
from bot.edges.slack.directory import SlackDirectory
from bot.edges.slack.socket_mode import PING_INTERVAL, SocketMode, application
from bot.errors import SlackError, Unverified
from bot.ports import Query
from bot.workflow import Deps, Desk, InForce
from bot.workflow.queries.answer_pool import AnswerPool
from handlers import OwnApp, register
from tests.handlers.world import HOSTS, POLICY, NoHost
from tests.lab.keys import KEYS
from tests.lab.slack.lab import SlackLab
from tests.lab.sqlite import new_sqlite

pytestmark = pytest.mark.slack

TEAM = "T0MASKLAB"
SRE = Group("sre", slack_group="S000000SRE")


@dataclass(frozen=True)
class Bot:
    """What of the running bot a test looks at."""

    socket: SocketMode
    store: Database
    channel: SlackChannel
    directory: SlackDirectory


@pytest.fixture
def bot(slack: SlackLab, tmp_path: Path) -> Iterator[Bot]:
    """Everything between Slack and the database, connected; no request is worked on."""
    client, clock = web_client(slack.bot_token, base=slack.api_url), SystemClock()
    us = account(client, app_token=slack.app_token)
    channel, directory = SlackChannel(client, keys=KEYS), SlackDirectory(client, us, ttl=0)
    store = Database(new_sqlite(tmp_path / "maskbot.db"), clock=clock, instance="bot-1", keys=KEYS)
    deps = Deps(store, NoHost(), directory, channel, clock, InForce(ConfigSnapshot(Inventory(HOSTS), POLICY)))
    answers = AnswerPool(deps)
    with store.exclusive(), closing(answers), ThreadPoolExecutor(4) as aside:
        app = application(client)
        register(app, Desk(deps, answers), home=OwnApp(us.team, us.enterprise), aside=aside, keys=KEYS)
        with closing(SocketMode(app, app_token=slack.app_token)) as socket:
            socket.connect()
            slack.wait_for(lambda: socket.is_connected and slack.connections)
            yield Bot(socket, store, channel, directory)


def incident(slack: SlackLab, thread: str = "") -> Place:
    return Place(slack.channels["incident"], thread)


def refusal(slack: SlackLab, bot: Bot, place: Place | None = None) -> SlackError:
    with pytest.raises(SlackError) as raised:
        bot.channel.post(place or incident(slack), plain("hello"), mark="r1:card")
    return raised.value


class TestComingIn:
    def test_a_command_is_recorded_and_its_canonical_form_shown_to_its_sender_alone(
        self, slack: SlackLab, bot: Bot
    ) -> None:
        ack = slack.slash("alice", "incident", "/mask web-01 cron —runtime “runaway job”")
        assert ack.in_time
        (request,) = bot.store.find(Query())
        assert (str(request.ask.change), request.ask.reason) == (
            "mask web-01 cron.service --runtime",
            '"runaway job"',
        )
        assert "mask web-01 cron.service --runtime" in slack.whispers("incident", "alice")[0]["text"]
        assert slack.messages("incident", as_user="bob") == []

    def test_twenty_at_once_are_all_acknowledged_in_time(self, slack: SlackLab, bot: Bot) -> None:
        with ThreadPoolExecutor(20) as people:
            acks = list(
                people.map(lambda n: slack.slash("alice", "incident", f"/mask web-01 unit{n} flood"), range(20))
            )
        assert all(ack.in_time for ack in acks)  # how fast, the benchmarks say
        assert len(bot.store.find(Query())) == 20

    def test_an_envelope_delivered_five_times_is_one_request_and_five_acks(self, slack: SlackLab, bot: Bot) -> None:
        slack.duplicate(5)
        assert slack.slash("alice", "incident", "/mask web-01 cron").in_time
        assert len(bot.store.find(Query())) == 1

    def test_a_mention_in_a_thread_is_answered_there(self, slack: SlackLab, bot: Bot) -> None:
        first = slack.write("alice", "incident", "cron is running away")
        slack.mention("alice", "incident", "mask web-01 cron", thread_ts=first["ts"])
        whisper = slack.wait_for(lambda: slack.whispers("incident", "alice"))[0]
        assert whisper["thread_ts"] == first["ts"]
        (request,) = bot.store.find(Query())
        assert request.ask.place == incident(slack, first["ts"])

    def test_the_form_shows_its_mistakes_and_takes_the_corrected_words(self, slack: SlackLab, bot: Bot) -> None:
        assert slack.slash("alice", "incident", "/mask").in_time
        slack.wait_for(lambda: slack.view("alice"))
        answers: dict[str, str | list[str]] = {forms.HOST: "web-01"}
        assert slack.choose("alice", forms.HOST, answers).in_time
        slack.wait_for(lambda: "web-01" in (slack.view("alice") or {})["private_metadata"])
        (nothing,) = slack.offered("alice", forms.UNIT, "cr*")
        wrong = slack.submit_view("alice", answers | {forms.UNIT: nothing})
        assert wrong.said is not None
        assert set(wrong.said["errors"]) == {forms.UNIT}
        own = next(text for text in slack.offered("alice", forms.UNIT, "cron") if "cron.service" in text)
        assert slack.submit_view("alice", answers | {forms.UNIT: own, forms.HOW: [forms.RUNTIME]}).in_time
        (request,) = bot.store.find(Query())
        assert str(request.ask.change) == "mask web-01 cron.service --runtime"

    def test_a_person_of_another_organisation_is_turned_away(self, slack: SlackLab, bot: Bot) -> None:
        slack.set_user("dave", team_id="TEVIL")
        slack.slash("dave", "incident", "/mask web-01 cron")
        assert bot.store.find(Query()) == []
        assert [event["reason_code"] for event in bot.store.chain() if event["type"] == "identity.refused"] == [
            "foreign_team"
        ]


class TestTheConnection:
    @pytest.mark.fault("F35", how="the socket cut, without a word from Slack")
    def test_it_comes_back_by_itself_when_it_is_cut(self, slack: SlackLab, bot: Bot) -> None:
        slack.drop_socket()
        slack.wait_for(lambda: not slack.connections)
        slack.wait_for(lambda: slack.connections and bot.socket.is_connected, timeout=20)
        assert slack.slash("alice", "incident", "/mask web-01 cron").in_time
        assert len(bot.store.find(Query())) == 1

    @pytest.mark.fault("F35", how="the socket dead, and neither side notices")
    def test_a_dead_connection_is_replaced_within_seconds_and_nothing_comes_twice(
        self, slack: SlackLab, bot: Bot, saw: Callable[[str], str]
    ) -> None:
        slack.silence_socket()
        assert not slack.slash("alice", "incident", "/mask web-01 worker").in_time
        began = time.monotonic()
        slack.wait_for(lambda: len(slack.connection_counts) > 1, timeout=20)
        assert time.monotonic() - began < 15
        slack.wait_for(lambda: bot.socket.is_connected)
        assert slack.slash("alice", "incident", "/mask web-01 cron").in_time
        assert [request.ask.change.unit.text for request in bot.store.find(Query())] == ["cron.service"]
        saw("what is typed meanwhile fails in Slack itself, and nothing is recorded of it; what is typed next counts")

    @pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
    @pytest.mark.fault("F36", how="Slack announces that it will close the socket, before it does and when it does")
    def test_it_moves_when_slack_asks_it_to(
        self, slack: SlackLab, bot: Bot, reason: str, saw: Callable[[str], str]
    ) -> None:
        slack.disconnect(reason)
        slack.wait_for(lambda: len(slack.connection_counts) > 2, timeout=20)
        slack.wait_for(lambda: slack.connections == 1 and bot.socket.is_connected)
        assert slack.connection_counts == ([1, 2, 1] if reason == "warning" else [1, 0, 1])
        assert slack.slash("alice", "incident", "/mask web-01 cron").in_time
        saw("nothing: the next command is answered as usual")

    @pytest.mark.fault("F36", how="more connections with the app token than expected")
    def test_more_connections_than_expected_are_told_once(
        self, slack: SlackLab, bot: Bot, saw: Callable[[str], str]
    ) -> None:
        told = list[int]()
        client = web_client(slack.bot_token, base=slack.api_url)
        with closing(SocketMode(application(client), app_token=slack.app_token, most=1, crowded=told.append)) as socket:
            socket.connect()
            slack.wait_for(lambda: told)
            slack.disconnect("warning")
            slack.wait_for(lambda: len(slack.connection_counts) >= 6 and slack.connections == 2)
            assert told == [2]
        assert "2 open connections" in saw(too_many_connections(2, most=1))

    def test_a_thief_of_the_app_token_is_noticed_when_the_bot_moves_to_another_connection(
        self, slack: SlackLab
    ) -> None:
        client, told = web_client(slack.bot_token, base=slack.api_url), list[int]()
        with closing(SocketMode(application(client), app_token=slack.app_token, crowded=told.append)) as ours:
            ours.connect()
            with closing(SocketMode(application(client), app_token=slack.app_token)) as thief:
                thief.connect()
                slack.disconnect("warning")
                slack.wait_for(lambda: told)
        assert told[0] > 2  # its last connection, the new one, and the thief's

    def test_closing_it_waits_for_little_more_than_a_ping(self, slack: SlackLab, bot: Bot) -> None:
        began = time.monotonic()
        bot.socket.close()
        assert time.monotonic() - began < 10 * PING_INTERVAL  # it takes one; a busy machine makes it more
        assert not bot.socket.is_connected

    def test_a_connection_counts_once_slack_has_greeted_on_it(self, slack: SlackLab) -> None:
        """Until then what people do is sent elsewhere, or nowhere."""
        client = web_client(slack.bot_token, base=slack.api_url)
        with (
            closing(SocketMode(application(client), app_token=slack.app_token)) as socket,
            ThreadPoolExecutor(1) as aside,
        ):
            with slack.mute():
                connecting = aside.submit(socket.connect)
                slack.wait_for(lambda: slack.accepted)
                assert not socket.is_connected
                with pytest.raises(SlackError) as raised:
                    connecting.result()
                assert raised.value.passing
            socket.connect()
            assert (socket.state, slack.connections) == ("connected", 1)

    def test_a_slack_that_gives_no_address_is_said(self, slack: SlackLab) -> None:
        client = web_client(slack.bot_token, base=slack.api_url)
        with closing(SocketMode(application(client), app_token=slack.app_token)) as socket:
            slack.fault("apps.connections.open", "503")
            with pytest.raises(SlackError) as raised:
                socket.connect()
            assert raised.value.passing
            assert not socket.is_connected

    def test_an_app_token_that_slack_refuses_is_named(self, slack: SlackLab) -> None:
        client = web_client(slack.bot_token, base=slack.api_url)
        with closing(SocketMode(application(client), app_token="xapp-1-A0OTHER-1-of-somebody-else")) as socket:
            with pytest.raises(SlackError, match=r"^Slack refused the app token \(invalid_auth\)\.$") as raised:
                socket.connect()
            assert not raised.value.passing


class TestGoingOut:
    def test_a_message_stands_in_its_thread_and_is_edited_in_place(self, slack: SlackLab, bot: Bot) -> None:
        first = slack.write("alice", "incident", "what is going on?")
        ts = bot.channel.post(incident(slack, first["ts"]), plain("a card"), mark="r1:card")
        bot.channel.update(slack.channels["incident"], ts, plain("another <!channel> card"))
        (message,) = slack.thread("incident", first["ts"])
        assert (message["ts"], message["text"]) == (ts, "another &lt;!channel&gt; card")
        assert bot.channel.permalink(slack.channels["incident"], ts).startswith("http")

    def test_a_whisper_is_for_one_person(self, slack: SlackLab, bot: Bot) -> None:
        bot.channel.whisper(incident(slack), slack.users["bob"], plain("for you"))
        assert [whisper["text"] for whisper in slack.whispers("incident", "bob")] == ["for you"]
        assert slack.whispers("incident", "alice") == []

    def test_a_whisper_goes_into_a_direct_message_where_the_bot_is_not_in_the_channel(
        self, slack: SlackLab, bot: Bot
    ) -> None:
        bot.channel.whisper(Place(slack.channels["random"]), slack.users["bob"], plain("for you"))
        (sent,) = slack.calls("chat.postMessage")
        assert (sent.args["channel"], sent.args["text"], sent.answer["ok"]) == (slack.users["bob"], "for you", True)

    def test_a_channel_without_the_bot_is_slacks_own_word(self, slack: SlackLab, bot: Bot) -> None:
        error = refusal(slack, bot, Place(slack.channels["random"]))
        assert (error.code, error.passing) == ("not_in_channel", False)

    @pytest.mark.parametrize("fault", ["429", "500", "502", "503", "503-after", "reset", "reset-after"])
    def test_a_fault_is_passing_and_what_was_posted_was_posted_once(
        self, slack: SlackLab, bot: Bot, fault: str
    ) -> None:
        slack.fault("chat.postMessage", fault, retry_after=7)
        error = refusal(slack, bot)
        assert error.passing
        assert error.retry_after == (7 if fault == "429" else None)
        assert len(slack.messages("incident")) == fault.endswith("-after")


class TestLookingForWhatWasPosted:
    """Look for a message whose delivery was uncertain."""

    since = datetime.now(UTC) - timedelta(minutes=10)

    def find(self, bot: Bot, place: Place, mark: str = "r1:card") -> str:
        return bot.channel.find(place, mark=mark, since=self.since)

    @pytest.mark.parametrize("fault", ["503-after", "reset-after"])
    @pytest.mark.fault("F40", how="503 and a reset after Slack has posted the message")
    def test_what_was_posted_before_a_doubt_is_found(self, slack: SlackLab, bot: Bot, fault: str) -> None:
        slack.fault("chat.postMessage", fault)
        refusal(slack, bot)
        bot.channel.post(incident(slack), plain("another"), mark="r2:card")
        (first, _) = slack.messages("incident")
        assert self.find(bot, incident(slack)) == first["ts"]
        assert self.find(bot, incident(slack), "r3:card") == ""

    def test_it_is_found_after_an_edit_and_behind_much_else(self, slack: SlackLab, bot: Bot) -> None:
        ts = bot.channel.post(incident(slack), plain("a card"), mark="r1:card")
        bot.channel.update(slack.channels["incident"], ts, plain("a newer one"))
        for number in range(210):
            slack.write("alice", "incident", f"word {number}")
        assert self.find(bot, incident(slack)) == ts
        assert len(slack.calls("conversations.history")) == 2

    def test_it_is_found_in_its_thread_and_nowhere_else(self, slack: SlackLab, bot: Bot) -> None:
        first = slack.write("alice", "incident", "what is going on?")
        ts = bot.channel.post(incident(slack, first["ts"]), plain("a card"), mark="r1:card")
        assert self.find(bot, incident(slack, first["ts"])) == ts
        assert self.find(bot, incident(slack, "1.000100")) == ""

    def test_it_is_found_in_a_direct_message(self, slack: SlackLab, bot: Bot) -> None:
        person = Place(slack.users["bob"])
        assert self.find(bot, person) == ""
        ts = bot.channel.post(person, plain("for you"), mark="r1:card")
        assert self.find(bot, person) == ts

    def test_what_is_gone_is_not_found(self, slack: SlackLab, bot: Bot) -> None:
        ts = bot.channel.post(incident(slack), plain("a card"), mark="r1:card")
        bot.channel.delete(slack.channels["incident"], ts)
        assert self.find(bot, incident(slack)) == ""

    def test_nobody_else_can_claim_to_have_posted_it(self, slack: SlackLab, bot: Bot) -> None:
        slack.write("eve", "incident", "r1:card")
        assert self.find(bot, incident(slack)) == ""

    def test_where_the_bot_may_not_read_nobody_can_tell(self, slack: SlackLab, bot: Bot) -> None:
        """An app that was installed when it asked for less."""
        bot.channel.post(incident(slack), plain("a card"), mark="r1:card")
        slack.workspace.manifest.scopes -= {"channels:history", "groups:history", "im:history"}
        assert self.find(bot, incident(slack)) == ""

    @pytest.mark.parametrize("fault", ["429", "503", "reset"])
    def test_where_slack_does_not_answer_nothing_is_posted_on_a_guess(
        self, slack: SlackLab, bot: Bot, fault: str
    ) -> None:
        slack.fault("conversations.history", fault)
        with pytest.raises(SlackError) as raised:
            self.find(bot, incident(slack))
        assert raised.value.passing


class TestPeople:
    def test_members_guests_and_approvers_are_told_apart(self, slack: SlackLab, bot: Bot) -> None:
        people = {name: bot.directory.person(PersonId(TEAM, id_), [SRE]) for name, id_ in slack.users.items()}
        assert {name for name, person in people.items() if person.groups == {"sre"}} == {"bob", "carol"}
        assert {name for name, person in people.items() if person.is_guest} == {"eve"}
        assert not any(person.is_foreign or person.is_bot or person.is_deleted for person in people.values())

    def test_rights_are_read_again_each_time(self, slack: SlackLab, bot: Bot) -> None:
        bob = PersonId(TEAM, slack.users["bob"])
        slack.set_group("sre", ["carol"])
        assert bot.directory.person(bob, [SRE]).groups == frozenset()
        slack.set_user("bob", deleted=True)
        assert bot.directory.person(bob, [SRE]).is_deleted

    @pytest.mark.parametrize("method", ["users.info", "usergroups.users.list"])
    @pytest.mark.parametrize("fault", ["429", "500", "missing_scope", "reset"])
    def test_when_slack_does_not_say_the_answer_is_no(self, slack: SlackLab, bot: Bot, method: str, fault: str) -> None:
        slack.fault(method, fault)
        with pytest.raises(Unverified):
            bot.directory.person(PersonId(TEAM, slack.users["bob"]), [SRE])

    def test_whoever_is_in_a_channel_of_approvers_is_one_for_as_long(self, slack: SlackLab, bot: Bot) -> None:
        leads = Group("leads", channel=slack.channels["random"])
        with pytest.raises(Unverified, match="#random is public"):
            bot.directory.members(leads)
        slack.set_channel("random", ["bob", "carol"], member=True, is_private=True)
        assert {one.user for one in bot.directory.members(leads)} == {slack.users["bob"], slack.users["carol"]}
        slack.set_channel("random", ["carol"])
        bob, room = PersonId(TEAM, slack.users["bob"]), Place(slack.channels["random"])
        assert bot.directory.person(bob, [leads]).groups == frozenset()
        assert not bot.directory.is_in(bob, room)
        slack.set_channel("random", member=False)
        with pytest.raises(Unverified, match="the bot is not in it"):
            bot.directory.members(leads)

    def test_a_channel_is_described_as_it_is_now(self, slack: SlackLab, bot: Bot) -> None:
        here = incident(slack)
        assert bot.directory.place(here) == Place(here.channel, name="incident")
        slack.set_channel("incident", is_ext_shared=True)
        assert not bot.directory.place(here).is_internal
        slack.set_channel("incident", is_archived=True, member=False)
        now = bot.directory.place(here)
        assert (now.is_archived, now.is_member) == (True, False)
