"""The login's half from its start to its end: scripts stand in place of looks, of sudo, and of the guard of later."""

import json
import marshal
import os
import select
import signal
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

from bot.edges.guard import looks, main, requests, serving, settings
from bot.edges.guard.process import REFUSED, begin_request
from tests.edges.guard.roots_half import StandIn
from tests.edges.guard.streams import Answer, Ends, streams

FROM = "192.0.2.1 22 ::2 9"


@pytest.fixture(autouse=True)
def guard(roots_folder: Path, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The program itself, which may be replaced, in a folder with all that is root's."""
    path = roots_folder / "guard"
    for module in (serving, main):
        monkeypatch.setattr(module, "GUARD", str(path))
    monkeypatch.setattr(settings, "CONFIGURATION", str(roots_folder / "guard.conf"))
    monkeypatch.setattr(main, "FOLDER", str(roots_folder / "state" / "here"))
    script = 'echo "$0 $SSH_CONNECTION $*"'
    monkeypatch.setattr(looks, "SCRIPTS", {"look": script, "status": script, "scan": script, "units": f"echo >>{path}"})
    for module in (looks, requests):
        monkeypatch.setattr(module, "SIZES", ("short", "full", "acting"))
    monkeypatch.setenv("SSH_CONNECTION", FROM)
    monkeypatch.setenv("SSH_ORIGINAL_COMMAND", "whatever")
    path.write_text("#!/bin/sh\nexit 1\n")
    path.chmod(0o755)
    (roots_folder / "guard.conf").write_text("login: maskbot\n")
    stand_in.serves("root's")
    yield path
    begin_request()


def line(*words: str, identity: str = "a1", **more: str) -> bytes:
    return json.dumps({"protocol": 1, "id": identity, "do": words, **more}).encode()


def asked(*words: str, **more: str) -> Answer:
    return answered(line(*words, **more))


def answered(given: bytes) -> Answer:
    with streams(given + b"\n", ends=True) as others:
        main._Login().serve()
        (answer,) = others.answers()
        return answer


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("look", "short", "cron.service"), f"maskbot-look {FROM} cron.service short \n"),
        (("status", "cron.service"), f"maskbot-status {FROM} cron.service \n"),
        (("scan",), f"maskbot-scan {FROM} \n"),
    ],
)
def test_looks_need_no_root(stand_in: StandIn, words: tuple[str, ...], said: str) -> None:
    assert asked(*words) == ("a1", 0, said, "", "")
    assert stand_in.begun == []


@pytest.mark.parametrize("size", ["full", "acting"])
def test_a_full_look_says_what_root_would_do(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, size: str) -> None:
    monkeypatch.setattr(looks, "SCRIPTS", {"look": 'echo "$*"; cat <&9'})
    assert asked("look", size, "cron.service")[2] == f"cron.service {size} \n@rights\nroot's"
    assert json.loads(stand_in.asked[0])["connection"] == FROM


@pytest.mark.parametrize(("said", "known"), [(FROM, FROM), ("$(id)", ""), (None, "")])
def test_what_sshd_says_of_the_connection_is_passed_on(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, said: str | None, known: str
) -> None:
    monkeypatch.delenv("SSH_CONNECTION")
    if said:
        monkeypatch.setenv("SSH_CONNECTION", said)
    assert asked("scan")[2] == f"maskbot-scan {known} \n"
    asked("reload")
    assert json.loads(stand_in.asked[0])["connection"] == known


@pytest.mark.parametrize(
    ("words", "more"),
    [
        (("stop", "cron.service"), {}),
        (("stop", "mine.service"), {"user": "deploy", "then": "short", "about": "mine.service"}),
        (("look", "full", "mine.service"), {"user": "deploy"}),
        (("status", "mine.service"), {"user": "deploy"}),
        (("rules",), {}),
    ],
)
def test_changes_and_all_about_a_user_s_own_manager_are_handed_to_root(
    stand_in: StandIn, words: tuple[str, ...], more: dict[str, str]
) -> None:
    given = line(*words, **more)
    assert answered(given + b" \r") == ("a1", 0, "root's", "", "")
    assert [json.loads(one) for one in stand_in.asked] == [{**json.loads(given), "connection": FROM}]


