"""Examine Slack: tokens, scopes, and whether the policy's team, channels, groups and people are what Slack says."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from urllib.parse import urlsplit

from slack_sdk import WebClient

from bot.core.people.identity import Place
from bot.core.policy.model import Policy
from bot.core.policy.rules.identity import is_one_of_us, shut_out
from bot.doctor.check_result import SLACK as _SLACK
from bot.doctor.check_result import CheckResult, why
from bot.doctor.groups import examine_groups
from bot.edges.slack.channel import Account, account, call
from bot.edges.slack.directory import SlackDirectory
from bot.edges.slack.names import SlackNames
from bot.errors import SlackError, Unverified
from bot.ports import Schedules

_SOME = 5
_WHOLE_TOKEN = "Copy the whole app-level token, which begins with xapp-1-A, from the app's settings."  # noqa: S105 - no password
_REINSTALL = "In the app's settings at Slack: OAuth & Permissions, add what is missing, and reinstall the app."


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens, and the scopes of the manifest."""

    bot: WebClient
    scopes: frozenset[str]
    app_token: str = ""
    schedules: Schedules | None = None


def examine_slack(tokens: Tokens, policy: Policy | None) -> Iterator[CheckResult]:
    """All checks of Slack, as far as its API allows; without a policy those of the tokens alone."""
    try:
        answer = call(tokens.bot.auth_test)
        us = account(tokens.bot, app_token=tokens.app_token)
    except SlackError as error:
        fix = "Copy the Bot User OAuth Token (xoxb-) again from the app's settings."
        yield _refused(tokens.bot, error, "bot token", fix)
        return
    yield CheckResult(_SLACK, "bot token", is_ok=True)
    yield _scopes(answer.headers.get("x-oauth-scopes"), tokens.scopes)
    if tokens.app_token and not us.app:
        what = "it does not name its app, so the bot cannot tell payloads of other apps from its own"
        yield CheckResult(_SLACK, "app of the app token", is_ok=False, what=what, fix=_WHOLE_TOKEN)
    if policy is None:
        return
    yield (team := _team(us, policy, str(answer.get("team") or "")))
    if not team.is_ok:  # the rest is examined as it will be once that is corrected
        policy = replace(policy, teams=policy.teams | {us.team})
    directory = SlackDirectory(tokens.bot, us, teams=lambda: policy.teams, schedules=tokens.schedules, ttl=60)
    names = SlackNames(tokens.bot)
    yield from _channels(directory, names, policy)
    yield from _prefixes(names, policy)
    yield from examine_groups(directory, policy)
    yield from _people(directory, policy)


def _refused(client: WebClient, error: SlackError, check: str, fix: str) -> CheckResult:
    """What to do about a token is said only where Slack spoke of it."""
    if error.code != "unreachable":
        fix = "Try again later; https://slack-status.com tells how Slack is." if error.passing else fix
        return CheckResult(_SLACK, check, is_ok=False, what=str(error), fix=fix)
    cause = error.__cause__
    reason = getattr(cause, "reason", None) or cause
    proxy = urlsplit(client.proxy or "")
    way = f" through the proxy {proxy.hostname}:{proxy.port}" if proxy.hostname else ""
    what = f"no answer from {urlsplit(client.base_url).netloc}{way}: {reason}"
    fix = f"`curl -sS {client.base_url}api.test` has to answer here: check DNS, firewall, HTTPS_PROXY and NO_PROXY."
    return CheckResult(_SLACK, "reachable", is_ok=False, what=what, fix=fix)


def _team(us: Account, policy: Policy, name: str) -> CheckResult:
    """Whether the people of the bot's own workspace count as ours: if not, nobody may do anything."""
    if what := shut_out(policy, {us.team, us.enterprise}, f"{us.team} ({name})"):
        fix = f"Write `teams: [{us.team}]` into policy.yaml, or leave `teams` out."
        return CheckResult(_SLACK, "teams", is_ok=False, what=what, fix=fix)
    return CheckResult(_SLACK, "teams", is_ok=True, what=f"{us.team} {name}".strip())


def _scopes(told: object, wanted: frozenset[str]) -> CheckResult:
    if not isinstance(told, str):
        return CheckResult(_SLACK, "scopes", is_ok=True, what="Slack did not say which scopes the token has")
    missing = sorted(wanted - {scope.strip() for scope in told.split(",")})
    if missing:
        return CheckResult(_SLACK, "scopes", is_ok=False, what=f"missing: {', '.join(missing)}", fix=_REINSTALL)
    return CheckResult(_SLACK, "scopes", is_ok=True)


