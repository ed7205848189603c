"""The mistakes that newcomers make in what `maskbot init` wrote: `check`, `run` and `doctor` say how to mend each."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent, indent
from types import SimpleNamespace

import pytest

from bot.app.anchor_file import anchor_file
from bot.app.compose import open_store
from bot.cli.check import check
from bot.cli.doctor_output import show
from bot.cli.secret import new_key
from bot.core.audit.anchor import Anchor, write_anchor
from bot.core.audit.chain import START, Event
from bot.core.audit.seal_keys import parse_keys
from bot.doctor.check_result import SETTINGS, CheckResult
from bot.doctor.start import examine_start
from bot.edges.ssh.new_key import make_key
from bot.errors import ConfigError
from config.first_files import FirstPolicy, first_environment, first_hosts, first_policy
from config.hosts_edit import Entry
from config.settings import load_settings
from config.start import examine, load_to_start
from tests.config.folder import KEY

WORDS = Path(__file__).with_name("mistakes.txt")
ALICE, BOB, CAROL = ("U0ALICE", "alice"), ("U0BOB", "bob"), ("U0CAROL", "carol")
PEOPLE = FirstPolicy(("C0INCIDENT", "incident"), [ALICE, BOB], [BOB, CAROL, ALICE])
WEB_01 = Entry("web-01", {"address": "192.0.2.11", "environment": "prod"}, (KEY,))
TOKENS = {"slack_bot_token": "xoxb-1-test", "slack_app_token": "xapp-1-A1-2-test"}


@dataclass(frozen=True)
class Made:
    """The folder that `maskbot init` made, and whose settings are those of the shell."""

    folder: Path
    shell: pytest.MonkeyPatch

    def write(self, name: str, text: str, mode: int = 0o600) -> None:
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(mode)


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    one = Made(tmp_path, monkeypatch)
    secrets, state = tmp_path / "secrets", tmp_path / "state"
    for each in (secrets, state):
        each.mkdir(mode=0o700)
    make_key(secrets / "ssh_key")
    for name, text in {"maskbot_seal_keys": new_key(), **TOKENS}.items():
        one.write(f"secrets/{name}", f"{text}\n")
    one.write("policy.yaml", first_policy(PEOPLE), 0o644)
    one.write("hosts.yaml", first_hosts([WEB_01]), 0o644)
    places = {"secrets": secrets, "key": secrets / "ssh_key", "socket": state / "maskbot.sock"}
    settings = first_environment(tmp_path, {**places, "database": state / "maskbot.sqlite"})
    for line in settings.splitlines()[1:]:
        monkeypatch.setenv(*line.split("=", 1))
    return one


Mistake = Callable[[Made], object]


def in_file(name: str, right: str, wrong: str) -> Mistake:
    """`right` is written as `wrong` there."""

    def make(made: Made) -> None:
        text = (made.folder / name).read_text()
        assert right in text
        made.write(name, text.replace(right, wrong, 1), 0o644)

    return make


def policy(right: str, wrong: str) -> Mistake:
    return in_file("policy.yaml", right, wrong)


def added(text: str) -> Mistake:
    return in_file("policy.yaml", "guarded_need: 2\n", f"guarded_need: 2\n{text}\n")


def hosts(right: str, wrong: str) -> Mistake:
    return in_file("hosts.yaml", right, wrong)


def is_(name: str, text: str, mode: int = 0o600) -> Mistake:
    """A file with this content."""
    return lambda made: made.write(name, text, mode)


def gone(name: str) -> Mistake:
    return lambda made: (made.folder / name).unlink()


def moved(name: str, to: str) -> Mistake:
    return lambda made: (made.folder / name).rename(made.folder / to)


def mode(name: str, bits: int) -> Mistake:
    return lambda made: (made.folder / name).chmod(bits)


def shell(name: str, text: str) -> Mistake:
    return lambda made: made.shell.setenv(name, text)


def swapped(made: Made) -> None:
    bot, app = TOKENS.values()
    made.write("secrets/slack_bot_token", app)
    made.write("secrets/slack_app_token", bot)


def few_approvers(need: str) -> Mistake:
    """carol alone approves."""

    def make(made: Made) -> None:
        people = FirstPolicy(PEOPLE.channel, PEOPLE.may_ask, [CAROL])
        made.write("policy.yaml", first_policy(people).replace("    need: 1", f"    need: {need}"), 0o644)

    return make


def one_person(made: Made) -> None:
    """carol asks, and carol approves."""
    made.write("policy.yaml", first_policy(FirstPolicy(PEOPLE.channel, [CAROL], [CAROL])), 0o644)


def not_sourced(made: Made) -> None:
    for name in os.environ:
        if name.startswith("MASKBOT_"):
            made.shell.delenv(name)
    made.shell.chdir(made.folder)


def public_half(made: Made) -> None:
    made.shell.setenv("MASKBOT_SSH_KEY_FILE", str(made.folder / "secrets/ssh_key.pub"))


def started_once(made: Made) -> None:
    """A bot has started, and stopped."""
    made.write("secrets/maskbot_seal_keys", f"{A_KEY}\n")
    settings = load_settings()
    store = open_store(settings)
    with store.exclusive():
        store.record([Event("bot.started", "success")])
        anchor_file(settings).keep(store.head(), datetime.now(UTC))


def lost_seal_key(made: Made) -> None:
    started_once(made)
    (made.folder / "secrets/maskbot_seal_keys").unlink()


def another_seal_key(made: Made) -> None:
    started_once(made)
    made.write("secrets/maskbot_seal_keys", f"{OTHER_KEY}\n")


def another_key_for_the_anchor(made: Made) -> None:
    started_once(made)
    made.write("state/maskbot.anchor", write_anchor(Anchor(START, datetime.now(UTC)), parse_keys(OTHER_KEY)))


def lost_database(made: Made) -> None:
    started_once(made)
    (made.folder / "state/maskbot.sqlite").unlink()


def full_disk(made: Made) -> None:
    """The disk of the database's folder, as seen by this process."""
    real = os.statvfs(made.folder)
    full = SimpleNamespace(f_frsize=real.f_frsize, f_bavail=0, f_bfree=0)
    made.shell.setattr(os, "statvfs", lambda _: full)


