"""Several requests over one channel, and attacks on that: none may do more than it could over a channel of its own."""

import json
import threading
import time
from collections.abc import Callable

import pytest

from bot.core.systemd.host_rules import GUARD
from bot.edges.guard.settings import CONFIGURATION
from tests.edges.guard.asking import identity, request
from tests.edges.guard.talking import Talk, ask, talking
from tests.edges.guard.test_attacks import OWN, configured
from tests.edges.guard.test_changes import ETC
from tests.edges.ssh.looking import until
from tests.lab.hosts import LabHost
from tests.lab.rights import RIGHTS

pytestmark = pytest.mark.ssh


Guards = Callable[[], dict[str, str]]


@pytest.fixture
def guards(host: LabHost) -> Guards:
    """The guards of this test that run, by process id: the login's half and root's, with sudo between them."""

    def running() -> dict[str, str]:
        lines = [line.split(None, 1) for line in host.run("ps", "-e", "-o", "pid=,args=").stdout.splitlines()]
        return {pid: args for pid, args in lines if args.endswith(GUARD) and pid not in before}

    before: set[str] = set()
    before |= {*running()}  # other tests may keep some that wait
    return running


def masked(talk: Talk, host: LabHost, unit: str = "cron.service") -> str:
    for words in (("probe", "persistent"), ("stop", unit), ("link", "persistent", unit), ("reload",)):
        said = talk.ask(*words)
        assert (said.code, said.err) == (0, ""), (words, said)
    return identity(host, f"{ETC}/{unit}")


def test_a_mask_and_its_undo_take_one_start_of_the_guard_and_one_of_sudo(host: LabHost, guards: Guards) -> None:
    with talking(host) as talk:
        made = masked(talk, host)
        seen = talk.ask("look", "full", "cron.service")
        assert "\nLoadState=masked\n" in seen.out
        assert "\n@rights\nmask\n" in seen.out
        running = guards()
        for words in (("unlink", "persistent", "cron.service", made), ("reload",), ("start", "cron.service")):
            said = talk.ask(*words, then="short", about="cron.service")
            assert (said.code, said.look.startswith("@maskbot-look 1\n")) == (0, True), (words, said)
        assert guards() == running
        assert sum(args.startswith(f"/usr/bin/{RIGHTS.program}") for args in running.values()) == 1
    until(lambda: guards() == {})


def test_a_refusal_is_an_answer_and_the_next_request_is_served(host: LabHost) -> None:
    with talking(host) as talk:
        for words in (("stop", "ssh.service"), ("start", "cron.service"), ("add-wants", "x"), ("stop", "../x.service")):
            assert talk.ask(*words).is_refused
            assert talk.ask("check", "cron.service").code == 0
        assert talk.ask("stop", "indexer.service", user="root").is_refused
        assert talk.ask("stop", "cron.service").code == 0
        until(lambda: host.show("cron.service", "ActiveState") == {"ActiveState": "inactive"})


@pytest.mark.parametrize(
    "wrong", [b"garbage\n", b"\n", b"\0" * 50 + b"\n", b"[1]\n", b"x" * 20_000 + b"\n", b'{"id":1}\n']
)
def test_after_garbage_nothing_more_is_read(host: LabHost, wrong: bytes) -> None:
    with talking(host) as talk:
        assert talk.ask("check", "cron.service").code == 0
        talk.give(wrong + request("stop", "cron.service"))
        said = talk.answer()
        assert (said.is_refused, said.asked) == (True, "-"), said
        assert talk.ends()
    assert host.show("cron.service", "ActiveState") == {"ActiveState": "active"}


@pytest.mark.parametrize("more", [-200, 1])
def test_a_request_is_not_longer_than_its_bound_whatever_is_in_it(host: LabHost, more: int) -> None:
    """One that is right in all but its length, and one without an end. Root's half is told of the connection, too."""
    short = request("check", "cron.service", about="")
    long = short.replace(b'"about": ""', b'"about": "%s"' % (b"x" * (16 * 1024 + 1 + more - len(short))))
    with talking(host) as talk:
        said = talk.send(long)
        assert (said.is_refused, "too long" in said.err) == ((True, True) if more > 0 else (False, False)), said
    with talking(host) as talk:
        talk.give(b"x" * 17_000)
        assert "too long" in talk.answer().err


def test_a_request_that_was_answered_is_not_answered_again(host: LabHost) -> None:
    with talking(host) as talk:
        made = masked(talk, host)
        once = request("unlink", "persistent", "cron.service", made)
        assert talk.send(once).code == 0
        said = talk.send(once)
        assert (said.is_refused, "answered already" in said.err) == (True, True)
        assert talk.ends()
    with talking(host) as another:
        assert another.send(once).is_refused
        started = request("start", "cron.service")
        assert another.ask("reload").code == 0
        assert another.send(started).code == 0
    with talking(host) as third:
        assert third.send(started).is_refused


