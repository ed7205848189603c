"""What whoever calls root's half sets for themselves does not end it half-way."""

import subprocess

import pytest

from bot.core.systemd.host_rules import GUARD
from tests.edges.guard.asking import Said, identity, read, request
from tests.edges.guard.talking import ask, stop
from tests.lab.hosts import LabHost
from tests.lab.rights import RIGHTS

pytestmark = pytest.mark.ssh
UNIT, LINK = "cron.service", "/run/systemd/system/cron.service"
CONNECTION = "192.0.2.1 5022 192.0.2.2 22"
LIMITED = f"""\
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
os.execvp("sudo", ["sudo", "-n", "{GUARD}"])
"""


def limited(host: LabHost, size: int, *words: str) -> Said:
    """One request to root's half as the bot's login, which lets it write files of so many bytes."""
    host.write("/run/limited.py", LIMITED)
    host.write("/run/asked", request(*words, connection=CONNECTION).decode())
    command = f"systemd-run -q --pipe --uid=maskbot -- python3 /run/limited.py {size} </run/asked"
    said = host.run("sh", "-c", command).stdout.partition("\n")[2].encode()
    return read(subprocess.CompletedProcess([], int(said.split(b" ")[4]), said, b""))


@pytest.mark.skipif(RIGHTS.program != "sudo", reason="the call is by sudo")
def test_no_limit_of_the_caller_ends_a_change_half_way(host: LabHost) -> None:
    """A link that is not remembered as it was made would let root's next mask be taken for it."""
    stop(host, UNIT)
    for size in (0, 223):  # nothing is remembered; and a link as it is before it is made, but not after that
        said = limited(host, size, "link", "runtime", UNIT)  # root in a container may not lift limits
        assert said.code == 0 or "(ulimit) may end it half-way" in said.err, (size, said)
        assert host.run("readlink", LINK).stdout == ("/dev/null\n" if said.code == 0 else "")
        if said.code == 0:
            assert limited(host, size, "unlink", "runtime", UNIT, identity(host, LINK)).code == 0
    host.run("systemctl", "mask", "--runtime", UNIT)
    assert ask(host, "unlink", "runtime", UNIT, identity(host, LINK)).is_refused
    assert host.run("readlink", LINK).stdout == "/dev/null\n"