def newer_database(made: Made) -> None:
    started_once(made)
    with closing(sqlite3.connect(made.folder / "state/maskbot.sqlite")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")


def pager(made: Made) -> None:
    made.shell.setenv("MASKBOT_PAGER_FORMAT", "pagerduty")
    made.shell.setenv("MASKBOT_PAGER_URL", "https://events.pagerduty.com/v2/enqueue")


RULE = "    need: 1\n"
A_KEY, OTHER_KEY = f"2020-01-01-abcd:{'A' * 43}=", f"2021-02-02-bcde:{'B' * 42}A="

MISTAKES: dict[str, Mistake] = {
    "a typo in a key": policy("approve: [", "aprove: ["),
    "a typo in a key above": policy("operations_channel", "operation_channel"),
    "a typo in a key of hosts": hosts("environment:", "enviroment:"),
    "a key twice": added("guarded_need: 3"),
    "a tab": added("limits:\n\topen_requests: 3"),
    "another indentation": policy("    approve_within", "   approve_within"),
    "an open bracket": policy("approve: [approvers]", "approve: [approvers"),
    "a person by handle": policy("- U0ALICE", "- @alice"),
    "a person by name": policy("- U0ALICE", "- alice"),
    "a channel by name": policy("[C0INCIDENT]", "['#incident']"),
    "a user group by handle": policy("    users:\n      - U0BOB", "    slack_group: '@sre'\n    users:\n      - U0BOB"),
    "a group that is not there": policy("approve: [approvers]", "approve: [approver]"),
    "text for a list": policy("approve: [approvers]", "approve: approvers"),
    "a number in quotes": policy("need: 1", "need: '1'"),
    "a duration without unit": policy("approve_within: 15m", "approve_within: 15"),
    "a duration in words": policy("approve_within: 15m", "approve_within: 15 minutes"),
    "a unit without suffix": policy(RULE, f"{RULE}    units: [cron]\n"),
    "an environment that no host has": policy(RULE, f"{RULE}    environments: [production]\n"),
    "a no with rights": policy(RULE, f"{RULE}    forbid: never\n"),
    "nobody has to approve": policy("need: 1", "need: 0"),
    "an unreachable quorum": few_approvers("2"),
    "an unreachable quorum of guarded units": few_approvers("1"),
    "a wrong zone": added("time_zone: Europe/Berln"),
    "an abbreviated zone": added("time_zone: CEST"),
    "a mode that is none": added("mode: watch"),
    "a program that is not there": added("on_call: {command: [/nonexistent/on-call]}"),
    "an empty policy": is_("policy.yaml", "", 0o644),
    "no policy": gone("policy.yaml"),
    "no hosts": gone("hosts.yaml"),
    "a policy that everybody may write": mode("policy.yaml", 0o666),
    "half a fingerprint": hosts(KEY, KEY[:-3]),
    "an MD5 fingerprint": hosts(KEY, "MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48"),
    "a line of known_hosts": hosts(KEY, "web-01 ssh-ed25519 AAAA"),
    "no list of fingerprints": hosts(f"\n      - {KEY}", f" {KEY}"),
    "no fingerprint yet": hosts(f"\n      - {KEY}", " []"),
    "no fingerprint": hosts(f"    host_keys:\n      - {KEY}\n", ""),
    "a name in capitals": hosts("name: web-01", "name: Web-01"),
    "a name with its domain": hosts("name: web-01", "name: web-01.example.com"),
    "a network for an address": hosts("192.0.2.11", "192.0.2.0/24"),
    "a way that is not there": hosts("    environment", "    via: bastion\n    environment"),
    "a host twice": hosts(
        "hosts:\n", "hosts:\n  - {name: web-02, address: 192.0.2.11, environment: prod, host_keys: []}\n"
    ),
    "swapped tokens": swapped,
    "no bot token": gone("secrets/slack_bot_token"),
    "no app token": gone("secrets/slack_app_token"),
    "a token under another name": moved("secrets/slack_app_token", "secrets/slack-app-token.txt"),
    "a token in quotes": is_("secrets/slack_bot_token", "'xoxb-1-test'"),
    "two lines for a token": is_("secrets/slack_bot_token", "xoxb-1-test\nxapp-1"),
    "a person's token": is_("secrets/slack_bot_token", "xoxp-1"),
    "an empty token": is_("secrets/slack_bot_token", "\n"),
    "a token that everybody may read": mode("secrets/slack_bot_token", 0o644),
    "no key": gone("secrets/ssh_key"),
    "a junk key": is_("secrets/ssh_key", "junk\n"),
    "the public half of the key": public_half,
    "a key that everybody may read": mode("secrets/ssh_key", 0o644),
    "no seal key": gone("secrets/maskbot_seal_keys"),
    "half a seal key": is_("secrets/maskbot_seal_keys", new_key()[:-9]),
    "a typo in a setting": shell("MASKBOT_LOG_LEVL", "debug"),
    "a value that a setting cannot have": shell("MASKBOT_LOG_LEVEL", "verbose"),
    "another folder": shell("MASKBOT_CONFIG_DIR", "/etc/maskbott"),
    "another folder of secrets": shell("MASKBOT_SECRETS_DIR", "/run/secretss"),
    "another kind of database": shell("MASKBOT_DATABASE_URL", "mysql://maskbot@db/maskbot"),
    "two slashes for three": shell("MASKBOT_DATABASE_URL", "sqlite://var/maskbot.sqlite"),
    "a file for a folder": shell("MASKBOT_DATABASE_URL", "sqlite:////dev/null/maskbot.sqlite"),
    "a path that is too long for a socket": shell("MASKBOT_SOCKET", f"/run/{'x' * 110}"),
    "a pager without its key": pager,
    "a way to Slack that is not said": is_("secrets/slack_signing_secret", "8f742231b10e8888abcd99yyyzzz85a5"),
    "settings that the shell does not have": not_sourced,
    "people of the command line without a team": added("people: {root: U0ALICE}\nshell_channel: C0INCIDENT"),
    "a database that is none": is_("state/maskbot.sqlite", "hello\n"),
    "a database that is gone": lost_database,
    "a database of a newer version": newer_database,
    "a database of another seal key": another_seal_key,
    "an anchor of another seal key": another_key_for_the_anchor,
    "one person who asks and approves": one_person,
    "a full disk": full_disk,
    "a seal key that is lost": lost_seal_key,
    "the line ends of Windows in the settings": shell("MASKBOT_LOG_LEVEL", "info\r"),
    "a zone under another key": added("calendar:\n  timezone: Europe/Berlin"),
    "a key of nothing": added("limits: {bursts: 3}"),
    "a list of hosts and nothing else": is_("hosts.yaml", "- name: web-01\n", 0o644),
}


def said(made: Made, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """The exit code of `check`, and what it prints, without the folder's name."""
    code = check(only_files=False, as_json=False)
    printed = capsys.readouterr()
    assert printed.out == ("configuration ok\n" if code == 0 else "the bot would not start with this configuration\n")
    return code, printed.err.replace(f"{made.folder}/", "").splitlines()


def run_says(made: Made) -> list[str]:
    """What keeps `run` from starting, without what mends it."""
    try:
        load_to_start(load_settings())
    except ConfigError as error:
        return [line.replace(f"{made.folder}/", "").partition(". Fix: ")[0] for line in str(error).splitlines()]
    return []


def doctor_ends(capsys: pytest.CaptureFixture[str]) -> str:
    """The last line of doctor, if everything else is well."""
    try:
        found = list(examine_start(*examine(load_settings())))
    except ConfigError as error:
        found = [CheckResult(SETTINGS, "", is_ok=False, what=line) for line in str(error).splitlines()]
    show(found, verbose=False)
    return capsys.readouterr().out.splitlines()[-1]


def test_what_init_wrote_has_no_mistake(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(made, capsys) == (0, [])
    assert (run_says(made), doctor_ends(capsys)) == ([], "ready")


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_said_with_what_mends_it(name: str, made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    """`check` and `run` say the same, and doctor ends with it. Rewritten with GOLDEN=write, in one process."""
    MISTAKES[name](made)
    capsys.readouterr()
    code, lines = said(made, capsys)
    keeps = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    assert (run_says(made), code) == (keeps, int(bool(keeps)))
    last = doctor_ends(capsys).replace(f"{made.folder}/", "")
    assert last == "ready" if not keeps else keeps[0] in last
    if os.environ.get("GOLDEN") == "write":
        written = read() | {name: lines}
        WORDS.write_text("".join(f"{one}\n{indent(chr(10).join(written[one]), '  ')}\n\n" for one in written))
    assert read()[name] == lines


def read() -> dict[str, list[str]]:
    """What is said of each mistake, as it was read last."""
    parts = WORDS.read_text().strip().split("\n\n") if WORDS.exists() else []
    return {name: dedent(lines).splitlines() for name, _, lines in (part.partition("\n") for part in parts)}


def test_each_mistake_has_its_words_and_no_words_are_left_over() -> None:
    assert [*read()] == [*MISTAKES]
