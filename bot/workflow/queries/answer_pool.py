"""Answer questions in the background: a few at a time, and two of each person."""

import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import structlog

from bot.core.cards import plain
from bot.core.cards.blocks import Text
from bot.core.cards.forms import text_modal
from bot.core.input.grammar import Question, QuestionKind
from bot.core.people.identity import Caller, PersonId, Place
from bot.core.requests import Request
from bot.errors import MaskbotError, UsageError
from bot.workflow.process.deps import Deps
from bot.workflow.process.per_person import AtOnce
from bot.workflow.queries.answers import all_about
from bot.workflow.queries.many_targets import answer_any, plan

log = structlog.get_logger()
_QUESTIONS, _SENTENCES = 2, 5  # of one person, or for one, that wait or are being dealt with


class AnswerPool:
    """Find answers in the background, a few at a time, and send each to its asker alone.

    Each person may have two questions in the queue, so that nobody's flood delays an answer to another.
    """

    def __init__(self, deps: Deps, *, workers: int = 6) -> None:
        self._deps = deps
        self._ending = threading.Event()
        self._questions, self._sentences = AtOnce(_QUESTIONS), AtOnce(_SENTENCES)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="answer")

    def answer(self, question: Question, who: Caller) -> None:
        """Answer later: to the asker alone; a plan to everybody, where the change could be requested.

        Raises `UsageError` for a third question before the first is answered.
        """
        if question.word is QuestionKind.PLAN:
            self._later(who, lambda: self._plan(question, who))
        else:
            self._later(who, lambda: answer_any(self._deps.pinned(), question, who))

    def _plan(self, question: Question, who: Caller) -> Text | None:
        """What approvers would see, where they would see it; a refusal goes to the asker alone."""
        text, is_refused = plan(self._deps.pinned(), question, who)
        if is_refused:
            return text
        self._deps.channel.post(who.place, text, mark=f"plan:{secrets.token_hex(8)}")
        return None

    def details(self, request: Request, who: Caller, *, form: str = "") -> None:
        """Show later all there is about a request, in an open form if there is one. Raises `UsageError` as `answer`."""
        self._later(who, lambda: all_about(self._deps.pinned(), request, who), form=form)

    def whisper(self, place: Place, to: str, text: str) -> None:
        """Send a sentence to one person later. Of many sentences to one person at once, the last are dropped."""
        who = Caller(PersonId("", to), "", place)
        if self._sentences.begin(who.id):
            self._pool.submit(self._tell, who, lambda: plain(text), "", self._sentences)
        else:
            log.info("sentence dropped", to=to)

    def later(self, job: Callable[[], None]) -> None:
        """Run something in the background as soon as a thread is free."""
        self._pool.submit(_logged, job)

    @property
    def is_ending(self) -> bool:
        """Whether background work has to finish now."""
        return self._ending.is_set()

    def close(self) -> None:
        """Finish the answers in progress and stop."""
        self._ending.set()
        self._pool.shutdown(wait=True)

    @contextmanager
    def asking(self, person: PersonId) -> Iterator[None]:
        """While whoever called this answers a question: it counts as one of the person's two. Raises `UsageError`."""
        self._begin(person)
        try:
            yield
        finally:
            self._questions.end(person)

    def _begin(self, person: PersonId) -> None:
        if not self._questions.begin(person):
            raise UsageError("You have two questions that are not answered yet. Wait for an answer, then ask again.")

    def _later(self, who: Caller, find: Callable[[], Text | None], *, form: str = "") -> None:
        self._begin(who.id)
        self._pool.submit(self._tell, who, find, form, self._questions)

    def _tell(self, who: Caller, find: Callable[[], Text | None], form: str, counted: AtOnce) -> None:
        try:
            self._find_and_say(who, find, form)
        finally:
            counted.end(who.id)

    def _find_and_say(self, who: Caller, find: Callable[[], Text | None], form: str) -> None:
        """Send the answer, unless it was sent already."""
        try:
            text = find()
        except MaskbotError as error:
            text = plain(str(error))
        except Exception:
            log.exception("no answer", asker=who.id.user)
            self._deps.liveness.count_render_failure("answer")
            text = plain("Something went wrong in the bot; nothing was changed. The error is in its log.")
        try:
            if text:
                self._say(who, text, form)
        except MaskbotError as error:
            log.warning("answer not delivered", asker=who.id.user, why=str(error))

    def _say(self, who: Caller, text: Text, form: str) -> None:
        if form:
            self._deps.channel.show(form, text_modal(text), user=who.id.user)
        else:
            self._deps.channel.whisper(who.place, who.id.user, text)


def _logged(job: Callable[[], None]) -> None:
    try:
        job()
    except Exception:
        log.exception("background work failed")
