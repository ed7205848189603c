"""Everything together: warnings, rights on files, and the examples that are shipped."""

import hashlib
import re
import subprocess
from pathlib import Path

import pytest

import config
from bot.core.people.identity import Person
from bot.core.policy.decide import decide
from bot.core.policy.model import NeedsApproval
from config.examples import EXAMPLE_IDS
from config.loading import ConfigProblem
from config.start import check
from tests.config.folder import POLICY, Folder
from tests.core.situations import facts

SHIPPED = Path(config.__file__).parent


def warnings(folder: Folder) -> list[str]:
    return [found.text.removeprefix(f"{folder.path}/") for found in folder.load().warnings]


def findings(folder: Folder) -> list[ConfigProblem]:
    folder.write()
    return check(folder.settings)


def test_the_shipped_examples_are_right_but_for_what_is_nobodys_and_is_named(folder: Folder) -> None:
    errors = [found for found in check(folder.with_settings(config_dir=SHIPPED)) if found.level == "error"]
    named = [found.text.removeprefix(f"{SHIPPED}/").split(": ")[1].split()[0] for found in errors]
    assert named == ["S0123ENG1", "U0123BOB1", "U0123CAR1", "this", "this"]
    assert all("example" in found.text and found.fix for found in errors)


def test_every_id_of_the_examples_is_known_as_one() -> None:
    files = (SHIPPED / "policy.yaml", SHIPPED / "hosts.yaml", SHIPPED.parent / "docs/operations.md")
    text = "\n".join(path.read_text() for path in files)
    assert set(re.findall(r"\b[TSUC]0[A-Z0-9]{4,}\b", text)) <= EXAMPLE_IDS


def test_an_installation_without_warnings_has_no_findings(folder: Folder) -> None:
    assert findings(folder) == []


def test_what_was_loaded_is_what_the_question_is_asked_with(folder: Folder) -> None:
    loaded = folder.load()
    members = {group.name: group.users for group in loaded.policy.groups}
    (alice,) = members["eng"] - members["sre"]
    requester = Person(alice, "alice", groups=frozenset({"eng"}))
    (host,) = loaded.inventory.hosts
    answer = decide(facts(host=host, requester=requester, members=members), loaded.policy)
    assert isinstance(answer, NeedsApproval)
    assert answer.rule == "prod"


def test_the_digest_is_over_the_content_of_all_files(folder: Folder) -> None:
    before = folder.load().policy.digest
    assert len(bytes.fromhex(before)) == hashlib.sha256().digest_size
    assert folder.load().policy.digest == before
    folder.hosts += "# looked at by carol\n"
    assert folder.load().policy.digest != before


WARNINGS = {
    "an environment that no host is in": (
        "[prod]",
        "[prdo]",
        "policy.yaml:7: rule prod: no host has environment `prdo`. Did you mean `prod`?",
    ),
    "a host group that no host is in": (
        "    ask:",
        "    host_groups: [db]\n    ask:",
        "policy.yaml:7: rule prod: no host has host group `db`.",
    ),
    "no second person": (
        "    ask:",
        "    need: 0\n    ask:",
        "policy.yaml:7: rule prod: need: 0 lets changes run without a second person",
    ),
    "a ladder that wakes nobody": (
        "    ask:",
        "    escalate: [{after: 9m, mention: [sre]}]\n    ask:",
        "policy.yaml:7: rule prod: its escalation ends without paging anybody",
    ),
    "authenticators of which nobody hears": (
        "    ask:",
        "    step_up: true\n    ask:",
        "policy.yaml:7: rule prod: step_up without an operations_channel: "
        "nobody would be told that somebody's authenticator is new, locked or reset",
    ),
    "guarded units that nobody could ever mask": (
        "sre: {users: [U0BOB, U0CAROL]}",
        "sre: {users: [U0BOB]}",
        "policy.yaml:7: rule prod: guarded units need 2 approvals, and at most 1 person can approve: "
        "no guarded unit could be masked under this rule",
    ),
}


