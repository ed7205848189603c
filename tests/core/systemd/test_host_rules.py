"""The rules that bot and guard share."""

import ast
import re
from fnmatch import fnmatchcase, translate
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.systemd import host_rules
from bot.core.systemd.host_rules import (
    ENDS_THE_HOST,
    VITAL,
    comes_from_here,
    ends_of_host,
    first_listed,
    first_that_carries,
    is_match,
    is_template,
    is_unit_name,
    reached,
    started_by_name,
    with_templates,
)

SIGNS = "ab.-"
PATTERN = st.lists(
    st.sampled_from([*SIGNS, "*", "?", "[ab]", "[!a]", "[a-b]", "[!a-b.]", "[.-]", "[]a]", "[", "]", "!"]), max_size=7
).map("".join)


@given(pattern=PATTERN, name=st.text(f"{SIGNS}[]!", max_size=7))
def test_patterns_mean_what_they_mean_to_the_shell(pattern: str, name: str) -> None:
    assert is_match(pattern, name) == fnmatchcase(name, pattern)


@pytest.mark.parametrize(("pattern", "name"), [("[ab", "[ab"), ("[", "["), ("x[!", "x[!"), ("[b-a]c]", "c]")])
def test_a_bracket_that_is_not_closed_is_a_bracket(pattern: str, name: str) -> None:
    assert is_match(pattern, name) == fnmatchcase(name, pattern)


@pytest.mark.parametrize("sign", "abcd-")
def test_a_range_and_single_signs_may_stand_together(sign: str) -> None:
    for pattern in ("[a-bd]", "[!d-]", "[a-c]", "[abz]"):
        assert is_match(pattern, sign) == fnmatchcase(sign, pattern)


def test_short_patterns_mean_what_they_mean_to_the_shell_to_the_last_one() -> None:
    def texts(signs: str, most: int) -> list[str]:
        return ["".join(one) for length in range(1, most + 1) for one in product(signs, repeat=length)]

    names = texts("ab]-!", 2)
    for pattern in texts("a-[]!*?", 4):
        means = re.compile(translate(pattern)).match
        assert [name for name in names if is_match(pattern, name) != bool(means(name))] == [], pattern


@pytest.mark.parametrize(
    ("pattern", "name"),
    [("a?c*", "abcd"), ("*", "*x"), ("*ab", "b"), ("*ab", "xb"), ("ab*bc", "abc")],
)
def test_a_star_begins_where_it_stands(pattern: str, name: str) -> None:
    assert is_match(pattern, name) == fnmatchcase(name, pattern)


def test_a_connection_comes_from_here_by_its_address_or_by_the_loopback() -> None:
    assert comes_from_here("192.0.2.1", "192.0.2.1")
    assert comes_from_here("127.0.0.1", "192.0.2.1")
    assert not comes_from_here("192.0.2.2", "192.0.2.1")


def test_an_action_that_is_empty_or_none_ends_no_host() -> None:
    unit = {"SuccessAction": "", "FailureAction": "none", "JobTimeoutAction": "reboot"}
    assert ends_of_host(unit, str.split) == ({"JobTimeoutAction": "reboot"}, [])


CARRY_THE_HOST = """
basic.target boot-complete.target cryptsetup.target ctrl-alt-del.target default.target emergency.target exit.target
factory-reset.target final.target first-boot-complete.target getty.target graphical.target halt.target hibernate.target
hybrid-sleep.target initrd.target integritysetup.target kexec.target local-fs.target machines.target multi-user.target
network.target nss-lookup.target paths.target poweroff.target reboot.target remote-fs.target rescue.target
rpcbind.target runlevel3.target shutdown.target sigpwr.target sleep.target slices.target sockets.target
soft-reboot.target suspend.target swap.target sysinit.target system-update.target time-sync.target timers.target
umount.target veritysetup.target -.mount boot-efi.mount dev-hugepages.mount efi.mount etc-x.mount home.mount
proc-x.mount root.mount run-lock.mount sys-fs-fuse-connections.mount tmp.mount usr.mount var-lib.mount -.slice
init.scope machine.slice session-1.scope system.slice user.slice user-1000.slice boot.automount efi.automount
home.automount proc-sys-fs-binfmt_misc.automount
"""
END_THE_HOST = """
ctrl-alt-del.target emergency.service exit.target factory-reset.target final.target halt.target hibernate.target
hybrid-sleep.target initrd-cleanup.service kexec.target poweroff.target reboot.target rescue.service runlevel0.target
runlevel6.target shutdown.target sleep.target soft-reboot.target suspend-then-hibernate.target system-update.target
systemd-exit.service systemd-halt.service systemd-hibernate.service systemd-hybrid-sleep.service systemd-kexec.service
systemd-poweroff.service systemd-reboot.service systemd-soft-reboot.service systemd-suspend.service umount.target
"""


@pytest.mark.parametrize(("listed", "names"), [(VITAL, CARRY_THE_HOST), (ENDS_THE_HOST, END_THE_HOST)])
def test_each_entry_spares_a_unit_that_no_other_does(listed: tuple[str, ...], names: str) -> None:
    spared = {name: [one for one in listed if is_match(one, name)] for name in names.split()}
    assert [name for name, by in spared.items() if len(by) != 1] == []
    assert {by[0] for by in spared.values()} == {*listed}


