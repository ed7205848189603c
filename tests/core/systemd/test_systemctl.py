"""The words we send: exactly these, for exactly one unit; and the status that people are shown."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.systemd import systemctl
from bot.core.systemd.status import read_status
from bot.core.systemd.systemctl import RIGHTS, USER_RIGHTS, Argv
from bot.core.systemd.units import FileKind, Layer, LayerFile, UnitName
from bot.errors import UsageError
from tests.core.record import RECORDED, STATUS

CRON = UnitName("cron.service")
FOLDER = "/home/deploy/.config/systemd/user"
CHANGED = "1795886482.540087439"
VERY = "-maxdepth 0 -type l -xtype c -inum 205 -not -newerct @1795886482.540087439 -delete"


def line(words: Argv) -> str:
    return " ".join(words)


def link(layer: Layer, folder: str = FOLDER, identity: str = "205:1795886482.540087439") -> LayerFile:
    return LayerFile(layer, f"{folder}/other.service", FileKind.MASK, "/dev/null", identity)


def every_command(unit: UnitName, user: str = "") -> list[Argv]:
    layers = [Layer.PERSISTENT, Layer.RUNTIME] if user else list(Layer)
    return [
        *(systemctl.link_argv(unit, layer, user=user) for layer in layers),
        *(systemctl.unlink_argv(unit, link(layer), user=user) for layer in layers),
        *(systemctl.unprobe_argv(link(layer), user=user) for layer in layers),
        systemctl.stop_argv(unit, user=user),
        systemctl.kill_argv(unit, user=user),
        systemctl.start_argv(unit, user=user),
        systemctl.reset_failed_argv(unit, user=user),
        systemctl.reload_argv(user=user),
    ]


def test_the_commands_for_the_system_manager_are_these() -> None:
    assert [line(words) for words in every_command(CRON)] == [
        "sudo -n /usr/bin/ln -s -T -- /dev/null /etc/systemd/system.control/cron.service",
        "sudo -n /usr/bin/ln -s -T -- /dev/null /etc/systemd/system/cron.service",
        "sudo -n /usr/bin/ln -s -T -- /dev/null /run/systemd/system/cron.service",
        f"sudo -n /usr/bin/find /etc/systemd/system.control/cron.service {VERY}",
        f"sudo -n /usr/bin/find /etc/systemd/system/cron.service {VERY}",
        f"sudo -n /usr/bin/find /run/systemd/system/cron.service {VERY}",
        "sudo -n /usr/bin/find /etc/systemd/system.control/mask-probe.service -maxdepth 0 -type l -xtype c -delete",
        "sudo -n /usr/bin/find /etc/systemd/system/mask-probe.service -maxdepth 0 -type l -xtype c -delete",
        "sudo -n /usr/bin/find /run/systemd/system/mask-probe.service -maxdepth 0 -type l -xtype c -delete",
        "sudo -n /usr/bin/systemctl --no-ask-password stop --no-block -- cron.service",
        "sudo -n /usr/bin/systemctl --no-ask-password kill --signal=SIGKILL -- cron.service",
        "sudo -n /usr/bin/systemctl --no-ask-password start --no-block -- cron.service",
        "sudo -n /usr/bin/systemctl --no-ask-password reset-failed -- cron.service",
        "sudo -n /usr/bin/systemctl --no-ask-password daemon-reload",
    ]


def test_a_users_own_manager_is_spoken_to_by_root_in_one_fixed_form() -> None:
    manager = ("sudo", "-n", "/usr/bin/systemctl", "--no-ask-password", "--user", "-M", "deploy@.host")
    spoken = [words for words in every_command(CRON, user="deploy") if words[:7] == manager]
    assert [words[7:] for words in spoken] == [
        ("mask", "--no-reload", "--", "cron.service"),
        ("mask", "--runtime", "--no-reload", "--", "cron.service"),
        ("stop", "--no-block", "--", "cron.service"),
        ("kill", "--signal=SIGKILL", "--", "cron.service"),
        ("start", "--no-block", "--", "cron.service"),
        ("reset-failed", "--", "cron.service"),
        ("daemon-reload",),
    ]


def test_a_users_mask_is_removed_by_that_user_and_only_from_a_folder_of_units() -> None:
    for layer in (Layer.PERSISTENT, Layer.RUNTIME):
        words = systemctl.unlink_argv(CRON, link(layer), user="deploy")
        assert line(words) == f"sudo -n -u deploy /usr/bin/find {FOLDER}/cron.service {VERY}"
    for folder in (
        "",
        "/etc/systemd/system",
        "/home/deploy/systemd/user/..",
        "/home/a b/systemd/user",
        "-x/systemd/user",
    ):
        with pytest.raises(UsageError, match="is not where a user's mask can be"):
            systemctl.unlink_argv(CRON, link(Layer.PERSISTENT, folder), user="deploy")
        with pytest.raises(UsageError, match="is not where a user's mask can be"):
            systemctl.unprobe_argv(link(Layer.PERSISTENT, folder), user="deploy")


@pytest.mark.parametrize("identity", ["", "205", "205:1795886482", "205:1.0 -delete", "x:1.0"])
def test_a_link_that_was_not_seen_is_not_removed(identity: str) -> None:
    with pytest.raises(UsageError, match="A link that was not seen is not removed"):
        systemctl.unlink_argv(CRON, link(Layer.PERSISTENT, identity=identity))


@pytest.mark.parametrize(
    "login", ["", "Deploy", "-M", "a b", "a;id", "a@b", "../x", "a\n", "a" * 32, "1a", "deploy@.host", "däploy"]
)
def test_a_word_that_is_no_login_never_gets_into_a_command(login: str) -> None:
    with pytest.raises(UsageError, match="is not a login name"):
        systemctl.checked_login(login)


def test_the_control_layer_of_a_user_is_left_alone() -> None:
    for build in (systemctl.link_argv, lambda unit, layer, user: systemctl.unlink_argv(unit, link(layer), user=user)):
        with pytest.raises(UsageError, match="control layer is not used"):
            build(CRON, Layer.CONTROL, user="deploy")
    assert "control" not in USER_RIGHTS


def test_no_command_ever_stops_before_it_masks_forces_or_leaves_the_host() -> None:
    forbidden = {"--now", "--force", "-f", "--root", "-H", "--host", "--image", "--global", "edit", "link", "revert"}
    for user in ("", "deploy"):
        for words in every_command(CRON, user):
            assert not forbidden & set(words)


def test_every_right_is_a_command_that_is_sent_and_the_other_way_round() -> None:
    admitted = {line(form).replace("{unit}", "cron.service").replace("{inode}", "205").replace("{changed}", CHANGED)
                for forms in RIGHTS.values() for form in forms}  # fmt: skip
    assert {line(words[2:]) for words in every_command(CRON)} == admitted


def expressions(fragment: str) -> list[re.Pattern[str]]:
    """The fragment as sudo reads it: one command and a regular expression over its arguments."""
    found = re.findall(r"(/usr/bin/\w+) \^(.*)\$", fragment)
    assert len(found) == fragment.count("/usr/bin/"), "every command of the fragment is a regular expression"
    return [re.compile(f"{re.escape(program)} {arguments}") for program, arguments in found]


def admits(patterns: list[re.Pattern[str]], words: Argv) -> bool:
    return any(pattern.fullmatch(line(words)) for pattern in patterns)


SYSTEM = expressions(systemctl.sudoers_fragment("maskbot"))
BOTH = expressions(systemctl.sudoers_fragment("maskbot", users=["deploy"]))
STEMS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9:_.-]{0,20}(@[A-Za-z0-9:_.@-]{1,20})?", fullmatch=True)
NAMES = st.builds("{}.{}".format, STEMS, st.sampled_from(["service", "socket", "timer", "path"]))
UNITS = NAMES.filter(lambda name: ".." not in name).map(UnitName)


@given(UNITS)
def test_the_fragment_admits_all_that_is_sent_and_for_users_only_those_named(unit: UnitName) -> None:
    for words in every_command(unit):
        assert admits(SYSTEM, words[2:])
    for words in every_command(unit, user="deploy"):
        assert admits(BOTH, words[4 if "-u" in words else 2 :])
        assert words == systemctl.reload_argv(user="deploy") or not admits(SYSTEM, words[2:])
    for words in every_command(unit, user="root"):
        assert not admits(BOTH, words[2:])


def test_a_login_of_several_words_still_makes_one_alias() -> None:
    fragment = systemctl.sudoers_fragment("mask-bot")
    assert fragment.startswith("Cmnd_Alias MASK_BOT_COMMANDS = ")
    assert fragment.endswith("mask-bot ALL=(root) NOPASSWD: MASK_BOT_COMMANDS\n")


def test_status_is_asked_without_root_and_without_the_journal() -> None:
    assert line(systemctl.status_argv(CRON)) == (
        "/usr/bin/env LC_ALL=C SYSTEMD_COLORS=0 /usr/bin/systemctl --no-ask-password --no-pager --full status "
        "-n 0 -- cron.service"
    )
    assert line(systemctl.status_argv(CRON, user="deploy")) == (
        "sudo -n /usr/bin/systemctl --no-ask-password --user -M deploy@.host --no-pager --full status -n 0 "
        "-- cron.service"
    )


@pytest.mark.parametrize("name", STATUS)
def test_no_process_and_no_command_line_of_a_real_status_is_shown(name: str) -> None:
    head = read_status((RECORDED / f"{name}.status").read_text())

    assert head.split("\n")[0].startswith(f"* {STATUS[name].unit}")
    assert "Loaded: " in head
    assert "Active: " in head
    for hidden in ("CGroup", "sleep infinity", "/bin/sh", "`-", "|-", "Process:"):
        assert hidden not in head


def test_what_a_unit_writes_about_itself_into_its_status_is_left_out() -> None:
    shown = read_status(
        "● web.service - The \x1b[31mweb\x1b[0m\n"
        "     Loaded: loaded (/etc/systemd/system/web.service; enabled)\n"
        '     Status: "password=hunter2"\n'
        "       Docs: https://evil.example\n"
        "    Process: 7 ExecStart=/usr/bin/web --token=hunter2\n"
        "   Main PID: 8 (web)\n"
        "Mar 01 03:00:00 web-01 web[8]: Active: hunter2\n"
        "     Active: active (running)\n"
    )
    assert shown == (
        "● web.service - The web\n"
        "     Loaded: loaded (/etc/systemd/system/web.service; enabled)\n"
        "   Main PID: 8 (web)\n"
        "     Active: active (running)"
    )
