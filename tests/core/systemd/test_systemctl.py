"""The words we send: exactly these, for exactly one unit; and the status that people are shown."""

import pytest

from bot.core.systemd import systemctl
from bot.core.systemd.guard import Argv
from bot.core.systemd.status import read_status
from bot.core.systemd.units import FileKind, Layer, LayerFile, UnitName
from bot.errors import UsageError
from tests.core.record import RECORDED, STATUS

CRON = UnitName("cron.service")


def line(words: Argv) -> str:
    return " ".join(words)


def link(layer: Layer, identity: str = "205:1795886482.540087439") -> LayerFile:
    return LayerFile(layer, "/etc/systemd/system/other.service", FileKind.MASK, "/dev/null", identity)


def test_the_commands_are_these_words_for_the_guard() -> None:
    assert [line(words) for words in every_command("")] == [
        "maskbot-guard probe control",
        "maskbot-guard link control cron.service",
        "maskbot-guard unlink control cron.service 205:1795886482.540087439",
        "maskbot-guard unlink-foreign control cron.service 205:1795886482.540087439",
        "maskbot-guard stop cron.service",
        "maskbot-guard kill cron.service",
        "maskbot-guard start cron.service",
        "maskbot-guard try-start cron.service",
        "maskbot-guard reset-failed cron.service",
        "maskbot-guard reload",
        "maskbot-guard status cron.service",
    ]
    assert line(systemctl.rules_argv()) == "maskbot-guard rules"


def test_the_commands_for_a_user_s_own_manager_name_the_user_first() -> None:
    for ours, theirs in zip(every_command(""), every_command("deploy"), strict=True):
        assert theirs[1:3] == ("--user", "deploy")
        assert theirs[3:] == tuple(word.replace("control", "runtime") for word in ours[1:])


def every_command(user: str) -> list[Argv]:
    layer = Layer.RUNTIME if user else Layer.CONTROL
    return [
        systemctl.probe_argv(layer, user=user),
        systemctl.link_argv(CRON, layer, user=user),
        systemctl.unlink_argv(CRON, link(layer), user=user),
        systemctl.unlink_argv(CRON, link(layer), user=user, foreign=True),
        systemctl.stop_argv(CRON, user=user),
        systemctl.kill_argv(CRON, user=user),
        systemctl.start_argv(CRON, user=user),
        systemctl.try_start_argv(CRON, user=user),
        systemctl.reset_failed_argv(CRON, user=user),
        systemctl.reload_argv(user=user),
        systemctl.status_argv(CRON, user=user),
    ]


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
