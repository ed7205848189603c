"""The command line as real processes: what is said, exit codes, and who is refused; no Slack and no host needed."""

import getpass
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from bot import __version__
from bot.cli.audit_schema import ExportedRecord
from bot.core.audit.event_types import EVENT_TYPES
from bot.core.audit.seal_keys import SealKey, as_line
from tests.lab.installation import ROOT
from tests.lab.keys import KEY, SETTING
from tests.lab.warm import Maskbot, maskbot

COMMANDS = (
    "run", "check", "secret", "doctor", "explain", "plan", "mask", "unmask", "approve", "deny", "withdraw", "ask",
    "answer", "give", "break-glass", "sign-off", "extend", "keep", "freeze", "thaw", "status",
    "list", "audit", "manifest", "host", "hosts",
)  # fmt: skip
ME = getpass.getuser()
SECONDS = 60.0
NOBODY_S_KEY = "SHA256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg"


@dataclass(frozen=True)
class Place:
    """A folder with an installation of its own, whose Slack and whose one host nobody answers for."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        clean = {name: text for name, text in os.environ.items() if not name.startswith(("MASKBOT_", "SLACK_"))}
        return clean | {
            "PYTHONPATH": str(ROOT),
            "MASKBOT_CONFIG_DIR": str(self.folder / "config"),
            "MASKBOT_DATABASE_URL": f"sqlite:///{self.database}",
            "MASKBOT_SOCKET": str(self.socket),
            "MASKBOT_SSH_KEY_FILE": str(self.folder / "key"),
            "MASKBOT_RETRIES": "0",
            "MASKBOT_SEAL_KEYS": SETTING,
            "SLACK_API_URL": "http://127.0.0.1:9/api/",
            "SLACK_BOT_TOKEN": "xoxb-1-hushhush",
            "SLACK_APP_TOKEN": "xapp-1-A1-2-hushhush",
        }

    @property
    def database(self) -> Path:
        return self.folder / "var" / "maskbot.sqlite"

    @property
    def socket(self) -> Path:
        """Beside the database, where it is unless a setting says otherwise."""
        return self.folder / "var" / "maskbot.sock"

    def maskbot(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; whatever happens, nobody sees a traceback or a secret."""
        done = maskbot(words, self.environment | settings, seconds=SECONDS)
        assert "Traceback" not in done.stderr + done.stdout
        assert "hushhush" not in done.stderr + done.stdout
        return done

    @contextmanager
    def running(self, **settings: str) -> Iterator[Maskbot]:
        """`run`, from the moment at which it serves the command line."""
        process = Maskbot(("run",), self.environment | settings, merged=True)
        latest = threading.Timer(SECONDS, process.kill)  # whoever reads what it says would wait for ever
        with process.stdout:
            try:
                latest.start()
                serves(process.stdout)
                yield process
            finally:
                latest.cancel()
                process.kill()
                process.wait(SECONDS)


def serves(output: Iterable[str]) -> None:
    """Wait until a bot serves the command line."""
    assert any("command line: " in line for line in output), "it ended before it served the command line"


def ended(process: Maskbot, number: signal.Signals) -> list[str]:
    """The last lines of a process that got this signal."""
    process.send_signal(number)
    rest = process.stdout.readlines()
    process.wait(SECONDS)
    return rest


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return installed(tmp_path)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """An installation whose bot runs, for questions that leave it as it is."""
    one = installed(tmp_path_factory.mktemp("served"))
    with one.running():
        yield one


