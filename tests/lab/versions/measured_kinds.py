"""Measure what each way to mask does to each kind of unit, and what an unmask leaves. Not a test of the bot."""

from collections.abc import Callable, Mapping

import pytest

from tests.lab.hosts import LabHost
from tests.lab.pristine import Pristine
from tests.lab.versions.kinds import KINDS, SCRIPT, WAYS, Kind, cell

pytestmark = pytest.mark.ssh


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.what)
def test_a_kind_of_unit(
    host: LabHost, found: Mapping[str, Pristine], kind: Kind, record_property: Callable[[str, object], None]
) -> None:
    cells = {}
    for way, options in WAYS.items():
        argv = ("sh", "-c", SCRIPT, "measure", *kind.words, *options)
        cells[way] = cell(host.run(*argv, seconds=90).stdout)
        found[host.name].restore()
    record_property("row", kind.what)
    record_property("cells", cells)
