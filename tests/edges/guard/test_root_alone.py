"""Root's half from its greeting to its end, on a host of a few files."""

import json
import os
import resource
import time
from collections.abc import Iterator

import pytest

from bot.core.systemd.host_rules import GUARD
from bot.edges.guard import looks, requests, root, rules, serving, settings, ways
from bot.edges.guard.frame import AGAIN
from bot.edges.guard.process import FAILED, REFUSED, Gone, Limit, begin_request
from bot.edges.guard.requests import Request
from bot.edges.guard.settings import read_settings
from tests.edges.descriptors import pipes_here
from tests.edges.guard.host_stand_in import DEPLOY, HostStandIn
from tests.edges.guard.processes_stand_in import Processes
from tests.edges.guard.streams import Answer, frames, streams

CRON, MINE, FROM = "cron.service", "mine.service", "192.0.2.1 5022 192.0.2.2 22"
BINDING = root._BINDING
SHOWN = f"Id={MINE}\nNames={MINE}\nLoadState=loaded\nActiveState=active\n"
REFUSAL, NOT_BEGUN = "maskbot-guard: ", "maskbot-guard: another one has to begin this\n"


@pytest.fixture(autouse=True)
def host(here: HostStandIn, processes: Processes, monkeypatch: pytest.MonkeyPatch) -> Iterator[HostStandIn]:
    """Its login is `daemon`, whom sudo names."""
    processes.are("0::/system.slice/entry.service/session\n")
    (here.folder / "guard.conf").write_text("login: daemon\nusers: deploy\ncritical: mine-too.*\n")
    (here.folder / "guard").touch()
    (here.folder / "sudoers").touch()
    monkeypatch.setattr(serving, "GUARD", str(here.folder / "guard"))
    monkeypatch.setattr(settings, "CONFIGURATION", str(here.folder / "guard.conf"))
    monkeypatch.setattr(root, "_BINDING", (str(here.folder / "sudoers"),))
    monkeypatch.setattr(root, "FLOOR", ("critical.*",))
    monkeypatch.setattr(
        root, "FOLDERS", {"system": (f"{here.folder}/persistent",), "user": ("$home/units", "/no/$uid")}
    )
    script = 'echo "$0 $SSH_CONNECTION $*"'
    monkeypatch.setattr(looks, "SCRIPTS", {"look": script, "status": script})
    for module in (looks, requests):
        monkeypatch.setattr(module, "SIZES", ("short", "full", "acting"))
    monkeypatch.setattr(ways, "WAYS_TO_ROOT", ("/bin/true",))
    monkeypatch.setattr(rules, "_SSHD", "/bin/true")
    monkeypatch.setenv("SUDO_UID", "1")
    monkeypatch.delenv("DOAS_USER", raising=False)
    here.systemd.has(CRON)
    for verb in ("stop", "daemon-reload"):
        here.systemctl.says(verb, "done")
    here.systemctl.says("show", SHOWN)
    yield here
    begin_request()


def line(*words: str, identity: str = "a1", **more: str) -> bytes:
    return json.dumps({"protocol": 1, "id": identity, "do": words, "connection": FROM, **more}).encode() + b"\n"


def served(*lines: bytes) -> tuple[int, list[Answer]]:
    with streams(b"".join(lines), ends=True) as others:
        code = root.serve_root()
        greeting, _, said = others.said().partition(b"\n")
    assert greeting == b"maskbot-guard 1  is ready"
    return code, frames(said)


def asked(*words: str, **more: str) -> Answer:
    _, (answer,) = served(line(*words, **more))
    return answer


def refused(*words: str, **more: str) -> str:
    _, code, out, err, look = asked(*words, **more)
    assert (code, out, look, err[: len(REFUSAL)]) == (REFUSED, "", "", REFUSAL)
    return err.removeprefix(REFUSAL).strip()


def test_it_greets_and_does_what_it_is_asked(host: HostStandIn) -> None:
    assert served(line("reload"), line("stop", CRON, identity="a2")) == (
        0, [("a1", 0, "done", "", ""), ("a2", 0, "done", "", "")],
    )  # fmt: skip
    assert host.asked() == ["daemon-reload", f"stop --no-block -- {CRON}"]