def installed(tmp_path: Path) -> Place:
    """The mapped user is whoever runs the tests."""
    config = tmp_path / "config"
    config.mkdir()
    shutil.copy(ROOT / "config/hosts.yaml", config)
    policy = {
        "teams": ["T1TEST"],
        "channels": {"ids": ["C1TEST"]},
        "groups": {"eng": {"users": ["U1ALICE", "U1BOB"]}},
        "rules": [{"name": "prod", "ask": ["eng"], "approve": ["eng"]}],
        "people": {ME: "U1ALICE"},
        "shell_channel": "C1TEST",
    }
    (config / "policy.yaml").write_text(yaml.safe_dump(policy))
    hosts = yaml.safe_load((config / "hosts.yaml").read_text())
    hosts["hosts"] = [hosts["hosts"][0] | {"address": "127.0.0.1", "port": 9, "host_keys": [NOBODY_S_KEY]}]
    (config / "hosts.yaml").write_text(yaml.safe_dump(hosts))
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    return Place(tmp_path)


def test_help_names_every_command_and_what_exit_codes_mean(place: Place) -> None:
    done = place.maskbot("--help", COLUMNS="200")

    assert done.returncode == 0
    assert [command for command in COMMANDS if f" {command} " not in done.stdout] == []
    assert "0 done, 1 refused or failed, 2 misuse" in done.stdout


def test_the_help_has_a_short_spelling_and_its_commands_stand_in_groups(place: Place) -> None:
    said = place.maskbot("-h", COLUMNS="200").stdout
    groups = re.findall(r"─ ([A-Z][a-z ]+) ─", said)
    assert groups == ["Options", "Run the bot", "Ask for a change", "Approve or stop", "Look", "Operate"]
    page = (ROOT / "docs/command-line.md").read_text()
    for group in groups[1:]:
        listed = said.partition(f"─ {group} ─")[2].partition("╰")[0]
        names = re.findall(r"^│ ([a-z-]+) ", listed, re.MULTILINE)
        row = re.search(rf"^\| {group} \| (.*) \|$", page, re.MULTILINE)
        assert row
        assert sorted(re.findall(r"`([a-z-]+)`", row[1])) == sorted(names)
    assert place.maskbot("--version").stdout == f"maskbot {__version__}\n"


@pytest.mark.parametrize("verb", ["mask", "unmask"])
def test_break_glass_has_a_second_spelling_that_no_help_shows(place: Place, verb: str) -> None:
    shown = place.maskbot(verb, "--help").stdout
    assert "--break-glass" in shown
    assert "--alone" not in shown
    both = [
        place.maskbot(verb, "web-01", "cron", option, "--", "late").stderr for option in ("--break-glass", "--alone")
    ]
    assert both[0] == both[1] != place.maskbot(verb, "web-01", "cron", "--lonely", "--", "late").stderr


@pytest.mark.parametrize("command", ["mask", "approve", "status", "explain", "audit"])
def test_each_command_has_help_of_its_own(place: Place, command: str) -> None:
    assert place.maskbot(command, "--help").returncode == 0


def test_nothing_but_the_shipped_example_names_all_that_is_missing() -> None:
    environment = {name: text for name, text in os.environ.items() if not name.startswith(("MASKBOT_", "SLACK_"))}
    nothing = maskbot(("check",), environment, seconds=SECONDS).stderr
    assert (nothing.count("error: "), "run that first if there is no installation yet" in nothing) == (1, True)
    done = maskbot(("check",), environment | {"MASKBOT_LOG_LEVEL": "info"}, seconds=SECONDS)
    assert done.returncode == 1
    for said in ("MASKBOT_SEAL_KEYS", "MASKBOT_SSH_KEY_FILE", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "U0123BOB1 is a"):
        assert f"{said} " in done.stderr
    assert "maskbot secret >seal-keys" in done.stderr


def test_files_are_checked_without_any_secret(place: Place) -> None:
    nothing = {"MASKBOT_SEAL_KEYS": "", "MASKBOT_SSH_KEY_FILE": "", "SLACK_BOT_TOKEN": "", "SLACK_APP_TOKEN": ""}
    assert place.maskbot("check", "--files", **nothing).stdout == "configuration ok\n"
    assert place.maskbot("check", **nothing).returncode == 1


def test_a_bot_without_a_seal_key_does_not_start(place: Place) -> None:
    done = place.maskbot("run", MASKBOT_SEAL_KEYS="")
    assert done.returncode == 1
    assert "MASKBOT_SEAL_KEYS is missing" in done.stderr


