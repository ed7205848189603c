"""Messages as they leave, and Slack's refusals as one error that says whether trying again can help."""

import os
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.core.cards.blocks import Text
from bot.core.cards.sealed import is_sealed_for, posted_plan
from bot.core.people.identity import HOME, Place
from bot.edges.slack.channel import SlackChannel, account, call, web_client
from bot.errors import SlackError
from tests.edges.outbound.test_paging import self_signed
from tests.edges.receiver import receiving
from tests.handlers.web_api import WebApi, web_api
from tests.lab.keys import KEYS

THREAD = Place("C1", thread="1700000000.000100")
CARD = Text("MASK cron.service", ({"type": "divider", "block_id": "d"},))


@pytest.fixture
def slack() -> Iterator[WebApi]:
    with web_api() as running:
        yield running


@pytest.fixture
def channel(slack: WebApi) -> SlackChannel:
    return SlackChannel(web_client("xoxb-test", base=slack.base))


def refusal(channel: SlackChannel) -> SlackError:
    with pytest.raises(SlackError) as raised:
        channel.post(THREAD, CARD, mark="r1:card")
    return raised.value


class TestWhatIsSent:
    def test_a_card_goes_into_its_thread_as_it_is_and_carries_its_mark(
        self, slack: WebApi, channel: SlackChannel
    ) -> None:
        slack.answer("chat.postMessage", {"ok": True, "ts": "1700000000.000200"})
        assert channel.post(THREAD, CARD, mark="r1:card") == "1700000000.000200"
        sent = slack.call("chat.postMessage")
        assert (sent["channel"], sent["thread_ts"], sent["text"]) == ("C1", THREAD.thread, CARD.text)
        assert sent["metadata"]["event_payload"] == {"mark": "r1:card"}
        assert sent["parse"] == "none"
        assert not any(sent[preview] for preview in ("link_names", "unfurl_links", "unfurl_media"))

    def test_an_update_without_blocks_takes_the_old_ones_away(self, slack: WebApi, channel: SlackChannel) -> None:
        channel.update("C1", "1700000000.000200", Text("gone"))
        sent = slack.call("chat.update")
        assert (sent["blocks"], sent["parse"], sent["ts"]) == ([], "none", "1700000000.000200")

    def test_a_whisper_is_for_one_person(self, slack: WebApi, channel: SlackChannel) -> None:
        channel.whisper(Place("C1"), "UALICE", CARD)
        sent = slack.call("chat.postEphemeral")
        assert (sent["user"], sent["channel"], sent["parse"]) == ("UALICE", "C1", "none")

    def test_on_somebodys_own_page_it_is_a_direct_message(self, slack: WebApi, channel: SlackChannel) -> None:
        channel.whisper(HOME, "UALICE", CARD)
        assert slack.call("chat.postMessage")["channel"] == "UALICE"
        assert slack.count("chat.postEphemeral") == 0

    @pytest.mark.parametrize("error", ["user_not_in_channel", "not_in_channel", "channel_not_found"])
    def test_where_a_whisper_cannot_be_heard_it_is_one_too(
        self, slack: WebApi, channel: SlackChannel, error: str
    ) -> None:
        slack.answer("chat.postEphemeral", {"ok": False, "error": error})
        channel.whisper(Place("C1"), "UALICE", CARD)
        assert slack.call("chat.postMessage")["channel"] == "UALICE"

    def test_a_direct_message_can_be_edited_so_its_buttons_are_sealed_with_its_words(self, slack: WebApi) -> None:
        channel, now = SlackChannel(web_client("xoxb-test", base=slack.base), keys=KEYS), datetime.now(UTC)
        button = {"type": "button", "action_id": "keep", "value": "r1:0123"}
        text = Text("It has no expiry.", ({"type": "actions", "block_id": "buttons", "elements": [button]},))
        for is_sealed_with_words, how, method in (
            (True, lambda: channel.post(Place("UALICE"), text, mark="r1:direct:1"), "chat.postMessage"),
            (True, lambda: channel.whisper(HOME, "UALICE", text), "chat.postMessage"),
            (False, lambda: channel.whisper(Place("C1"), "UALICE", text), "chat.postEphemeral"),
        ):
            slack.answer("chat.postMessage", {"ok": True, "ts": "1700000000.000200"})
            how()
            sent = slack.call(method)
            value = sent["blocks"][0]["elements"][0]["value"]
            assert posted_plan(sent, keys=KEYS) == ("r1:0123" if is_sealed_with_words else "")
            is_theirs = is_sealed_for("UALICE", value, action="keep", where="C1", now=now, keys=KEYS)
            assert is_theirs is not is_sealed_with_words

    def test_a_page_and_a_form_are_replaced(self, slack: WebApi, channel: SlackChannel) -> None:
        view = {"type": "home", "blocks": list(CARD.blocks)}
        channel.publish("UALICE", view)
        published = slack.call("views.publish")
        assert (published["user_id"], published["view"]) == ("UALICE", view)
        channel.show("V1", view, user="UBOB")
        assert slack.call("views.update")["view_id"] == "V1"

    def test_a_permalink_is_asked_for(self, slack: WebApi, channel: SlackChannel) -> None:
        slack.answer("chat.getPermalink", {"ok": True, "permalink": "https://lab.example/1"})
        assert channel.permalink("C1", "1.2") == "https://lab.example/1"


