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
names, manager = json.load(sys.stdin), guard["Manager"]("", [])
answers = [guard["properties"](names, guard["_SHOWN"])]
guard["PRIVATE_BUS"] = "/nowhere"
answers.append([one for name in names for one in manager._ask([name])])
split = [[{{key: guard["names_in"](one[key]) for key in one}} for one in each] for each in answers]
print(json.dumps(split))
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
    said = host.run("python3", "-IS", "-c", BOTH, given=json.dumps(names)).stdout
    over_the_bus, through_systemctl = json.loads(said)
    assert len(over_the_bus) > 40
    assert over_the_bus == through_systemctl