def test_no_list_is_shortened_in_one_place_alone() -> None:
    types = ["service", "socket", "device", "mount", "automount", "swap", "target", "path", "timer", "slice", "scope"]
    assert [kind for kind in types if not is_unit_name(f"a.{kind}")] == []
    assert [name for name in ("a:b", "a.b", "a-b", "a_b", "a@b@c") if not is_unit_name(f"{name}.service")] == []
    assert host_rules.MASKABLE_TYPES == ("service", "socket", "timer", "path")
    assert {*host_rules.STOPS_TOO} == {"RequiredBy", "RequisiteOf", "BoundBy", "ConsistsOf", "PropagatesStopTo"}
    assert {*host_rules.STARTS_TOO} == {"Requires", "Requisite", "BindsTo", "Wants", "Upholds"}
    assert {*host_rules.NEEDED_BY} == {"RequiredBy", "RequisiteOf", "BoundBy", "WantedBy", "UpheldBy"}
    assert {*host_rules.RIVALS} == {"Conflicts", "ConflictedBy"}
    assert {*host_rules.END_ACTIONS} == {"SuccessAction", "FailureAction", "JobTimeoutAction", "StartLimitAction"}
    assert {*host_rules.REMOTE_ACCESS} == {"ssh.service", "sshd.service", "ssh.socket", "sshd.socket"}
    assert {*host_rules.END_STARTS} == {"OnSuccess", "OnFailure"}
    assert {*host_rules.WHOLE_TYPES} == {"*.target", "*.mount", "*.automount", "*.slice", "*.scope"}
    assert (host_rules.LOOK_SECONDS, host_rules.LONGEST_LOOK, host_rules.RIGHTS_FD) == (20, 90, 9)


@pytest.mark.parametrize("kind", ["socket", "timer", "path"])
def test_each_of_the_kinds_that_start_units_does(kind: str) -> None:
    assert started_by_name([f"a.{kind}"]) == ["a.service", "a@.service"]


@pytest.mark.parametrize("client", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_each_loopback_is_the_host_itself(client: str) -> None:
    assert comes_from_here(client, "192.0.2.1")


def test_both_ways_to_start_something_at_the_end_count() -> None:
    for key in ("OnSuccess", "OnFailure"):
        assert ends_of_host({key: "halt.target a.service"}, str.split) == ({}, [(key, "halt.target")])
    for key in host_rules.END_ACTIONS:
        assert ends_of_host({key: "reboot"}, str.split) == ({key: "reboot"}, [])


def test_case_counts_in_a_pattern() -> None:
    assert not is_match("SSH*", "ssh.service")


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("cron.service", True), (r"a\x2db.service", True), (r"a\x2d.service", True), (r"a\x2dz.service", True),
        ("a@b@c.service", True),
        ("a@.service", True), ("_.timer", True), (f"{'x' * 247}.service", True),
        (f"{'x' * 248}.service", False), (r"a\x2.service", False), (r"a\y2d.service", False), (r"a\.service", False),
        (r"\x2d.service", False), (r"a\x2D.service", False), ("-a.service", False), (".service", False),
        ("a..service", False), ("a.foo", False), ("a", False), ("", False), ("a/b.service", False),
        ("a b.service", False), ("a.service\n", False), ("é.service", False), (r"a\x2d/.service", False),
        ("a@b c.service", False), (r"a\xg0.service", False),
    ],
)  # fmt: skip
def test_a_name_is_one_unit_or_none(name: str, *, is_one: bool) -> None:
    assert is_unit_name(name) is is_one


def test_templates_are_told_from_instances() -> None:
    assert [is_template(name) for name in ("a@.service", "a@b.service", "a.service")] == [True, False, False]


def test_a_name_is_known_by_its_template_and_without_escapes() -> None:
    assert with_templates(["getty@tty1.service", r"a\x2db.service", r"a\q.service"]) == (
        "getty@tty1.service", "getty@.service", r"a\x2db.service", "a-b.service", r"a\q.service",
    )  # fmt: skip


def test_the_first_name_that_is_listed_is_told_with_its_pattern() -> None:
    assert first_listed(["ssh*", "dbus*"], ["cron.service", "dbus.socket"]) == ("dbus.socket", "dbus*")
    assert first_listed(["ssh*"], ["cron.service"]) is None


def test_not_every_target_carries_the_host() -> None:
    patterns = ["*.target", "ssh*"]
    assert first_that_carries(patterns, ["mine.target"]) is None
    assert first_that_carries(patterns, ["mine.target", "sysinit.target"]) == ("sysinit.target", "*.target")
    assert first_that_carries(patterns, ["sysinit.target", "ssh.service"]) == ("ssh.service", "ssh*")


def test_a_socket_starts_the_service_of_its_name() -> None:
    assert started_by_name(["dbus.socket", "cron.service"]) == ["dbus.service", "dbus@.service"]


def test_relations_are_followed_to_their_end() -> None:
    relations = {"a": ["b", "a", "d"], "b": ["c", "a"], "c": ["b"], "d": ["c"]}
    levels = []

    def related(level: list[str]) -> list[str]:
        levels.append(level)
        return [other for name in level for other in relations[name]]

    assert reached("a", related) == ["b", "d", "c"]
    assert levels == [["a"], ["b", "d"], ["c"]]


def test_the_host_s_own_python_can_read_it() -> None:
    ast.parse(Path(host_rules.__file__).read_text(), feature_version=(3, 6))
