"""Groups that are looked up: a channel of approvers, who is on call, and who is asked for that."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.policy.groups import Group, OnCallSource
from tests.config.folder import POLICY, Folder

ON_CALL = POLICY.replace("sre: {users: [U0BOB, U0CAROL]}", "sre: {on_call: primary}")
COMMAND = 'on_call: {command: ["/bin/true", --team, sre]}\n'
URL = 'on_call: {url: "https://on-call.example.com/now?schedule={schedule}"}\n'


def with_sre(group: str) -> str:
    return POLICY.replace("sre: {users: [U0BOB, U0CAROL]}", f"sre: {group}")


def test_a_group_may_be_whoever_is_in_a_channel(folder: Folder) -> None:
    folder.policy = with_sre("{channel: C0SRE}")
    assert folder.load().policy.groups[1] == Group("sre", channel="C0SRE")
    folder.policy = with_sre("{channel: C0SRE, anybody_may_join: true}")
    assert folder.load().policy.groups[1].anybody_may_join


def test_a_group_may_be_whoever_is_on_call_as_a_command_says(folder: Folder) -> None:
    folder.policy = ON_CALL + COMMAND + "undo_by: [sre]\n"
    policy = folder.load().policy
    assert policy.groups[1] == Group("sre", on_call="primary")
    assert policy.on_call == OnCallSource(("/bin/true", "--team", "sre"), deadline=timedelta(seconds=5))
    assert policy.undo_by == ("sre",)


def test_or_a_url(folder: Folder) -> None:
    folder.policy = ON_CALL + URL.replace('"}', '", deadline: 2s}')
    source = folder.load().policy.on_call
    assert source == OnCallSource(
        url="https://on-call.example.com/now?schedule={schedule}", deadline=timedelta(seconds=2)
    )


def test_who_is_on_call_may_be_enough_people_as_far_as_the_file_knows(folder: Folder) -> None:
    folder.policy = ON_CALL + "    need: 2\n" + COMMAND
    assert folder.load().warnings == ()


GROUPS = {
    "a channel by its name": ("{channel: sre}", "groups.sre.channel: "),
    "a channel and people": ("{channel: C0SRE, users: [U0BOB]}", "groups.sre: needs exactly one of `users`"),
    "joining where there is no channel": (
        "{users: [U0BOB, U0CAROL], anybody_may_join: true}",
        "groups.sre: `anybody_may_join` only goes with `channel`",
    ),
    "a schedule that nobody knows": (
        "{on_call: primary}",
        "groups.sre.on_call: needs `on_call` at the top level, which says where to ask",
    ),
    "a schedule that looks like an option": ('{on_call: "--all"}', "groups.sre.on_call: "),
    "a schedule of two words": ("{on_call: first second}", "groups.sre.on_call: "),
}


@pytest.mark.parametrize(("group", "said"), GROUPS.values(), ids=GROUPS)
def test_refused_with_file_and_line(group: str, said: str, folder: Folder) -> None:
    folder.policy = with_sre(group)
    (complaint,) = folder.complaints()
    assert complaint.startswith(f"policy.yaml:5: {said}")


SOURCES = {
    "nothing to ask": ("{}", "on_call: needs either `command` or `url`, not both"),
    "two to ask": (
        '{command: [/bin/true], url: "https://a.example.com/{schedule}"}',
        "on_call: needs either `command` or `url`, not both",
    ),
    "a command of the PATH": ("{command: [on-call]}", "on_call: `command` has to begin with the full path"),
    "a command as one text": ("{command: /bin/true}", "on_call.command: "),
    "an empty argument": ('{command: [/bin/true, ""]}', "on_call.command[1]: "),
    "no time at all": ("{command: [/bin/true], deadline: 0s}", "on_call: `deadline` has to be more than zero"),
    "a minute": (
        "{command: [/bin/true], deadline: 1m}",
        "on_call: `deadline` has to be more than zero and at most 30s",
    ),
    "a URL without TLS": ('{url: "http://example.com/{schedule}"}', "on_call.url: has to be an https:// URL"),
    "a file": ('{url: "file:///etc/{schedule}"}', "on_call.url: has to be an https:// URL"),
    "no host": ('{url: "https:///{schedule}"}', "on_call.url: has to be an https:// URL"),
    "a URL with a blank": ('{url: "https://example.com/a b{schedule}"}', "on_call.url: has to be an https:// URL"),
    "a broken address": ('{url: "https://[::1/{schedule}"}', "on_call.url: "),
    "a password": ('{url: "https://me:secret@example.com/{schedule}"}', "on_call.url: names a user"),
    "a URL without the schedule": ('{url: "https://example.com/"}', "on_call.url: has to contain {schedule} once"),
    "a schedule as a host": ('{url: "https://{schedule}.example.com/"}', "on_call.url: has to contain {schedule} once"),
    "a shell": ("{shell: on-call}", "on_call.shell: unknown key"),
}


@pytest.mark.parametrize(("source", "said"), SOURCES.values(), ids=SOURCES)
def test_a_source_is_refused_with_file_and_line(source: str, said: str, folder: Folder) -> None:
    folder.policy = POLICY + f"on_call: {source}\n"
    assert folder.complaints()[0].startswith(f"policy.yaml:11: {said}"), folder.complaints()
    assert "secret" not in "".join(folder.complaints())


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:8080"])
def test_on_this_machine_a_source_needs_no_tls(host: str, folder: Folder) -> None:
    folder.policy = POLICY + f'on_call: {{url: "http://{host}/{{schedule}}"}}\n'
    assert folder.load().policy.on_call


def test_a_group_that_may_undo_has_to_be_one(folder: Folder) -> None:
    folder.policy = POLICY + "undo_by: [sres]\n"
    assert folder.complaints() == ["policy.yaml:11: undo_by[0]: there is no group `sres`. Did you mean `sre`?"]


def test_a_program_that_is_not_there_is_doubtful(folder: Folder, tmp_path: Path) -> None:
    program = tmp_path / "on-call"
    folder.policy = ON_CALL + f"on_call: {{command: [{program}]}}\n"
    (warning,) = warnings(folder)
    assert f"policy.yaml:11: on_call.command: {program} cannot be run on this machine" in warning
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert warnings(folder) == []


def warnings(folder: Folder) -> list[str]:
    return [warning.text for warning in folder.load().warnings]
