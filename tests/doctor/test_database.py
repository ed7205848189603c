"""Doctor looks at the database as a start does, and leaves it as it is."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine, text

from bot.app.compose import assemble, open_store
from bot.core.audit.chain import Event
from bot.core.audit.seal_keys import SealKey, as_line
from bot.doctor.check_result import CheckResult
from bot.doctor.database import examine_database
from bot.edges.database.engine import parse_url
from bot.errors import ConfigError
from config.settings import Settings
from config.start import seal_keys
from tests.config.folder import Folder
from tests.lab.keys import SETTING
from tests.lab.migrated import Migrated
from tests.lab.sqlite import new_sqlite

OTHER = as_line(SealKey("other", b"\x08" * 32))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """With a database in which a bot has recorded something."""
    kept: Migrated | None = request.getfixturevalue("migrated") if request.param == "postgresql" else None
    url = SecretStr(kept.url if kept else new_sqlite(tmp_path / "var/maskbot.db"))
    made = Settings(database_url=url, socket=tmp_path / "maskbot.sock", seal_keys=SecretStr(SETTING))
    with closing(open_store(made)) as store:
        store.record([Event("bot.started", "success"), Event("bot.stopped", "success")])
    yield made
    if kept:
        kept.restore()


def examined(settings: Settings) -> CheckResult:
    (found,) = examine_database(settings, seal_keys(settings), said=())
    return found


def statement(settings: Settings, sql: str) -> None:
    engine = create_engine(parse_url(settings.database_url.get_secret_value()))
    with engine.begin() as connection:
        connection.execute(text(sql))
    engine.dispose()


def test_what_a_bot_recorded_is_well_and_nothing_is_left_beside_it(settings: Settings, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert examined(settings) == CheckResult("database", "", is_ok=True)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_database_that_a_bot_uses_is_read_as_it_is_now(settings: Settings) -> None:
    with closing(open_store(settings)) as store:
        store.record([Event("bot.started", "success")])
        assert examined(settings).is_ok
        statement(settings, "UPDATE events SET hash = 'x' WHERE seq = 3")
        assert "the audit log is broken at record 3" in examined(settings).what


def test_another_seal_key_is_told_with_what_to_do(settings: Settings) -> None:
    found = examined(settings.model_copy(update={"seal_keys": SecretStr(OTHER)}))
    assert "sealed with a key that is not among MASKBOT_SEAL_KEYS (lab): put its old line back" in found.what
    assert examined(settings.model_copy(update={"seal_keys": SecretStr(f"{OTHER}\n{SETTING}")})).is_ok


def test_a_record_that_somebody_changed_keeps_the_bot_from_its_work(settings: Settings) -> None:
    statement(settings, "UPDATE events SET body = replace(body, 'success', 'failure') WHERE seq = 1")
    found = examined(settings)
    assert (found.is_ok, "the audit log is broken at record 1" in found.what) == (False, True)
    assert "`maskbot audit verify`" in found.fix


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    url = SecretStr("postgresql://bot:pass-word@127.0.0.1:1/maskbot")
    found = examined(Settings(database_url=url, seal_keys=SecretStr(SETTING)))
    assert not found.is_ok
    assert found.what.startswith("postgresql://bot:***@127.0.0.1:1/maskbot: connection")
    assert found.what.endswith("Connection refused")
    assert "pass-word" not in f"{found}"


def test_a_start_says_of_such_a_server_what_doctor_says(tmp_path: Path) -> None:
    url = SecretStr("postgresql://bot:pass-word@127.0.0.1:1/maskbot")
    there = Folder(tmp_path)
    made = there.with_settings(database_url=url)
    with pytest.raises(ConfigError) as said, assemble(made, there.load()):
        pass
    assert str(said.value).startswith(examined(made).what)
    assert str(said.value).endswith("Connection refused. Fix: Start it, or correct MASKBOT_DATABASE_URL.")
    assert "pass-word" not in f"{said.value}"


def test_what_was_said_before_is_not_said_again(settings: Settings) -> None:
    other = settings.model_copy(update={"seal_keys": SecretStr(OTHER)})
    assert list(examine_database(other, seal_keys(other), said=[examined(other).what])) == []


def test_a_database_that_a_start_would_make_is_well(tmp_path: Path) -> None:
    url = SecretStr(f"sqlite:///{tmp_path}/maskbot.sqlite")
    assert examined(Settings(database_url=url, seal_keys=SecretStr(SETTING))).is_ok
    assert list(tmp_path.iterdir()) == []
