"""What is acknowledged is kept, whatever is killed, locked, full or lost; what is not is said so."""

import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from psycopg import sql
from sqlalchemy import select

from bot.core.audit.chain import Origin, VerifiedChain, verify
from bot.edges.database import Database, DatabaseLimits, audit_log
from bot.edges.database.engine import parse_url
from bot.edges.database.seals import Seals
from bot.edges.database.tables import chain_head
from bot.edges.database.transactions import Transactions
from bot.errors import ConfigError, MaybeRecorded, StoreBusy
from bot.ports import Query
from tests.edges.asked import NOW, a_request, an_event
from tests.edges.conftest import Hands, Opening
from tests.lab.keys import KEYS
from tests.lab.migrated import Migrated
from tests.lab.postgres import Postgres
from tests.plugins.fault_table import was_read

ROOT = Path(__file__).parents[3]
HASTY = DatabaseLimits(busy=timedelta(milliseconds=100))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "var" / "maskbot.db"


@pytest.fixture
def on_file(file: Path, opened: Opening) -> Database:
    return opened(f"sqlite:///{file}", limits=HASTY)


@pytest.fixture
def database_url(file: Path) -> str:
    """These tests name their database themselves."""
    return f"sqlite:///{file}"


@contextmanager
def writer(url: str, *before: str) -> Iterator[subprocess.Popen[str]]:
    """A process of its own that records requests and prints each one that was acknowledged."""
    command = [*before, sys.executable, str(ROOT / "tests/edges/writer.py"), url]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def either_url(request: pytest.FixtureRequest, file: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{file}"
        return
    migrated: Migrated = request.getfixturevalue("migrated")
    yield migrated.url
    migrated.restore()


@pytest.mark.parametrize("rows", [1, 7, 20])
@pytest.mark.fault(
    "K1", "K12", how="SIGKILL of a process that writes", saw="every request that was acknowledged is there"
)
def test_a_killed_process_keeps_every_acknowledged_request(either_url: str, opened: Opening, rows: int) -> None:
    with writer(either_url) as process:
        assert process.stdout
        acknowledged = [json.loads(process.stdout.readline())["id"] for _ in range(rows)]
        process.send_signal(signal.SIGKILL)
        acknowledged += [json.loads(line)["id"] for line in process.stdout if line.endswith("\n")]
    store = opened(either_url)
    with store.exclusive():
        kept = [request.id for request in store.find(Query(limit=1_000_000))]
        assert set(acknowledged) <= set(kept)
        assert len(kept) <= len(acknowledged) + 1
        assert verify(store.records(), KEYS, anchor=store.head()) == VerifiedChain(len(kept), store.head())


@pytest.mark.fault("F50", how="a file system of 600 kB")
def test_a_full_disk_records_nothing_and_breaks_nothing(tmp_path: Path, opened: Opening) -> None:
    """In a mount namespace of its own, so that the small file system goes with the process."""
    folder, kept = tmp_path / "small", tmp_path / "kept"
    folder.mkdir()
    namespace = ["unshare", "--mount", *(["--map-root-user"] if os.getuid() else [])]
    run = f'mount -t tmpfs -o size=600k tmpfs {folder} && "$@" && cp -r {folder} {kept}'
    with writer(f"sqlite:///{folder}/maskbot.db", *namespace, "sh", "-c", run, "sh") as process:
        assert process.stdout
        answers = [json.loads(line) for line in process.stdout]
        assert process.wait() == 0
    assert "nothing was recorded" in was_read(answers[-1]["no"])
    store = opened(f"sqlite:///{kept}/maskbot.db")
    with store.exclusive():
        assert len(store.find(Query(limit=1_000_000))) == len(answers) - 1 > 0
        assert verify(store.records(), KEYS, anchor=store.head()) == VerifiedChain(len(answers) - 1, store.head())


@pytest.mark.fault("F49", how="another process holds the write lock")
def test_a_locked_file_is_busy_and_says_so_in_time(on_file: Database, file: Path) -> None:
    with on_file.exclusive():
        on_file.add(a_request(1), events=[])
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy, match="nothing was recorded") as busy:
            on_file.add(a_request(2), events=[])
        was_read(str(busy.value))
        assert on_file.get("r1").id == "r1"  # reading goes on
        other.rollback()
        other.close()
        assert on_file.add(a_request(2), events=[])[1]


