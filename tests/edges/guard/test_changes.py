"""What the guard does on a real host, and that it brings back that and nothing else."""

import pytest

from bot.core.systemd.host_rules import GUARD
from tests.edges.guard.asking import identity, request, sent
from tests.edges.guard.talking import ask, end_kept, stop
from tests.edges.ssh.looking import until
from tests.lab.hosts import LabHost

pytestmark = pytest.mark.ssh
ETC, CONTROL = "/etc/systemd/system", "/etc/systemd/system.control"


def masked(host: LabHost, unit: str = "cron.service", layer: str = "persistent", folder: str = ETC) -> str:
    """Stop and mask a unit through the guard; returns the identity of the link."""
    assert ask(host, "probe", layer).code == 0
    stop(host, unit)
    for words in (("link", layer, unit), ("reload",)):
        said = ask(host, *words)
        assert (said.code, said.err) == (0, ""), (words, said)
    return identity(host, f"{folder}/{unit}")


def comes_up(host: LabHost, unit: str) -> None:
    """Wait until it runs: the guard does not wait for a start."""
    until(lambda: host.show(unit, "LoadState", "ActiveState") == {"LoadState": "loaded", "ActiveState": "active"})


@pytest.mark.parametrize(
    ("unit", "layer", "folder"),
    [
        ("cron.service", "persistent", ETC),
        ("cron.service", "runtime", "/run/systemd/system"),
        ("local.service", "control", CONTROL),
        ("echo.socket", "persistent", ETC),
        ("beat.timer", "persistent", ETC),
        ("watched.path", "persistent", ETC),
    ],
)
def test_what_it_masked_it_unmasks_and_starts_again_once(host: LabHost, unit: str, layer: str, folder: str) -> None:
    made = masked(host, unit, layer, folder)
    assert host.show(unit, "LoadState", "ActiveState") == {"LoadState": "masked", "ActiveState": "inactive"}
    assert host.run("readlink", f"{folder}/{unit}").stdout == "/dev/null\n"
    tried = ask(host, "try-start", unit)
    assert (tried.code, "is masked" in tried.err) == (1, True)
    assert ask(host, "unlink", layer, unit, made).code == 0
    assert ask(host, "reload").code == 0
    assert ask(host, "start", unit).code == 0
    comes_up(host, unit)
    host.run("systemctl", "stop", unit)
    assert ask(host, "start", unit).is_refused
    assert ask(host, "unlink", layer, unit, made).is_refused
    assert host.show(unit, "ActiveState") == {"ActiveState": "inactive"}


def test_what_stopped_with_a_unit_comes_back_with_it(host: LabHost) -> None:
    made = masked(host, "worker.service")
    assert host.show("partof.service", "ActiveState") == {"ActiveState": "inactive"}
    assert ask(host, "unlink", "persistent", "worker.service", made).code == 0
    assert ask(host, "reload").code == 0
    for unit in ("worker.service", "metrics.service", "partof.service"):
        assert ask(host, "start", unit).code == 0
        assert ask(host, "start", unit).is_refused


def test_a_start_that_fails_can_be_tried_again(host: LabHost) -> None:
    made = masked(host)
    assert ask(host, "start", "cron.service").code == 1
    assert ask(host, "unlink", "persistent", "cron.service", made).code == 0
    assert ask(host, "reload").code == 0
    assert ask(host, "start", "cron.service").code == 0