@pytest.mark.parametrize("wrong", ["hushhush", "a:hushhush", "A B:" + "A" * 43 + "=", f"{SETTING}\n{SETTING}"])
def test_a_seal_key_of_another_shape_is_refused_and_not_shown(place: Place, wrong: str) -> None:
    done = place.maskbot("check", MASKBOT_SEAL_KEYS=wrong)
    assert done.returncode == 1
    assert "MASKBOT_SEAL_KEYS: " in done.stderr


def test_check_names_file_and_line_of_a_mistake(place: Place) -> None:
    path = place.folder / "config" / "policy.yaml"
    path.write_text(path.read_text() + "colour: blue\n")

    done = place.maskbot("check")
    as_json = json.loads(place.maskbot("check", "--json").stdout)

    assert done.returncode == 1
    line = len(path.read_text().splitlines())
    assert f"{path}:{line}: colour: unknown key" in done.stderr
    assert as_json["ok"] is False
    assert [one["level"] for one in as_json["findings"]] == ["error"]


@pytest.mark.parametrize(
    "words",
    [
        ["erase"],
        ["mask", "web-01"],
        ["mask", "web-01", "cron", "--now"],
        ["mask", "web-01 cron", "x"],
        ["mask", "web-01", "cron", "--for", '"2h'],
        ["mask", "web-01", "cron", "--until", "18:00\n"],
        ["approve"],
        ["doctor", "web-09"],
        ["audit", "verify", "--anchor", "nonsense"],
        ["audit", "export", "--since", "yesterday"],
        ["manifest", "--url", "bot.example.com"],
    ],
)
def test_misuse_exits_with_two(place: Place, words: list[str]) -> None:
    assert place.maskbot(*words).returncode == 2


@pytest.mark.parametrize(
    "settings",
    [
        {"MASKBOT_POLLL": "1"},
        {"MASKBOT_POLL": "soon"},
        {"MASKBOT_CONFIG_DIR": "/nonexistent"},
        {"MASKBOT_DATABASE_URL": "mysql://bot:hushhush@db/x"},
        {"MASKBOT_DATABASE_URL": "sqlite:////dev/null/x.db"},
        {"MASKBOT_SSH_KEY_FILE": "/nonexistent"},
        {"MASKBOT_SSH_KEY_FILE": ""},
        {"MASKBOT_SSH_KEY_FILE": "/etc/hostname"},
        {"MASKBOT_SOCKET": "/dev/null/maskbot.sock"},
        {"SLACK_BOT_TOKEN": ""},
        {"SLACK_APP_TOKEN": ""},
        {"SLACK_SIGNING_SECRET": "hushhush"},
        {"SLACK_APP_TOKEN": "", "MASKBOT_SLACK_MODE": "http"},
        {"SLACK_BOT_TOKEN": "xapp-1-A1-2-hushhush", "SLACK_APP_TOKEN": "xoxb-1-hushhush"},
    ],
)
def test_what_keeps_run_from_starting_is_a_sentence_and_check_says_the_same(
    place: Place, settings: Mapping[str, str]
) -> None:
    done, checked = place.maskbot("run", **settings), place.maskbot("check", **settings)

    assert (done.returncode, checked.returncode) == (1, 1)
    assert "ready" not in done.stdout
    # before the settings are read nobody knows whether it is JSON that somebody expects
    said = [json.loads(line)["why"] if line.startswith("{") else line for line in done.stderr.splitlines()]
    assert said
    for line in said:
        assert line.partition(". Fix: ")[0] in checked.stderr


def test_hosts_are_asked_what_they_remember_also_where_the_database_is_lost(place: Place) -> None:
    done = place.maskbot("reconcile")
    assert (done.returncode, done.stdout[:19]) == (1, "not asked: web-01: ")