@pytest.mark.parametrize(
    ("sudo", "doas", "says"),
    [
        ("0", None, "root is not the login that it serves"),
        ("0", "daemon", "root is not the login that it serves"),
        ("", None, "nobody is not the login that it serves"),
        (None, None, "nobody is not the login that it serves"),
        (None, "root", "root is not the login that it serves"),
        ("x", "root", "root is not the login that it serves"),
        (None, "daemon", ""),
        ("x", "daemon", ""),
        ("1", "root", ""),
    ],
)
def test_it_serves_the_login_that_root_names_and_nobody_else(
    host: HostStandIn, monkeypatch: pytest.MonkeyPatch, sudo: str | None, doas: str | None, says: str
) -> None:
    for name, value in (("SUDO_UID", sudo), ("DOAS_USER", doas)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    if says:
        assert refused("reload") == says
        assert host.asked() == []
    else:
        assert asked("reload")[1] == 0


def test_after_so_many_requests_another_one_begins(host: HostStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(root, "_ROOTS_MOST", 2)
    lines = [line("reload", identity=f"a{number}") for number in range(4)]
    code, answers = served(*lines)
    assert (code, [one[1] for one in answers]) == (AGAIN, [0, 0, AGAIN])
    assert answers[-1] == ("a2", AGAIN, "", NOT_BEGUN, "")
    assert len(host.asked()) == 2


def test_after_its_time_another_one_begins(host: HostStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    reload = Request({"protocol": 1, "do": ["reload"]}, "a1")
    assert 290 < root._Server()._end - time.monotonic() <= 300
    monkeypatch.setattr(root, "_ROOTS_LIFE", 0.0)
    done = root._Server().answer(reload, b"", read_settings())
    assert (done.code, done.err.decode()) == (AGAIN, NOT_BEGUN)
    assert host.asked() == []


def test_after_a_change_of_what_lets_the_login_in_another_one_begins(host: HostStandIn) -> None:
    script = host.systemctl.path.read_text().replace("\nfor ", '\necho >>"${0%/*}/sudoers"\nfor ')
    host.systemctl.path.write_text(script)
    code, answers = served(line("reload"), line("reload", identity="a2"))
    assert (code, answers[1]) == (AGAIN, ("a2", AGAIN, "", NOT_BEGUN, ""))
    assert len(host.asked()) == 1


def test_these_files_let_the_login_in() -> None:
    folders = ("/etc/sudoers.d", "/etc/sudoers-rs.d")
    files = ("/etc/sudoers", "/etc/sudoers-rs", "/etc/doas.conf", "/usr/local/etc/doas.conf")
    people = ("/etc/passwd", "/etc/group", "/etc/shadow")
    assert set(BINDING) == {GUARD, *folders, *files, *people}


def test_only_who_asks_is_cut_short(host: HostStandIn) -> None:
    """A change goes on also when nobody waits for its answer."""
    del host
    half, found = root._Server(), read_settings()
    for words, is_look in ((["check", CRON], True), (["stop", CRON], False), (["probe", "persistent"], False)):
        begin_request()
        half.answer(Request({"protocol": 1, "do": words, "connection": FROM}, "a1"), b"", found)
        assert Limit.is_look is is_look
    with streams(is_heard=False):
        half.answer(Request({"protocol": 1, "do": ["stop", CRON], "connection": FROM}, "a1"), b"", found)
        for words, user in ((["rules"], ""), (["look", "short", MINE], "deploy")):
            with pytest.raises(Gone):
                half.answer(Request({"protocol": 1, "do": words, "user": user}, "a1"), b"", found)


def test_it_says_which_rules_hold() -> None:
    assert asked("rules")[2].splitlines()[:2] == ["critical critical.*", "critical mine-too.*"]


def test_both_lists_are_spared(host: HostStandIn) -> None:
    for unit in ("critical.service", "mine-too.service"):
        host.systemd.has(unit)
        assert refused("stop", unit).startswith(f"{unit} is critical on this host")
    assert host.asked() == []


def test_names_on_the_disk_are_names(host: HostStandIn) -> None:
    (host.folder / "persistent" / "critical.service").symlink_to(CRON)
    assert refused("stop", CRON).startswith(f"{CRON} is critical.service, which is critical")
    units = host.folder / "home" / "units"
    units.mkdir()
    (units / "critical.service").symlink_to(MINE)
    assert refused("stop", MINE, user="deploy").startswith(f"{MINE} is critical.service, which is critical")


def test_a_verb_of_two_words_is_one(host: HostStandIn) -> None:
    assert refused("reset-failed", CRON) == f"{CRON} was not stopped by the bot"
    assert refused("try-start", CRON).endswith("so no start was tried")
    assert "(foreign-masks)" in refused("unlink-foreign", "persistent", CRON, "1:2.3")
    assert host.journal() == []


@pytest.mark.parametrize("then", ["", "short"])
def test_a_note_is_kept_and_no_look_of_the_system_follows(host: HostStandIn, then: str) -> None:
    more = {"then": then, "about": CRON} if then else {}
    note = {"request": "R-7", "asked_by": "alice"}
    _, (answer,) = served(line("reload", note=note, **more))  # type: ignore[arg-type]
    assert answer == ("a1", 0, "done", "", "")
    assert host.journal()[0]["MESSAGE"] == "systemd reads all unit files again, request R-7, asked by alice"


class TestAUser:
    """Whose own manager is asked."""

    def test_changes_are_for_users_whom_root_names_and_whose_manager_runs(self, host: HostStandIn) -> None:
        assert asked("stop", MINE, user="deploy")[1:3] == (0, "done")
        assert host.asked()[-1] == f"--user stop --no-block -- {MINE}"
        assert refused("stop", MINE, user="nobody").startswith("root has not opened the manager of 'nobody'")
        host.manager_is("inactive")
        assert refused("stop", MINE, user="deploy") == "deploy has no running manager, and the bot starts none"
        assert len([one for one in host.asked() if "stop" in one]) == 1

    def test_a_look_follows_a_change(self, host: HostStandIn) -> None:
        then = {"user": "deploy", "then": "short", "about": "a.service"}
        look = "maskbot-look  a.service short deploy\n"
        assert asked("reload", **then) == ("a1", 0, "done", "", look)
        host.systemctl.says("daemon-reload", "no", FAILED)
        assert asked("reload", **then) == ("a1", FAILED, "no", "", look)
        host.systemctl.says("daemon-reload", "no", REFUSED)
        assert asked("reload", **then)[4] == ""
        host.systemctl.says("daemon-reload", "done")
        assert asked("reload", user="deploy")[4] == ""

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("look", "short", MINE), f"maskbot-look {FROM} {MINE} short deploy\n"),
            (("status", MINE), f"maskbot-status {FROM} {MINE} deploy\n"),
        ],
    )
    def test_looks(self, host: HostStandIn, words: tuple[str, ...], said: str) -> None:
        assert asked(*words, user="deploy") == ("a1", 0, said, "", "")
        assert host.asked() == [], "what may be done there"
        assert refused(*words) == "root is not needed for that"

    @pytest.mark.parametrize("size", ["full", "acting"])
    def test_a_full_look_says_what_may_be_done(self, monkeypatch: pytest.MonkeyPatch, size: str) -> None:
        before = pipes_here()
        monkeypatch.setattr(looks, "SCRIPTS", {"look": 'echo "$*"; cat <&9'})
        rights = "".join(f"{one}\n" for one in ("mask", "unmask", "stop", "start", "reset-failed", "reload", "kill"))
        assert asked("look", size, MINE, user="deploy")[2] == f"{MINE} {size} deploy\n@rights\n{rights}"
        assert pipes_here() == before

    @pytest.mark.parametrize("verb", ["scan", "units"])
    def test_other_looks_are_none_of_root_s(self, verb: str) -> None:
        assert refused(verb, user="deploy") == "root is not needed for that"

    def test_whose_manager_cannot_be_asked_anybody_may_know(self, host: HostStandIn) -> None:
        said = "@maskbot-look 1\n@failed\n{}\n@end\n"
        assert asked("look", "full", MINE, user="no-such")[1:3] == (0, said.format("no_user"))
        assert refused("look", "short", MINE, user="nobody").startswith("root has not opened the manager of 'nobody'")
        host.manager_is("inactive")
        assert asked("look", "short", MINE, user="nobody")[1:3] == (0, said.format("no_user_manager"))

    def test_its_masks_are_that_user_s(self, host: HostStandIn) -> None:
        assert asked("link", "persistent", MINE, user="deploy")[1] == 0
        assert host.user_mask(MINE).lstat().st_uid == DEPLOY
        assert set(host.remembered(MINE, "deploy").links) == {"persistent"}


