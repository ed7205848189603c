"""The disk of the record is full: nothing new is taken, nothing is done without a record, and all goes on later."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.core.requests import Outcome
from bot.errors import StoreBusy
from tests.workflow.health.test_heartbeat import fill
from tests.workflow.wire import Call
from tests.workflow.world import QUICK, World

SOON = {"timings": replace(QUICK, lease_renew=0.2)}


@pytest.fixture
def database(small_disk: Path) -> str:
    return f"sqlite:///{small_disk}/maskbot.db"


@pytest.mark.parametrize("changed_deps", [SOON], ids=["tried again soon"])
@pytest.mark.fault("F50", "F60", how="the disk full to its last byte after the first command")
def test_without_room_for_the_record_nothing_more_is_sent_and_with_it_the_change_goes_on(
    world: World, small_disk: Path, saw: Callable[[str], str]
) -> None:
    host, full, database = world.hosts["web-01"], small_disk / "full", small_disk / "maskbot.db"

    def fill_up(call: Call) -> None:
        if call.verb == "probe" and not full.exists():
            with closing(sqlite3.connect(database)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # so that no room is left in SQLite's own files
            fill(full)
            world.has_lost_an_answer = True

    world.wire.after.append(fill_up)
    asked = world.mask("tuned")
    with capture_logs() as log:
        world.vote(asked)
        world.until(lambda: any(line["event"] == "claim not given back" for line in log), "a claim that is kept")
        with pytest.raises(StoreBusy) as refused:
            world.ask_mask("cron")
        assert "cannot be written" in saw(str(refused.value))
        assert world.wire.verbs() == ["probe"]
        assert host.show("tuned.service", "ActiveState") == {"ActiveState": "active"}
        full.unlink()
    full.mkdir()
    done = world.until_final(asked)
    assert done.target.outcome is Outcome.PROVEN, done.target.note
    assert world.wire.verbs() == ["probe"] * 2 + ["stop", "mask", "daemon-reload", "start"]
