"""A few kills at every point; `script/soak --kills` does fifty at each."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.lab.hosts import LabHost
from tests.lab.machine import NotHereError
from tests.lab.postgres import postgres
from tests.lab.pristine import Pristine
from tests.soak.mortal import Maker
from tests.soak.points import POINTS
from tests.soak.rounds import Lane, Round

pytestmark = pytest.mark.ssh
SAID = "one card, which says MASKED AND PROVEN, and each message once"


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def rounds(
    request: pytest.FixtureRequest,
    lab_hosts: Mapping[str, LabHost],
    found: Mapping[str, Pristine],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Mapping[str, Round]]:
    """One kill at each point, on three hosts at a time."""
    with ExitStack() as stack:
        cluster = None
        if request.param == "postgresql":
            try:
                cluster = stack.enter_context(postgres())
            except NotHereError as cannot:
                pytest.skip(str(cannot))
        folder = tmp_path_factory.mktemp("kills")
        lanes = [Lane(host, folder, stack.enter_context(Maker()), cluster) for host in lab_hosts.values()]
        shares = [(lane, [*POINTS][number :: len(lanes)]) for number, lane in enumerate(lanes)]
        with ThreadPoolExecutor(len(lanes)) as pool:
            done = pool.map(lambda share: [share[0].round(point) for point in share[1]], shares)
            ended = {one.point: one for of_lane in done for one in of_lane}
    for pristine in found.values():
        pristine.restore()
    yield ended


@pytest.mark.parametrize(
    "point",
    [
        pytest.param(point, marks=pytest.mark.fault("F57", point, how=f"SIGKILL by its own hand: {when}", saw=SAID))
        for point, when in POINTS.items()
    ],
)
def test_whoever_is_killed_there_the_request_ends_once(rounds: Mapping[str, Round], point: str) -> None:
    assert rounds[point].broken == ()