def test_a_damaged_database_is_a_sentence(place: Place) -> None:
    place.database.parent.mkdir()
    place.database.write_bytes(b"this is no database" * 100)

    assert place.maskbot("run").returncode == 1
    assert place.maskbot("audit", "verify").returncode == 1


@pytest.mark.parametrize("words", [["status"], ["mask", "web-01", "cron"], ["unmask", "web-01", "cron"]])
def test_without_a_running_bot_a_sentence_says_what_to_do(place: Place, words: list[str]) -> None:
    done = place.maskbot(*words)

    assert done.returncode == 1
    assert "maskbot run" in done.stderr


@pytest.mark.parametrize("word", ["backup", "restore"])
def test_a_postgresql_is_copied_by_its_own_tools_which_are_named(place: Place, word: str) -> None:
    done = place.maskbot(word, "copy", MASKBOT_DATABASE_URL="postgresql://bot:hushhush@127.0.0.1:9/maskbot")
    assert done.returncode == 1
    assert "pg_dump" in done.stderr
    assert "maskbot reconcile" in done.stderr


def test_where_json_is_wanted_every_line_of_both_streams_is_json(place: Place) -> None:
    with place.running(MASKBOT_LOG_FORMAT="json", MASKBOT_LOG_LEVEL="debug") as process:
        rest = ended(process, signal.SIGTERM)
    said = [json.loads(line) for line in rest]
    assert said[-1]["event"] == "stopped"
    assert all({"event", "level", "timestamp"} <= one.keys() for one in said)


@pytest.mark.skipif(ME != "root", reason="only root looks without a bot")
def test_a_question_without_bot_and_configuration_names_the_bot_first(place: Place) -> None:
    done = place.maskbot("list", MASKBOT_CONFIG_DIR="/nonexistent")

    assert done.returncode == 1
    assert done.stderr.startswith(f"No bot answers at {place.socket}")
    assert "MASKBOT_SOCKET names the socket" in done.stderr


def test_an_audit_log_that_cannot_be_read_is_named_with_its_place(place: Place) -> None:
    missing = place.maskbot("audit", "verify")
    assert (missing.returncode, missing.stderr.partition(". ")[0]) == (1, f"There is no database {place.database}")
    place.database.parent.mkdir()
    place.database.write_bytes(b"")
    empty = place.maskbot("audit", "verify")
    assert empty.stderr.startswith(f"sqlite:///{place.database} has no readable audit chain")


def test_an_option_without_its_dashes_is_asked_about_at_a_terminal_too(served: Place) -> None:
    meant, said = (served.maskbot("mask", "web-01", "cron", *more, "--no-wait") for more in (["for", "2h"], ["job"]))
    assert (meant.returncode, "Did you mean `--for 2h`?" in meant.stderr) == (2, True)
    assert "Did you mean" not in said.stderr
    as_reason = served.maskbot("mask", "web-01", "cron", "--no-wait", "--", "for", "2h")
    assert "Did you mean" not in as_reason.stderr


def test_run_serves_the_command_line_while_slack_is_away_and_says_that_it_is_not_ready(served: Place) -> None:
    done, as_json = served.maskbot("status"), served.maskbot("status", "--json")

    assert (done.returncode, as_json.returncode) == (1, 1)
    assert "NOT READY, Slack: not connected" in done.stdout
    assert json.loads(as_json.stdout)["ready"] is False


def test_a_start_says_that_its_database_is_new(place: Place) -> None:
    """A typo in its path would otherwise be a bot that has forgotten everything."""
    told = []
    for _ in range(2):
        process = Maskbot(("run",), place.environment, merged=True)
        with process.stdout:
            told.append(next(line for line in process.stdout if line.startswith("store: ")).strip())
            serves(process.stdout)
            process.kill()
            process.wait(SECONDS)
    assert told == [f"store: sqlite:///{place.database} (new: nothing is on record yet)", told[0].partition(" (")[0]]


