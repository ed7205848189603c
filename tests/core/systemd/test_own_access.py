"""Who carries our own login, from processes and sockets: relays, systemd's own listeners, and what is not told."""

import re
from collections.abc import Mapping, Sequence

import pytest

from bot.core.systemd.fields import reader_of
from bot.core.systemd.look import parse_look
from bot.core.systemd.own_access import Login, OwnAccess, own_access
from bot.core.systemd.units import UnitName
from tests.core.record import CASES, RECORDED

SSHD = "/system.slice/ssh.service"
SESSION = "/user.slice/user-2001.slice/session-3.scope"
REMOTE = "192.0.2.7 40000 192.0.2.1 22"
LOCAL = "127.0.0.1 40000 127.0.0.1 22"


def socket(here: str, far: str, maker: str = "", state: str = "ESTAB") -> str:
    return f"{state} 0      0      {here} {far} " + (f"cgroup:{maker}  " if maker else "")


def listener(port: int, maker: str = "") -> str:
    return socket(f"0.0.0.0:{port}", "0.0.0.0:*", maker, "LISTEN")


def way(
    connection: str, *, above: Sequence[str] = (SESSION, SSHD), container: bool = False, **more: object
) -> OwnAccess:
    said = [f"connection={connection}", *(["container=yes"] if container else [])]
    empty: Mapping[str, Sequence[str]] = dict.fromkeys(("sockets", "listening", "cgroups", "starters", "carriers"), ())
    return read({**empty, "login_units": above, "way": said, **more})


def read(found: Mapping[str, object]) -> OwnAccess:
    return own_access(reader_of(Login)(found))


OURS = socket("192.0.2.1:22", "192.0.2.7:40000", SSHD)
OUR_END = socket("127.0.0.1:22", "127.0.0.1:40000", SSHD)


def relay(maker: str = "/system.slice/relay.service") -> str:
    return socket("127.0.0.1:40000", "127.0.0.1:22", maker)


@pytest.mark.parametrize(
    ("name", "carrying"),
    [
        ("relayed", {"relay.service", "relay.socket", "ssh.service", "sshd.service", "system.slice"}),
        ("sshd_for_each_login", {"door.socket"}),
        ("carries_our_login", {"ssh.service", "sshd.service", "ssh.socket", "system.slice", "user.slice"}),
    ],
)
def test_on_a_real_host_the_sockets_tell(name: str, carrying: set[str]) -> None:
    around = parse_look((RECORDED / f"{name}.txt").read_text(), UnitName(CASES[name].unit)).around
    assert around
    assert carrying <= around.login_units
    assert around.may_carry_us == frozenset()
    assert "init.scope" not in around.login_units


def test_an_ordinary_login_is_told_by_its_processes_and_its_sockets() -> None:
    seen = way(REMOTE, sockets=[OURS, listener(22, SSHD)])
    assert (seen.is_told, "ssh.service" in seen.units) == (True, True)
    assert not seen.may_be(["cron.service", "cron.socket"])


def test_a_sshd_that_was_started_anew_is_found_by_who_listens_now() -> None:
    gone = socket("192.0.2.1:22", "192.0.2.7:40000", "unreachable:2f")  # its cgroup is another one by now
    seen = way(REMOTE, above=[SESSION], sockets=[gone, listener(22, "/system.slice/door.service")])
    assert "door.service" in seen.units
    assert not seen.is_told


def test_a_relay_in_front_of_sshd_carries_us_too_and_so_does_one_in_front_of_it() -> None:
    outer = socket("127.0.0.1:41000", "127.0.0.1:2222", "/system.slice/stunnel.service")
    seen = way(LOCAL, sockets=[OUR_END, relay(), outer], listening=[listener(22, SSHD)])
    assert {"relay.service", "stunnel.service", "ssh.service"} <= seen.units
    assert seen.is_told


def test_a_relay_whose_clients_are_not_seen_leaves_open_who_comes_before_it() -> None:
    found: Mapping[str, Sequence[str]] = {
        **dict.fromkeys(("cgroups", "starters", "carriers"), ()),
        **{"sockets": [OUR_END, relay()], "listening": [listener(80, "/system.slice/web.service")]},
        **{"login_units": [SESSION, SSHD], "way": [f"connection={LOCAL}", "unseen=yes"]},
    }
    seen = read(found)
    assert (seen.is_told, "relay.service" in seen.units) == (False, True)
    assert [seen.may_be([name]) for name in ("web.service", "cron.service")] == [True, False]


def test_a_relay_in_a_scope_leads_to_the_unit_whose_process_made_the_scope() -> None:
    scope = "/system.slice/contained.scope"
    made = ["", scope, "/system.slice/manager.service", "/"]
    seen = way(LOCAL, sockets=[OUR_END, relay(scope)], managers=made)
    assert {"contained.scope", "manager.service"} <= seen.units
    assert (seen.is_in_scope, seen.is_told) == (True, True)
    assert not way(LOCAL, sockets=[OUR_END, relay()]).is_in_scope


