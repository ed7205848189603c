"""The demo: three real hosts, a Slack stand-in and the bot, for a person with a browser, or as a scripted story."""

import argparse
import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.lab.endings import in_order, wait_for_one
from tests.lab.hosts import Lab, LabHost
from tests.lab.installation import Bot, Installation, Workspace
from tests.lab.machine import LabError
from tests.lab.slack.lab import SlackLab
from tests.lab.slack.workspace import TEAM
from tests.lab.story import play

HOSTS = ("web-01", "web-02", "db-01")
PORT = 3000


@dataclass(frozen=True, slots=True)
class Demo:
    """The running demo."""

    hosts: dict[str, LabHost]
    slack: SlackLab
    bot: Bot


def workspace(slack: SlackLab) -> Workspace:
    """The bot's configuration for this Slack."""
    return Workspace(
        slack.api_url, slack.bot_token, slack.app_token, TEAM, slack.users, slack.channels, slack.groups["sre"]
    )


@contextlib.contextmanager
def running(*, port: int = 0, settings: dict[str, str] | None = None) -> Iterator[Demo]:
    """Start hosts, Slack and bot; they stop in reverse order. Raises `LabError` if the machine cannot run them."""
    folder = Path(tempfile.mkdtemp(prefix="maskbot-demo-"))
    try:
        with Lab() as lab, SlackLab(port) as slack:
            hosts = lab.boot(HOSTS)
            installation = Installation.write(folder, list(hosts.values()), workspace(slack), settings=settings)
            with Bot(installation) as bot:
                yield Demo(hosts, slack, bot)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """`script/demo [--port N] [--story]`."""
    arguments = _arguments()
    try:
        print("booting web-01, web-02 and db-01, a Slack stand-in, and the bot ...", flush=True)
        with running(port=0 if arguments.story and not arguments.port else arguments.port or PORT) as demo:
            if arguments.story:
                return play(demo)
            _invite(demo)
            with contextlib.suppress(KeyboardInterrupt), in_order():
                wait_for_one(until=lambda: not demo.bot.is_running())
            print("\nstopping the demo; nothing is left behind", flush=True)
    except (LabError, TimeoutError) as cannot:
        print(f"script/demo: {cannot}", file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"script/demo: {error.strerror or error}. Is port {arguments.port or PORT} taken? --port N", file=sys.stderr
        )
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/demo", description="See maskbot work, on this machine.")
    parser.add_argument("--port", type=int, default=0, help=f"port of the page ({PORT})")
    parser.add_argument(
        "--story", action="store_true", help="play the main story; exit 0 if the host was masked and restored"
    )
    return parser.parse_args()


def _invite(demo: Demo) -> None:
    web = demo.hosts["web-01"]
    print(
        f"""
ready: {demo.slack.url}

  Open it, choose who you are under "Act as", and type in #incident:

    alice    /mask web-01 cron INC-2041: runaway job
    bob      presses Approve
    alice    presses Unmask

  carol approves too (she and bob are @sre). dave and eve (a guest) may not; in #random the bot does not act.
  Worth a try: /mask web-01 sshd · /mask web-01 local · /mask web-01 worker · /mask web-01 slowstop · /mask help

  A bare /mask opens the form. So does "Mask a unit", in the bar at the top and on a message under the pointer.
  The Home tab is "maskbot" under Apps.

  Look at the host yourself, as root:
    nsenter --target {web.nspawn.leader()} --all --root --wd systemctl status cron

Ctrl-C stops the demo and leaves nothing behind.
""",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
