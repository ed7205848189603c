"""Handle the command line's calls: the same commands as in Slack, from a person known by the operating system."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from bot import __version__
from bot.core.cards import replies
from bot.core.input.grammar import ChangeCommand, Question, parse
from bot.core.input.kill_switch import SwitchCommand
from bot.core.people.identity import Caller, PersonId
from bot.core.requests import Ask, Outcome, Request, Stage, Tally, Verb, Verdict, VoteCommand
from bot.errors import MaskbotError, NoSuchRequest, UsageError
from bot.ports import Query
from bot.workflow import Deps, Desk
from bot.workflow.queries.answers import check_may_see
from handlers import json_view
from handlers.cli_followups import add_followup, extend, wait_for_answer
from handlers.cli_queries import SHELL, answer
from handlers.cli_replies import BEAT, DONE, FAILED, MISUSE, UNKNOWN, Words, end_message, request_message, usage_error
from handlers.cli_step_up import reset_step_up
from handlers.json_rollout import is_as_asked
from handlers.kill_switch import switch

_GOOD = (Outcome.PROVEN, Outcome.RESTORED, Outcome.UNMASKED, Outcome.NO_CHANGE, Outcome.EXTENDED, Outcome.KILLED)
_POLL = 0.1  # seconds between two reads of the record while a caller waits


@dataclass(frozen=True, slots=True)
class BotState:
    """The bot's own state: whether people can reach it now, and the state of Slack."""

    is_ready: bool
    slack: str
    why: tuple[str, ...] = ()  # what else is not well


