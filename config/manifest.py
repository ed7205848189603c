"""The manifest of the Slack app: shipped for Socket Mode; for HTTP with the bot's address put in."""

import re
from importlib.resources import files
from typing import Any

import yaml

from bot.errors import UsageError

REQUEST_PATH = "/slack/events"
_URL = re.compile(r"https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~%/-]*)?")  # Slack requires a certificate
_HEADING = "# The Slack app in HTTP mode: as for a socket, but Slack sends everything to one address.\n"


def manifest(url: str = "") -> str:
    """The manifest to paste; with a URL, for an app that receives its requests there. Raises `UsageError`."""
    shipped = files("config").joinpath("slack-manifest.yaml").read_text(encoding="utf-8")
    return _sent_to(_request_url(url), yaml.safe_load(shipped)) if url else shipped


def _request_url(typed: str) -> str:
    """The URL for Slack's requests. The bot answers on one path; a proxy may use another one."""
    if not _URL.fullmatch(typed):
        raise UsageError("--url has to be where Slack reaches the bot, as in https://maskbot.example.com")
    has_path = typed.removeprefix("https://").rstrip("/").count("/")
    return typed if has_path else typed.rstrip("/") + REQUEST_PATH


def _sent_to(url: str, told: dict[str, Any]) -> str:
    settings = told["settings"]
    settings["socket_mode_enabled"] = False
    settings["event_subscriptions"] = {"request_url": url, **settings["event_subscriptions"]}
    settings["interactivity"] |= {"request_url": url, "message_menu_options_url": url}
    commands = told["features"]["slash_commands"]
    told["features"]["slash_commands"] = [{**command, "url": url} for command in commands]
    return _HEADING + yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=120)