def test_a_look_follows_a_change_of_the_system_s_manager(stand_in: StandIn) -> None:
    then = {"then": "short", "about": "a.service"}
    look = f"maskbot-look {FROM} a.service short \n"
    assert asked("stop", "cron.service", **then) == ("a1", 0, "root's", "", look)
    stand_in.does("greet; take; answer 1 failed; take")
    assert asked("stop", "cron.service", **then) == ("a1", 1, "failed", "", look)
    stand_in.does(f"greet; take; answer {REFUSED} refused; take")
    assert asked("stop", "cron.service", **then) == ("a1", REFUSED, "refused", "", "")


def test_it_says_where_no_command_was_forced(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_ORIGINAL_COMMAND")
    assert asked("rules")[2] == "root'sshell the key that the bot uses\n"
    assert asked("reload")[2] == "root's"
    stand_in.does("greet; take; answer 1 no; take")
    assert asked("rules")[2] == "no"


def test_it_becomes_root_as_root_has_set_it(guard: Path, stand_in: StandIn) -> None:
    guard.with_name("guard.conf").write_text("login: maskbot\nbecome: doas\n")
    answer = asked("reload")
    assert (answer[1], answer[3]) == (REFUSED, "maskbot-guard: there is no doas on this host\n")
    assert stand_in.begun == []


def test_what_was_sent_to_a_guard_that_is_replaced_is_not_done(stand_in: StandIn) -> None:
    given = b"\n".join([line("units"), line("reload", identity="a2"), b"what is this", b""])
    with streams(given, ends=True) as others:
        assert main._Login().serve() == REFUSED
        first, second, _ = others.answers()
    said = "maskbot-guard: it was replaced meanwhile, and cannot go on\n"
    assert (first[1], second) == (0, ("a2", REFUSED, "", said, ""))
    assert stand_in.begun == []


@contextmanager
def running(do: Callable[[], object]) -> Iterator[Ends]:
    """In a process of its own, which goes with the test."""
    with streams() as others:
        pid = os.fork()
        if not pid:
            with suppress(BaseException):
                do()
            os._exit(99)
        try:
            yield others
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def code_of(do: Callable[[], object], given: bytes = b"") -> tuple[int, bytes]:
    """How it ends, and what it says."""
    with streams(given, ends=True) as others:
        pid = os.fork()
        if not pid:
            with suppress(BaseException):
                do()
            os._exit(99)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return code, others.said()


def next_answer(others: Ends) -> Answer:
    assert select.select([others.outward], [], [], 30)[0]
    (answer,) = others.answers()
    return answer


def test_a_guard_that_was_replaced_lets_the_new_one_answer(guard: Path, stand_in: StandIn) -> None:
    with running(lambda: main._Login().serve()) as others:
        os.write(others.inward, line("reload") + b"\n")
        assert next_answer(others)[2] == "root's"
        answers = "printf 'maskbot-guard 1 9 a2 0 %s 0 0\\n%s' ${#SSH_CONNECTION} \"$SSH_CONNECTION\""
        new = f"#!/bin/sh\nread -r line\n{answers}\n"
        guard.with_name("new").write_text(new)
        guard.with_name("new").chmod(0o755)
        guard.with_name("new").rename(guard)
        os.write(others.inward, line("reload", identity="a2") + b"\n")
        assert next_answer(others) == ("a2", 0, FROM, "", "")
    assert len(stand_in.asked) == 1


def test_one_that_cannot_be_run_answers_nothing_and_lets_root_s_half_go(guard: Path, stand_in: StandIn) -> None:
    stand_in.does(f"greet; while take; do chmod 644 {guard}; echo >>{guard}; answer 0 once; done")
    with streams(line("reload") + b"\n", ends=True) as others:
        login = main._Login()
        login.serve()
        assert others.answers()[0][2] == "once"
        assert login._root._running == []


ROOTS_PART = "from bot.edges.guard.process import Gone\nfrom bot.edges.guard.root_client import Unanswered\nimport os\n"


def as_root(monkeypatch: pytest.MonkeyPatch, serves: str) -> None:
    monkeypatch.setattr(main, "ROOTS_PART", f"{ROOTS_PART}def serve_root():\n    {serves}\n")


def test_as_root_it_serves_as_root_s_half_and_what_it_makes_is_root_s_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    as_root(monkeypatch, "return os.umask(0)")
    assert code_of(main.main) == (0o077, b"")


def test_as_anybody_else_it_serves_as_the_login_s_half(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "SCRIPTS", {"scan": "id -u"})
    monkeypatch.setattr(main, "ROOTS_PART", "def serve_root():\n    return 3")

    def begin() -> None:
        os.setuid(65534)
        main.main()

    code, said = code_of(begin, line("scan") + b"\n")
    assert (code, said.partition(b"\n")[2]) == (0, b"65534\n")
    assert code_of(begin)[0] == REFUSED


@pytest.mark.parametrize("why", ["Gone", "Unanswered", "OSError"])
def test_where_there_is_no_answer_it_only_ends(monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    as_root(monkeypatch, f"raise {why}")
    assert code_of(main.main) == (REFUSED, b"")


@pytest.fixture
def kept(guard: Path) -> Path:
    return guard.parent / "state" / "here" / f"code-{sys.implementation.cache_tag}"


def read(path: Path) -> object:
    return marshal.loads(path.read_bytes())  # noqa: S302 - this test has written it


def served(code: CodeType) -> object:
    found: dict[str, Any] = {}
    FunctionType(code, found)()
    return found["serve_root"]()


def test_root_s_part_is_compiled_once_and_kept(kept: Path, guard: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_root(monkeypatch, "return 7")
    code = main._roots_part()
    assert (served(code), code.co_filename) == (7, f"{guard} (root)")
    assert read(kept) == (main.ROOTS_PART, code)
    assert [*kept.parent.iterdir()] == [kept]
    assert (stat.S_IMODE(kept.stat().st_mode), stat.S_IMODE(kept.parent.stat().st_mode)) == (0o600, 0o700)
    other = compile("def serve_root():\n    return 8\n", "other", "exec")
    kept.write_bytes(marshal.dumps((main.ROOTS_PART, other)))
    assert served(main._roots_part()) == 8
    as_root(monkeypatch, "return 9")
    assert served(main._roots_part()) == 9
    assert served(main._roots_part()) == 9


@pytest.mark.parametrize(
    "spoilt", [b"", b"no", marshal.dumps(7), marshal.dumps((1, 2, 3)), marshal.dumps(("a", "b", "c"))[:-2]]
)
def test_what_is_kept_and_spoilt_is_made_anew(kept: Path, monkeypatch: pytest.MonkeyPatch, spoilt: bytes) -> None:
    as_root(monkeypatch, "return 7")
    main._roots_part()
    kept.with_name(f"{kept.name}.new").write_text("x" * 10_000)  # left by one that was killed
    kept.write_bytes(spoilt)
    assert served(main._roots_part()) == 7
    assert read(kept) == (main.ROOTS_PART, main._roots_part())


def test_nothing_is_read_that_others_can_write_and_nothing_written_through_a_link(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_root(monkeypatch, "return 7")
    main._roots_part()
    theirs = compile("def serve_root():\n    return 8\n", "theirs", "exec")
    kept.write_bytes(marshal.dumps((main.ROOTS_PART, theirs)))
    kept.chmod(0o666)
    assert served(main._roots_part()) == 7
    kept.unlink()
    kept.with_name(f"{kept.name}.new").symlink_to(kept.with_name("theirs"))
    assert served(main._roots_part()) == 7, "as where nothing can be written at all"
    assert not kept.with_name("theirs").exists()
    kept.mkdir()
    assert served(main._roots_part()) == 7, "and where nothing can be read"
