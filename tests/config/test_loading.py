"""Everything together: warnings, rights on files, and the examples that are shipped."""

import hashlib
from pathlib import Path

import pytest
from pydantic import SecretStr

import config
from bot.core.people.identity import Person
from bot.core.policy.decide import decide
from bot.core.policy.model import NeedsApproval
from config.loading import ConfigProblem, check
from config.settings import Settings
from tests.config.folder import POLICY, Folder
from tests.core.situations import facts
from tests.lab.keys import SETTING

SHIPPED = Path(config.__file__).parent


def warnings(folder: Folder) -> list[str]:
    return [found.text.removeprefix(f"{folder.path}/") for found in folder.load().warnings]


def findings(folder: Folder) -> list[ConfigProblem]:
    folder.write()
    return check(folder.settings)


def test_the_shipped_examples_are_right_as_they_are() -> None:
    errors = [
        found for found in check(Settings(config_dir=SHIPPED, seal_keys=SecretStr(SETTING))) if found.level == "error"
    ]
    assert errors == []


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
    folder.settings = Settings.model_validate({"config_dir": folder.path, **there})
    assert warnings(folder) == []


def test_a_no_is_not_doubted_for_its_quorum(folder: Folder) -> None:
    folder.policy += "  - {name: freeze, forbid: payday}\n"
    assert warnings(folder) == []


def test_a_file_that_everybody_may_write_is_refused(folder: Folder) -> None:
    folder.write()
    (folder.path / "policy.yaml").chmod(0o646)
    assert folder.complaints() == ["policy.yaml: everybody on this machine can write to it (chmod o-w)"]


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
    assert folder.complaints() == ["policy.yaml: cannot be read: No such file or directory"]


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
    folder.settings = Settings(config_dir=folder.path, ssh_signer=f"{program} 'a word'", seal_keys=SecretStr(SETTING))
    assert [(found.level, found.text) for found in findings(folder)] == [
        ("warning", f"MASKBOT_SSH_SIGNER: {program} cannot be run on this machine, so the bot could log in nowhere")
    ]
    program.write_text("")
    program.chmod(0o755)
    assert findings(folder) == []


def test_a_private_key_that_others_may_read_is_an_error(folder: Folder) -> None:
    key = folder.path / "id"
    folder.settings = Settings(config_dir=folder.path, ssh_key_file=key, seal_keys=SecretStr(SETTING))
    assert findings(folder) == [ConfigProblem("error", f"MASKBOT_SSH_KEY_FILE: no such file: {key}")]
    key.write_text("")
    key.chmod(0o644)
    everybody = f"MASKBOT_SSH_KEY_FILE: {key}: everybody on this machine can read it (chmod o-r)"
    assert ConfigProblem("error", everybody) in findings(folder)
    key.chmod(0o600)
    assert findings(folder) == []
