"""What sudo admits, read from its own list; where that has more than our words, each right is asked for."""

import textwrap

import pytest

from bot.core.systemd.look import parse_granted, parse_look
from bot.core.systemd.sudo_rights import listed_rights, read_granted
from bot.core.systemd.sudo_rights_script import FOLDER, NEVER
from bot.core.systemd.systemctl import RIGHTS, USER_RIGHTS, sudoers_fragment
from bot.core.systemd.units import UnitName
from bot.errors import HostileOutput
from tests.core.record import RECORDED

HEAD = ["Matching Defaults entries for maskbot on web-01:", "    env_reset", ""]
HEAD += ["User maskbot may run the following commands on web-01:"]
ALL = frozenset(RIGHTS)


def rules(*without: str, users: tuple[str, ...] = ()) -> list[str]:
    """What sudo lists of our fragment, each rule in one line, without the commands that have one of these words."""
    lines = [line.strip().removesuffix(", \\") for line in sudoers_fragment("maskbot", users=users).split("\n")]
    commands = [line for line in lines if line.startswith("/") and not any(word in line for word in without)]
    of_users = [line.partition("ALL=")[2].replace(")", ") ", 1).replace("  ", " ") for line in lines if "ALL=" in line]
    return [f"    (root) NOPASSWD: {', '.join(commands)}", *(f"    {line}" for line in of_users if "_COMM" not in line)]


def listed(*lines: str, unit: str = "cron.service", user: str = "", said: tuple[str, ...] = (FOLDER,)) -> object:
    return listed_rights(said, [*HEAD, *lines] if lines else [], unit, user)


def sudo_listing(name: str) -> list[str]:
    text = (RECORDED / f"{name}.txt").read_text()
    return text.partition("@sudo\n")[2].removesuffix("@end\n").rstrip("\n").split("\n")


def wrapped(line: str) -> list[str]:
    """As sudo breaks a line at a terminal (measured)."""
    return textwrap.wrap(line, 80, subsequent_indent=" " * 8, break_long_words=False, break_on_hyphens=False)


@pytest.mark.parametrize("broken", [False, True])
def test_the_list_of_a_real_sudo_is_read_in_whole_lines_and_in_broken_ones(broken: bool) -> None:  # noqa: FBT001 - two ways
    lines = sudo_listing("surroundings")
    if broken:
        lines = [*lines[:4], *(part for line in lines[4:] for part in wrapped(line))]
        assert len(lines) > 60
    assert listed_rights((FOLDER,), lines, "cron.service", "") == ALL
    assert listed_rights((), lines, "cron.service", "") == ALL - {"control"}
    assert listed_rights((FOLDER,), lines, "multi-user.target", "") == frozenset({"reload"})
    assert listed_rights((FOLDER,), lines, "cron.service", "deploy") == frozenset(USER_RIGHTS)
    assert listed_rights((FOLDER,), lines, "cron.service", "idle") == frozenset[str]()


def test_a_right_needs_all_its_commands() -> None:
    assert listed(*rules(users=("deploy",))) == ALL
    assert listed(*rules("/usr/bin/find ^/run/systemd/system/[A-Za")) == ALL - {"unmask"}
    assert listed(*rules("/usr/bin/find ^/run/systemd/system/mask")) == ALL - {"mask"}
    assert listed(*rules("system\\.control", "reset-failed", users=("deploy",))) == ALL - {"control", "reset-failed"}
    assert listed("        of no rule", *rules()) == ALL
    assert listed("Sorry, user maskbot may not run sudo on web-01.") == frozenset()


def test_the_guard_of_the_host_is_heard() -> None:
    assert listed(*rules(), said=(FOLDER, NEVER)) == ALL | {NEVER}


@pytest.mark.parametrize(
    "lines",
    [
        [],  # sudo asks for a password even for that
        [*rules(), "    (root) PASSWD: /usr/bin/systemctl"],
        [*rules(), "    (ALL : ALL) ALL"],
        [f"{rules()[0]}, !/usr/bin/systemctl ^.* -- cron.service$"],
        [f"{rules()[0]}, SYSTEMCTL"],
        [*rules("stop"), "    (root) NOPASSWD: /usr/bin/systemctl stop *"],  # it may be that one
    ],
)
def test_what_somebody_else_wrote_is_not_guessed(lines: list[str]) -> None:
    assert listed(*lines) is None


def test_what_else_is_admitted_does_not_matter_where_ours_is_all_there() -> None:
    assert listed(*rules(), "    (root) NOPASSWD: /usr/bin/journalctl") == ALL
    assert listed(*rules(), "    (backup) NOPASSWD: /usr/bin/tar *") == ALL
    assert listed("    (ALL : ALL) NOPASSWD: ALL", unit="a\\x2db.service") == ALL


@pytest.mark.parametrize("said", [("root",), (FOLDER, FOLDER)])
def test_a_word_that_is_none_of_ours_is_not_believed(said: tuple[str, ...]) -> None:
    with pytest.raises(HostileOutput):
        listed(*rules(), said=said)


@pytest.mark.parametrize("lines", [["root"], ["mask", "mask"], [NEVER]])
def test_an_answer_to_single_questions_has_rights_alone(lines: list[str]) -> None:
    assert read_granted(["mask", "stop"]) == {"mask", "stop"}
    with pytest.raises(HostileOutput):
        read_granted(lines)


def test_a_look_asks_for_single_rights_only_where_the_list_does_not_tell() -> None:
    asked: list[str] = []

    def granted() -> frozenset[str]:
        asked.append("once")
        return parse_granted((RECORDED / "granted.txt").read_text())

    text = (RECORDED / "surroundings.txt").read_text()
    parse_look(text, UnitName("worker.service"), granted=granted)
    assert asked == []
    text = text.replace("(root) NOPASSWD: ", "(root) PASSWD: ", 1)
    text = text.replace("@rights\n", f"@rights\n{NEVER}\n")
    found = parse_look(text, UnitName("worker.service"), granted=granted).around
    assert found
    assert (found.rights, asked) == (ALL | {NEVER}, ["once"])
    unasked = parse_look(text, UnitName("worker.service")).around
    assert unasked
    assert unasked.rights == {NEVER}
