"""Groups of people in `policy.yaml`, and the source for on-call groups."""

import re
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, StringConstraints, model_validator

from config.policy_types import ChannelId, Duration, fits
from config.strict_yaml import STRICT

SLOWEST = timedelta(seconds=30)  # seconds that people wait for an answer
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def read_safe_url(typed: str, token: str) -> str:
    """A URL over TLS, or on this machine; `token` names the setting for a secret. Raises `ValueError`."""
    parts = urlsplit(typed)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not parts.hostname or not is_safe or not re.fullmatch(r"[!-~]+", typed):
        raise ValueError("has to be an https:// URL, or http:// on this machine (127.0.0.1)")
    if "@" in parts.netloc:
        raise ValueError(f"names a user; give a token as {token} instead")
    return typed


def read_url(typed: str) -> str:
    """The URL of the on-call source. Raises `ValueError`."""
    parts = urlsplit(read_safe_url(typed, "MASKBOT_ON_CALL_TOKEN"))
    if typed.count("{schedule}") != 1 or "{schedule}" in parts.netloc:
        raise ValueError("has to contain {schedule} once, in place of the schedule's name")
    return typed


Id = Annotated[str, StringConstraints(min_length=1, max_length=80)]
Argument = Annotated[str, StringConstraints(min_length=1, max_length=500)]
# The schedule is the last argument of a command or a part of a URL, so it is one word and no option.
# A handle is no id: whoever may edit user groups can give it to another group, whose members would then approve.
_SLACK_GROUP = "the id of a Slack user group, like `S0123ABCD`; in Slack its menu has *Copy group ID*"
Schedule = Annotated[
    str, fits("[A-Za-z0-9][A-Za-z0-9._:-]{0,99}", "a schedule's name; use letters, digits, dots, dashes and colons")
]


class GroupEntry(BaseModel):
    """People: listed by id, or the members of a user group or channel, or who is on call, read each time it matters."""

    model_config = STRICT

    users: list[Id] = []
    slack_group: Annotated[str, fits("S[A-Z0-9]{2,}", _SLACK_GROUP)] = ""
    channel: ChannelId | None = None
    anybody_may_join: bool = False
    on_call: Schedule | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "GroupEntry":
        if sum(map(bool, (self.users, self.slack_group, self.channel, self.on_call))) != 1:
            raise ValueError("needs exactly one of `users`, `slack_group`, `channel` and `on_call`")
        if self.anybody_may_join and not self.channel:
            raise ValueError("`anybody_may_join` only goes with `channel`")
        return self


class OnCallEntry(BaseModel):
    """The source that says who is on call."""

    model_config = STRICT

    command: list[Argument] = []
    url: Annotated[str, AfterValidator(read_url)] = ""
    deadline: Duration = timedelta(seconds=5)

    @model_validator(mode="after")
    def _one_of_both(self) -> "OnCallEntry":
        if bool(self.command) == bool(self.url):
            raise ValueError("needs either `command` or `url`, not both")
        if self.command and not self.command[0].startswith("/"):
            raise ValueError("`command` has to begin with the full path of a program, like /usr/local/bin/on-call")
        if not timedelta(0) < self.deadline <= SLOWEST:
            raise ValueError("`deadline` has to be more than zero and at most 30s")
        return self
