"""Mask and undo units through the bot's own workflow, and compare the whole host before and after it (see cycles)."""

from collections.abc import Callable, Iterator, Mapping

import pytest

from tests.lab.cycles.cycle import bot, cycle, prepare
from tests.lab.cycles.units import KINDS, Kind
from tests.lab.hosts import LabHost
from tests.workflow.invariants import violations
from tests.workflow.world import World

pytestmark = pytest.mark.ssh

# Of the kinds of tests/lab/cycles those whose undo asks systemd for something else than that of the others.
CHOSEN = (
    "a vendor's, enabled, runs", "with an alias, by its Id", "has failed", "oneshot that remains", "frozen",
    "moved from /etc, links of it stayed", "drop-in in /etc", "units with BindsTo=, PartOf=, Requires= on it",
    "instance, enabled", "own file in /etc, enabled, runs", "linked from /opt", "socket", "timer with OnActiveSec=",
    "path", "generated", "--runtime", "--keep-running, socket",
)  # fmt: skip


@pytest.fixture(scope="module")
def own_host(lab_hosts: Mapping[str, LabHost]) -> LabHost:
    """A host with the units of the cycles; it stays changed."""
    prepare(lab_hosts["web-02"])
    return lab_hosts["web-02"]


@pytest.fixture(scope="module")
def cycled(own_host: LabHost) -> Iterator[World]:
    """One bot for all cycles."""
    with bot(own_host) as world:
        yield world
        broken = violations(world)
    assert broken == []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.what in CHOSEN], ids=lambda kind: kind.what)
def test_an_undo_restores(
    own_host: LabHost, cycled: World, kind: Kind, record_property: Callable[[str, object], None]
) -> None:
    left, outcomes = cycle(cycled, own_host, kind)
    record_property("row", kind.what)
    record_property("cells", {"": " and ".join(outcomes).replace("_", " ")})
    assert left == []
    assert outcomes[0] == "proven" or (kind.what, outcomes[0]) == ("frozen", "masked_running")
    assert outcomes[1].startswith("restored")