def test_a_start_that_systemd_refused_for_earlier_ones_is_made_once_more(host: LabHost) -> None:
    unit = "[Unit]\nStartLimitBurst=2\nStartLimitIntervalSec=600\n[Service]\nExecStart=/bin/sleep 1000\n"
    unit += "[Install]\nWantedBy=multi-user.target\n"
    host.write("/run/systemd/system/seldom.service", unit)
    for words in (("daemon-reload",), ("enable", "--runtime", "seldom.service"), ("start", "seldom.service")):
        assert host.run("systemctl", *words).returncode == 0
    stop(host, "seldom.service")
    host.run("systemctl", "start", "seldom.service")
    host.run("systemctl", "stop", "seldom.service")
    assert ask(host, "start", "seldom.service").code == 0
    until(lambda: host.show("seldom.service", "Result") == {"Result": "start-limit-hit"})
    assert ask(host, "start", "seldom.service").is_refused, "each once, as long as nobody looks why"
    assert ask(host, "reset-failed", "seldom.service").code == 0
    assert ask(host, "start", "seldom.service").code == 0
    comes_up(host, "seldom.service")
    assert ask(host, "reset-failed", "seldom.service").is_refused
    assert ask(host, "start", "seldom.service").is_refused
    host.run("sh", "-c", "systemctl disable --runtime --now seldom; rm /run/systemd/system/seldom.service")
    host.run("systemctl", "daemon-reload")


def test_a_mask_that_is_put_back_is_one_more(host: LabHost) -> None:
    masked(host)
    host.run("rm", f"{ETC}/cron.service")
    host.run("systemctl", "daemon-reload")
    assert ask(host, "link", "persistent", "cron.service").code == 0
    assert ask(host, "unlink", "persistent", "cron.service", identity(host, f"{ETC}/cron.service")).code == 0
    assert ask(host, "start", "cron.service").code == 0


def test_a_runtime_mask_ends_with_its_boot_and_so_does_what_is_remembered(host: LabHost) -> None:
    masked(host, "restless.service", "runtime", "/run/systemd/system")
    end_kept()
    host.reboot()
    host.start_transient()
    host.run("systemctl", "stop", "restless.service")
    assert ask(host, "start", "restless.service").is_refused


def test_a_persistent_mask_is_remembered_over_a_reboot(host: LabHost) -> None:
    made = masked(host, "restless.service")
    end_kept()
    host.reboot()
    host.start_transient()
    assert ask(host, "unlink", "persistent", "restless.service", made).code == 0
    assert ask(host, "reload").code == 0
    assert ask(host, "start", "restless.service").code == 0


@pytest.mark.parametrize("folder", ["persistent", "runtime"])
def test_a_mask_in_which_the_guard_was_killed_is_its_own_by_the_time_of_the_link(host: LabHost, folder: str) -> None:
    program = host.run("cat", GUARD).stdout
    after_the_link = "        if done.code == 0:\n            record.links[layer] = "
    assert program.count(after_the_link) == 1
    host.write(GUARD, program.replace(after_the_link, f"        os.kill(os.getpid(), 9)\n{after_the_link}"), 0o755)
    try:
        unanswered = sent(host, request("link", folder, "cron.service"))
    finally:
        host.write(GUARD, program, 0o755)
    assert unanswered.stdout == b""
    made = identity(host, f"{ETC if folder == 'persistent' else '/run/systemd/system'}/cron.service")
    moment = int(made.partition(":")[2].replace(".", ""))
    record = "/var/lib/maskbot-guard/:cron.service"
    begin = int(host.run("sed", "-n", f"s/^link {folder} >\\([0-9]*\\) .*/\\1/p", record).stdout)
    for wrong in (moment + 1, moment - 60 * 10**9):
        host.run("sed", "-i", f"s/^link {folder} >[0-9]*/link {folder} >{wrong}/", record)
        assert ask(host, "unlink", folder, "cron.service", made).is_refused
    host.run("sed", "-i", f"s/^link {folder} >[0-9]*/link {folder} >{begin}/", record)
    assert ask(host, "unlink", folder, "cron.service", made).code == 0


def test_a_look_may_follow_a_change(host: LabHost) -> None:
    said = ask(host, "stop", "cron.service", then="short", about="cron.service")
    assert (said.code, said.out) == (0, "")
    assert said.look.startswith("@maskbot-look 1\n")
    assert said.look.endswith("@end\n")
    assert "\nId=cron.service\n" in said.look


