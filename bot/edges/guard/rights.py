"""What root would do for a unit, asked while the script of a look runs, which reads it at its end."""

import os

from bot.edges.guard.frame import AGAIN
from bot.edges.guard.looks import RIGHTS_HEAD, looked
from bot.edges.guard.process import Ended, Refused
from bot.edges.guard.requests import PROTOCOL, Request
from bot.edges.guard.root_client import RootsHalf, Unanswered


def look_with_rights(request: Request, root: RootsHalf, from_where: str) -> Ended:
    """A full look. If root's half has to be started anew for it, so is the look."""
    asking = _Asking(root)
    done = asking.look(request, from_where)
    if not asking.is_begun:
        done = asking.look(request, from_where)
    return done


class _Asking:
    """Passes root's answer on to the script. Where there is none, the script finds no rights."""

    def __init__(self, root: RootsHalf) -> None:
        self._root = root
        self.is_begun = True

    def look(self, request: Request, from_where: str) -> Ended:
        """Run the script, and ask root."""
        rights, self._said = os.pipe()
        also = {}
        try:
            also[self._root.send(_check_of(request, from_where))] = self._read
        except Refused:
            self._pass_on(b"")
        try:
            return looked(request.words, "", from_where, rights, also)
        finally:
            os.close(rights)
            if self._said >= 0:  # the script did not wait for it
                self._root.close()
                os.close(self._said)

    def _read(self) -> bool:
        try:
            if self._root.read():
                return True
        except (Refused, Unanswered):
            self._root.close()
        answer = self._root.answer
        self.is_begun = answer is None or answer.code != AGAIN
        self._pass_on(answer.out if answer else b"")
        return False

    def _pass_on(self, text: bytes) -> None:
        os.write(self._said, RIGHTS_HEAD + text)
        os.close(self._said)
        self._said = -1


def _check_of(request: Request, from_where: str) -> bytes:
    """The request that asks root about a unit, whose name is checked there."""
    quoted = request.words[-1].replace("\\", "\\\\").replace('"', '\\"')
    asked = f'"protocol": {PROTOCOL}, "id": "{request.id}", "do": ["check", "{quoted}"]'
    return f'{{{asked}, "connection": "{from_where}"}}'.encode()
