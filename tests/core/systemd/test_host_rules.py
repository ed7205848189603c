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
    assert is_match("[a-bd]", sign) == fnmatchcase(sign, "[a-bd]")
    assert is_match("[!d-]", sign) == fnmatchcase(sign, "[!d-]")


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


def test_case_counts_in_a_pattern() -> None:
    assert not is_match("SSH*", "ssh.service")


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("cron.service", True), (r"a\x2db.service", True), (r"a\x2d.service", True), ("a@b@c.service", True),
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
