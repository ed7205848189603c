"""The directory while Slack cannot be asked: only people whom the configuration itself names.

It answers only for people who are mapped to an operating-system user (`people:` in policy.yaml). That is safe because
the kernel says who calls on the command line, and only root can write the file. Membership of user groups and channels
is known to Slack alone, so here nobody is a member.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from bot.core.people.identity import Person, PersonId, Place, Shift
from bot.core.policy.groups import Group
from bot.core.policy.model import Policy
from bot.errors import NotYet, SlackError, Unverified
from bot.ports import Directory, Schedules

T = TypeVar("T")
# Slack's own errors (`user_not_found`, `ratelimited`) count as answers: only silence is made up for.
_SILENCE = ("unreachable", "unreadable_answer", "http_")
_PAUSE = 5.0  # seconds without further calls: a Slack that swallows calls costs a timeout each

_AGAIN = 0.5  # seconds until the first connection, at most, if Slack answers


class OfflineDirectory:
    """Implements `ports.Directory` from the current policy alone."""

    def __init__(self, policy: Callable[[], Policy], schedules: Schedules | None = None) -> None:
        self._policy = policy
        self._schedules = schedules

    def person(self, person: PersonId, groups: Sequence[Group]) -> Person:
        """A mapped person, under the id that the policy has for them. Raises `Unverified` for anybody else."""
        login, known = self._mapped_person(person)
        asked = (group for group in groups if not _in_slack_alone(group))
        held = (group.name for group in asked if any(known.is_same_as(user) for user in self.members(group)))
        return Person(known, login, frozenset(held))

    def members(self, group: Group) -> frozenset[PersonId]:
        """The people whom the policy lists by id, and who is on call. Raises `Unverified` for other groups."""
        if _in_slack_alone(group):
            raise Unverified(f"Slack cannot be asked who is in @{group.name}, so the answer is no for now.")
        return group.users | {shift.person for shift in self.shifts(group)}

    def shifts(self, group: Group) -> tuple[Shift, ...]:
        """Who is on call now in an on-call group, which does not need Slack. Raises `Unverified`."""
        if not group.on_call or self._schedules is None:
            return ()
        return tuple(
            replace(one, person=self._known_person(one.person)) for one in self._schedules.shifts(group.on_call)
        )

    def _known_person(self, on_call: PersonId) -> PersonId:
        """The mapped person with this user id: a schedule does not name teams."""
        return next((one for one in self._policy().people.values() if one.user == on_call.user), on_call)

    def is_in(self, person: PersonId, place: Place) -> bool:
        """Raises `Unverified`: only Slack knows."""
        raise Unverified(f"Slack cannot be asked whether {person.user} is in {place.channel}.")

    def place(self, place: Place) -> Place:
        """The command line as it is. Raises `Unverified` for a channel."""
        if place.is_shell:
            return place
        raise Unverified("Slack cannot be asked about this channel, so the answer is no for now.")

    def _mapped_person(self, person: PersonId) -> tuple[str, PersonId]:
        found = next(((login, one) for login, one in self._policy().people.items() if one.is_same_as(person)), None)
        if found is None:
            raise Unverified("Slack cannot be asked who this is, so the answer is no for now.")
        return found


def _in_slack_alone(group: Group) -> bool:
    return bool(group.slack_group or group.channel)


class FallbackDirectory:
    """Asks Slack, and the configuration where Slack does not answer.

    `slack` is set once it is connected; until then each question that configuration does not answer raises `NotYet`.
    """

    def __init__(self, offline: OfflineDirectory, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.slack: Directory | None = None
        self._offline = offline
        self._clock = clock
        self._silent_until = 0.0

    def person(self, person: PersonId, groups: Sequence[Group]) -> Person:
        """A person's current identity, with their groups among the given ones. Raises `Unverified`."""
        return self._ask(lambda directory: directory.person(person, groups))

    def members(self, group: Group) -> frozenset[PersonId]:
        """The current members of a group. Raises `Unverified`."""
        return self._ask(lambda directory: directory.members(group))

    def shifts(self, group: Group) -> tuple[Shift, ...]:
        """Who is on call now in an on-call group. Raises `Unverified`."""
        return self._ask(lambda directory: directory.shifts(group))

    def is_in(self, person: PersonId, place: Place) -> bool:
        """Whether somebody is a member of a channel. Raises `Unverified`."""
        return self._ask(lambda directory: directory.is_in(person, place))

    def place(self, place: Place) -> Place:
        """The current state of a place. Raises `Unverified`."""
        return self._ask(lambda directory: directory.place(place))

    def _ask(self, question: Callable[[Directory], T]) -> T:
        slack = self.slack
        if slack is None:
            return self._before_slack(question)
        if self._clock() < self._silent_until:
            return question(self._offline)
        try:
            return question(slack)
        except Unverified as error:
            if not _is_silence(error):
                raise
            self._silent_until = self._clock() + _PAUSE
            return question(self._offline)

    def _before_slack(self, question: Callable[[Directory], T]) -> T:
        """Raise `NotYet` just after a start: earlier votes wait for Slack and are not refused."""
        try:
            return question(self._offline)
        except Unverified as error:
            raise NotYet("Slack has not been reached yet, so it cannot be asked.", again_in=_AGAIN) from error


def _is_silence(error: Unverified) -> bool:
    cause = error.__cause__
    return isinstance(cause, SlackError) and cause.code.startswith(_SILENCE)
