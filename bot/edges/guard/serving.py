"""Answer one request after another: what both halves of the guard have in common."""

from collections.abc import Callable

from bot.core.systemd.host_rules import GUARD
from bot.edges.guard.frame import AGAIN, refusal, write_answer
from bot.edges.guard.process import Ended, Gone, Refused, begin_request
from bot.edges.guard.requests import NoRequest, Request, Requests, identity_of, parse
from bot.edges.guard.root_client import Unanswered
from bot.edges.guard.settings import Settings, open_owned, read_settings


def answer_all(
    requests: Requests, serve: "Callable[[Request, bytes, Settings], Ended]", renew: "Callable[[], None]"
) -> int:
    """Answer each in one frame, never with a traceback; returns the last exit code. `renew` is called before each.

    Raises `Gone`, `Unanswered` or `OSError` where there is no answer.
    """
    code = 0
    answered: set[str] = set()
    while requests.wait():
        renew()
        begin_request()
        answer = _Answer(requests)
        if answer.is_needed(serve, answered):
            write_answer(answer.done, answer.asked)
            code = answer.done.code
        if answer.is_last:
            break
    return code


class _Answer:
    """The answer to the next request."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        self.asked = "-"
        self.done: Ended
        self.is_last = False

    def is_needed(self, serve: "Callable[[Request, bytes, Settings], Ended]", answered: "set[str]") -> bool:
        """Serve it, if it is one and not the end of all."""
        try:
            line = self._requests.take()
            if not line and self._requests.is_over:
                self.done = refusal("nothing was asked")
                return not answered
            self._serve(line, serve, answered)
        except NoRequest as why:
            self.done, self.is_last = refusal(why), True
        except Refused as why:
            self.done = refusal(why)
        return True

    def _serve(self, line: bytes, serve: "Callable[[Request, bytes, Settings], Ended]", answered: "set[str]") -> None:
        found = parse(line)
        self.asked = identity_of(found, answered)
        try:
            open_owned(GUARD).close()
            self.done = serve(Request(found, self.asked), line, read_settings())
        except (Refused, Gone, Unanswered):
            raise
        except Exception as error:
            self.done = refusal(f"{type(error).__name__} in the guard, nothing was answered")
            self.is_last = True
        self.is_last = self.is_last or self.done.code == AGAIN
