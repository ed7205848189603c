"""Settings from the environment and from files, and what is never said about them."""

import traceback
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.errors import ConfigError
from config.secret_files import SECRETS
from config.settings import Settings, load_settings

CANARY = "xoxb-canary-4711"
CANARIES = {name: CANARY for name in SECRETS} | {
    "MASKBOT_PAGER_URL": f"https://pager.example.com/{CANARY}",
    "MASKBOT_AUDIT_WEBHOOK_URL": f"https://log.example.com/{CANARY}",
    "MASKBOT_SEAL_KEYS": f"{CANARY}:{'A' * 43}=",
}


def complaint() -> str:
    with pytest.raises(ConfigError) as error:
        load_settings()
    return str(error.value)


def test_nothing_has_to_be_set_to_have_sane_settings() -> None:
    settings = load_settings()
    assert settings.slack_bot_token is None
    assert settings.slack_api_url == "https://slack.com/api/"
    assert settings.database_url.get_secret_value() == "sqlite:///var/maskbot.sqlite"
    assert (settings.config_dir, settings.socket) == (Path("config"), Path("var/maskbot.sock"))
    assert settings.retry_pauses == (1.0, 2.0, 4.0)


def test_settings_come_from_the_environment_under_our_prefix_and_slacks_own_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MASKBOT_POLL", "0.05")
    monkeypatch.setenv("MASKBOT_RETRIES", "0,0.1")
    monkeypatch.setenv("MASKBOT_SSH_KEY_FILE", "/keys/id")
    monkeypatch.setenv("SLACK_API_URL", "http://localhost:3000/api/")
    monkeypatch.setenv("SLACK_APP_TOKEN", CANARY)
    settings = load_settings()
    assert settings.poll == 0.05
    assert settings.retry_pauses == (0.0, 0.1)
    assert settings.ssh_key_file == Path("/keys/id")
    assert settings.slack_api_url == "http://localhost:3000/api/"
    assert settings.slack_app_token is not None
    assert settings.slack_app_token.get_secret_value() == CANARY


MODES = {
    "neither": ((), "socket"),
    "a socket": (("SLACK_APP_TOKEN",), "socket"),
    "HTTP": (("SLACK_SIGNING_SECRET",), "http"),
}


@pytest.mark.parametrize(("names", "mode"), MODES.values(), ids=MODES)
def test_what_opens_a_way_in_says_which_is_meant(
    names: tuple[str, ...], mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in names:
        monkeypatch.setenv(name, CANARY)
    settings = load_settings()
    assert settings.mode == mode
    assert [secret.get_secret_value() for secret in [settings.transport_secret] if secret] == [CANARY] * len(names)


def test_with_both_it_has_to_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_APP_TOKEN", "of a socket")
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "of HTTP")
    assert "choose one with MASKBOT_SLACK_MODE, socket or http" in complaint()
    for mode in ("socket", "http"):
        monkeypatch.setenv("MASKBOT_SLACK_MODE", mode)
        settings = load_settings()
        assert settings.mode == mode
        assert settings.transport_secret is not None
        assert mode in settings.transport_secret.get_secret_value().lower()


def test_an_empty_variable_is_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "")
    monkeypatch.setenv("MASKBOT_POLL", "")
    assert load_settings().slack_signing_secret is None


MISSPELT = {
    "MASKBOT_CRITCAL_UNITS": "MASKBOT_CRITCAL_UNITS: unknown setting.",
    "MASKBOT_CONFIG_DIRR": "MASKBOT_CONFIG_DIRR: unknown setting. Did you mean `MASKBOT_CONFIG_DIR`?",
    "maskbot_pol": "maskbot_pol: unknown setting. Did you mean `MASKBOT_POLL`?",
    "MASKBOT_DATABASE_URL_FIEL": "MASKBOT_DATABASE_URL_FIEL: unknown setting. "
    "Did you mean `MASKBOT_DATABASE_URL_FILE`?",
    "MASKBOT_SLACK_BOT_TOKEN": "MASKBOT_SLACK_BOT_TOKEN: unknown setting.",
}


@pytest.mark.parametrize(("name", "said"), MISSPELT.items())
def test_a_setting_that_nobody_knows_is_refused(name: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, CANARY)
    assert complaint().startswith(said)
    assert CANARY not in complaint()