def test_a_second_run_on_the_same_file_is_refused_and_does_not_disturb_the_first(served: Place) -> None:
    second = served.maskbot("run", MASKBOT_SOCKET=str(served.folder / "other.sock"))

    assert second.returncode == 1
    assert "Another maskbot (process " in second.stderr
    assert "maskbot 0" in served.maskbot("status").stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(place: Place, number: signal.Signals) -> None:
    with place.running() as process:
        rest = ended(process, number)

    assert process.returncode == 0
    assert rest[-1] == "stopped\n"
    assert not place.socket.exists()


def test_a_hang_up_reads_the_configuration_again_all_of_it_or_nothing(place: Place) -> None:
    path = place.folder / "config" / "policy.yaml"
    right = path.read_text()
    with place.running() as process:
        no_day, misspelt, half = f"{right}more: 2026-02-30\n", right.replace("ask:", "aks:"), right[: len(right) // 2]
        for text in (right.replace("prod", "other"), no_day, misspelt, half, right):
            path.write_text(text)
            process.send_signal(signal.SIGHUP)
            next_line(process, "configuration")
        ended(process, signal.SIGTERM)

    events = [json.loads(line) for line in place.maskbot("audit", "export").stdout.splitlines()]
    told = [(event["type"], event["config_digest"]) for event in events]
    first, other = told[0][1], told[1][1]
    assert first != other
    assert told == [
        ("config.loaded", first),
        ("config.loaded", other),
        *(("config.rejected", other) for _ in ("no day", "misspelt", "half")),
        ("config.loaded", first),
    ]
    assert events[1]["data"]["changed"] == ["rule prod is gone", "rule other is new"]
    assert "policy.yaml:" in events[2]["data"]["complaints"][0]


def next_line(process: Maskbot, word: str) -> str:
    """The next line that begins with this word."""
    line = next((line for line in process.stdout if line.startswith(word)), "")
    assert line, f"it ended before it said `{word}`"
    return line


def test_a_killed_bot_leaves_nothing_that_keeps_the_next_one_from_running(place: Place) -> None:
    with place.running() as process:
        ended(process, signal.SIGKILL)
        with place.running():
            assert "maskbot 0" in place.maskbot("status").stdout


def test_an_unmapped_user_has_no_rights(place: Place) -> None:
    path = place.folder / "config" / "policy.yaml"
    path.write_text(path.read_text().replace(f"{ME}: U1ALICE", "somebody-else: U1ALICE"))

    with place.running():
        done = place.maskbot("mask", "web-01", "cron")

    assert done.returncode == 1
    assert done.stderr.startswith(f"The user {ME} has no rights")


def test_a_request_that_cannot_be_looked_at_ends_with_nothing_changed(served: Place) -> None:
    done = served.maskbot("mask", "web-01", "cron", "INC-1", "--json")

    said = json.loads(done.stdout)
    assert done.returncode == 1
    assert (said["stage"], said["unit"], said["reason"]) == ("refused", "cron.service", "INC-1")
    assert "connection refused" in said["because"]
    assert "Nothing was changed" in said["because"]


@pytest.mark.parametrize(
    ("unit", "said"), [("cr*", "pattern"), ("../cron.service", "path"), ("a,", "a comma too many")]
)
def test_words_that_make_no_sense_are_answered_by_the_bot_with_two(served: Place, unit: str, said: str) -> None:
    done = served.maskbot("mask", "web-01", unit)

    assert done.returncode == 2
    assert said in done.stderr


def test_how_long_a_mask_lasts_is_read_as_in_slack(served: Place) -> None:
    done = served.maskbot("mask", "web-01", "cron", "INC-1", "--for", "until tomorrow 18:00 UTC", "--json")
    wrong = served.maskbot("mask", "web-01", "cron", "--for", "soon")
    held = served.maskbot("mask", "web-01", "cron", "--hold", "sre", "--review", "90d", "--no-wait", "--json")

    assert json.loads(held.stdout)["change"].startswith("mask web-01 cron.service --hold sre --review ")
    assert json.loads(held.stdout)["hold"]["owners"] == "sre"
    assert json.loads(done.stdout)["change"].startswith("mask web-01 cron.service --until ")
    assert json.loads(done.stdout)["change"].endswith("T18:00Z")
    assert (wrong.returncode, "is not a duration" in wrong.stderr) == (2, True), wrong.stderr


@pytest.fixture(scope="module")
def once_recorded(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """An installation in whose audit chain something stands; nobody changes it."""
    one = installed(tmp_path_factory.mktemp("recorded"))
    with one.running() as process:
        one.maskbot("mask", "web-01", "cron")
        ended(process, signal.SIGTERM)
    return one


@pytest.fixture
def recorded(once_recorded: Place, tmp_path: Path) -> Place:
    """A copy of it."""
    return Place(shutil.copytree(once_recorded.folder, tmp_path / "copy"))


def test_an_untouched_chain_holds_and_its_anchor_too(recorded: Place) -> None:
    done = recorded.maskbot("audit", "verify")
    anchor = done.stdout.splitlines()[-1].removeprefix("anchor: ")

    assert done.returncode == 0
    as_json = json.loads(recorded.maskbot("audit", "verify", "--anchor", anchor, "--json").stdout)
    assert (as_json["ok"], as_json["anchor"]) == (True, anchor)


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE events SET body = replace(body, 'cron', 'ssh') WHERE seq = 2",
        "DELETE FROM events WHERE seq = 1",
        "DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)",
    ],
)
def test_tampering_breaks_the_chain(recorded: Place, tampering: str) -> None:
    with closing(sqlite3.connect(recorded.database)) as connection:
        assert connection.execute(tampering).rowcount == 1
        connection.commit()

    done = recorded.maskbot("audit", "verify")

    assert done.returncode == 1
    assert "BROKEN" in done.stderr


