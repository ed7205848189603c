"""The part that runs as the bot's login: it does its looks, and hands the rest to root's half."""

import marshal
import os
import sys
from types import CodeType

from bot.core.systemd.host_rules import GUARD
from bot.edges.guard.looks import looked
from bot.edges.guard.process import REFUSED, Ended, Gone, Refused
from bot.edges.guard.requests import DECIDES, Request, Requests, connection
from bot.edges.guard.rights import look_with_rights
from bot.edges.guard.root_client import RootsHalf, Unanswered
from bot.edges.guard.serving import answer_all
from bot.edges.guard.settings import FOLDER, Settings, open_owned, state_of

ROOTS_PART = ""

_IDLE, _LIFE = 90.0, 400.0
"""Seconds. The bot closes its connections earlier, so that no request meets a guard that is ending."""


def main() -> None:
    """Serve as root's half or as the login's, until nobody asks any more."""
    try:
        os.umask(0o077)
        code = _serve_as_root() if os.geteuid() == 0 else _Login().serve()
    except (Gone, Unanswered, OSError):  # nobody waits any more, or nobody can tell what was done
        code = REFUSED
    os._exit(code)


class _Login:
    """The login's half, with root's half once that is needed."""

    def __init__(self) -> None:
        self._requests = Requests(_IDLE, _LIFE)
        self._began = state_of([GUARD])
        self._root = RootsHalf()
        self._from_where = connection(os.environ.get("SSH_CONNECTION", ""))  # sudo and doas do not pass it on

    def serve(self) -> int:
        """Answer all requests of this conversation."""
        return answer_all(self._requests, self._answer, self._renew)

    def _renew(self) -> None:
        """If the guard was replaced, the new one answers from now on."""
        self._is_replaced = state_of([GUARD]) != self._began
        if self._is_replaced and self._requests.is_unread:
            self._root.close()
            try:  # noqa: SIM105 - contextlib takes time to load
                os.execve(GUARD, [GUARD], dict(os.environ))  # noqa: S606 - no shell is wanted
            except OSError:
                pass  # it is gone, or cannot be run

    def _answer(self, request: Request, line: bytes, settings: Settings) -> Ended:
        """Looks need no rights; the rest is handed to root, and so is what a user's own manager is asked."""
        if self._is_replaced:
            raise Refused("it was replaced meanwhile, and cannot go on")
        self._root.by_doas = settings.by_doas
        if request.is_look and not request.user:
            return self._look(request)
        done = self._root.ask(line.rstrip()[:-1] + f', "connection": "{self._from_where}"}}'.encode())
        if request.then and not request.user and done.code != REFUSED:
            done.look = looked(["look", request.then, request.about], "", self._from_where).out
        if request.verb == "rules" and done.code == 0 and "SSH_ORIGINAL_COMMAND" not in os.environ:
            done.out += b"shell the key that the bot uses\n"  # sshd says so only where it forces a command
        return done

    def _look(self, request: Request) -> Ended:
        """A full look also says what root would do for the unit."""
        if request.words[0] == "look" and request.words[1] in DECIDES:
            return look_with_rights(request, self._root, self._from_where)
        return looked(request.words, "", self._from_where)


def _serve_as_root() -> int:
    """The part of root, which is read only now: for looks it would cost more than Python's own start."""
    exec(_roots_part(), globals())  # noqa: S102 - text of this program
    code: int = globals()["serve_root"]()
    return code


def _roots_part() -> "CodeType":
    """The part of root, compiled; kept in root's own folder together with its text, for compiling takes 9 ms."""
    path = f"{FOLDER}/code-{sys.implementation.cache_tag}"
    try:
        with open_owned(path) as file:
            text, code = marshal.loads(file.read())  # noqa: S302 - only root can have written it
        if text == ROOTS_PART:
            return code  # type: ignore[no-any-return]
    except (Refused, OSError, ValueError, EOFError, TypeError):
        pass  # there is none yet, or one of another version
    code = compile(ROOTS_PART, f"{GUARD} (root)", "exec")
    try:
        os.makedirs(FOLDER, 0o700, exist_ok=True)
        descriptor = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(marshal.dumps((ROOTS_PART, code)))
        os.rename(f"{path}.new", path)
    except OSError:
        pass  # as on a full disk: it is compiled again the next time
    return code


if __name__ == "__main__":
    main()
