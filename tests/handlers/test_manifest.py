"""The Slack app that the manifest describes is the one that the code needs: no command, event or scope more or less."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from slack_sdk import WebClient

from bot.errors import UsageError
from config.manifest import manifest
from tests.handlers.world import Listed

ROOT = Path(__file__).parents[2]
MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "config" / "slack-manifest.yaml").read_text())

# What each method that we call needs (Slack, "Web API methods"); an empty set needs a token and nothing else.
SCOPES = {
    "apps_connections_open": set[str](),  # the app token's own: connections:write
    "auth_test": set[str](),
    "chat_delete": {"chat:write"},
    "chat_getPermalink": set[str](),
    "chat_postEphemeral": {"chat:write"},
    "chat_postMessage": {"chat:write"},
    "chat_update": {"chat:write"},
    "conversations_history": {"channels:history", "groups:history", "im:history"},
    "conversations_info": {"channels:read", "groups:read"},
    "conversations_list": {"channels:read", "groups:read"},
    "conversations_members": {"channels:read", "groups:read"},
    "conversations_open": {"im:write"},
    "conversations_replies": {"channels:history", "groups:history", "im:history"},
    "usergroups_list": {"usergroups:read"},
    "usergroups_users_list": {"usergroups:read"},
    "users_conversations": {"channels:read", "groups:read"},
    "users_info": {"users:read"},
    "users_list": {"users:read"},
    "views_open": set[str](),
    "views_publish": set[str](),
    "views_update": set[str](),
}
SURFACES = {"app_mentions:read", "commands"}


def methods_in_code() -> set[str]:
    """Every Web API method that the code names."""
    sources = [*(ROOT / "bot").rglob("*.py"), *(ROOT / "handlers").rglob("*.py")]
    named = {name for source in sources for name in re.findall(r"client\.([a-z]+_[A-Za-z_]+)\b", source.read_text())}
    return {name for name in named if hasattr(WebClient, name)}


def test_commands_and_events_are_those_that_handlers_take(listed: Listed) -> None:
    commands = MANIFEST["features"]["slash_commands"]
    assert {one["command"] for one in commands} == listed.taken["command"]
    assert set(MANIFEST["settings"]["event_subscriptions"]["bot_events"]) == listed.taken["event"]
    assert {one["callback_id"] for one in MANIFEST["features"]["shortcuts"]} == listed.taken["shortcut"]
    assert MANIFEST["settings"]["interactivity"]["is_enabled"] == bool(listed.taken["action"])


def test_everybody_has_a_page_of_their_own() -> None:
    assert MANIFEST["features"]["app_home"]["home_tab_enabled"]


def test_shortcuts_are_within_the_limits_of_a_manifest() -> None:
    shortcuts = MANIFEST["features"]["shortcuts"]
    assert {one["type"] for one in shortcuts} == {"message", "global"}
    assert all(len(one["name"]) <= 24 and len(one["description"]) <= 150 for one in shortcuts)


def test_what_people_type_comes_escaped_over_a_socket() -> None:
    assert all(command["should_escape"] for command in MANIFEST["features"]["slash_commands"])
    assert MANIFEST["settings"]["socket_mode_enabled"]


def test_scopes_are_those_of_the_methods_that_are_called() -> None:
    assert methods_in_code() == SCOPES.keys()
    needed = set().union(*SCOPES.values()) | SURFACES
    assert set(MANIFEST["oauth_config"]["scopes"]["bot"]) == needed


def test_over_http_it_is_the_same_app_with_its_address_wherever_slack_sends_something() -> None:
    told = yaml.safe_load(manifest("https://bot.example.com"))
    url = "https://bot.example.com/slack/events"
    assert [command.pop("url") for command in told["features"]["slash_commands"]] == [url, url]
    assert told["settings"]["event_subscriptions"].pop("request_url") == url
    assert told["settings"]["interactivity"].pop("request_url") == url
    assert told["settings"]["interactivity"].pop("message_menu_options_url") == url
    assert told["settings"].pop("socket_mode_enabled") is False
    shipped = yaml.safe_load(manifest())
    assert shipped["settings"].pop("socket_mode_enabled") is True
    assert told == shipped


URLS = {
    "https://bot.example.com/": "https://bot.example.com/slack/events",
    "https://bot.example.com:8443": "https://bot.example.com:8443/slack/events",
    "https://example.com/maskbot": "https://example.com/maskbot",
}


@pytest.mark.parametrize(("typed", "url"), URLS.items())
def test_a_proxy_may_call_the_path_otherwise(typed: str, url: str) -> None:
    assert yaml.safe_load(manifest(typed))["settings"]["interactivity"]["request_url"] == url


@pytest.mark.parametrize(
    "typed",
    [
        "http://bot.example.com",
        "bot.example.com",
        "https://",
        "https://u:p@example.com",
        "https://e.com/?a=b",
        "https://e.com/ x",
    ],
)
def test_an_address_that_slack_would_not_take_is_misuse(typed: str) -> None:
    with pytest.raises(UsageError, match="--url"):
        manifest(typed)
