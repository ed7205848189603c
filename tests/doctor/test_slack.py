"""What the policy names, compared with what Slack says."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from bot.core.people.identity import PersonId
from bot.core.policy.groups import Group
from bot.core.policy.model import Policy, Rule
from bot.doctor.check_result import CheckResult
from bot.doctor.slack import Tokens, examine_slack, examine_socket
from bot.edges.slack.channel import web_client
from config.settings import Settings
from config.start import usable
from tests.doctor.test_groups import POLICY
from tests.handlers.web_api import WebApi, web_api

NOTHING = replace(POLICY, groups=(), rules=())


@pytest.fixture
def slack() -> Iterator[WebApi]:
    with web_api() as running:
        running.answer("auth.test", {"ok": True, "team_id": "T1", "team": "Acme", "user_id": "UBOT"})
        yield running


@pytest.mark.parametrize(
    ("named", "others", "is_ok", "what"),
    [
        (["inc-1", "inc-2", "random"], (), True, "#inc-1, #inc-2"),
        (["random"], (), False, "the bot is in no channel whose name begins so"),
        (["random"], ("C1",), True, "the bot is in no channel whose name begins so"),
    ],
)
def test_a_prefix_is_compared_with_the_channels_that_the_bot_is_in(
    slack: WebApi, named: list[str], others: tuple[str, ...], what: str, *, is_ok: bool
) -> None:
    slack.answer("users.conversations", {"ok": True, "channels": [{"id": "C", "name": name} for name in named]})
    policy = replace(NOTHING, channels=frozenset(others), channel_prefixes=("inc-",))
    found = examine_slack(Tokens(web_client("xoxb-test", base=slack.base), frozenset()), policy)
    prefix = next(one for one in found if one.check == "channels inc-*")
    assert (prefix.is_ok, prefix.what) == (is_ok, what)


def examined(slack: WebApi, *teams: str) -> CheckResult:
    policy = replace(NOTHING, teams=frozenset(teams))
    found = examine_slack(Tokens(web_client("xoxb-test", base=slack.base), frozenset()), policy)
    return next(one for one in found if one.check == "teams")


def test_a_policy_for_another_workspace_would_lock_everybody_out(slack: WebApi) -> None:
    wrong = examined(slack, "T9")
    assert not wrong.is_ok
    assert wrong.what == "the bot is in T1 (Acme), and policy.yaml names T9: nobody there may do anything"
    assert wrong.fix == "Write `teams: [T1]` into policy.yaml, or leave `teams` out."


@pytest.mark.parametrize("teams", [(), ("T1",), ("T9", "T1")])
def test_the_workspace_of_the_bot_is_well(slack: WebApi, teams: tuple[str, ...]) -> None:
    assert examined(slack, *teams).is_ok


def test_without_a_policy_the_tokens_are_examined_all_the_same(slack: WebApi) -> None:
    found = list(examine_slack(Tokens(web_client("xoxb-test", base=slack.base), frozenset()), None))
    assert [one.check for one in found] == ["bot token", "scopes"]


def findings(slack: WebApi, policy: Policy, **more: Any) -> dict[str, CheckResult]:
    """What is not well."""
    client = web_client("xoxb-test", base=slack.base)
    found = [*examine_slack(Tokens(client, frozenset(), **more), policy), examine_socket(client)]
    return {one.check: one for one in found if not one.is_ok}


def test_another_workspace_is_one_mistake_and_not_one_for_each_person(slack: WebApi) -> None:
    person = PersonId("T9", "U1")
    rule = Rule("prod", ask=frozenset({"eng"}), need=0, approve=("eng",), line=7)
    policy = replace(
        NOTHING, channel_prefixes=(), teams=frozenset({"T9"}), groups=(Group("eng", users=frozenset({person})),),
        rules=(rule,), people={"root": person},
    )  # fmt: skip
    slack.answer("users.info", {"ok": True, "user": {"id": "U1", "team_id": "T1", "name": "one"}})
    assert [*findings(slack, policy)] == ["teams"]


def test_a_channel_that_is_not_there_is_not_one_to_invite_the_bot_to(slack: WebApi) -> None:
    slack.answer("conversations.info", {"ok": False, "error": "channel_not_found"})
    there = [{"id": "C0INCIDENT", "name": "incident"}, {"id": "C0ZZZ", "name": "zzz"}]
    slack.answer("conversations.list", {"ok": True, "channels": there})
    found = findings(slack, replace(NOTHING, channels=frozenset({"C0INCIDNT"})))["channel C0INCIDNT"]
    assert found.what == "this workspace has no channel with this id that the bot can see"
    assert found.fix.startswith("Did you mean C0INCIDENT (#incident)? Correct the id in policy.yaml")

    slack.answer("conversations.info", {"ok": True, "channel": {"id": "C0INCIDENT", "name": "incident"}})
    found = findings(slack, replace(NOTHING, channels=frozenset({"C0INCIDENT"})))["channel C0INCIDENT"]
    assert (found.what, "`/invite @maskbot` in #incident" in found.fix) == ("the bot is not in it", True)


def test_no_answer_from_slack_is_no_fault_of_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    client = web_client("xoxb-test", base="http://127.0.0.1:9/api/")
    found = {*examine_slack(Tokens(client, frozenset()), NOTHING), examine_socket(client)}
    (only,) = found
    assert (only.check, only.what) == ("reachable", "no answer from 127.0.0.1:9: [Errno 111] Connection refused")
    assert "`curl -sS http://127.0.0.1:9/api/api.test`" in only.fix
    monkeypatch.setenv("HTTPS_PROXY", "http://me:pass-word@127.0.0.1:8")
    client = web_client("xoxb-test", base="https://slack.invalid/api/")
    only = examine_socket(client)
    assert only.what.startswith("no answer from slack.invalid through the proxy 127.0.0.1:8: ")
    assert "pass-word" not in f"{only}"


@pytest.mark.parametrize(("code", "fix"), [("invalid_auth", "Copy the Bot User"), ("fatal_error", "Try again later")])
def test_only_what_slack_says_of_a_token_is_mended_by_another(slack: WebApi, code: str, fix: str) -> None:
    slack.answer("auth.test", {"ok": False, "error": code})
    assert findings(slack, NOTHING)["bot token"].fix.startswith(fix)


@pytest.mark.parametrize(
    ("bot", "app", "are_asked"),
    [("xoxb-1", "xapp-1-A1", (True, True)), ("xapp-1-A1", "xoxb-1", (False, False)), ("'xoxb-1'", "", (False, False))],
)
def test_slack_is_not_asked_about_a_token_of_another_kind(bot: str, app: str, are_asked: tuple[bool, bool]) -> None:
    given = {"SLACK_BOT_TOKEN": SecretStr(bot), "SLACK_APP_TOKEN": SecretStr(app)}
    settings = Settings.model_validate(given)
    assert tuple(bool(usable(name, settings)) for name in given) == are_asked