LIMITS = [resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_DATA, resource.RLIMIT_NOFILE]


@pytest.mark.parametrize("which", LIMITS)
def test_limits_of_the_caller_are_lifted_or_nothing_is_begun(which: int) -> None:
    """In a process of its own: they are for good. Root in a container may not lift them."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            is_well = root.lift_limits()
            resource.setrlimit(which, (100, 200))
            is_lifted = root.lift_limits()
            soft = resource.getrlimit(which)[0]
            code = 0 if is_well and is_lifted == (soft == -1 or soft >= 1024) else 2
        finally:
            os._exit(code)
    assert os.waitpid(process, 0)[1] == 0


class Kernel:
    """Limits of a process, soft and hard; who may not lift them is told so as by setrlimit(2)."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, refuses: Exception | None = None) -> None:
        self.limits: dict[int, tuple[int, int]] = {}
        self.set: list[int] = []
        self.refuses = refuses
        monkeypatch.setattr(resource, "getrlimit", lambda one: self.limits.get(one, (-1, -1)))
        monkeypatch.setattr(resource, "setrlimit", self._set)

    def _set(self, one: int, limits: tuple[int, int]) -> None:
        soft, hard = limits
        assert hard == -1 or -1 < soft <= hard
        if self.refuses:
            raise self.refuses
        self.set.append(one)
        self.limits[one] = limits


