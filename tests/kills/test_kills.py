"""One mask and its end on each database, with a kill at every moment of it; `script/soak --kills` has many more."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kills.hold_journey import hold_journey
from tests.kills.journey import journey
from tests.kills.mortal import Maker
from tests.kills.points import POINTS
from tests.kills.rollout_journey import rollout_journey
from tests.kills.rounds import LONG, Lane
from tests.lab.hosts import LabHost
from tests.lab.machine import NotHereError
from tests.lab.postgres import Postgres, postgres

pytestmark = pytest.mark.ssh


@contextmanager
def the_database(name: str) -> Iterator[Postgres | None]:
    """A cluster, or none for SQLite."""
    if name == "sqlite":
        yield None
        return
    try:
        with postgres() as cluster:
            yield cluster
    except NotHereError as cannot:
        pytest.skip(str(cannot))


@pytest.mark.fault(
    "F57",
    *POINTS,
    how="the process kills itself (SIGKILL) around every command, message and commit of a mask and its expiry",
    saw="one card that says MASKED AND PROVEN, one that says UNMASKED, AS BEFORE, and each message once",
)
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_whenever_a_bot_is_killed_the_mask_and_its_end_are_carried_out_once(
    database: str, host: LabHost, tmp_path: Path
) -> None:
    with the_database(database) as cluster, Maker() as maker:
        assert [*journey(Lane(host, folder=tmp_path, maker=maker, cluster=cluster, lease=LONG))] == []


@pytest.mark.fault(
    "F93",
    how="the process kills itself (SIGKILL) while a rollout is planned, around its waves and pauses, and in Undo all",
    saw="one card of the rollout, one of its undo; no host was touched before its wave",
)
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_whenever_a_bot_is_killed_a_rollout_goes_on_and_touches_no_host_before_its_wave(
    database: str, hosts: Mapping[str, LabHost], tmp_path: Path
) -> None:
    with the_database(database) as cluster, Maker() as maker:
        lane = Lane(*hosts.values(), folder=tmp_path, maker=maker, cluster=cluster, lease=LONG)
        assert [*rollout_journey(lane)] == []


@pytest.mark.fault(
    "F93",
    how="the process kills itself (SIGKILL) while a rollout gets a later end, becomes a hold, is kept and lifted",
    saw="the new end once; rollout and targets held alike; no target of a lifted hold left",
)
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_whenever_a_bot_is_killed_a_rollout_that_becomes_a_hold_is_held_on_each_host(
    database: str, hosts: Mapping[str, LabHost], tmp_path: Path
) -> None:
    with the_database(database) as cluster, Maker() as maker:
        lane = Lane(*hosts.values(), folder=tmp_path, maker=maker, cluster=cluster, lease=LONG)
        assert [*hold_journey(lane)] == []