def test_an_anchor_kept_elsewhere_tells_that_the_end_was_cut_off(recorded: Place) -> None:
    done = recorded.maskbot("audit", "verify", "--anchor", f"1000:{'0' * 64}")

    assert done.returncode == 1
    assert "it once reached 1000" in done.stderr


def test_an_end_that_was_cut_off_is_told_by_the_anchor_file_until_somebody_accepts_it(recorded: Place) -> None:
    with closing(sqlite3.connect(recorded.database)) as connection:
        connection.execute("DELETE FROM events WHERE seq > 1")
        connection.execute("UPDATE chain_head SET seq = 1, hash = (SELECT hash FROM events)")
        connection.commit()

    assert "BROKEN" in recorded.maskbot("audit", "verify").stderr
    assert recorded.maskbot("audit", "accept-break", "--reason", " ").returncode == 2
    accepted = recorded.maskbot("audit", "accept-break", "--reason", "an older backup was restored")
    assert accepted.stdout.startswith("Accepted the break at record"), accepted.stderr
    verified = recorded.maskbot("audit", "verify")
    assert "intact since record 2, where a break was accepted: 1 records." in verified.stdout
    assert recorded.maskbot("audit", "accept-break", "--reason", "again").returncode == 1


def test_a_copy_is_restored_only_with_the_key_that_sealed_it(recorded: Place, tmp_path: Path) -> None:
    copy, new = tmp_path / "db.copy", as_line(SealKey("new", b"\x08" * 32))
    keys = tmp_path / "seal-keys"
    keys.write_text(new)
    assert recorded.maskbot("backup", str(copy)).returncode == 0
    before = {path.name: path.read_bytes() for path in recorded.database.parent.glob("*.sqlite*")}

    for anchored in (True, False):
        refused = recorded.maskbot("restore", str(copy), MASKBOT_SEAL_KEYS_FILE=str(keys), MASKBOT_SEAL_KEYS="")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert len(refused.stderr.splitlines()) == 1
        assert f"{copy} was sealed with a key that is not here: {KEY.id}. Nothing was changed." in refused.stderr
        assert f"`{KEY.id}:` to {keys} (MASKBOT_SEAL_KEYS)" in refused.stderr
        after = {path.name: path.read_bytes() for path in recorded.database.parent.glob("*.sqlite*")}
        assert {**after, "maskbot.sqlite.lock": b""} == {**before, "maskbot.sqlite.lock": b""}, anchored
        recorded.database.with_suffix(".anchor").unlink(missing_ok=True)

    keys.write_text(f"{new}\n{SETTING}")
    restored = recorded.maskbot("restore", str(copy), MASKBOT_SEAL_KEYS_FILE=str(keys), MASKBOT_SEAL_KEYS="")
    assert restored.stdout.startswith(f"restored {copy}")
    assert "accepted" not in restored.stdout