def test_requests_that_are_sent_ahead_are_served_one_after_the_other(host: LabHost) -> None:
    lines = [request("stop", "cron.service"), request("link", "persistent", "cron.service"), request("reload")]
    with talking(host) as talk:
        talk.give(b"".join(lines))
        said = [talk.answer() for _ in lines]
    assert [one.asked for one in said] == [json.loads(line)["id"] for line in lines]
    assert [one.code for one in said] == [0, 0, 0]
    assert host.show("cron.service", "LoadState", "ActiveState") == {"LoadState": "masked", "ActiveState": "inactive"}


def test_of_two_conversations_that_want_the_same_only_one_gets_it(host: LabHost) -> None:
    """Each link and each start is granted once, whoever asks."""
    with talking(host) as one, talking(host) as other:
        made = masked(one, host)
        assert other.ask("check", "cron.service").code == 0
        for words in (("link", "persistent", "cron.service"), ("unlink", "persistent", "cron.service", made)):
            assert sorted(at_once(one, other, *words)) == ([1, 1] if words[0] == "link" else [0, 64]), words
        assert one.ask("reload").code == 0
        assert sorted(at_once(one, other, "start", "cron.service")) == [0, 64]


def at_once(one: Talk, other: Talk, *words: str) -> list[int]:
    codes: list[int] = []
    threads = [threading.Thread(target=lambda talk=talk: codes.append(talk.ask(*words).code)) for talk in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return codes


def test_lists_of_the_host_bind_the_next_request(host: LabHost) -> None:
    with talking(host) as talk:
        assert "never" not in talk.ask("check", "cron.service").out
        with configured(host, f"{OWN}critical: cron.*\n"):
            assert "never cron.service is critical" in talk.ask("check", "cron.service").out
            assert talk.ask("stop", "cron.service").is_refused
        with configured(host, "login: deploy\n"):
            assert "is not the login that it serves" in talk.ask("stop", "cron.service").err
        host.run("chmod", "666", CONFIGURATION)
        spoiled = talk.ask("look", "short", "cron.service")
        host.run("chmod", "644", CONFIGURATION)
        assert "is not root's alone" in spoiled.err
        assert talk.ask("check", "cron.service").code == 0


def test_a_guard_that_was_replaced_answers_the_next_request_itself(host: LabHost, guards: Guards) -> None:
    program = host.run("cat", GUARD).stdout
    with talking(host) as talk:
        assert talk.ask("check", "cron.service").code == 0
        before = guards()
        host.write(GUARD, program.replace("'reload': 0", "'reload': 9").replace('"reload": 0', '"reload": 9'), 0o755)
        try:
            said = talk.ask("reload")
            assert talk.ask("check", "cron.service").code == 0
            host.write(GUARD, program, 0o755)
            host.run("chmod", "777", GUARD)
            spoiled = talk.ask("check", "cron.service")
        finally:
            host.write(GUARD, program, 0o755)
            host.run("chmod", "755", GUARD)
        assert talk.ask("reload").code == 0
        until(lambda: len(guards()) == len(before))  # the one that was replaced has ended
    assert "'reload' is not something that it does" in said.err
    assert "is not root's alone" in spoiled.err


def test_root_s_half_on_its_own_ends_when_the_guard_is_replaced(host: LabHost) -> None:
    """Whoever has the key can talk with root's half without the login's."""
    with talking(host, f"{RIGHTS.program} -n {GUARD}") as talk:
        assert talk.line().endswith(" is ready")
        asked = {"connection": "192.0.2.1 1 192.0.2.2 22"}
        assert talk.ask("check", "cron.service", **asked).code == 0
        assert talk.ask("stop", "ssh.service", **asked).is_refused
        assert talk.ask("look", "short", "cron.service", **asked).is_refused
        unknown = talk.ask("check", "cron.service", connection="127.0.0.1 1 127.0.0.1 22")
        assert "never it cannot be told which unit carries the bot's login" in unknown.out
        assert talk.ask("check", "cron.service").out.endswith("carries the bot's login\n"), "no connection is named"
        host.run("touch", GUARD)
        assert talk.ask("stop", "cron.service", **asked).code == 75
        assert talk.ends()
    assert host.show("cron.service", "ActiveState") == {"ActiveState": "active"}


def test_without_its_line_in_sudoers_the_next_change_is_refused_and_a_look_says_so(host: LabHost) -> None:
    line = host.run("cat", RIGHTS.file).stdout
    with talking(host) as talk:
        assert "\n@rights\nmask\n" in talk.ask("look", "full", "cron.service").out
        assert talk.ask("probe", "persistent").code == 0
        host.run("sh", "-c", f"echo '# nothing' >{RIGHTS.file}")
        try:
            refused = talk.ask("stop", "cron.service")
            seen = talk.ask("look", "full", "cron.service")
        finally:
            host.run("sh", "-c", f"cat >{RIGHTS.file}", given=line)
        assert (refused.is_refused, f"root was not reached: {RIGHTS.said_by}" in refused.err) == (True, True), refused
        assert "\n@rights\n@end\n" in seen.out
        assert talk.ask("stop", "cron.service").code == 0


def test_a_half_that_is_killed_while_nobody_asks_is_replaced(host: LabHost, guards: Guards) -> None:
    with talking(host) as talk:
        assert talk.ask("probe", "persistent").code == 0
        host.run("pkill", "-KILL", "-u", "root", "-f", f"python3 -IS {GUARD}")
        until(lambda: not any(RIGHTS.program in args for args in guards().values()))
        assert talk.ask("probe", "persistent").code == 0


def test_an_answer_of_root_that_is_lost_is_not_made_up(host: LabHost) -> None:
    """The memory is locked meanwhile, so that root's half is killed in the middle of a request."""
    with talking(host) as talk:
        assert talk.ask("stop", "restless.service").code == 0
        holds = ("flock", "/var/lib/maskbot-guard/lock", "sleep", "30")
        host.run("systemd-run", "--quiet", "--unit=holder", "--collect", *holds)
        try:
            until(lambda: host.run("flock", "-n", holds[1], "true").returncode == 1)
            talk.give(request("stop", "cron.service"))
            time.sleep(0.5)
            host.run("pkill", "-KILL", "-u", "root", "-f", f"python3 -IS {GUARD}")
            assert talk.ends()
        finally:
            host.run("systemctl", "stop", "holder")
    assert host.show("cron.service", "ActiveState") == {"ActiveState": "active"}


def test_a_change_is_finished_though_nobody_waits_for_it(host: LabHost, guards: Guards) -> None:
    """The channel is closed while it waits for its turn. A stop would not begin: the bot's login has ended."""
    holds = ("flock", "/var/lib/maskbot-guard/lock", "sleep", "30")
    with talking(host) as talk:
        made = masked(talk, host)
        host.run("systemd-run", "--quiet", "--unit=holder", "--collect", *holds)
        until(lambda: host.run("flock", "-n", holds[1], "true").returncode == 1)
        talk.give(request("unlink", "persistent", "cron.service", made))
        time.sleep(0.5)
    assert identity(host, f"{ETC}/cron.service") == made
    host.run("systemctl", "stop", "holder")
    until(lambda: identity(host, f"{ETC}/cron.service") == "")
    until(lambda: guards() == {})
    assert ask(host, "reload").code == 0
    assert ask(host, "start", "cron.service").code == 0


def test_a_request_that_stops_in_the_middle_ends_the_conversation(host: LabHost) -> None:
    with talking(host) as talk:
        assert talk.ask("check", "cron.service").code == 0
        talk.give(request("stop", "cron.service")[:40])
        assert "did not come in time" in talk.answer().err
        assert talk.ends()
    assert host.show("cron.service", "ActiveState") == {"ActiveState": "active"}


def test_how_long_it_goes_on_and_for_how_many_requests_is_bounded(host: LabHost, guards: Guards) -> None:
    """By a guard whose limits are shorter; root's half is replaced unseen, and the login's ends while nobody asks."""
    program = host.run("cat", GUARD).stdout
    short = program.replace("_IDLE, _LIFE = 90.0, 400.0", "_IDLE, _LIFE = 1.0, 4.0")
    short = short.replace("_ROOTS_MOST = 120.0, 300.0, 500", "_ROOTS_MOST = 120.0, 300.0, 2")
    assert program.count("\n") == short.count("\n")
    assert short.count("400.0") < program.count("400.0")
    host.write(GUARD, short, 0o755)
    try:
        with talking(host) as talk:
            began, served = time.monotonic(), 0
            seen, sudos = [], []
            for _ in range(5):
                seen.append(talk.ask("probe", "persistent").code)
                sudos.append([pid for pid, args in guards().items() if args.startswith(f"/usr/bin/{RIGHTS.program}")])
            while talk.client.poll() is None and time.monotonic() - began < 60:
                if served < 100 and talk.client.poll() is None and time.monotonic() - began < 3:
                    served += talk.ask("look", "short", "cron.service").code == 0
                time.sleep(0.1)
            assert talk.ends()
            assert time.monotonic() - began < 60
    finally:
        host.write(GUARD, program, 0o755)
    assert (seen, len({*map(tuple, sudos)}), len(sudos[-1])) == ([0] * 5, 3, 1)
    assert served > 1
