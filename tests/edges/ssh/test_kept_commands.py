"""A command that answers one request after another over the same channel, against a real sshd."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.hosts.inventory import Host
from bot.edges.ssh.hosts import SshHosts, SshLimits
from bot.errors import OutcomeUnknown
from tests.edges.ssh_server import Cable, Sshd, eventually, sshd
from tests.plugins.fault_table import was_read

SHORT = SshLimits(connect=2.0, banner=2.0, key_exchange=4.0, auth=6.0, channel=2.0)
Starting = Callable[..., Sshd]
# It answers each line with its length and the line itself, and notes what it read. Some words make it misbehave.
CHATTING = """\
echo started >>{notes}
while read -r line; do
  echo "$line" >>{notes}
  case $line in
    die) exit 3 ;;
    wait) until [ -e {gate} ]; do sleep 0.05; done; printf '%s\\n%s' 4 wait ;;
    surplus) printf '2\\nabc' ;;
    garbage) echo nonsense ;;
    flood) head -c 300000 /dev/zero ;;
    afterwards) printf '2\\nok'; sleep 0.2; printf unasked; touch {gate} ;;
    *) printf '%s\\n%s' "${{#line}}" "$line"; echo noise >&2 ;;
  esac
done
"""


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Starting]:
    with ExitStack() as stack:
        yield lambda *settings: stack.enter_context(sshd(tmp_path, *settings))


class Chat:
    """The bot's side of such a command."""

    def __init__(self, server: Sshd, hosts: SshHosts) -> None:
        self.server, self._hosts = server, hosts
        self._notes, self.gate = server.folder / "notes", server.folder / "gate"
        self._script = CHATTING.format(notes=self._notes, gate=self.gate)

    def ask(self, line: str, *, host: Host | None = None, deadline: float = 10) -> str:
        words = ("sh", "-c", self._script)
        return self._hosts.run(
            host or self.server.host, words, given=f"{line}\n".encode(), deadline=deadline, size=said_size
        ).stdout

    def fails(self, line: str, *, host: Host | None = None, deadline: float = 10) -> str:
        with pytest.raises(OutcomeUnknown) as unknown:
            self.ask(line, host=host, deadline=deadline)
        assert unknown.value.__context__ is None
        return was_read(str(unknown.value))

    @property
    def notes(self) -> list[str]:
        return self._notes.read_text().split() if self._notes.exists() else []

    @property
    def starts(self) -> int:
        return self.notes.count("started")


def said_size(said: bytes) -> int:
    head, newline, _ = said.partition(b"\n")
    return len(head) + 1 + int(head) if newline else 0


@contextmanager
def chatting(server: Sshd, limits: SshLimits = SHORT, now: Callable[[], float] | None = None) -> Iterator[Chat]:
    hosts = SshHosts(server.key_file, limits, now=now) if now else SshHosts(server.key_file, limits)
    try:
        yield Chat(server, hosts)
    finally:
        hosts.close()


def test_all_requests_go_to_one_command_in_one_session(own_server: Starting) -> None:
    with chatting(own_server("MaxSessions 1")) as chat:
        for word in ("one", "two", "three"):
            assert chat.ask(word) == f"{len(word)}\n{word}"
        assert chat.notes == ["started", "one", "two", "three"]
        assert chat.server.log.count("Starting session: command") == 1
        assert chat.server.logins() == 1


def test_another_command_ends_it_and_is_run_all_the_same(own_server: Starting) -> None:
    server = own_server("MaxSessions 1")
    with chatting(server) as chat:
        chat.ask("one")
        assert chat._hosts.run(server.host, ("echo", "other"), deadline=10).stdout == "other\n"
        assert chat.ask("two") == "3\ntwo"
    assert chat.notes == ["started", "one", "started", "two"]


def test_requests_at_the_same_time_have_connections_of_their_own(own_server: Starting) -> None:
    with chatting(own_server("MaxSessions 1")) as chat, ThreadPoolExecutor() as threads:
        waiting = [threads.submit(chat.ask, "wait") for _ in range(3)]
        eventually(lambda: chat.notes.count("wait") == 3)
        chat.gate.touch()
        assert [call.result() for call in waiting] == ["4\nwait"] * 3
        assert chat.server.logins() == 3
        assert chat.ask("again") == "5\nagain"
        assert chat.starts == 3


