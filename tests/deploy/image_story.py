"""Play the main story by the files of the image, read-only, in a lab host: `python -m tests.deploy.image_story DIR`."""

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.deploy.service import clear, journal, start
from tests.lab.demo import HOSTS, Demo, workspace
from tests.lab.hosts import Lab
from tests.lab.installation import Bot, Installation
from tests.lab.slack.lab import SlackLab
from tests.lab.story import play

# The shipped unit, with the image's files as all that it sees. Its user is the machine's, which has no name for 10001.
FROM_THE_IMAGE = """\
[Service]
RootDirectory=/opt/image
MountAPIVFS=yes
BindReadOnlyPaths=/etc/maskbot/hosts.yaml /etc/maskbot/policy.yaml /run/systemd/notify
ExecReload=
ExecStartPre=
ExecStartPre=/opt/maskbot/bin/maskbot check
"""


def main(image: Path) -> int:
    """0 if the host was really masked and really restored."""
    with Lab() as lab, SlackLab() as slack, tempfile.TemporaryDirectory(prefix="maskbot-image-") as folder:
        hosts = lab.boot(HOSTS)
        written = Installation.write(Path(folder), list(hosts.values()), workspace(slack))
        machine = hosts["web-02"]
        # the machine may not see the folder itself
        subprocess.run(("cp", "-a", image, machine.root / "opt/image"), check=True)
        start(machine, written, drop_in=FROM_THE_IMAGE)
        demo = Demo(hosts, slack, Bot(written))
        slack.wait_for(lambda: "\nready" in journal(machine) or None, 30)
        try:
            return play(demo)
        finally:
            sys.stderr.write(journal(machine))
            clear(machine)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