def test_a_writer_waits_for_its_turn_before_it_gives_up(file: Path, opened: Opening) -> None:
    patient = opened(f"sqlite:///{file}", limits=DatabaseLimits(busy=timedelta(seconds=20)))
    with patient.exclusive():
        other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(0.2, other.rollback)
        release.start()
        assert patient.add(a_request(), events=[])[1]
        release.join()
        other.close()


def test_the_file_is_for_its_owner_alone(on_file: Database, file: Path) -> None:
    with on_file.exclusive():
        on_file.add(a_request(), events=[])
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        assert {stat.S_IMODE(each.stat().st_mode) for each in file.parent.iterdir()} == {0o600}


def test_a_second_process_on_one_file_is_refused(on_file: Database, file: Path) -> None:
    with writer(f"sqlite:///{file}") as process:
        assert process.stdout
        process.stdout.readline()
        with pytest.raises(ConfigError, match=rf"process {process.pid}\) uses .*maskbot.db"), on_file.exclusive():
            pass
        process.kill()
        process.wait()
        with on_file.exclusive():
            assert on_file.get("r0").id == "r0"


@pytest.mark.fault("F51", how="the file removed")
def test_a_file_that_is_gone_is_not_replaced_by_an_empty_one(on_file: Database, file: Path) -> None:
    with on_file.exclusive():
        pass
    file.unlink()
    with pytest.raises(ConfigError, match=r"maskbot.db is gone") as gone, on_file.exclusive():
        pass
    was_read(str(gone.value).replace(str(file.parent), "var"))
    assert not file.exists()
    file.with_name("maskbot.db.lock").unlink()
    with on_file.exclusive():
        assert on_file.find(Query()) == []


def test_a_file_that_was_emptied_is_refused(on_file: Database, file: Path) -> None:
    with on_file.exclusive():
        pass
    file.write_bytes(b"")
    with pytest.raises(ConfigError, match=r"maskbot.db is empty"), on_file.exclusive():
        pass


def test_a_start_that_died_before_the_first_table_is_simply_repeated(on_file: Database, file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"")
    file.with_name("maskbot.db.lock").write_text(f"{os.getpid():<10}\n")
    with on_file.exclusive():
        assert on_file.find(Query()) == []


@pytest.mark.parametrize("damaged", [slice(100), slice(5000, None), slice(-4096, None)])
@pytest.mark.fault("F51", how="parts of the file overwritten")
def test_a_broken_file_is_refused(on_file: Database, file: Path, damaged: slice) -> None:
    with on_file.exclusive():
        on_file.add(a_request(), events=[an_event()])
    content = bytearray(file.read_bytes())
    content[damaged] = os.urandom(len(content[damaged]))
    file.write_bytes(content)
    with pytest.raises(ConfigError) as refused, on_file.exclusive():
        pass
    was_read(str(refused.value).replace(str(file.parent), "var"))


@pytest.mark.fault("F51", how="the file cut in half")
def test_a_truncated_file_is_refused(on_file: Database, file: Path) -> None:
    with on_file.exclusive():
        on_file.add(a_request(), events=[an_event()])
    os.truncate(file, file.stat().st_size // 2)
    with pytest.raises(ConfigError) as refused, on_file.exclusive():
        pass
    was_read(str(refused.value).replace(str(file.parent), "var"))


def test_reading_makes_no_file(on_file: Database, file: Path) -> None:
    file.parent.mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        on_file.get("r1")
    assert not file.exists()


@pytest.mark.parametrize("url", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "mysql://u:secret@h/d"])
def test_only_a_file_or_postgresql_is_a_database_for_us(url: str, clock: Hands) -> None:
    with pytest.raises(ConfigError) as refused:
        Database(url, clock=clock, instance="bot-1", keys=KEYS)
    assert "secret" not in str(refused.value)


@pytest.mark.postgresql
@pytest.mark.fault("F52", how="PostgreSQL killed and started again", saw="nothing: it is recorded on a new connection")
def test_a_crash_of_postgresql_is_survived(cluster: Postgres, opened: Opening) -> None:
    store = opened(cluster.make_database("crashed"))
    with store.exclusive():
        store.add(a_request(1), events=[an_event()])
        cluster.crash()
        assert store.add(a_request(2), events=[an_event()])[1]
        assert verify(store.records(), KEYS, anchor=store.head()) == VerifiedChain(2, store.head())
    cluster.drop_database("crashed")