@pytest.mark.parametrize(
    ("form", "needs"),
    [
        ("", "MASKBOT_PAGER_SECRET is missing"),
        ("pagerduty", "MASKBOT_PAGER_KEY is missing: the pagerduty format needs it"),
        ("opsgenie", "MASKBOT_PAGER_KEY is missing"),
        ("alertmanager", ""),
        ("alertmanager-webhook", ""),
    ],
)
def test_a_pager_is_complete_or_refused(form: str, needs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKBOT_PAGER_URL", "https://pager.example.com/")
    monkeypatch.setenv("MASKBOT_PAGER_FORMAT", form)
    if needs:
        assert complaint().startswith(needs)
        monkeypatch.setenv(needs.partition(" ")[0], CANARY)
    assert CANARY not in repr(load_settings())


WRONG = {
    "MASKBOT_POLL": ("soon", "MASKBOT_POLL: "),
    "MASKBOT_LEASE": ("0", "MASKBOT_LEASE: "),
    "MASKBOT_WORKERS": ("0", "MASKBOT_WORKERS: "),
    "MASKBOT_DATABASE_BUSY": ("3", "MASKBOT_DATABASE_BUSY: "),
    "MASKBOT_LOG_LEVEL": ("loud", "MASKBOT_LOG_LEVEL: "),
    "MASKBOT_RETRIES": ("1;2", "MASKBOT_RETRIES: has to be seconds separated by commas, like 1,2,4"),
    "MASKBOT_LEASE_RENEW": ("31", "MASKBOT_LEASE_RENEW has to be at most half of MASKBOT_LEASE"),
    "MASKBOT_RECHECK_FIRST": ("31", "MASKBOT_RECHECK_FIRST cannot be longer than MASKBOT_RECHECK_LONGEST"),
    "MASKBOT_ON_CALL_TOKEN": ("two words", "MASKBOT_ON_CALL_TOKEN: has to be one word of letters, digits and dashes"),
    "MASKBOT_SSH_SIGNER": (
        "sign --role x",
        "MASKBOT_SSH_SIGNER: has to be a command line that begins with an absolute",
    ),
    "MASKBOT_SSH_CERTIFICATE_VALID": ("86400", "MASKBOT_SSH_CERTIFICATE_VALID: "),
    "MASKBOT_AFTERCHECK": ("300,60", "MASKBOT_AFTERCHECK: has to be increasing seconds up to 86400, like 60,300"),
    "MASKBOT_EXPIRY_RETRY_FIRST": (
        "301",
        "MASKBOT_EXPIRY_RETRY_FIRST cannot be longer than MASKBOT_EXPIRY_RETRY_LONGEST",
    ),
    "MASKBOT_REMINDER_AFTER": ("0", "MASKBOT_REMINDER_AFTER: "),
    "MASKBOT_PAGER_URL": (f"http://pager.example.com/{CANARY}", "MASKBOT_PAGER_URL: has to begin with https://"),
    "MASKBOT_PAGER_FORMAT": ("smoke", "MASKBOT_PAGER_FORMAT: "),
    "MASKBOT_AUDIT_SYSLOG": ("log.example.com:514", "MASKBOT_AUDIT_SYSLOG: has to be like tcp://"),
    "MASKBOT_AUDIT_SYSLOG_NEED": ("maybe", "MASKBOT_AUDIT_SYSLOG_NEED: "),
    "MASKBOT_AUDIT_WEBHOOK_URL": ("https://log.example.com/", "MASKBOT_AUDIT_WEBHOOK_SECRET is missing"),
    "MASKBOT_PROBE_PORT": ("70000", "MASKBOT_PROBE_PORT: "),
    "SLACK_API_URL": ("slack.com", "SLACK_API_URL: "),
    "MASKBOT_SLACK_MODE": ("both", "MASKBOT_SLACK_MODE: "),
    "MASKBOT_HTTP_ADDRESS": ("localhost", "MASKBOT_HTTP_ADDRESS: "),
    "MASKBOT_HTTP_PORT": ("65536", "MASKBOT_HTTP_PORT: "),
    "MASKBOT_HTTP_BODY": ("0", "MASKBOT_HTTP_BODY: "),
}


@pytest.mark.parametrize(("name", "value", "said"), [(name, *case) for name, case in WRONG.items()], ids=WRONG)
def test_a_value_that_makes_no_sense_is_refused_by_name(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert complaint().startswith(said)


def test_a_signer_is_words_that_no_shell_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().ssh_signer_command == ()
    monkeypatch.setenv("MASKBOT_SSH_SIGNER", "/usr/bin/sign --role 'for $USER; x'")
    assert load_settings().ssh_signer_command == ("/usr/bin/sign", "--role", "for $USER; x")
    monkeypatch.setenv("MASKBOT_SSH_SIGNER", "/usr/bin/sign 'open")
    assert complaint().startswith("MASKBOT_SSH_SIGNER: has to be a command line")


def test_a_pause_before_trying_again_has_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKBOT_RETRIES", "1,301")
    assert complaint() == "MASKBOT_RETRIES: has to be pauses of 0 to 300 seconds"


@pytest.mark.parametrize("typed", ["", ",", "soon", "0,60", "60,60", "60,86401", "nan"])
def test_looks_after_a_change_have_an_order_and_bounds(typed: str) -> None:
    with pytest.raises(ValidationError, match="has to be increasing seconds"):
        Settings(aftercheck=typed)


def test_looks_after_a_change_can_be_switched_off() -> None:
    assert Settings(aftercheck="none").aftercheck_pauses == ()
    assert Settings().aftercheck_pauses == (60, 300, 900)


def test_everything_that_is_wrong_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKBOT_POLL", "soon")
    monkeypatch.setenv("MASKBOT_LEASE", "later")
    assert len(complaint().splitlines()) == 2


def with_what_else_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pager that needs nothing but its address, and the secret that a webhook has to have."""
    monkeypatch.setenv("MASKBOT_PAGER_FORMAT", "alertmanager")
    monkeypatch.setenv("MASKBOT_AUDIT_WEBHOOK_SECRET", "hush")


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_may_come_from_a_file_and_the_file_wins(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text(f"{CANARIES[name]}\n")
    with_what_else_is_needed(monkeypatch)
    monkeypatch.setenv(name, "from the environment")
    monkeypatch.setenv(f"{name}_FILE", str(tmp_path / "secret"))
    assert secret(load_settings(), name) == CANARIES[name]


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("spell", [str.upper, str.lower], ids=["capitals", "small"])
def test_a_secret_may_come_from_a_directory_of_secrets_and_the_file_wins(
    name: str, spell: type[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / spell(name)).write_text(f"{CANARIES[name]}\n")
    with_what_else_is_needed(monkeypatch)
    monkeypatch.setenv(name, "from the environment")
    monkeypatch.setenv("MASKBOT_SECRETS_DIR", str(tmp_path))
    assert secret(load_settings(), name) == CANARIES[name]


def test_a_file_that_is_named_wins_over_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "SLACK_BOT_TOKEN").write_text("from the directory")
    (tmp_path / "named").write_text(CANARY)
    monkeypatch.setenv("MASKBOT_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("SLACK_BOT_TOKEN_FILE", str(tmp_path / "named"))
    assert secret(load_settings(), "SLACK_BOT_TOKEN") == CANARY


def secret(settings: Settings, name: str) -> str:
    held = getattr(settings, name.removeprefix("MASKBOT_").lower())
    value = held.get_secret_value()
    assert isinstance(value, str)
    return value


def test_a_directory_of_secrets_that_is_not_there_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKBOT_SECRETS_DIR", str(tmp_path / "gone"))
    assert complaint() == f"MASKBOT_SECRETS_DIR: no such directory: {tmp_path / 'gone'}"


def test_a_secret_file_that_cannot_be_used_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "token"
    monkeypatch.setenv("SLACK_BOT_TOKEN_FILE", str(file))
    assert complaint() == f"SLACK_BOT_TOKEN: its file {file} cannot be read: No such file or directory"
    file.write_text("\n")
    assert complaint() == f"SLACK_BOT_TOKEN: its file {file} is empty"
    file.write_bytes(b"\xff")
    assert complaint() == f"SLACK_BOT_TOKEN: its file {file} is not text"


@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_shows_in_settings_or_in_an_error_about_others(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with_what_else_is_needed(monkeypatch)
    monkeypatch.setenv(name, CANARIES[name])
    settings = load_settings()
    assert CANARY not in f"{settings!r} {settings} {settings.model_dump()}"
    monkeypatch.setenv("MASKBOT_LEASE_RENEW", "9999")
    with pytest.raises(ConfigError, match="MASKBOT_LEASE_RENEW") as error:
        load_settings()
    told = "".join(traceback.format_exception(error.value))
    assert CANARY not in told


@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_shows_in_an_error_about_itself(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    field = name.removeprefix("MASKBOT_").lower() if name.startswith("MASKBOT_") else name
    unlike_a_secret = {field: [CANARY]}
    with pytest.raises(ValueError, match=field) as error:
        Settings(**unlike_a_secret)  # type: ignore[arg-type]
    assert CANARY not in "".join(traceback.format_exception(error.value))
