"""The origin check before every handler: is the payload for our app, and from our own people?

In Socket Mode nothing is signed and Bolt compares no teams, so a payload of another organisation's member would run.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import structlog
from slack_bolt import BoltResponse, Respond

from bot.core.cards import replies
from bot.core.people.identity import PersonId, Place
from bot.errors import MaskbotError
from handlers.bolt import Surface
from handlers.payload import OwnApp, Payload

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class OriginCheck:
    """Rejects foreign payloads, with an ephemeral message and an audit event, before a handler sees them."""

    surface: Surface

    def __call__(self, body: Payload, respond: Respond, next_: Callable[[], None]) -> BoltResponse | None:
        """A Bolt middleware: calls the next one, or answers."""
        code = objection(body, self.surface.home, self.surface.desk.teams)
        if not code:
            next_()
            return None
        who = self._record(code, body)
        if code != "foreign_team":
            return BoltResponse(status=200, body="")
        if "command" in body:
            return BoltResponse(status=200, body={"response_type": "ephemeral", "text": replies.FOREIGN})
        self.surface.aside.say(respond, replies.FOREIGN, to=who)
        return BoltResponse(status=200, body="")

    def _record(self, code: str, body: Payload) -> PersonId:
        who, where = who_and_where(body)
        team = next((team for team in _teams(body) if team != self.surface.home.team), "")
        person = PersonId(team, who)
        log.warning("origin_check.refused", code=code, user=who, team=team, channel=where)
        try:
            self.surface.desk.refused_at_the_gate(code, by=person, place=Place(where))
        except MaskbotError as error:  # rejected all the same
            log.error("origin_check.not_recorded", code=code, error=str(error))
        return person


def objection(body: Payload, home: OwnApp, teams: Collection[str]) -> str:
    """Why a payload is rejected; empty if it is not. `teams` are those that the policy names."""
    if home.app and body.get("api_app_id") != home.app:
        return "foreign_app"
    if (body.get("event") or {}).get("bot_id"):
        return "not_a_member"
    ours = {home.team, *teams}
    if set(_teams(body)) <= ours and any(_teams(body)):
        return ""
    return "" if _enterprise(body) in teams else "foreign_team"


def who_and_where(body: Payload) -> tuple[str, str]:
    """The user and the channel of any payload, for the record."""
    event, user, channel = (body.get(part) or {} for part in ("event", "user", "channel"))
    who = body.get("user_id") or event.get("user") or user.get("id", "")
    return who, body.get("channel_id") or event.get("channel") or channel.get("id", "")


def _teams(body: Payload) -> Iterator[str]:
    """Every team that a payload names, of the workspace and of the person: all of them must be ours."""
    event, user, team = (body.get(part) or {} for part in ("event", "user", "team"))
    named = (
        body.get("team_id"),
        team.get("id"),
        user.get("team_id"),
        event.get("team"),
        event.get("user_team"),
        event.get("source_team"),
    )
    return (name for name in named if name)


def _enterprise(body: Payload) -> str:
    """The organisation on Enterprise Grid; the directory checks later whether the person really belongs to it."""
    return str(body.get("enterprise_id") or (body.get("enterprise") or {}).get("id") or "")
