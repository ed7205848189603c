"""What root does for a request: a change and the look after it, or a look at a user's own manager."""

import os
import pwd
import resource
import time
from collections.abc import Sequence

from bot.core.systemd.host_rules import GUARD
from bot.edges.guard.changes import Changes
from bot.edges.guard.frame import AGAIN, NAME, VERSION
from bot.edges.guard.journal import Note
from bot.edges.guard.logins import NoManager, check_manager, check_user
from bot.edges.guard.looks import looked, rights_to_read
from bot.edges.guard.process import REFUSED, Ended, Limit, Refused, write_all
from bot.edges.guard.requests import DECIDES, PROTOCOL, Request, Requests
from bot.edges.guard.rules import rules
from bot.edges.guard.serving import answer_all
from bot.edges.guard.settings import Settings, state_of
from bot.edges.guard.units import Manager

FLOOR: "tuple[str, ...]" = ()
FOLDERS: "dict[str, tuple[str, ...]]" = {}
_ASKS_ONLY = ("check", "rules")
_OF_A_USER = ("look", "status")

_ROOTS_IDLE, _ROOTS_LIFE, _ROOTS_MOST = 120.0, 300.0, 500
"""Seconds and requests; the login's half ends earlier when it is idle, and otherwise starts another one."""

_NO_LIMIT = resource.RLIM_INFINITY
_LEAST = {
    resource.RLIMIT_CPU: _NO_LIMIT, resource.RLIMIT_FSIZE: _NO_LIMIT, resource.RLIMIT_AS: _NO_LIMIT,
    resource.RLIMIT_DATA: _NO_LIMIT, resource.RLIMIT_NOFILE: 1024, resource.RLIMIT_STACK: 8388608,
}  # fmt: skip

_BINDING = (
    GUARD, "/etc/sudoers", "/etc/sudoers.d", "/etc/sudoers-rs", "/etc/sudoers-rs.d", "/etc/doas.conf",
    "/usr/local/etc/doas.conf", "/etc/passwd", "/etc/group", "/etc/shadow",
)  # fmt: skip
"""What lets the login call root's half. Where that has changed, sudo or doas decides anew."""


def serve_root() -> int:
    """Greet, and answer until nobody asks any more."""
    half = _Server()
    write_all(1, f"{NAME} {PROTOCOL} {VERSION} is ready\n".encode())
    return answer_all(Requests(_ROOTS_IDLE, 2 * _ROOTS_LIFE), half.answer, half.renew)


def lift_limits() -> bool:
    """sudo hands on the limits of whoever calls it (ulimit), which would end a change before it is remembered.

    Whether none is left: a root without CAP_SYS_RESOURCE cannot lift them.
    """
    try:
        for one, least in _LEAST.items():
            soft, hard = resource.getrlimit(one)
            if _is_below(soft, least):
                resource.setrlimit(one, (least, least if _is_below(hard, least) else hard))
    except (OSError, ValueError):
        return False
    return True


def _is_below(limit: int, least: int) -> bool:
    return limit != _NO_LIMIT and (least == _NO_LIMIT or limit < least)


class _Server:
    """Lists, settings and memory are read for each request; only who made the connection's other end is kept."""

    def __init__(self) -> None:
        self._began = state_of(_BINDING)
        self._end = time.monotonic() + _ROOTS_LIFE
        self._left = _ROOTS_MOST
        self._is_limited = not lift_limits()

    def renew(self) -> None:
        """Nothing is to be done before a request is read."""

    def answer(self, request: Request, _line: bytes, settings: Settings) -> Ended:
        """Serve one request, or have another half begin it."""
        self._left -= 1
        if self._left < 0 or time.monotonic() > self._end or state_of(_BINDING) != self._began:
            return Ended(AGAIN, b"", f"{NAME}: another one has to begin this\n".encode())
        _check_caller(settings)
        if self._is_limited:
            raise Refused("the limits of whoever calls it (ulimit) may end it half-way, and cannot be lifted")
        Limit.is_look = request.verb in _ASKS_ONLY
        if request.verb == "rules":
            return rules(settings, (*FLOOR, *settings.critical), request.connection)
        if request.is_look:
            return _look_at_user(request, settings)
        if request.user:
            check_user(request.user, settings.users)
        done = _change(request, settings, request.words)
        if request.then and request.user and done.code != REFUSED:
            done.look = looked(["look", request.then, request.about], request.user, "").out
        return done


def _change(request: Request, settings: Settings, words: "Sequence[str]") -> Ended:
    home, uid = check_manager(request.user) if request.user else ["", ""]
    kind = "user" if request.user else "system"
    folders = [folder.replace("$home", home).replace("$uid", uid) for folder in FOLDERS[kind]]
    critical = (*FLOOR, *settings.critical)
    manager, note = Manager(request.user, folders), Note(request.note)
    with Changes(manager, settings, critical, note, request.connection) as changes:
        done: Ended = getattr(changes, words[0].replace("-", "_"))(*words[1:])
    return done


def _look_at_user(request: Request, settings: Settings) -> Ended:
    """A look at a user's own manager; a full one also says what may be done there."""
    if request.verb not in _OF_A_USER or not request.user:
        raise Refused("root is not needed for that")
    try:
        check_manager(request.user)
    except NoManager as why:  # anybody may know, and it is said first
        return Ended(0, f"@maskbot-look 1\n@failed\n{why.code}\n@end\n".encode(), b"")
    check_user(request.user, settings.users)
    if request.words[1] not in DECIDES:
        return looked(request.words, request.user, request.connection)
    rights = rights_to_read(_change(request, settings, ["check", request.words[-1]]).out)
    try:
        return looked(request.words, request.user, request.connection, rights)
    finally:
        os.close(rights)


def _check_caller(settings: Settings) -> None:
    """Raises `Refused` unless sudo or doas names the bot's login."""
    uid = os.environ.get("SUDO_UID", "")
    login = pwd.getpwuid(int(uid)).pw_name if uid.isdigit() else os.environ.get("DOAS_USER", "")
    if login != settings.login:
        raise Refused(f"{login or 'nobody'} is not the login that it serves")
