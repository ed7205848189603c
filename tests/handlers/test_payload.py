"""What is read from Slack's payloads: who, where, which button, and nothing that Slack does not say."""

from typing import Any

import pytest

from bot.core.people.identity import HOME, Caller, PersonId, Place
from handlers import payload as parse
from handlers.origin_check import objection, who_and_where
from handlers.payload import Click, OwnApp

OWN = OwnApp("T1", "E1", "A1")
USER = {"id": "UBOB", "username": "bob", "team_id": "T2"}
BOB = PersonId("T2", "UBOB", "E1")
CARD = {"ts": "2.0", "thread_ts": "1.0", "text": "MASK"}
PRESSED = {"action_id": "approve", "value": "r1:d1:more"}


def press(**changed: Any) -> Click:
    body = {"user": USER, "trigger_id": "t", "channel": {"id": "C1"}, "message": CARD, "actions": [PRESSED]}
    return parse.of_click(body | changed, OWN)


def home(**changed: Any) -> Click:
    """A press on a Home tab, as Slack brings it."""
    body = {"user": USER, "trigger_id": "t", "container": {"type": "view"}, "view": {"type": "home"}}
    return parse.of_click({**body, "actions": [PRESSED], **changed}, OWN)


def quote(**changed: Any) -> parse.Quote:
    body = {"user": USER, "trigger_id": "t", "channel": {"id": "C1"}, "team": {"id": "T1", "domain": "lab"}}
    return parse.of_shortcut({**body, "message": CARD, **changed}, OWN)


def sent(**changed: Any) -> parse.Submission:
    state = {"values": {"unit": {"a": {"value": "cron"}}, "none": {}}}
    note = {"request": "r1", "digest": "d1", "channel": "C1", "thread": "1.0", "card": "2.0", "host": "web-01"}
    body = {"user": USER, "view": {"id": "V1", "state": state}, "value": "cr"}
    return parse.of_submission(body | changed.pop("body", {}), OWN, note | changed)


class TestPeople:
    """Ids alone say who it is; a name is only shown."""

    def test_an_id_without_a_team_is_of_our_own(self) -> None:
        assert OWN.person("UBOB", "") == PersonId("T1", "UBOB", "E1")
        assert OWN.person("UBOB", "T2") == BOB

    def test_a_command_names_its_team(self) -> None:
        body = {"user_id": "UBOB", "user_name": "bob", "channel_id": "C1", "trigger_id": "t"}
        assert parse.of_command(body | {"team_id": "T2"}, OWN) == Caller(BOB, "bob", Place("C1"), "t")
        assert parse.of_command(body, OWN).id.team == "T1"

    @pytest.mark.parametrize(
        ("said", "in_all", "team"),
        [
            ({"user_team": "T2", "team": "T3"}, {"team_id": "T4"}, "T2"),
            ({"team": "T3"}, {"team_id": "T4"}, "T3"),
            ({}, {"team_id": "T4"}, "T4"),
            ({}, {}, "T1"),
        ],
    )
    def test_a_mention_is_of_the_person_s_own_team(
        self, said: dict[str, str], in_all: dict[str, str], team: str
    ) -> None:
        event = {"user": "UBOB", "channel": "C1", "ts": "2.0", "thread_ts": "1.0"} | said
        caller = parse.of_mention({"event": event, **in_all}, OWN)
        assert caller == Caller(PersonId(team, "UBOB", "E1"), "", Place("C1", "1.0"), "C1:2.0")

    @pytest.mark.parametrize(
        ("user", "body", "team", "name"),
        [
            (USER, {"team": {"id": "T9"}}, "T2", "bob"),
            ({"id": "UBOB", "name": "rob"}, {"team": {"id": "T9"}}, "T9", "rob"),
            ({"id": "UBOB"}, {}, "T1", ""),
            ({"id": "UBOB"}, {"team": None}, "T1", ""),
        ],
    )
    def test_a_click_is_of_the_person_s_own_team(
        self, user: dict[str, str], body: dict[str, Any], team: str, name: str
    ) -> None:
        caller = press(user=user, **body).caller
        assert (caller.id.team, caller.name) == (team, name)
        sender = parse.sender({"user": user, **body}, OWN)
        assert (sender.id.team, sender.name, sender.place) == (team, name, Place(""))

    def test_a_home_tab_is_opened_by_somebody_of_its_team(self) -> None:
        body = {"event": {"user": "UBOB"}, "event_id": "Ev1"}
        assert parse.of_opening(body | {"team_id": "T2"}, OWN) == Caller(BOB, "", HOME, "Ev1")
        assert parse.of_opening(body, OWN).id.team == "T1"