class Shell:
    """Answers the command line, one caller at a time in each thread."""

    def __init__(self, desk: Desk, deps: Deps, state: Callable[[], BotState]) -> None:
        self._desk = desk
        self._deps = deps
        self._state = state
        self._does: Mapping[str, Callable[[Words, str], Iterator[Words]]] = {
            "state": self._own_state,
            "question": self._answer,
            "change": self._change,
            "show": self._show,
            "switch": self._switch,
            "vote": self._vote,
            "followup": self._followup,
            "withdraw": self._withdraw,
            "extend": self._extend,
            "reset_step_up": partial(reset_step_up, desk, deps),
        }

    def serve(self, words: Words, user: str) -> Iterator[Words]:
        """The output of a command, as data; the last item holds the exit code.

        A command that is invalid by itself is misuse (2); a refusal by the record, a host or the policy is a failure
        (1).
        """
        do = self._does.get(str(words.get("do")))
        if do is None:
            yield end_message(UNKNOWN, MISUSE)
            return
        try:
            if do not in (self._own_state, self._answer, self._show, self._does["reset_step_up"]):
                self._desk.count(self._person(user))
            yield from do(words, user)
        except MaskbotError as error:
            yield end_message(str(error), FAILED)

    def _show(self, words: Words, user: str) -> Iterator[Words]:
        """Show a request to those who may see it in Slack as well."""
        person, request = self._person(user), self._request(words)
        check_may_see(self._deps.pinned(), request, Caller(person, user, SHELL))
        yield request_message(request)
        yield end_message("", DONE)

    def _own_state(self, _: Words, __: str) -> Iterator[Words]:
        """The bot's own state. Everybody may ask for it, because a health check has no account."""
        state = self._state()
        open_stages = frozenset(stage for stage in Stage if not stage.is_final)
        seen = {
            "version": __version__,
            "ready": state.is_ready,
            "mode": self._deps.in_force.policy.mode,
            "slack": state.slack,
            "why": [*state.why],
            "open_requests": self._deps.store.count(Query(stages=open_stages)),
            "kill_switch": json_view.kill_switch(self._desk.kill_switch.state),
        }
        yield {"event": "state", "state": seen}
        yield end_message("", DONE if state.is_ready else FAILED)

    def _person(self, user: str) -> PersonId:
        person = self._deps.in_force.policy.people.get(user)
        if person is None:
            raise MaskbotError(
                f"The user {user} has no rights: `people:` in policy.yaml does not map them to a person."
            )
        return person

    def _answer(self, words: Words, user: str) -> Iterator[Words]:
        person = self._person(user)
        try:
            question = parse(Verb.MASK, str(words.get("text", "")), self._desk.places, self._desk.now)
        except UsageError as error:
            yield usage_error(error)
            return
        if isinstance(question, Question):
            with self._desk.asking(person):
                told = answer(self._deps.pinned(), question, Caller(person, user, SHELL))
            yield from (told, end_message("", DONE))
        else:
            yield end_message("This is not a query.", MISUSE)

    def _change(self, words: Words, user: str) -> Iterator[Words]:
        person = self._person(user)
        try:
            order = parse(Verb(words.get("verb", "")), str(words.get("text", "")), self._desk.places, self._desk.now)
        except (UsageError, ValueError) as error:
            yield usage_error(error)
            return
        if not isinstance(order, ChangeCommand):
            yield end_message("Name a host and a unit, as in `maskbot mask web-01 cron`.", MISUSE)
            return
        ask = Ask(
            order.change,
            person,
            user,
            SHELL,
            order.reason,
            break_glass=order.break_glass,
            console_works=order.console_works,
            selection=order.selection,
        )
        if mask := self._desk.slow_stops.withdraw_instead(order.change, by=person):
            yield request_message(self._desk.request(mask.id))
            yield end_message(replies.withdrawn_mask(mask), DONE)
            return
        request = self._desk.submit(ask, key=_key(words, user), code=order.code)
        yield from self._follow(request, to_its_end=bool(words.get("wait", True)))

    def _switch(self, words: Words, user: str) -> Iterator[Words]:
        """Freeze or thaw new masks, and wait for the result."""
        person, key = self._person(user), _key(words, user)
        try:
            order = parse(Verb.MASK, str(words.get("text", "")), self._desk.places, self._desk.now)
        except UsageError as error:
            yield usage_error(error)
            return
        if not isinstance(order, SwitchCommand):
            yield end_message("Use `maskbot freeze REASON` or `maskbot thaw`.", MISUSE)
            return
        switch(self._desk, Caller(person, user, SHELL, key), order)
        while (heard := self._desk.kill_switch.result(key)) is None:
            yield from self._pause()
        yield end_message(heard.text, DONE if heard.is_done else FAILED)

    def _follow(self, request: Request, *, to_its_end: bool = True) -> Iterator[Words]:
        """Report every stage of a request, until it is final."""
        yield request_message(request)
        while to_its_end and not request.stage.is_final:
            yield from self._pause()
            newer = self._desk.request(request.id)
            if newer.version != request.version:
                request = newer
                yield request_message(request)
        yield end_message("", DONE if _is_as_asked(request) or not request.stage.is_final else FAILED)

    def _pause(self) -> Iterator[Words]:
        """Wait; the write to the caller shows whether they are still there."""
        self._wait()
        yield BEAT

    def _wait(self) -> None:
        self._deps.clock.wait(_POLL)

    def _request(self, words: Words) -> Request:
        request_id = str(words.get("id", ""))
        try:
            return self._deps.store.get(request_id)
        except NoSuchRequest:
            raise MaskbotError(f"There is no request `{request_id[:40]}`.") from None

    def _vote(self, words: Words, user: str) -> Iterator[Words]:
        """Record a vote on the plan that the voter was shown, and wait until it is counted or refused.

        A vote that names no plan is refused, as in Slack: nobody approves what was not shown.
        """
        person, request, digest = self._person(user), self._request(words), str(words.get("plan", ""))
        try:
            verdict = Verdict(str(words.get("verdict", "")))
        except ValueError:
            yield end_message("Use `maskbot approve ID` or `maskbot deny ID`.", MISUSE)
            return
        reason, works = str(words.get("reason", "")), bool(words.get("console_works"))
        command = VoteCommand(verdict, digest, None, reason, works, code=str(words.get("code", "")))
        self._desk.vote(request.id, command, Caller(person, user, SHELL))
        while True:
            request = self._desk.request(request.id)
            own = (vote for vote in request.votes if vote.voter == person)
            mine = next((vote for vote in own if vote.digest.startswith(digest)), None)
            if mine and mine.tally is Tally.REFUSED:
                yield end_message(mine.reason, FAILED)
                return
            if mine and mine.tally is Tally.COUNTED and verdict is Verdict.DENY:
                yield request_message(request)
                yield end_message("", DONE)  # the denied request failed, but the denial did not
                return
            if mine and mine.tally is Tally.COUNTED:
                yield from self._follow(request, to_its_end=bool(words.get("wait")))
                return
            yield from self._pause()

    def _followup(self, words: Words, user: str) -> Iterator[Words]:
        """Record a followup, and wait until it is granted or refused."""
        person, request = self._person(user), self._request(words)
        caller = Caller(person, user, SHELL, _key(words, user))
        recorded = add_followup(self._desk, request, words, caller, self._deps.in_force.policy.people)
        for told in wait_for_answer(self._desk, self._wait, request, words, recorded):
            yield told
            if told["event"] == "end":
                return
        yield from self._follow(self._desk.request(request.id))

    def _withdraw(self, words: Words, user: str) -> Iterator[Words]:
        person, request = self._person(user), self._request(words)
        self._desk.withdraw(request.id, by=person)
        yield request_message(self._desk.request(request.id))
        yield end_message("", DONE)  # the request was withdrawn, as the caller wanted

    def _extend(self, words: Words, user: str) -> Iterator[Words]:
        """Ask for a later expiry of a mask, or for none, and follow that request."""
        person, request = self._person(user), self._request(words)
        asked = extend(self._desk, request, words, Caller(person, user, SHELL, _key(words, user)))
        yield from self._follow(asked, to_its_end=bool(words.get("wait", True)))


def _is_as_asked(request: Request) -> bool:
    """Whether the request did what it asked for; a rollout, on every target that belongs to its plan."""
    well = is_as_asked(request.rollout) if request.rollout else request.target.outcome in _GOOD
    return request.stage is Stage.DONE and well


def _key(words: Words, user: str) -> str:
    return f"shell:{user}:{words.get('key', '')}"
