"""Which units carry the bot's login, without a host: a test makes its own /proc, and a program in place of ss(8)."""

import os
import resource
from pathlib import Path

import pytest

from bot.edges.guard import own_login, own_route
from bot.edges.guard.own_login import OwnLogin
from bot.edges.guard.process import Refused
from bot.edges.guard.units import Manager
from tests.edges.descriptors import open_here
from tests.edges.guard.manager_stand_in import Systemctl, Systemd
from tests.edges.guard.processes_stand_in import Processes

FAR, HERE = "192.0.2.1 5022 192.0.2.2 22", "127.0.0.1 5022 127.0.0.1 22"
ENTRY, SESSION = "0::/system.slice/entry.service\n", "0::/user.slice/session-3.scope/x\n"
UNKNOWN = "it cannot be told which unit carries the bot's login"
SS = """\
#!/bin/sh
echo "$*" >>"$0.asked"
cat "$0.says"
"""


class Ss:
    """A program that says these lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_text(SS)
        path.chmod(0o755)
        self.says()

    def says(self, *makers: str) -> None:
        """From now on: who made the other end of a connection."""
        lines = [f"ESTAB 0 0 127.0.0.1:5022 127.0.0.1:22 {maker}\n" for maker in makers]
        self.path.with_name("ss.says").write_text("".join(lines))

    @property
    def asked(self) -> list[str]:
        path = self.path.with_name("ss.asked")
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def ss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ss:
    monkeypatch.setattr(own_login, "_SS", (str(tmp_path / "none"), str(tmp_path / "ss")))
    monkeypatch.setattr(own_login, "_CONTAINER", str(tmp_path / "container"))
    return Ss(tmp_path / "ss")


def carriers(connection: str = FAR, manager: Manager | None = None) -> list[str]:
    with OwnLogin(connection) as login:
        return sorted(login.carriers(manager or Manager("", [])))


def test_all_units_above_this_process_carry_it(processes: Processes) -> None:
    own = "1:cpu:/other.slice\n2:name=systemd:/a.slice/b.socket/c.mount/d.service/e.scope\n3:name=x:/f.service\n"
    processes.are(own, SESSION, "0::/system.slice/entry.service/deeper:0::x.slice\n")
    assert carriers() == [
        "a.slice", "b.socket", "d.service", "deeper:0::x.slice",
        "e.scope", "entry.service", "session-3.scope", "system.slice", "user.slice",
    ]  # fmt: skip


def test_without_any_service_above_it_nothing_is_known(processes: Processes) -> None:
    """As behind a sshd that root has started by hand."""
    processes.are(SESSION, "0::/a.socket\n")
    with pytest.raises(Refused) as why:
        OwnLogin(FAR)
    assert str(why.value) == UNKNOWN


@pytest.mark.parametrize("wrong", ["no group", "no state", "group", "state", "short state"])
def test_what_cannot_be_read_is_not_passed_over(processes: Processes, wrong: str) -> None:
    folder = processes.has(os.getpid(), ENTRY)
    match wrong:
        case "no group":
            (folder / "cgroup").unlink()
        case "no state":
            (folder / "stat").unlink()
        case "group":
            (folder / "cgroup").write_text("0:/system.slice/entry.service\n")
        case "state":
            (folder / "stat").write_text("10 (sh) S one 10\n")
        case _:
            (folder / "stat").write_text("10 (sh) S\n")
    with pytest.raises(Refused) as why:
        OwnLogin(FAR)
    assert str(why.value) == UNKNOWN


@pytest.mark.parametrize("connection", ["", "192.0.2.1", "192.0.2.1 5022 192.0.2.2", f"{FAR} 7", "  "])
def test_a_connection_that_is_none_is_refused(processes: Processes, connection: str) -> None:
    processes.are(ENTRY)
    with pytest.raises(Refused, match=UNKNOWN):
        OwnLogin(connection)


def test_nobody_relays_a_connection_from_elsewhere(processes: Processes, ss: Ss, systemd: Systemd) -> None:
    processes.are(ENTRY)
    assert carriers(FAR) == ["entry.service", "system.slice"]
    assert (ss.asked, systemd.asked) == ([], [])


@pytest.mark.parametrize("connection", [HERE, "192.0.2.2 5022 192.0.2.2 22", "::1 5022 ::1 22"])
def test_a_relay_on_this_host_carries_it_by_all_its_names_and_with_its_socket(
    processes: Processes, ss: Ss, systemd: Systemd, connection: str
) -> None:
    processes.are(ENTRY)
    ss.says("users:() ino:7 cgroup:/relays.slice/one.service", "cgroup:/two.service")
    systemd.has("one.service", "active", "first.service", TriggeredBy=["one.socket"])
    systemd.has("two.service")
    relays = ["first.service", "one.service", "one.socket", "relays.slice", "two.service"]
    assert carriers(connection) == sorted([*relays, "entry.service", "system.slice"])
    assert ss.asked == ["-H -t -n -a --cgroup ( sport = :5022 and dport = :22 )"]
    assert systemd.asked == ["one.service", "relays.slice", "two.service"]


def test_a_user_s_manager_does_not_know_them(processes: Processes, ss: Ss, systemctl: Systemctl) -> None:
    processes.are(ENTRY)
    ss.says("cgroup:/one.service")
    assert carriers(HERE, Manager("root", [])) == ["entry.service", "one.service", "system.slice"]
    assert systemctl.asked == []


@pytest.mark.usefixtures("systemd")
def test_of_each_connection_it_is_asked_once(processes: Processes, ss: Ss) -> None:
    processes.are(ENTRY)
    for maker in ("one", "other"):
        ss.says(f"cgroup:/{maker}.service")
        for _ in range(2):
            assert carriers("127.0.0.1 5022 127.0.0.1 22") == ["entry.service", "one.service", "system.slice"]
    assert carriers("127.0.0.1 5023 127.0.0.1 22") == ["entry.service", "other.service", "system.slice"]
    assert len(ss.asked) == 2


@pytest.mark.parametrize(
    ("makers", "is_told", "in_container"),
    [
        ([], False, False),
        ([], False, True),
        (["cgroup:unreachable:1"], False, False),
        (["cgroup:unreachable:1"], True, True),
        (["cgroup:/one.service", "cgroup:unreachable:1"], False, False),
        (["ino:7"], False, True),
        (["cgroup:/one.service", "ino:7"], False, True),
    ],
)
@pytest.mark.usefixtures("systemd")
def test_who_made_the_other_end_is_told_or_nothing_is(
    processes: Processes, ss: Ss, tmp_path: Path, makers: list[str], *, is_told: bool, in_container: bool
) -> None:
    processes.are(ENTRY)
    ss.says(*makers)
    if in_container:
        (tmp_path / "container").touch()
    if is_told:
        assert carriers(HERE) == ["entry.service", "system.slice"]
    else:
        with pytest.raises(Refused, match=UNKNOWN):
            carriers(HERE)


def test_without_a_program_that_tells_it_nothing_is_known(processes: Processes, ss: Ss) -> None:
    processes.are(ENTRY)
    ss.path.unlink()
    with pytest.raises(Refused) as why:
        OwnLogin(HERE)
    assert str(why.value) == UNKNOWN


def test_what_nobody_wanted_to_know_is_let_go(processes: Processes, ss: Ss) -> None:
    processes.are(ENTRY)
    ss.says("cgroup:/one.service")
    before = open_here()
    with OwnLogin(HERE):
        pipes = {*open_here()} - {*before}
        assert len(pipes) == 3
    assert pipes.isdisjoint(open_here())


@pytest.fixture
def tunnel(processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way to this very machine, as if it were a tunnel that two programs hold."""
    monkeypatch.setattr(own_route, "_NETWORK_DEVICES", str(tmp_path))
    (tmp_path / "lo").mkdir()
    (tmp_path / "lo" / "tun_flags").touch()
    for pid, unit in ((50, "one"), (51, "other")):
        processes.has(pid, f"0::/{unit}.service\n")
        processes.hold(pid, 3, "/dev/net/tun", "lo")


@pytest.mark.usefixtures("tunnel", "ss")
def test_the_programs_of_a_tunnel_carry_it(processes: Processes, systemd: Systemd) -> None:
    processes.are(ENTRY)
    systemd.has("one.service", "active", "mesh.service")
    OwnLogin.relays_of[HERE] = {"relay.service"}
    found = ["entry.service", "mesh.service", "one.service", "other.service", "relay.service", "system.slice"]
    assert carriers(HERE) == found
    (processes.folder / "50" / "cgroup").unlink()
    assert carriers(HERE) == ["entry.service", "other.service", "relay.service", "system.slice"], "it has ended"


def test_where_the_kernel_cannot_be_asked_for_the_route_nothing_is_known(processes: Processes) -> None:
    processes.are(ENTRY)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with OwnLogin(FAR) as login, pytest.raises(Refused) as why:
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
        try:
            login.carriers(Manager("", []))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert str(why.value) == UNKNOWN