@pytest.mark.parametrize(("right", "changed", "said"), WARNINGS.values(), ids=WARNINGS)
def test_a_warning_is_shown_and_does_not_keep_the_bot_from_starting(
    right: str, changed: str, said: str, folder: Folder
) -> None:
    assert right in POLICY
    folder.policy = POLICY.replace(right, changed)
    assert warnings(folder) == [said]


def test_a_page_that_nobody_would_get_is_doubted(folder: Folder) -> None:
    folder.policy = POLICY.replace("    ask:", "    escalate: [{after: 9m, page: true}]\n    ask:")
    assert warnings(folder) == ["policy.yaml:7: rule prod: it pages somebody, but MASKBOT_PAGER_URL is not set"]

    there = {"pager_url": "http://localhost/", "pager_format": "alertmanager"}
    folder.settings = folder.with_settings(**there)
    assert warnings(folder) == []


def test_a_no_is_not_doubted_for_its_quorum(folder: Folder) -> None:
    folder.policy += "  - {name: freeze, forbid: payday}\n"
    assert warnings(folder) == []


def test_a_file_that_everybody_may_write_is_refused(folder: Folder) -> None:
    folder.write()
    (folder.path / "policy.yaml").chmod(0o646)
    path = folder.path / "policy.yaml"
    assert folder.complaints() == [f"policy.yaml: everybody on this machine can write to it (chmod o-w {path})"]


def test_a_directory_that_everybody_may_write_into_is_refused(folder: Folder) -> None:
    folder.path.chmod(0o707)
    (complaint,) = folder.complaints()
    assert "everybody on this machine can write to it" in complaint


def test_a_file_that_its_group_may_write_is_doubted(folder: Folder) -> None:
    folder.write()
    (folder.path / "hosts.yaml").chmod(0o664)
    assert [text.partition(";")[0] for text in warnings(folder)] == ["hosts.yaml: its group can write it"]


def test_a_file_that_is_not_there_is_named(folder: Folder) -> None:
    folder.policy = ""
    assert folder.complaints() == [
        "policy.yaml: there is no such file; MASKBOT_CONFIG_DIR names its folder, and `maskbot init` "
        "makes the first one"
    ]


def test_a_file_with_another_ending_is_named(folder: Folder) -> None:
    folder.policy = ""
    (folder.path / "policy.yml").write_text("mask: {}")
    assert folder.complaints() == ["policy.yaml: there is no such file, only policy.yml; rename that one"]


def test_a_file_that_is_no_text_is_named(folder: Folder) -> None:
    folder.hosts = ""
    (folder.path / "hosts.yaml").write_bytes(b"\xff\xfe\xfd")
    assert folder.complaints() == ["hosts.yaml: is not UTF-8 text; save it as UTF-8"]


def test_a_check_names_every_mistake_as_a_finding(folder: Folder) -> None:
    folder.hosts = folder.hosts.replace("prod", "PROD")
    folder.policy = folder.policy.replace("[eng]", "[enx]")
    assert [(found.level, found.text.removeprefix(f"{folder.path}/").split(": ")[0]) for found in findings(folder)] == [
        ("error", "hosts.yaml:4"),
        ("error", "policy.yaml:9"),
    ]


def test_a_signer_that_cannot_be_run_is_a_warning(folder: Folder) -> None:
    program = folder.path / "sign"
    folder.settings = folder.with_settings(ssh_signer=f"{program} 'a word'")
    assert [(found.level, found.text) for found in findings(folder)] == [
        ("warning", f"MASKBOT_SSH_SIGNER: {program} cannot be run on this machine, so the bot could log in nowhere")
    ]
    program.write_text("")
    program.chmod(0o755)
    assert findings(folder) == []


def wrong(folder: Folder, **more: object) -> str:
    """The one finding about settings that are right but for this, with its fix."""
    folder.write()
    (found,) = check(folder.with_settings(**more))
    assert found.level == "error"
    return f"{found.text} {found.fix}".strip()