class TestRefusals:
    def test_too_many_is_passing_and_says_when(self, slack: WebApi, channel: SlackChannel) -> None:
        slack.answer("chat.postMessage", {"ok": False, "error": "ratelimited"}, 429, Retry_After="7")
        error = refusal(channel)
        assert (error.code, error.passing, error.retry_after) == ("ratelimited", True, 7.0)

    @pytest.mark.parametrize("status", [500, 502, 503])
    def test_a_fault_of_slack_is_passing_and_is_not_tried_again_here(
        self, slack: WebApi, channel: SlackChannel, status: int
    ) -> None:
        slack.answer("chat.postMessage", "<html>Bad gateway</html>", status)
        error = refusal(channel)
        assert (error.code, error.passing) == (f"http_{status}", True)
        assert slack.count("chat.postMessage") == 1

    @pytest.mark.parametrize("word", ["channel_not_found", "is_archived", "invalid_blocks", "token_revoked"])
    def test_a_no_is_slacks_own_word_and_stays(self, slack: WebApi, channel: SlackChannel, word: str) -> None:
        slack.answer("chat.postMessage", {"ok": False, "error": word})
        error = refusal(channel)
        assert (error.code, error.passing, error.retry_after) == (word, False, None)

    @pytest.mark.parametrize("word", ["internal_error", "service_unavailable", "request_timeout"])
    def test_some_words_mean_try_again(self, slack: WebApi, channel: SlackChannel, word: str) -> None:
        slack.answer("chat.postMessage", {"ok": False, "error": word})
        assert refusal(channel).passing

    @pytest.mark.parametrize("body", ["<html>hello</html>", '{"ok": false}', "[]", ""])
    def test_what_is_not_slacks_answer_is_named_so(self, slack: WebApi, channel: SlackChannel, body: str) -> None:
        slack.answer("chat.postMessage", body)
        assert refusal(channel).code in ("unreadable_answer", "unreachable")

    def test_nobody_there_is_passing(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        error = refusal(SlackChannel(web_client("xoxb-test", base=f"http://127.0.0.1:{port}/api")))
        assert (error.code, error.passing) == ("unreachable", True)

    def test_a_connection_that_breaks_off_is_passing(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as rude, ThreadPoolExecutor(1) as hanging_up:
            hanging_up.submit(rude.accept).add_done_callback(lambda accepted: accepted.result()[0].close())
            base = f"http://127.0.0.1:{rude.getsockname()[1]}/api/"
            assert refusal(SlackChannel(web_client("xoxb-test", base=base))).passing

    def test_a_certificate_that_nobody_vouches_for_is_refused(self, tmp_path: Path) -> None:
        serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        serving.load_cert_chain(self_signed(tmp_path))
        with receiving(serving) as receiver:
            error = refusal(SlackChannel(web_client("xoxb-test", base=receiver.url)))
        assert (error.code, receiver.calls) == ("unreachable", [])

    def test_the_trusted_certificates_are_read_once_for_all_calls(self) -> None:
        trusting = web_client("xoxb-test").ssl
        assert trusting is not None
        assert trusting is web_client("xoxb-other", timeout=1).ssl

    def test_silence_has_an_end(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            client = web_client("xoxb-test", base=f"http://127.0.0.1:{silent.getsockname()[1]}/api/", timeout=1)
            assert refusal(SlackChannel(client)).passing


class TestTheAccount:
    def test_slack_says_who_we_are_and_the_app_token_which_app(self, slack: WebApi) -> None:
        who = account(web_client("xoxb-test", base=slack.base), app_token="xapp-1-A012ABC-123-abc")
        assert (who.team, who.enterprise, who.user, who.app) == ("T1", "", "UBOT", "A012ABC")

    def test_a_token_that_says_no_app_leaves_it_open(self, slack: WebApi) -> None:
        assert account(web_client("xoxb-test", base=slack.base), app_token="xapp-test").app == ""

    def test_a_wrong_token_is_slacks_own_word(self, slack: WebApi) -> None:
        slack.answer("auth.test", {"ok": False, "error": "invalid_auth"})
        with pytest.raises(SlackError) as raised:
            account(web_client("xoxb-test", base=slack.base))
        assert (raised.value.code, raised.value.passing) == ("invalid_auth", False)
        assert "xoxb-test" not in str(raised.value)


def test_an_address_on_this_machine_is_never_reached_by_a_proxy(slack: WebApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert call(web_client("xoxb-test", base=slack.base).auth_test)["ok"]
    assert "HTTPS_PROXY" not in os.environ


def test_another_address_is_reached_by_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert web_client("xoxb-test").proxy == "http://proxy.example:3128"
    monkeypatch.setenv("NO_PROXY", "slack.com")
    assert web_client("xoxb-test").proxy is None