FILES, STACK, MIB = resource.RLIMIT_NOFILE, resource.RLIMIT_STACK, 1024 * 1024
LIFTED = {
    "all that there is": (resource.RLIMIT_FSIZE, (100, 200), (-1, -1)),
    "time": (resource.RLIMIT_CPU, (100, -1), (-1, -1)),
    "memory": (resource.RLIMIT_AS, (0, 0), (-1, -1)),
    "data": (resource.RLIMIT_DATA, (1, 1), (-1, -1)),
    "both, to the least": (FILES, (0, 1023), (1024, 1024)),
    "the soft one": (FILES, (1023, 1024), (1024, 1024)),
    "no further than that": (FILES, (100, 5000), (1024, 5000)),
    "below none": (FILES, (100, -1), (1024, -1)),
    "a stack": (STACK, (8 * MIB - 1, 8 * MIB), (8 * MIB, 8 * MIB)),
}
KEPT = [(FILES, (1024, 1024)), (FILES, (-1, -1)), (STACK, (8 * MIB, -1)), (resource.RLIMIT_CPU, (-1, -1))]


@pytest.mark.parametrize(("one", "given", "then"), LIFTED.values(), ids=LIFTED)
def test_each_limit_is_lifted_as_far_as_it_has_to_be(
    monkeypatch: pytest.MonkeyPatch, one: int, given: tuple[int, int], then: tuple[int, int]
) -> None:
    kernel = Kernel(monkeypatch)
    kernel.limits[one] = given
    assert root.lift_limits()
    assert (kernel.limits, kernel.set) == ({one: then}, [one])


@pytest.mark.parametrize(("one", "given"), KEPT)
def test_what_is_no_limit_stays(monkeypatch: pytest.MonkeyPatch, one: int, given: tuple[int, int]) -> None:
    kernel = Kernel(monkeypatch)
    kernel.limits[one] = given
    assert root.lift_limits()
    assert kernel.set == []


@pytest.mark.parametrize("refuses", [ValueError(), OSError()])
def test_with_limits_that_stay_it_begins_nothing(monkeypatch: pytest.MonkeyPatch, refuses: Exception) -> None:
    kernel = Kernel(monkeypatch, refuses=refuses)
    kernel.limits[resource.RLIMIT_FSIZE] = (100, 100)
    assert refused("link", "persistent", CRON) == (
        "the limits of whoever calls it (ulimit) may end it half-way, and cannot be lifted"
    )