def test_a_copy_whose_chain_is_broken_is_restored_and_its_break_is_not_accepted(
    recorded: Place, tmp_path: Path
) -> None:
    copy = tmp_path / "db.copy"
    with closing(sqlite3.connect(recorded.database)) as connection:
        connection.execute("UPDATE events SET body = replace(body, 'cron', 'ssh') WHERE seq = 2")
        connection.commit()
    assert recorded.maskbot("backup", str(copy)).returncode == 1

    restored = recorded.maskbot("restore", str(copy))

    assert restored.returncode == 1
    assert "BROKEN at record 2" in restored.stderr
    assert "accepted" not in restored.stdout
    assert recorded.maskbot("audit", "verify").returncode == 1


def test_the_export_is_the_chain_line_by_line_from_a_time_on(recorded: Place) -> None:
    lines = recorded.maskbot("audit", "export").stdout.splitlines()
    records: list[dict[str, Any]] = [json.loads(line) for line in lines]

    assert [one["seq"] for one in records] == list(range(1, len(records) + 1))
    assert [ExportedRecord.model_validate(one).seq for one in records] == [one["seq"] for one in records]
    assert [one["type"] for one in records[:2]] == ["config.loaded", "request.received"]
    assert recorded.maskbot("audit", "export", "--since", "2999-01-01").stdout == ""
    assert recorded.maskbot("audit", "export", "--since", records[1]["ts"]).stdout.splitlines()[0] == lines[1]


def test_what_somebody_broke_is_exported_as_it_stands(recorded: Place) -> None:
    with closing(sqlite3.connect(recorded.database)) as connection:
        connection.execute("UPDATE events SET body = 'x', mac = x'ff' WHERE seq = 2")
        connection.commit()
    lines = recorded.maskbot("audit", "export", "--since", "2020-01-01").stdout.splitlines()
    assert [json.loads(line)["seq"] for line in lines][:3] == [1, 2, 3]
    assert recorded.maskbot("audit", "verify").returncode == 1


def test_the_schema_of_the_export_names_every_part_of_a_record(recorded: Place) -> None:
    schema = json.loads(recorded.maskbot("audit", "schema").stdout)
    record = json.loads(recorded.maskbot("audit", "export").stdout.splitlines()[0])
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["properties"].keys() == record.keys() == {*schema["required"]}
    assert not schema["additionalProperties"]
    types = schema["properties"]["type"]["oneOf"]
    assert {one["const"]: one["description"] for one in types} == EVENT_TYPES


@pytest.mark.parametrize(
    ("part", "wrong"),
    [("mac", "0" * 63), ("kid", None), ("type", "request.dreamt"), ("v", 2), ("ts", "yesterday"), ("more", 1)],
)
def test_what_is_not_as_the_schema_says_is_none_of_our_records(part: str, wrong: object, recorded: Place) -> None:
    record = json.loads(recorded.maskbot("audit", "export").stdout.splitlines()[0])
    assert ExportedRecord.model_validate(record).mac == record["mac"]
    with pytest.raises(ValidationError):
        ExportedRecord.model_validate(record | {part: wrong})


def test_the_manifest_is_printed_as_it_is_shipped(place: Place) -> None:
    assert place.maskbot("manifest").stdout == (ROOT / "config/slack-manifest.yaml").read_text()