def examine_socket(client: WebClient) -> CheckResult:
    """Whether Slack would open Socket Mode for this app token."""
    try:
        call(client.apps_connections_open, app_token=client.token)
    except SlackError as error:
        fix = "Make an app-level token (xapp-) with the scope connections:write, and check that Socket Mode is enabled."
        return _refused(client, error, "app token", fix)
    return CheckResult(_SLACK, "app token", is_ok=True)


def _channels(directory: SlackDirectory, names: SlackNames, policy: Policy) -> Iterator[CheckResult]:
    others = {policy.shell_channel, policy.operations_channel, *policy.break_glass.channels}
    others |= {policy.handover_schedule.channel} if policy.handover_schedule else set()
    ladders = {step.channel for rule in policy.rules for step in rule.escalate}
    routed = {channel for rule in policy.rules for channel in (rule.routing.card_channel, *rule.routing.tell)}
    for channel in sorted((policy.channels | others | ladders | routed) - {""}):
        check = f"channel {channel}"
        try:
            place = directory.place(Place(channel))
        except Unverified as error:
            yield CheckResult(_SLACK, check, is_ok=False, what=str(error), fix="Try again, and check the scopes above.")
            continue
        wrong = list(_wrong_with(place, names))
        if not wrong:
            yield CheckResult(_SLACK, check, is_ok=True)
        yield from (CheckResult(_SLACK, check, is_ok=False, what=what, fix=fix) for what, fix in wrong)


def _prefixes(names: SlackNames, policy: Policy) -> Iterator[CheckResult]:
    """Channels that are named by how their names begin: the bot has to be in one, if no other channel is named."""
    if not policy.channel_prefixes:
        return
    try:
        own = names.own_channels()
    except SlackError as error:
        fix = "Try again, and check the scopes above."
        yield CheckResult(_SLACK, "channels by prefix", is_ok=False, what=str(error), fix=fix)
        return
    found = {prefix: [name for name in own if name.startswith(prefix)] for prefix in policy.channel_prefixes}
    is_anywhere = bool(policy.channels or any(found.values()))
    for prefix, there in found.items():
        shown = ", ".join(f"#{name}" for name in there[:_SOME])
        what = shown or "the bot is in no channel whose name begins so"
        fix = "" if there else "Type `/invite @maskbot` in such a channel, once there is one."
        yield CheckResult(_SLACK, f"channels {prefix}*", is_ok=is_anywhere, what=what, fix=fix)


def _wrong_with(place: Place, names: SlackNames) -> Iterator[tuple[str, str]]:
    if not place.name:
        yield _unseen(place, names)
    elif not place.is_member:
        yield "the bot is not in it", f"Type `/invite @maskbot` in #{place.name}, or remove it from policy.yaml."
    if not place.is_internal:
        yield "it is shared with another organisation, so the bot does not act there", "Name an internal channel."
    if place.is_archived:
        yield "it is archived", "Name another channel in policy.yaml."


def _unseen(place: Place, names: SlackNames) -> tuple[str, str]:
    """A channel with an id that Slack does not show: nobody can invite the bot to one that is not there."""
    try:
        seen = names.channels()
    except SlackError:
        seen = {}
    near = get_close_matches(place.channel, seen, n=3, cutoff=0.6)
    meant = f"Did you mean {' or '.join(f'{one} (#{seen[one]})' for one in near)}? " if near else ""
    what = "this workspace has no channel with this id that the bot can see"
    return what, f"{meant}Correct the id in policy.yaml, or invite the bot if it is a private channel."


def _people(directory: SlackDirectory, policy: Policy) -> Iterator[CheckResult]:
    """People who may use the command line must be our own people as well."""
    fix = "Correct the id in `people:` of policy.yaml, or remove that line."
    for login, person in sorted(policy.people.items()):
        try:
            found = directory.person(person, ())
        except Unverified as error:
            yield CheckResult(_SLACK, f"person {login}", is_ok=False, what=why(error), fix=fix)
            continue
        wrong = not is_one_of_us(found, policy)
        what = "no longer a full member: a guest, a bot, deactivated, or in another organisation" if wrong else ""
        yield CheckResult(_SLACK, f"person {login}", is_ok=not wrong, what=what, fix=fix if wrong else "")
