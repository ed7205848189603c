"""What the policy names, compared with what Slack says."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.doctor.check_result import CheckResult
from bot.doctor.slack import Tokens, examine_slack
from bot.edges.slack.channel import web_client
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