def test_doctor_says_what_is_wrong_and_what_would_mend_it(place: Place) -> None:
    done = place.maskbot("doctor", "--json", "web-01")

    said = json.loads(done.stdout)
    settings, finding = said["findings"]
    assert done.returncode == 1
    assert (settings["about"], settings["is_ok"]) == ("settings", True)
    assert (finding["about"], finding["check"], finding["is_ok"]) == ("web-01", "reachable", False)
    assert "connection refused" in finding["what"]
    assert "sshd" in finding["fix"]
    assert said["first"] == finding


def test_doctor_examines_what_it_can_and_ends_with_what_to_do_first(place: Place) -> None:
    done = place.maskbot("doctor", MASKBOT_SSH_KEY_FILE="/nonexistent", SLACK_APP_TOKEN="")

    assert done.returncode == 1
    for said in (
        "no such file: /nonexistent",
        "SLACK_APP_TOKEN is not set",
        "NOT Slack: reachable",
        "NOT web-01: reach",
    ):
        assert said in done.stdout
    assert done.stdout.splitlines()[-1].startswith("not ready. First (1 of 4), settings: MASKBOT_SSH_KEY_FILE: no such")
    elsewhere = place.maskbot("doctor", MASKBOT_DATABASE_URL="postgres://bot:hushhush@db/maskbot")
    assert elsewhere.stdout.splitlines()[-1].startswith("not ready. First (1 of 3), settings: MASKBOT_DATABASE_URL")
    unsealed = place.maskbot("doctor", MASKBOT_SEAL_KEYS="")
    assert unsealed.stdout.splitlines()[-1].startswith(
        "not ready. First (1 of 3), settings: MASKBOT_SEAL_KEYS is missing"
    )
    nothing = place.maskbot("doctor", MASKBOT_POLLL="1")
    assert nothing.returncode == 1
    assert nothing.stdout.splitlines()[-1].startswith("not ready. First (the only finding), settings: MASKBOT_POLLL")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--login", "root"], "The bot does not log in as root."),
        (["--login", "a;b"], "`a;b` is not a login name."),
        (["--key", "nowhere.pub"], "nowhere.pub: neither a file that can be read nor a public key"),
        (["--key", "ssh-ed25519 AAAA"], "is no public key that the bot can log in with"),
        (["--from", "bot.example.net"], "neither an address nor a network"),
        (["--users", "deploy,$(id)"], "`$(id)` is not a login name."),
    ],
)
def test_no_script_is_printed_for_a_host_from_what_makes_no_sense(place: Place, words: list[str], said: str) -> None:
    done = place.maskbot("host", "install-script", *words)

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_the_script_for_a_host_has_the_public_half_of_the_bot_s_own_key(place: Place) -> None:
    public = " ".join((place.folder / "key.pub").read_text().split()[:2])

    own = place.maskbot("host", "install-script")
    named = place.maskbot("host", "install-script", "--key", str(place.folder / "key.pub"))
    private = place.maskbot("host", "install-script", "--key", str(place.folder / "key"))
    none = place.maskbot("host", "install-script", MASKBOT_SSH_KEY_FILE="")

    assert f'command="/usr/local/libexec/maskbot-guard" {public} maskbot' in own.stdout
    assert named.stdout == own.stdout
    first = place.maskbot("host", "install-script", "--from", "192.0.2.5")
    (place.folder / "config/host-install.sh").write_text(first.stdout)  # as `init` writes it
    assert place.maskbot("host", "install-script").stdout == first.stdout
    assert (private.returncode, private.stdout, none.returncode, none.stdout) == (2, "", 2, "")
    assert "That is a private key." in private.stderr


def test_help_does_not_keep_people_waiting(place: Place) -> None:
    """By the processor's clock, for the same reason; in a process that has to import all that it needs."""
    before = sum(os.times()[2:4])
    done = subprocess.run(
        [sys.executable, "-m", "bot", "--help"], env=place.environment, capture_output=True, check=True
    )

    assert done.stdout
    assert sum(os.times()[2:4]) - before < 0.5
