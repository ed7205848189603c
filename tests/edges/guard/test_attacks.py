"""Attacks with the bot's own key: whatever it asks for, the guard does nothing that the bot would not do."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bot.core.systemd.host_rules import GUARD, first_listed, with_templates
from bot.edges.guard.settings import CONFIGURATION
from tests.edges.guard.asking import Said, identity, read, sent
from tests.edges.guard.talking import ask, stop
from tests.edges.guard.test_changes import CONTROL, ETC, masked
from tests.lab.hosts import CRITICAL, LabHost
from tests.lab.rights import RIGHTS

pytestmark = pytest.mark.ssh
OWN = "login: maskbot\nusers: deploy\n"


@contextmanager
def configured(host: LabHost, text: str) -> Iterator[None]:
    """The host has another guard.conf."""
    before = host.run("cat", CONFIGURATION).stdout
    host.write(CONFIGURATION, text)
    try:
        yield
    finally:
        host.write(CONFIGURATION, before)


@contextmanager
def with_units(host: LabHost, **units: str) -> Iterator[None]:
    """Units or drop-ins in /run/systemd/system."""
    paths = {f"/run/systemd/system/{name}": text for name, text in units.items()}
    for path, text in paths.items():
        host.write(path, text)
    host.run("systemctl", "daemon-reload")
    try:
        yield
    finally:
        host.run("rm", "-f", *paths)
        host.run("systemctl", "daemon-reload")


@pytest.mark.parametrize(
    "words",
    [
        ("start", "systemd-poweroff.service"),
        ("start", "cron.service"),
        ("start", "endless.service"),
        ("add-wants", "sysinit.target", "systemd-reboot.service"),
        ("enable", "cron.service"),
        ("try-start", "cron.service"),
        ("try-start", "systemd-poweroff.service"),
        ("reset-failed", "cron.service"),
        ("kill", "cron.service"),
        ("stop", "ssh.service"),
        ("stop", "sshd.service"),
        ("stop", "dbus.socket"),
        ("stop", "multi-user.target"),
        ("stop", "template@.service"),
        ("stop", "--now.service"),
        ("stop", "../cron.service"),
        ("stop", "cron.service ssh.service"),
        ("stop", "cron"),
        ("link", "persistent", "ssh.service"),
        ("link", "control", "dbus.service"),
        ("link", "nowhere", "cron.service"),
        ("link", "../../tmp", "cron.service"),
        ("link", "persistent", "../../tmp/x.service"),
        ("stop", "mirror.service", "--user"),
        ("__init__", "x"),
        ("scan-all",),
        (),
    ],
    ids=" ".join,
)
def test_what_the_bot_never_does_is_refused(host: LabHost, words: tuple[str, ...]) -> None:
    before = host.run("ls", "-lR", ETC, CONTROL, "/run/systemd/system").stdout
    said = ask(host, *words)
    assert said.is_refused, said
    assert host.run("ls", "-lR", ETC, CONTROL, "/run/systemd/system").stdout == before


def test_a_valid_stop_is_not_refused(host: LabHost) -> None:
    """Without this, the test above would pass on a host where nothing works."""
    stop(host, "cron.service")
    assert host.show("cron.service", "ActiveState") == {"ActiveState": "inactive"}


def test_masks_and_control_files_of_others_stay(host: LabHost) -> None:
    host.write(f"{CONTROL}/restless.service", "[Service]\nExecStart=/bin/true\n")
    theirs = identity(host, f"{ETC}/handmade.service")
    assert ask(host, "unlink", "persistent", "handmade.service", theirs).is_refused
    with configured(host, OWN):
        assert ask(host, "unlink-foreign", "persistent", "handmade.service", theirs).is_refused
    file = identity(host, f"{CONTROL}/restless.service")
    for verb in ("unlink", "unlink-foreign"):
        assert ask(host, verb, "control", "restless.service", file).is_refused
    assert ask(host, "unlink-foreign", "persistent", "handmade.service", "1:2.3").is_refused
    host.run("rm", f"{CONTROL}/restless.service")
    assert host.run("readlink", f"{ETC}/handmade.service").stdout == "/dev/null\n"


def test_where_root_allows_it_a_mask_of_others_goes_but_nothing_starts_and_no_critical_unit(host: LabHost) -> None:
    host.run("ln", "-s", "/dev/null", f"{ETC}/auditd.service")
    theirs = identity(host, f"{ETC}/auditd.service")
    assert ask(host, "unlink-foreign", "persistent", "auditd.service", theirs).is_refused
    theirs = identity(host, f"{ETC}/handmade.service")
    assert ask(host, "unlink-foreign", "persistent", "handmade.service", theirs).code == 0
    assert ask(host, "start", "handmade.service").is_refused


def test_a_unit_to_which_ssh_is_bound_is_as_critical(host: LabHost) -> None:
    assert ask(host, "check", "tuned.service").out.count("never") == 0
    with with_units(host, **{"ssh.service.d/bound.conf": "[Unit]\nBindsTo=tuned.service\nAfter=tuned.service\n"}):
        for words in (("stop", "tuned.service"), ("link", "control", "tuned.service")):
            said = ask(host, *words)
            assert (said.is_refused, "ssh.service depends on tuned.service" in said.err) == (True, True), said


@pytest.mark.parametrize(
    ("pattern", "spared", "free"),
    [
        ("pay[ab]*", "paya-x.service", "payc.service"),
        ("work?r@.service", "worker@one.service", "worker@.timer"),
        ("work?r@.service", "worker@two.service", "worker@.timer"),
        ("tuned.*", "harmless.service", "cron.service"),
        ("metrics.service", "worker.service", "partof.service"),
        ("echo.service", "echo.socket", "beat.timer"),
    ],
    ids=["brackets", "a template", "an instance with a file of its own", "an alias", "a dependent", "what it starts"],
)
def test_a_pattern_of_the_host_holds_for_every_name_and_neighbour(
    host: LabHost, pattern: str, spared: str, free: str
) -> None:
    unit = "[Service]\nExecStart=/bin/sleep 1000\n"
    own = {"paya-x.service": unit, "payc.service": unit, "worker@.service": unit, "worker@two.service": unit}
    with with_units(host, **own), configured(host, f"{OWN}critical: {pattern}\n"):
        host.run("ln", "-sf", f"{ETC}/tuned.service", "/run/systemd/system/harmless.service")
        host.run("systemctl", "daemon-reload")
        for words in (("stop", spared), ("link", "runtime", spared)):
            said = ask(host, *words)
            assert (said.is_refused, "critical on this host" in said.err) == (True, True), said
        host.run("rm", "/run/systemd/system/harmless.service")
        assert "never" not in ask(host, "check", free).out or free == "worker@.timer"


def test_every_entry_of_the_critical_list_holds_on_the_host(host: LabHost) -> None:
    """Bot and guard are asked about a name for each pattern, and for others that no pattern matches."""
    patterns = [unit.pattern for unit in CRITICAL]
    kinds = (".service", ".socket", ".timer", ".path")
    stems = [pattern.replace("*", "x") for pattern in patterns]
    names = [stem if stem.endswith(kinds) else f"{stem}.service" for stem in stems if "*." not in stem]
    names = [name for name in dict.fromkeys(names) if not name.startswith(("x.", "-"))]
    free = [f"harmless-{number}.service" for number in range(5)]
    answers = [ask(host, "check", name).out for name in (*names, *free)]
    bots = [first_listed(patterns, with_templates([name])) is not None for name in (*names, *free)]
    guards = ["is critical on this host" in answer for answer in answers]
    assert [name for name, mine, its in zip((*names, *free), bots, guards, strict=True) if mine != its] == []
    assert bots == [True] * len(names) + [False] * len(free)


def test_no_link_is_made_through_a_folder_that_somebody_moved(host: LabHost) -> None:
    host.run("mkdir", "-p", "/run/elsewhere")
    host.run("mv", CONTROL, f"{CONTROL}.moved")
    host.run("ln", "-s", "/run/elsewhere", CONTROL)
    said = ask(host, "link", "control", "local.service")
    host.run("sh", "-c", f"rm {CONTROL}; mv {CONTROL}.moved {CONTROL}; chmod 777 {CONTROL}")
    open_to_all = ask(host, "link", "control", "local.service")
    host.run("chmod", "755", CONTROL)
    assert (said.is_refused, open_to_all.is_refused) == (True, True)
    assert "is not root's alone" in open_to_all.err
    assert host.run("ls", "/run/elsewhere", CONTROL).stdout.count("local.service") == 0
    assert ask(host, "link", "control", "local.service").code == 0


def test_a_mask_that_was_made_anew_is_not_the_bot_s(host: LabHost) -> None:
    made = masked(host)
    host.run("sh", "-c", f"rm {ETC}/cron.service; ln -s /dev/null {ETC}/cron.service")
    for seen in (made, identity(host, f"{ETC}/cron.service")):
        assert ask(host, "unlink", "persistent", "cron.service", seen).is_refused
    assert host.run("readlink", f"{ETC}/cron.service").stdout == "/dev/null\n"


@pytest.mark.parametrize(
    "given",
    [
        b"", b"{", b"[]", b"null", b'"stop"', b"x" * 100_000, b"[" * 16_000, b'{"protocol":1}',
        b'{"protocol":2,"id":"a1","do":[]}',
        b'{"protocol":1,"id":"a1","do":["stop",["cron.service"]]}', 
        b'{"protocol":1,"id":"a1","do":"stop"}', b"\xff\xfe{}",
        b'{"protocol":1,"do":["stop","cron.service"]}', b'{"protocol":1,"id":"a b","do":["stop","cron.service"]}',
        b'{"protocol":1,"id":"","do":["stop","cron.service"]}', b'{"protocol":1,"id":7,"do":["stop","cron.service"]}',
        b'{"protocol":1,"id":"a1","do":["stop","cron.service"]} {}',
        b'{"protocol":1,"id":"a1","do":["reload"],"note":[]}',
        b'{"protocol":1,"id":"a1","do":["stop","cron.service"],"note":{"reason":["a"]}}',
        b'{"protocol":1,"id":"a1","do":["stop","cron.service"],"then":"all","about":"cron.service"}',
        b'{"protocol":1,"id":"a1","do":["scan"],"seconds":91}', b'{"protocol":1,"id":"a1","do":["scan"],"seconds":0}',
        b'{"protocol":1,"id":"a1","do":["scan"],"seconds":"20"}',
        b'{"protocol":1e999,"id":"a1","do":["reload"]}', b'{"protocol":NaN,"id":"a1","do":["reload"]}',
    ],
)  # fmt: skip
def test_what_is_no_request_is_answered_in_a_frame(host: LabHost, given: bytes) -> None:
    said = read(sent(host, given))
    assert said.is_refused, said
    assert host.show("cron.service", "ActiveState") == {"ActiveState": "active"}


def test_a_request_that_does_not_end_is_not_waited_for(host: LabHost) -> None:
    began = time.monotonic()
    ours, theirs = os.pipe()
    os.write(theirs, b'{"protocol":1,')
    said = subprocess.run(host.ssh(GUARD), stdin=ours, capture_output=True, check=False, timeout=30)
    os.close(theirs)
    os.close(ours)
    assert read(said).is_refused
    assert time.monotonic() - began < 15


def test_root_s_part_serves_the_bot_s_login_alone(host: LabHost) -> None:
    asked = json.dumps({"protocol": 1, "id": "a1", "do": ["reload"]})
    for caller in ("", "SUDO_UID=0", "DOAS_USER=deploy", "SUDO_UID=deploy"):
        answer = host.run("env", "-i", *([caller] if caller else []), GUARD, given=asked)
        assert "is not the login that it serves" in answer.stdout, answer
    uid = host.run("id", "-u", host.login).stdout.strip()
    assert host.run("env", "-i", f"SUDO_UID={uid}", GUARD, given=asked).returncode == 0


@pytest.mark.parametrize("words", ["-c pass", "stop cron.service", "''"])
def test_it_is_admitted_without_arguments_alone(host: LabHost, words: str) -> None:
    answer = subprocess.run(
        host.ssh(f"{RIGHTS.program} -n {GUARD} {words}"), capture_output=True, text=True, check=False
    )
    assert (answer.returncode, answer.stdout) == (1, "")


@pytest.mark.parametrize(
    ("spoil", "mend"),
    [
        (f"mv {CONFIGURATION} /tmp/conf", f"mv /tmp/conf {CONFIGURATION}"),
        (f"chmod 666 {CONFIGURATION}", f"chmod 644 {CONFIGURATION}"),
        (
            f"cp {CONFIGURATION} /etc/theirs; mv {CONFIGURATION} /tmp/conf; ln -s /etc/theirs {CONFIGURATION}",
            f"rm {CONFIGURATION} /etc/theirs; mv /tmp/conf {CONFIGURATION}",
        ),
        (f"chown maskbot {CONFIGURATION}", f"chown root {CONFIGURATION}"),
        (f"chmod 777 {GUARD}", f"chmod 755 {GUARD}"),
        ("chmod 777 /usr/local/libexec", "chmod 755 /usr/local/libexec"),
        ("install -d -m 755 /var/lib/maskbot-guard", "rm -r /var/lib/maskbot-guard"),
        ("install -d -m 700 -o maskbot /var/lib/maskbot-guard", "rm -r /var/lib/maskbot-guard"),
        (f"echo 'critcal: x' >>{CONFIGURATION}", f"sed -i /critcal/d {CONFIGURATION}"),
        (
            f"sed -i 's/login: maskbot/login: deploy/' {CONFIGURATION}",
            f"sed -i 's/login: deploy/login: maskbot/' {CONFIGURATION}",
        ),
    ],
)
def test_without_what_is_root_s_alone_it_does_nothing(host: LabHost, spoil: str, mend: str) -> None:
    host.run("sh", "-c", spoil)
    said = ask(host, "stop", "cron.service")
    host.run("sh", "-c", mend)
    assert said.is_refused, said
    assert host.show("cron.service", "ActiveState") == {"ActiveState": "active"}


def test_what_it_remembers_has_a_bound(host: LabHost) -> None:
    stop(host, "restless.service")
    text = "cd /var/lib/maskbot-guard && for n in $(seq 999); do cp :restless.service :x$n.service; done"
    assert host.run("sh", "-c", text).returncode == 0
    said: Said = ask(host, "stop", "cron.service")
    assert ask(host, "start", "restless.service").code == 0
    host.run("sh", "-c", "rm -r /var/lib/maskbot-guard")
    assert said.is_refused, said


def test_a_user_whom_root_has_not_named_is_not_served(host: LabHost) -> None:
    for user in ("idle", "root", "nobody-here", "../deploy"):
        assert ask(host, "stop", "indexer.service", user=user).is_refused
        seen = ask(host, "look", "short", "indexer.service", user=user)
        assert seen.out.startswith("@maskbot-look 1\n@failed\nno_user")
    with configured(host, "login: maskbot\n"):
        for words in (("look", "short", "indexer.service"), ("stop", "indexer.service"), ("reload",)):
            said = ask(host, *words, user="deploy")
            assert (said.is_refused, "has not opened the manager of 'deploy'" in said.err) == (True, True), said


@pytest.mark.parametrize("layer", ["persistent {} boot R-7", "nowhere", "persistent\u00a0", "control {} b r", "x" * 99])
def test_no_layer_puts_words_into_what_the_guard_remembers(host: LabHost, layer: str) -> None:
    """What stands in a record as a link of the guard's own may be removed: here it would be a mask of root's."""
    theirs = identity(host, f"{ETC}/handmade.service")
    assert ask(host, "link", layer.format(theirs), "handmade.service").is_refused
    assert ask(host, "unlink", "persistent", "handmade.service", theirs).is_refused
    assert host.run("readlink", f"{ETC}/handmade.service").stdout == "/dev/null\n"
    assert host.run("sh", "-c", "ls -A /var/lib/maskbot-guard | grep :").stdout == ""


def test_a_link_that_was_not_made_opens_no_start(host: LabHost) -> None:
    """Nothing goes down with it, so nothing is brought back that root stops later."""
    host.run("ln", "-s", "/dev/null", "/run/systemd/system/cron.service")
    assert ask(host, "link", "runtime", "cron.service").code == 1
    host.run("sh", "-c", "rm /run/systemd/system/cron.service; systemctl daemon-reload; systemctl stop cron.service")
    assert ask(host, "start", "cron.service").is_refused
    assert host.show("cron.service", "ActiveState") == {"ActiveState": "inactive"}


def test_a_link_that_was_taken_off_again_opens_no_start_of_what_went_on_running(host: LabHost) -> None:
    """It stopped nothing. Whatever root stops later stays down."""
    assert ask(host, "link", "runtime", "cron.service").code == 0
    made = identity(host, "/run/systemd/system/cron.service")
    assert ask(host, "unlink", "runtime", "cron.service", made).code == 0
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "stop", "cron.service")
    assert ask(host, "start", "cron.service").is_refused
    assert host.show("cron.service", "ActiveState") == {"ActiveState": "inactive"}


def test_no_mask_waits_for_a_unit_that_is_not_there_yet(host: LabHost) -> None:
    """The bot masks none, and a package that is installed later would find itself masked."""
    for words in (("stop", "not-yet.service"), ("link", "persistent", "not-yet.service")):
        said = ask(host, *words)
        assert (said.is_refused, "there is no not-yet.service" in said.err) == (True, True), said
    assert host.run("ls", ETC).stdout.count("not-yet") == 0
