"""What root's half asks systemd itself, on a real host: the answers are those of systemctl."""

import json

import pytest

from bot.core.systemd.host_rules import GUARD
from tests.lab.hosts import LabHost

pytestmark = pytest.mark.ssh

# On the host: the guard without its main program, asked once over D-Bus and once through systemctl.
BOTH = f"""
import json, sys
guard = {{"__name__": "guard"}}
exec(compile(open("{GUARD}").read(), "guard", "exec"), guard)
exec(guard["ROOTS_PART"], guard)
guard["begin_request"]()
names, manager, bus = json.load(sys.stdin), guard["Manager"]("", []), guard["PRIVATE_BUS"]
guard["_SHOWN"] += ("NotYetInvented",)  # as a newer property on an older systemd: left out by both
split = lambda one: {{key: sorted(guard["names_in"](one[key])) for key in one}}
print(len(names))
for _ in range(5):  # units come and go, but none that differs does so each time
    guard["PRIVATE_BUS"] = bus
    over_the_bus = guard["properties"](names, guard["_SHOWN"])
    guard["PRIVATE_BUS"] = "/nowhere"
    through_systemctl = [one for name in names for one in manager._ask([name])]
    answers = [(split(one), split(other)) for one, other in zip(over_the_bus, through_systemctl)]
    names = [name for name, (one, other) in zip(names, answers) if one != other]
print([two for two in answers if two[0] != two[1]])
"""


def test_systemd_says_the_same_as_systemctl(host: LabHost) -> None:
    listed = host.run("systemctl", "list-units", "--all", "--plain", "--no-legend").stdout.splitlines()
    names = [line.split()[0] for line in listed if ".device" not in line]
    names += [
        "no-such.service",
        r"a\x2db.timer",
        "9.socket",
        "oldname.service",
        "template@7.service",
        "handmade.service",
    ]
    count, different = host.run("python3", "-IS", "-c", BOTH, given=json.dumps(names)).stdout.splitlines()
    assert int(count) > 40
    assert different == "[]"