def test_a_key_that_nobody_could_log_in_with_is_an_error(folder: Folder) -> None:
    key = folder.path / "id"
    assert wrong(folder, ssh_key_file=None).startswith("MASKBOT_SSH_KEY_FILE is not set")
    assert f"no such file: {key} Put the key back, or ssh-keygen" in wrong(folder, ssh_key_file=key)
    for mode, text, said in (
        (0o600, "junk", "not a private key"),
        (0o600, "ssh-ed25519 AAAA maskbot", "that is the public half of a key"),
        (0o600, "PuTTY-User-Key-File-3: ssh-ed25519", "a key of PuTTY"),
        (0o600, "-----BEGIN OPENSSH PRIVATE KEY-----\n", "a damaged private key"),
        (0o644, "junk", "everybody on this machine can read it (chmod 600 "),
    ):
        key.write_text(text)
        key.chmod(mode)
        assert said in wrong(folder, ssh_key_file=key)


def test_a_key_with_a_passphrase_is_an_error_that_says_how_to_take_it_away(folder: Folder) -> None:
    key = folder.path / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", key], check=True)
    assert (
        f"it has a passphrase, and nobody types one for the bot. Take it away: ssh-keygen -p -N '' -f {key}"
        in wrong(folder, ssh_key_file=key)
    )


TOKENS = {
    "no bot token": (
        {"SLACK_BOT_TOKEN": None},
        "SLACK_BOT_TOKEN is not set https://api.slack.com/apps, your app, *OAuth",
    ),
    "no app token": (
        {"SLACK_APP_TOKEN": None},
        "SLACK_APP_TOKEN is not set https://api.slack.com/apps, your app, *Basic",
    ),
    "swapped": (
        {"SLACK_BOT_TOKEN": "xapp-1-A1-2-test", "SLACK_APP_TOKEN": "xoxb-1-test"},
        "SLACK_BOT_TOKEN and SLACK_APP_TOKEN are swapped",
    ),
    "a person's token": (
        {"SLACK_BOT_TOKEN": "xoxp-1"},
        "SLACK_BOT_TOKEN has to begin with xoxb-, but is a user",
    ),
    "something else": (
        {"SLACK_APP_TOKEN": "1234"},
        "SLACK_APP_TOKEN has to begin with xapp-, but is something",
    ),
    "a token as the secret": (
        {"SLACK_APP_TOKEN": None, "SLACK_SIGNING_SECRET": "xoxb-1-test"},
        "SLACK_SIGNING_SECRET holds a bot token",
    ),
}


@pytest.mark.parametrize(("given", "said"), TOKENS.values(), ids=TOKENS)
def test_each_token_has_to_be_of_its_kind(given: dict[str, str | None], said: str, folder: Folder) -> None:
    assert wrong(folder, **given).startswith(said)


def test_where_the_bot_writes_has_to_be_possible(folder: Folder) -> None:
    assert "must name a SQLite file or a PostgreSQL database" in wrong(folder, database_url="mysql://db/x")
    nowhere = check(folder.with_settings(database_url="sqlite:////dev/null/x.db"))[0]
    assert nowhere.text == "MASKBOT_DATABASE_URL: its folder /dev/null cannot be made: /dev/null is not a directory"
    assert wrong(folder, socket=folder.path / "hosts.yaml/deep/sock").endswith("is not a directory")


def test_a_secret_in_a_file_of_another_name_is_named(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = folder.path / "secrets"
    secrets.mkdir()
    for name in ("slack-bot-token", "slack_app_token", "ssh_key", "notes", "..data"):
        (secrets / name).write_text("xapp-1-A1-2-test")
        (secrets / name).chmod(0o600)
    monkeypatch.setenv("MASKBOT_SECRETS_DIR", str(secrets))
    (secrets / "ssh_key").write_bytes((folder.path / "key").read_bytes())
    folder.settings = folder.with_settings(ssh_key_file=secrets / "ssh_key")
    assert [(one.level, one.text.removeprefix(f"MASKBOT_SECRETS_DIR: {secrets}/")) for one in findings(folder)] == [
        ("warning", "notes is not read, because no secret has that name"),
        ("warning", "slack-bot-token is not read, because no secret has that name"),
    ]
    folder.settings = folder.with_settings(ssh_key_file=secrets / "ssh_key", SLACK_BOT_TOKEN=None)
    assert findings(folder)[0].fix == f"mv {secrets}/slack-bot-token {secrets}/slack_bot_token"