@pytest.mark.postgresql
@pytest.mark.fault("F52", how="PostgreSQL stopped and started again")
def test_a_postgresql_that_does_not_answer_is_busy_and_comes_back(cluster: Postgres, opened: Opening) -> None:
    store = opened(cluster.make_database("stopped"))
    with store.exclusive():
        cluster.control("-m", "fast", "stop")
        try:
            with pytest.raises(StoreBusy) as busy:
                store.add(a_request(), events=[])
            was_read(str(busy.value))
            with pytest.raises(StoreBusy):
                store.find(Query())
        finally:
            cluster.start()
        assert store.add(a_request(), events=[])[1]
    cluster.drop_database("stopped")


@pytest.mark.postgresql
@pytest.mark.fault("F52", how="every connection cut between a commit and its answer, which waited for a standby")
def test_what_was_recorded_and_not_answered_is_not_said_to_be_lost(cluster: Postgres, opened: Opening) -> None:
    store = opened(cluster.make_database("unsure"))
    with store.exclusive(), ThreadPoolExecutor() as pool:
        with waiting_for_a_standby(cluster):
            added = pool.submit(store.add, a_request(), events=[an_event()])
            while not is_waiting_for_a_standby(cluster):
                assert not added.done()
            cluster.cut("unsure")
            with pytest.raises(MaybeRecorded) as unsure:
                added.result()
        was_read(str(unsure.value))
        found, is_new = store.add(a_request(), events=[an_event()])
        assert (found.id, is_new) == ("r1", False)
        assert verify(store.records(), KEYS, anchor=store.head()) == VerifiedChain(1, store.head())
    cluster.drop_database("unsure")


@contextmanager
def waiting_for_a_standby(cluster: Postgres) -> Iterator[None]:
    """Nothing is answered before a standby has it, and there is none."""
    cluster.ask(sql.SQL("ALTER SYSTEM SET synchronous_standby_names = 'nobody'"))
    cluster.ask(sql.SQL("SELECT pg_reload_conf()"))
    try:
        yield
    finally:
        cluster.ask(sql.SQL("ALTER SYSTEM RESET synchronous_standby_names"))
        cluster.ask(sql.SQL("SELECT pg_reload_conf()"))


def is_waiting_for_a_standby(cluster: Postgres) -> bool:
    with cluster.connected("postgres") as connection:
        return bool(connection.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'").fetchone())


@pytest.mark.postgresql
@pytest.mark.fault("F52", how="a PostgreSQL that only reads, as a standby does")
def test_a_postgresql_that_only_reads_is_busy_and_no_mistake_of_ours(cluster: Postgres, opened: Opening) -> None:
    url = cluster.make_database("standby")
    store = opened(url)
    with store.exclusive():
        cluster.ask(sql.SQL("ALTER DATABASE standby SET default_transaction_read_only = on"))
        cluster.cut("standby")
        with pytest.raises(StoreBusy, match="nothing was recorded") as busy:
            store.add(a_request(), events=[])
        was_read(str(busy.value))
        cluster.ask(sql.SQL("ALTER DATABASE standby RESET default_transaction_read_only"))
        cluster.cut("standby")
        assert store.add(a_request(), events=[])[1]
    cluster.drop_database("standby")


@pytest.mark.postgresql
@pytest.mark.fault("F54", how="a replica that freezes in the middle of a transaction, holding the end of the chain")
def test_who_freezes_in_a_transaction_does_not_stop_the_others(cluster: Postgres, opened: Opening) -> None:
    url = cluster.make_database("frozen")
    store = opened(url)
    with store.exclusive():
        limits = DatabaseLimits(stalled=timedelta(milliseconds=200))
        frozen = Transactions(parse_url(url), limits, Seals(KEYS))
        with pytest.raises(StoreBusy), frozen.writing() as connection:
            audit_log.append(connection, [an_event("never")], at=NOW, origin=Origin("bot-2", "1"))
            store.record([an_event()])  # waits for the lock, until PostgreSQL has given the other one up
            connection.execute(select(chain_head))
        frozen.close()
        assert [record["type"] for record in store.records()] == [an_event().type]
    cluster.drop_database("frozen")


@pytest.mark.postgresql
def test_a_row_that_is_locked_too_long_is_busy(cluster: Postgres, opened: Opening) -> None:
    url = cluster.make_database("locked")
    store = opened(url, limits=HASTY)
    with store.exclusive():
        store.add(a_request(), events=[])
        with cluster.connected("locked") as other:
            other.execute("SELECT * FROM chain_head FOR UPDATE")
            with pytest.raises(StoreBusy, match="nothing was recorded"):
                store.record([an_event()])
        store.record([an_event()])
        assert len(store.chain()) == 1
    cluster.drop_database("locked")
