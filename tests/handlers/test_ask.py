"""Asking: what was typed is recorded before it is acknowledged, and every mistake is told to its maker alone."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from slack_bolt import BoltResponse

from bot.core.requests import Stage, Verb
from tests.handlers.payloads import CHANNEL, click, command, mention, submission
from tests.handlers.world import World


def reply_text(response: BoltResponse) -> str:
    """What an acknowledgement tells its caller alone."""
    answer = json.loads(response.body)
    assert answer["response_type"] == "ephemeral"
    return str(answer["text"])


def errors(response: BoltResponse) -> dict[str, str]:
    """What an acknowledgement shows in the form."""
    answer = json.loads(response.body)
    assert answer["response_action"] == "errors"
    return dict(answer["errors"])


class TestCommands:
    def test_what_is_acknowledged_is_on_record_with_the_words_of_its_caller(self, world: World) -> None:
        answer = world.send(command("web-01 cron —runtime runaway job, INC-2041"))
        assert "Got it: `mask web-01 cron.service --runtime`" in reply_text(answer)
        (request,) = world.requests()
        ask = request.ask
        assert (ask.requester.user, ask.requester_name, ask.place.channel) == ("UALICE", "alice", CHANNEL)
        assert (request.stage, ask.reason) == (Stage.ASKED, "runaway job, INC-2041")

    def test_unmask_is_a_request_like_any_other(self, world: World) -> None:
        assert "Got it: `unmask web-01 cron.service`" in reply_text(world.send(command("web-01 cron", name="/unmask")))
        assert world.requests()[0].ask.change.verb is Verb.UNMASK

    def test_unmask_of_what_is_still_stopping_withdraws_its_mask(self, world: World) -> None:
        mask = world.slow()
        answer = reply_text(world.send(command("web-01 cron", name="/unmask")))
        assert answer.startswith("cron.service on web-01 is not masked yet: its mask waits for the unit to stop.")
        assert "That mask is now withdrawn." in answer
        assert world.store.get(mask.id).target.called_off
        assert [one.id for one in world.requests()] == [mask.id]

    def test_a_stop_by_force_is_asked_for_in_words(self, world: World) -> None:
        assert "and no mask of ours waits for cron.service on web-01" in reply_text(
            world.send(command("web-01 cron --force"))
        )
        mask = world.slow()
        assert "Got it: `mask web-01 cron.service --force`" in reply_text(
            world.send(command("web-01 cron --force it hangs"))
        )
        (asked,) = (one for one in world.requests() if one.ask.forces)
        assert (asked.ask.forces, asked.ask.change.force, asked.ask.reason) == (mask.id, True, "it hangs")

    def test_a_time_is_recorded_and_repeated_as_it_was_understood(self, world: World) -> None:
        answer = reply_text(world.send(command('web-01 cron --at "tomorrow 22:00 UTC" --window 2h disk swap')))
        (request,) = world.requests()
        window = request.ask.change.scheduled_window
        assert window
        assert (window.closes - window.opens, request.ask.reason) == (timedelta(hours=2), "disk swap")
        day = f"{window.opens:%A} {window.opens.day} {window.opens:%B}"
        assert f"Its window is {day} 22:00 to 00:00 UTC." in answer

    def test_the_same_delivery_again_records_nothing_and_is_acknowledged(self, world: World) -> None:
        twice = command("web-01 cron")
        answers = [world.send(twice), world.send(twice)]
        assert [answer.status for answer in answers] == [200, 200]
        assert len(world.requests()) == 1

    @pytest.mark.parametrize(
        ("text", "right"),
        [
            ("web-1 cron", "Did you mean `web-01`"),
            ("web-01 cr*", "Name one unit"),
            ("web-01 ../cron.service", "is a path"),
            ("web-01;id cron", "There is no host"),
            ("web-01 <!channel>.service", "&lt;!channel&gt;"),
        ],
    )
    def test_a_mistake_is_told_to_its_caller_and_leaves_no_record(self, world: World, text: str, right: str) -> None:
        assert right in reply_text(world.send(command(text)))
        assert world.requests() == []

    def test_a_question_is_acknowledged_at_once_and_answered_to_its_asker_later(self, world: World) -> None:
        world.slack.answer("users.info", {"ok": False, "error": "user_not_found"})
        world.slack.answer("conversations.info", {"ok": True, "channel": {"id": CHANNEL, "is_member": True}})
        assert world.send(command("status web-01")).body == ""
        whisper = world.slack.call("chat.postEphemeral")
        assert (whisper["user"], whisper["channel"]) == ("UALICE", CHANNEL)
        assert "user_not_found" in whisper["text"]

    def test_a_busy_store_is_said_and_nothing_is_recorded(self, world: World, tmp_path: Any) -> None:
        with closing(sqlite3.connect(tmp_path / "maskbot.db")) as other:
            other.execute("BEGIN IMMEDIATE")
            assert "could not record this" in reply_text(world.send(command("web-01 cron")))
            other.rollback()
        assert world.requests() == []


HALF_ADOPTED: list[dict[str, Any]] = [
    {"reason": "INC-1"},
    {"reason": "INC-1", "for": "7d", "how": ["adopt", "runtime"]},
    {"reason": "INC-1", "for": "7d", "unit": ["a.service", "b.service"]},
    {"for": "7d"},
]


class TestTheForm:
    def test_a_bare_mask_opens_it_before_the_acknowledgement(self, world: World) -> None:
        bare = command("")
        answer = world.send(bare)
        opened = world.slack.call("views.open")
        assert (answer.status, answer.body) == (200, "")
        assert opened["trigger_id"] == bare["trigger_id"]

    def test_what_is_sent_off_is_recorded_where_the_form_was_opened(self, world: World) -> None:
        form = self.opened(world)
        values = {"host": "web-01", "unit": "cron", "how": ["runtime", "keep_running"], "reason": "<&> INC-1"}
        answer = world.send(submission(form, values, user="UALICE"))
        assert (answer.status, answer.body) == (200, "")
        (request,) = world.requests()
        assert str(request.ask.change) == "mask web-01 cron.service --runtime --keep-running"
        assert (request.ask.reason, request.ask.place.channel) == ("<&> INC-1", CHANNEL)
        assert "mask web-01 cron.service" in world.slack.call("chat.postEphemeral")["text"]

    def test_all_mistakes_are_shown_beside_their_fields_and_the_form_stays(self, world: World) -> None:
        values = {"unit": "cr*", "user": "a;b", "for": "a while", "at": "soon", "reason": "x" * 501}
        shown = errors(world.send(submission(self.opened(world), values)))
        assert set(shown) == {"host", "unit", "user", "for", "at", "reason"}
        assert "not a duration" in shown["for"]
        assert "not a time" in shown["at"]
        assert world.requests() == []

    def test_the_same_form_sent_twice_is_one_request(self, world: World) -> None:
        sent = submission(self.opened(world), {"host": "web-01", "unit": "cron"})
        world.send(sent)
        world.send(sent)
        assert len(world.requests()) == 1

    def test_a_busy_store_leaves_the_form_open(self, world: World, tmp_path: Any) -> None:
        sent = submission(self.opened(world), {"host": "web-01", "unit": "cron"})
        with closing(sqlite3.connect(tmp_path / "maskbot.db")) as other:
            other.execute("BEGIN IMMEDIATE")
            assert "could not record this" in errors(world.send(sent))["host"]
            other.rollback()

    def test_a_trigger_that_came_too_late_is_said(self, world: World) -> None:
        world.slack.answer("views.open", {"ok": False, "error": "expired_trigger_id"})
        assert "took too long" in reply_text(world.send(command("")))

    @pytest.mark.parametrize("text", ["web-1 cron", "web-01 cr* INC-1", "cron web-01"])
    def test_a_mistake_is_told_and_the_form_opens_with_what_made_sense(self, world: World, text: str) -> None:
        mistake = command(text)
        assert reply_text(world.send(mistake))
        opened = world.slack.call("views.open")
        assert opened["trigger_id"] == mistake["trigger_id"]
        filled = {block["block_id"]: block["element"] for block in opened["view"]["blocks"]}
        assert ("initial_options" in filled["host"]) is ("web-01" in text)
        assert ("initial_options" in filled["unit"]) is ("cron" in text)
        assert world.requests() == []

    def test_what_is_sent_off_from_it_is_recorded(self, world: World) -> None:
        form = self.opened(world, "web-01 cr* INC-1")
        world.send(submission(form, {"host": "web-01", "unit": "cron", "reason": "INC-1"}))
        assert str(world.requests()[0].ask.change) == "mask web-01 cron.service"

    def test_the_button_beside_a_mask_by_others_opens_it_to_adopt_that_mask(self, world: World) -> None:
        world.send(click("adopt", "web-01%20a%3Ab.service", user="UALICE"))
        form = world.slack.call("views.open")["view"]
        filled = {block["block_id"]: block["element"].get("initial_options") for block in form["blocks"]}
        named = {"host": "web-01", "unit": "a:b.service", "how": "adopt"}
        assert {name: [one["value"] for one in filled[name]] for name in named} == {
            name: [value] for name, value in named.items()
        }
        shown = [errors(world.send(submission(form, named | {"how": ["adopt"]} | more))) for more in HALF_ADOPTED]
        assert [{*one} for one in shown] == [{"for"}, {"how"}, {"how"}, {"reason"}]
        assert world.requests() == []
        world.send(submission(form, named | {"how": ["adopt"], "for": "7d", "reason": "INC-1"}, user="UALICE"))
        assert str(world.requests()[0].ask.change) == "mask web-01 a:b.service --adopt --for 7d"

    def test_an_adoption_with_a_mistake_stands_in_it_as_one(self, world: World) -> None:
        form = self.opened(world, "web-01 cron --adopt INC-1")
        how = next(block["element"] for block in form["blocks"] if block["block_id"] == "how")
        assert [one["value"] for one in how["initial_options"]] == ["adopt"]

    @pytest.mark.parametrize("text", ["status web-9", "web-9", "--now", "../../x"])
    def test_of_a_question_or_of_nothing_that_made_sense_there_is_no_form(self, world: World, text: str) -> None:
        assert reply_text(world.send(command(text)))
        assert world.slack.count("views.open") == 0

    def test_a_form_that_cannot_be_opened_leaves_the_sentence(self, world: World) -> None:
        world.slack.answer("views.open", {"ok": False, "error": "expired_trigger_id"})
        assert "Did you mean `web-01`" in reply_text(world.send(command("web-1 cron")))

    def opened(self, world: World, text: str = "") -> dict[str, Any]:
        world.send(command(text))
        view = world.slack.call("views.open")["view"]
        return dict(json.loads(view) if isinstance(view, str) else view)


class TestMentions:
    def test_a_request_from_a_thread_stays_in_that_thread(self, world: World) -> None:
        world.send(mention("mask web-01 cron runaway", thread="1700000000.000100"))
        (request,) = world.requests()
        assert (request.ask.place.channel, request.ask.place.thread) == (CHANNEL, "1700000000.000100")
        assert request.ask.requester.user == "UBOB"
        whisper = world.slack.call("chat.postEphemeral")
        assert "Got it: `mask web-01 cron.service`" in whisper["text"]
        assert whisper["thread_ts"] == "1700000000.000100"

    def test_slack_delivers_events_again_and_nothing_happens_twice(self, world: World) -> None:
        again = mention("mask web-01 cron")
        assert [world.send(again).status for _ in range(3)] == [200, 200, 200]
        assert len(world.requests()) == 1

    @pytest.mark.fault("F76", how="the message that asked is edited, which Slack sends as a new event, and deleted")
    def test_what_somebody_makes_of_their_own_message_afterwards_changes_nothing(
        self, world: World, saw: Callable[[str], str]
    ) -> None:
        said = mention("mask web-01 cron runaway")
        world.send(said)
        world.slack.call("chat.postEphemeral")
        edited = {"text": "<@UBOT> mask db-01 worker", "edited": {"user": "UBOB", "ts": "1700000009.000000"}}
        world.send({**mention(""), "event": said["event"] | edited})
        assert "asked for `mask web-01 cron.service`, and that still counts" in saw(
            world.slack.call("chat.postEphemeral")["text"]
        )
        gone = {"type": "message", "subtype": "message_deleted", "deleted_ts": said["event"]["ts"]}
        world.send({**said, "event": said["event"] | gone, "event_id": "Ev0"})
        (request,) = world.requests()
        assert (str(request.ask.change), request.ask.reason) == ("mask web-01 cron.service", "runaway")

    def test_a_mistake_is_told_to_its_maker_alone(self, world: World) -> None:
        world.send(mention("msak web-01 cron"))
        whisper = world.slack.call("chat.postEphemeral")
        assert (whisper["user"], "Did you mean `mask`" in whisper["text"]) == ("UBOB", True)
        assert world.slack.count("chat.postMessage") == 0

    def test_an_event_that_could_not_be_recorded_is_not_acknowledged(self, world: World, tmp_path: Any) -> None:
        event = mention("mask web-01 cron")
        with closing(sqlite3.connect(tmp_path / "maskbot.db")) as other:
            other.execute("BEGIN IMMEDIATE")
            assert world.send(event).status == 500
            other.rollback()
        assert world.send(event).status == 200
        assert len(world.requests()) == 1


class TestButtonsOfAnEarlierChange:
    @pytest.mark.parametrize("action", ["unmask", "mask_again", "start_again"])
    def test_a_click_on_what_is_not_there_to_be_done_is_answered(self, world: World, action: str) -> None:
        request = world.waiting()
        answer = world.send(click(action, f"{request.id}:", respond=f"{world.slack.base}respond"))
        assert (answer.status, answer.body) == (200, "")
        told = world.slack.call("respond")
        assert (told["response_type"], told["replace_original"]) == ("ephemeral", False)
        assert told["text"].startswith("There is nothing")
        assert len(world.requests()) == 1