def test_the_journal_of_the_unit_says_who_masked_it_and_why(host: LabHost) -> None:
    made = masked(host)
    ask(host, "unlink", "persistent", "cron.service", made)
    ask(host, "reload")
    why = "request R-7, asked by alice, approved by bob, until 2026-11-29 02:00 UTC: runaway job, INC-2041"
    for command in (("journalctl", "-u", "cron.service"), ("systemctl", "-n", "50", "status", "cron.service")):
        shown = host.run(*command, "--no-pager").stdout
        assert f"cron.service is masked (persistent), {why}" in shown
        assert f"cron.service is not masked any more (persistent), {why}" in shown
    fields = host.run("journalctl", "-u", "cron.service", "-t", "maskbot-guard", "-o", "json", "-n", "1").stdout
    assert '"_UID":"0"' in fields.replace(" ", "")


def test_a_reason_is_one_line_of_the_journal_whatever_is_in_it(host: LabHost) -> None:
    reason = "a\nUNIT=ssh.service\x1b[2J\u202e and\u00a0more\U0001f468\u200d\U0001f469"
    assert ask(host, "stop", "cron.service", note={"request": "R 8", "reason": reason}).code == 0
    lines = host.run("journalctl", "-t", "maskbot-guard", "-n", "1", "-o", "cat", "--no-pager").stdout
    assert lines.count("\n") == 1
    assert "request R8: a UNIT=ssh.service [2J and more" in lines
    assert "ssh.service" not in host.run("journalctl", "-t", "maskbot-guard", "-n", "1", "-o", "cat",
                                         "--output-fields=UNIT,OBJECT_SYSTEMD_UNIT").stdout  # fmt: skip


def test_a_reason_is_not_longer_than_a_person_reads(host: LabHost) -> None:
    assert ask(host, "stop", "cron.service", note={"request": "R-9", "reason": "x" * 2000}).code == 0
    line = host.run("journalctl", "-t", "maskbot-guard", "-n", "1", "-o", "cat", "--no-pager").stdout
    assert line.count("x") == 300


def test_a_kill_needs_a_stop_before_it(host: LabHost) -> None:
    assert ask(host, "kill", "stubborn.service").is_refused
    assert ask(host, "stop", "stubborn.service").code == 0
    assert ask(host, "kill", "stubborn.service").code == 0


def test_a_user_s_own_unit_is_masked_in_the_user_s_folder_by_the_user(host: LabHost) -> None:
    path = "/home/deploy/.config/systemd/user/indexer.service"
    for words in (("probe", "persistent"), ("stop", "indexer.service"), ("link", "persistent", "indexer.service")):
        said = ask(host, *words, user="deploy")
        assert said.code == 0, (words, said)
    assert host.run("stat", "-c", "%U", path).stdout == "deploy\n"
    uid = host.run("id", "-u", "deploy").stdout.strip()
    for who in ("0", uid):  # root's word, and what the user's own systemctl(1) shows
        fields = ("OBJECT_SYSTEMD_USER_UNIT=indexer.service", f"_UID={who}")
        journal = host.run("journalctl", "--no-pager", "-o", "cat", "-t", "maskbot-guard", *fields).stdout
        assert "indexer.service is masked (persistent), request R-7, asked by alice" in journal
    assert ask(host, "reload", user="deploy").code == 0
    assert ask(host, "unlink", "persistent", "indexer.service", identity(host, path), user="deploy").code == 0
    assert ask(host, "reload", user="deploy").code == 0
    assert ask(host, "start", "indexer.service", user="deploy").code == 0
    assert ask(host, "start", "indexer.service", user="deploy").is_refused


def test_a_full_look_at_a_user_s_unit_says_what_root_would_do(host: LabHost) -> None:
    seen = ask(host, "look", "full", "indexer.service", user="deploy")
    rights = seen.out.partition("\n@rights\n")[2].splitlines()
    assert rights == ["mask", "unmask", "stop", "start", "reset-failed", "reload", "kill", "foreign-masks", "@end"]