@pytest.mark.fault("F13", how="the guard's process ends while nobody asks it", saw="nothing: another one is started")
def test_one_that_ended_or_spoke_meanwhile_is_started_again(own_server: Starting) -> None:
    with chatting(own_server()) as chat:
        assert chat.ask("one") == "3\none"
        assert chat.ask("afterwards") == "2\nok"
        eventually(chat.gate.exists)
        time.sleep(0.2)  # until it has come
        assert chat.ask("two") == "3\ntwo", "what was said unasked belongs to no answer"
    assert chat.notes == ["started", "one", "afterwards", "started", "two"]


@pytest.mark.parametrize("word", ["surplus", "garbage", "die"])
@pytest.mark.fault("F16", how="a guard that answers nonsense, or ends instead of an answer")
def test_what_is_not_an_answer_leaves_the_outcome_unknown_and_ends_it(own_server: Starting, word: str) -> None:
    with chatting(own_server()) as chat:
        chat.ask("one")
        said = chat.fails(word)
        assert chat.ask("two") == "3\ntwo"
    expected = "what came back is not its answer." if word != "die" else "ended without an answer."
    assert said == f"web-01: the command was sent and {expected}"
    assert chat.notes == ["started", "one", word, "started", "two"], "no request is sent twice"


def test_an_answer_that_is_too_long_is_cut_off(own_server: Starting) -> None:
    with chatting(own_server(), replace(SHORT, output=200_000)) as chat:
        for _ in range(2):  # each answer has the whole limit
            chat.ask("x" * 150_000)
        assert chat.fails("flood").endswith("the host answered with more than 195 KiB.")


@pytest.mark.parametrize("word", ["surplus", "garbage", "die"])
def test_a_first_answer_that_does_not_say_how_long_it_is_goes_on_to_the_end(own_server: Starting, word: str) -> None:
    """It is a login shell's, or sshd's, that says why there is no guard."""
    with chatting(own_server()) as chat:
        assert chat.ask(word) == {"surplus": "2\nabc", "garbage": "nonsense\n", "die": ""}[word]
        assert chat.ask("two") == "3\ntwo"
    assert chat.notes == ["started", word, "started", "two"]


@pytest.mark.parametrize("ending", ["cut", "silent"])
@pytest.mark.fault(
    "F13",
    how="a cable that is cut, or goes silent, while the guard waits for a request",
    saw="nothing: the request is sent on another connection",
)
def test_a_connection_that_died_meanwhile_gets_no_request(own_server: Starting, ending: str) -> None:
    server = own_server()
    cable = Cable(server.host.port)
    host = replace(server.host, port=cable.port)
    with chatting(server) as chat:
        chat.ask("one", host=host)
        if ending == "cut":
            cable.cut()
        else:
            cable.pass_only(0)
        assert chat.ask("two", host=host) == "3\ntwo"
    cable.close()
    assert chat.notes == ["started", "one", "started", "two"]


@pytest.mark.fault("F14", how="a cable that loses the second request to a guard")
def test_a_request_that_is_lost_on_its_way_has_an_unknown_outcome(own_server: Starting) -> None:
    server = own_server()
    cable = Cable(server.host.port)
    host = replace(server.host, port=cable.port)
    with chatting(server) as chat:
        chat.ask("one", host=host)
        cable.pass_only(1)  # the host is seen to answer, and then the request never arrives
        said = chat.fails("two", host=host, deadline=0.3)
        assert said == "web-01: the command was sent and the host did not answer in 0.3 s."
        assert chat.ask("three", host=host) == "5\nthree"
    cable.close()
    assert chat.notes == ["started", "one", "started", "three"]


def test_a_deadline_ends_the_waiting_and_the_conversation(own_server: Starting) -> None:
    with chatting(own_server()) as chat:
        chat.ask("one")
        assert "did not answer in 0.3 s" in chat.fails("wait", deadline=0.3)
        chat.gate.touch()
        assert chat.ask("two") == "3\ntwo"
    assert chat.starts == 2


def test_it_ends_with_its_connection(own_server: Starting) -> None:
    clock = [0.0]
    with chatting(own_server(), now=lambda: clock[0]) as chat:
        for seconds in (0, 59, 118, 177, 236, 295):
            clock[0] = seconds
            chat.ask("one")
        assert chat.starts == 1
        clock[0] = 301
        chat.ask("two")
        assert (chat.starts, chat.server.logins()) == (2, 2)
        clock[0] = 362  # idle for longer than a minute
        chat.ask("three")
        assert chat.server.logins() == 3