def test_a_cgroup_that_is_given_by_its_number_is_looked_up() -> None:
    seen = way(LOCAL, sockets=[OUR_END, relay("unreachable:2f")], cgroups=["47 /system.slice/relay.service"])
    assert (seen.is_told, "relay.service" in seen.units) == (True, True)


def test_what_the_machine_under_a_container_does_is_no_unit_of_it() -> None:
    ends = [OUR_END, relay("unreachable:1")]
    assert way(LOCAL, sockets=ends, container=True).is_told
    assert not way(LOCAL, sockets=ends).is_told


@pytest.mark.parametrize(
    "seen",
    [
        way(""),
        way("UNKNOWN 65535 UNKNOWN 65535"),
        way(LOCAL),  # somebody here, and ss(8) tells nothing
        way("192.0.2.1 40000 192.0.2.1 22"),
        way(LOCAL, sockets=[OUR_END, relay("")]),
        way(LOCAL, sockets=[OUR_END, relay("unreachable:")]),
        way(LOCAL, sockets=[OUR_END, relay("/")]),
        way(REMOTE, sockets=["Netid State and so on"]),
        way(REMOTE, above=[SESSION]),
        way(REMOTE, above=[SESSION], sockets=[socket("192.0.2.1:22", "192.0.2.7:40000", "/init.scope")]),
    ],
)
def test_what_is_not_told_is_not_guessed(seen: OwnAccess) -> None:
    assert not seen.is_told
    assert seen.may_be(["echo.service", "echo.socket"])


def test_where_processes_tell_a_host_without_ss_is_told_for_a_login_from_elsewhere() -> None:
    assert way(REMOTE).is_told


def test_of_what_is_not_told_only_units_with_sockets_are_at_stake_if_the_host_tells_that() -> None:
    listening = [listener(22, SSHD), listener(8080, "/system.slice/web.service")]
    seen = way(LOCAL, sockets=[OUR_END, relay("unreachable:2f")], listening=listening)
    at_stake = ("web.service", "cron.service", "cron.socket")
    assert [seen.may_be([name]) for name in at_stake] == [True, False, True]
    unknown = way(LOCAL, sockets=[OUR_END, relay("")], listening=[listener(22)])
    assert unknown.may_be(["cron.service"])


def test_what_triggers_a_carrier_carries_us_under_all_its_names_but_names_that_do_not_exist_do_not() -> None:
    states = ["LoadState=loaded", "ActiveState=active", "SubState=running", "UnitFileState=enabled"]
    carriers = ["Id=door@1.service", "Names=door@1.service", "TriggeredBy=gate.socket", *states, ""]
    carriers += ["Id=gate.socket", "Names=gate.socket door.socket", *states, ""]
    carriers += ["Id=ssh.service", "Names=ssh.service sshd.service", *states, ""]
    carriers += ["Id=ssh.socket", "Names=ssh.socket", "LoadState=not-found", *states[1:]]
    above = ["/system.slice/system-door.slice/door@1.service", "/", "/../odd"]
    assert way(REMOTE, above=above, carriers=carriers).units == {
        *("system.slice", "system-door.slice", "door@1.service", "gate.socket", "door.socket"),
        *("ssh.service", "sshd.service"),
    }


def test_a_login_from_another_network_namespace_of_the_host_is_not_told() -> None:
    found: Mapping[str, Sequence[str]] = {
        **dict.fromkeys(("cgroups", "starters", "carriers"), ()),
        **{"sockets": [OURS, listener(22, SSHD)], "listening": [listener(80, "/system.slice/web.service")]},
        **{"login_units": [SESSION, SSHD], "way": [f"connection={REMOTE}"]},
    }
    seen, behind = read(found), read({**found, "way": [*found["way"], "behind=yes"]})
    assert (seen.is_told, seen.is_behind) == (True, False)
    assert (behind.is_told, behind.is_behind) == (False, True)
    assert behind.may_be(["web.service"])
    assert not behind.may_be(["cron.service"])


@pytest.mark.parametrize(
    ("setting", "refused"),
    [
        ("PrivateNetwork=yes", True),
        ("NetworkNamespacePath=/run/netns/x", True),
        ("Delegate=yes", True),
        ("Delegate=no", False),
    ],
)
def test_what_has_a_network_of_its_own_may_carry_such_a_login(setting: str, *, refused: bool) -> None:
    name = setting.partition("=")[0]
    text = re.sub(rf"(?m)^{name}=.*\n", "", (RECORDED / "surroundings.txt").read_text())
    text = text.replace("LoadState=loaded\n", f"LoadState=loaded\n{setting}\n", 1)
    for way_in, is_refused in (("behind=yes\n", refused), ("", False)):
        around = parse_look(text.replace("@sockets\n", f"{way_in}@sockets\n", 1), UnitName("worker.service")).around
        assert around
        assert ("worker.service" in around.may_carry_us) == is_refused