class TestClicks:
    """Which button, and on what."""

    def test_a_button_names_request_and_plan_and_the_card_that_it_is_on(self) -> None:
        click = press()
        assert click == Click(
            Caller(BOB, "bob", Place("C1", "1.0"), "t"), "r1", "d1", ("C1", "2.0"), "approve", "r1:d1:more", CARD
        )
        assert click.message == CARD

    @pytest.mark.parametrize(
        ("value", "about"), [("r1", ("r1", "")), ("", ("", "")), (None, ("", "")), ("r1:", ("r1", ""))]
    )
    def test_a_value_with_less_names_less(self, value: str | None, about: tuple[str, str]) -> None:
        click = press(actions=[{"action_id": None, "value": value}])
        assert (click.request_id, click.digest, click.action) == (*about, "")

    def test_the_first_message_of_a_thread_is_in_none(self) -> None:
        assert press(message={"ts": "1.0", "thread_ts": "1.0"}).caller.place == Place("C1")

    @pytest.mark.parametrize(
        "changed",
        [{"message": {}}, {"message": None}, {"channel": {}}, {"channel": None}, {"channel": {"id": "shell"}}],
    )
    def test_without_channel_or_message_there_is_no_card(self, changed: dict[str, Any]) -> None:
        assert press(**changed).card is None

    def test_a_home_tab_is_one_only_if_slack_says_so_and_no_message_came(self) -> None:
        assert home().caller.place == HOME
        assert home().is_home
        for changed in (
            {"container": None},
            {"container": {"type": "message"}},
            {"view": None},
            {"view": {"type": "modal"}},
            {"message": CARD},
            {"channel": {"id": "C1"}},
        ):
            assert not home(**changed).is_home

    def test_the_note_of_a_form_says_where_the_click_was(self) -> None:
        note = {"request": "r1", "digest": "d1", "channel": "C1", "thread": "1.0"}
        assert parse.note_for(press()) == note | {"card": "2.0"}
        assert parse.note_for(home()) == note | {"channel": "home", "thread": "", "card": ""}


class TestShortcuts:
    """The message that one was used on."""

    def test_it_has_a_link_and_is_in_its_thread(self) -> None:
        link = "https://lab.slack.com/archives/C1/p20?thread_ts=1.0&cid=C1"
        assert quote() == parse.Quote(Caller(BOB, "bob", Place("C1", "1.0"), "t"), "MASK", link)

    @pytest.mark.parametrize("thread", ["", None, "2.0"])
    def test_outside_of_a_thread_the_link_names_none(self, thread: str | None) -> None:
        assert quote(message=CARD | {"thread_ts": thread}).link == "https://lab.slack.com/archives/C1/p20"

    @pytest.mark.parametrize(
        "changed",
        [
            {"team": {"id": "T1"}},
            {"team": None},
            {"team": {"domain": "a/b"}},
            {"message": {}},
            {"message": {"text": "x"}},
        ],
    )
    def test_without_a_domain_or_a_message_there_is_no_link(self, changed: dict[str, Any]) -> None:
        assert quote(**changed).link == ""

    @pytest.mark.parametrize("channel", [None, {}, {"id": "shell"}])
    def test_without_a_channel_it_is_at_home(self, channel: dict[str, str] | None) -> None:
        assert quote(channel=channel).caller.place == HOME

    @pytest.mark.parametrize(
        ("message", "text"),
        [
            ({"text": "own", "attachments": [{"fallback": "f", "text": "t"}]}, "own"),
            ({"attachments": [{"fallback": "f", "text": "t"}]}, "f"),
            ({"attachments": [{"text": "t"}, {"text": "u"}]}, "t"),
            ({"attachments": []}, ""),
            ({"attachments": None}, ""),
            ({}, ""),
        ],
    )
    def test_its_text_is_its_own_or_that_of_what_is_attached(self, message: dict[str, Any], text: str) -> None:
        assert quote(message=message).text == text

    def test_one_from_anywhere_has_no_message(self) -> None:
        everywhere = quote(message=None, channel=None)
        assert (everywhere.text, everywhere.link) == ("", "")


class TestForms:
    """What was sent, and from where."""

    def test_its_note_says_what_it_is_about(self) -> None:
        found = sent()
        place = Place("C1", "1.0")
        assert found.click == Click(Caller(BOB, "bob", place, "V1"), "r1", "d1", ("C1", "2.0"))
        assert found.caller == found.click.caller
        assert found.fields == {"unit": "cron"}
        assert sent(card="").click.card is None

    @pytest.mark.parametrize("view", [{"id": "V1"}, {"id": "V1", "state": None}, {"id": "V1", "state": {}}])
    def test_an_empty_form_has_no_fields(self, view: dict[str, Any]) -> None:
        assert sent(body={"view": view}).fields == {}

    @pytest.mark.parametrize(
        ("element", "value"),
        [
            ({"value": "cron"}, "cron"),
            ({"value": None}, ""),
            ({"selected_options": [{"value": "a"}, {"value": "b"}]}, ("a", "b")),
            ({"selected_options": None}, ()),
            ({"selected_option": {"value": "a"}}, "a"),
            ({"selected_option": None}, ""),
            ({"selected_conversation": "C2"}, "C2"),
            ({"selected_conversation": "shell"}, ""),
            ({"selected_conversation": None}, ""),
            ({"selected_user": "UBOB"}, "UBOB"),
        ],
    )
    def test_a_field_has_the_value_of_its_element(self, element: dict[str, Any], value: object) -> None:
        state = {"values": {"x": {"a": element}}}
        assert sent(body={"view": {"id": "V1", "state": state}}).fields == {"x": value}

    @pytest.mark.parametrize(("host", "known"), [("db-01", "db-01"), ("", "web-01")])
    def test_what_is_typed_is_about_the_host_in_the_form_or_in_its_note(self, host: str, known: str) -> None:
        state = {"values": {"host": {"a": {"value": host}}}}
        body = {"user": USER, "view": {"id": "V1", "state": state}, "value": "cr"}
        found = parse.of_typing(body, OWN, {"host": "web-01"})
        assert (found.typed, found.host, found.caller.key) == ("cr", known, "V1")


class TestOrigin:
    """Whose it is, and who and where it is about, wherever a payload says so."""

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"team_id": "T1"}, ""),
            ({"team_id": "T1", "api_app_id": "A2"}, "foreign_app"),
            ({"team_id": "T1", "event": {"bot_id": "B1"}}, "not_a_member"),
            ({}, "foreign_team"),
            ({"event": None, "user": None, "team": None}, "foreign_team"),
            ({"team_id": "T2"}, "foreign_team"),
            ({"team_id": "T1", "team": {"id": "T2"}}, "foreign_team"),
            ({"team_id": "T1", "user": {"team_id": "T2"}}, "foreign_team"),
            ({"team_id": "T1", "event": {"team": "T2"}}, "foreign_team"),
            ({"team_id": "T1", "event": {"user_team": "T2"}}, "foreign_team"),
            ({"team_id": "T1", "event": {"source_team": "T2"}}, "foreign_team"),
            ({"team_id": "T3"}, ""),
            ({"team_id": "T2", "enterprise_id": "E3"}, ""),
            ({"team_id": "T2", "enterprise": {"id": "E3"}}, ""),
            ({"team_id": "T2", "enterprise_id": "E2", "enterprise": {"id": "E3"}}, "foreign_team"),
            ({"team_id": "T2", "enterprise": None}, "foreign_team"),
        ],
    )
    def test_it_is_ours_or_there_is_an_objection(self, body: dict[str, Any], code: str) -> None:
        assert objection({"api_app_id": "A1", **body}, OWN, {"T3", "E3"}) == code

    def test_an_app_that_is_not_known_is_not_compared(self) -> None:
        assert objection({"team_id": "T1"}, OwnApp("T1"), ()) == ""
        assert objection({"team_id": "T1"}, OWN, ()) == "foreign_app"

    @pytest.mark.parametrize(
        ("body", "found"),
        [
            ({"user_id": "U1", "channel_id": "C1", "event": {"user": "U2", "channel": "C2"}}, ("U1", "C1")),
            ({"event": {"user": "U2", "channel": "C2"}, "user": {"id": "U3"}, "channel": {"id": "C3"}}, ("U2", "C2")),
            ({"user": {"id": "U3"}, "channel": {"id": "C3"}}, ("U3", "C3")),
            ({"event": None, "user": None, "channel": None}, ("", "")),
        ],
    )
    def test_it_goes_on_record_with_who_and_where(self, body: dict[str, Any], found: tuple[str, str]) -> None:
        assert who_and_where(body) == found


def test_texts_are_texts_or_nothing() -> None:
    assert parse.typed_text({}) == parse.mentioning_text({"event": {}}) == ""
    assert parse.typed_text({"text": "web-01"}) == parse.mentioning_text({"event": {"text": "web-01"}}) == "web-01"
    with pytest.raises(TypeError, match="a list where Slack sends a text"):
        parse.typed_text({"text": ["web-01"]})


@pytest.mark.parametrize("text", ["\0", "\ud800:\udfff"], ids=["NUL", "surrogates"])
def test_what_no_database_keeps_is_no_text(text: str) -> None:
    with pytest.raises(TypeError, match="where Slack sends a text"):
        parse.typed_text({"text": text})


@pytest.mark.parametrize(
    ("channel", "is_one"), [("C1", True), ("D1", True), ("G1", True), ("shell", False), ("c1", False), ("C", False)]
)
def test_a_channel_has_an_id_of_slack(channel: str, *, is_one: bool) -> None:
    assert parse.channel_of_event({"channel": channel}) == (channel if is_one else "")
