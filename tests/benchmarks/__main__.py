"""`python -m tests.benchmarks`: how fast the bot is on this machine, with real hosts and the Slack stand-in."""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bot.core.systemd.units import UnitName
from tests.lab.demo import Demo, running
from tests.lab.hosts import LabHost
from tests.lab.story import wait_for_card

UNIT = UnitName("cron.service")
IN_FLIGHT = 20
ALLOWED_ACK_MS, ALLOWED_RATIO, ALLOWED_START = 500, 3.0, 3.0
LIBRARIES = "import paramiko, psycopg, pydantic_settings, slack_bolt, sqlalchemy, typer, waitress, yaml"


def main() -> None:
    """Print each measurement with its limit."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="of the first measurement; 0 leaves it out")
    rounds = parser.parse_args().rounds
    with running() as demo:
        if rounds:
            approve_to_proven(demo, rounds)
        acks(demo)
        start(demo)


def start(demo: Demo, rounds: int = 3) -> None:
    """Compare what a start costs until the bot is ready with what an interpreter takes to import its libraries."""
    pairs = [(_started(demo), _imported()) for _ in range(rounds)]
    print("from its start until the bot is ready, in CPU time")
    _row("bot, ms", [bot for bot, _ in pairs])
    _row("libraries, ms", [libraries for _, libraries in pairs])
    _row("ratio", [bot / libraries for bot, libraries in pairs], form="{:8.2f}")
    print(f"  limit: a ratio of {ALLOWED_START}", flush=True)


def _started(demo: Demo) -> float:
    demo.bot.stop()
    demo.bot.start()
    ticks = Path(f"/proc/{demo.bot.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK") * 1000


def _imported() -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", LIBRARIES], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def approve_to_proven(demo: Demo, rounds: int) -> None:
    """Time from the click on Approve to the finished card, compared with the bare steps run locally, in turn."""
    host = demo.hosts["web-01"]
    pairs = [(_through_the_bot(demo), _locally(host)) for _ in range(rounds)]
    ratios = [bot / local for bot, local in pairs]
    print(f"from Approve to the finished card ({rounds} rounds, in turn with the bare steps run locally as root)")
    _row("bot, ms", [bot for bot, _ in pairs])
    _row("local, ms", [local for _, local in pairs])
    _row("ratio", ratios, form="{:8.2f}")
    print(f"  limit: a ratio of {ALLOWED_RATIO}\n", flush=True)


def _through_the_bot(demo: Demo) -> float:
    """Time one mask from the click; its undo is not timed."""
    slack = demo.slack
    slack.slash("alice", "incident", "/mask web-01 cron benchmark")
    card = wait_for_card(demo, lambda head: head.startswith("MASK cron"))
    began = time.perf_counter()
    slack.click("bob", card, "Approve")
    ts = card["ts"]

    def finished() -> bool:
        said = next(message for message in slack.messages("incident") if message["ts"] == ts)
        return bool(said["text"].startswith("MASKED AND PROVEN"))

    slack.wait_for(finished, 60)
    took = (time.perf_counter() - began) * 1000
    slack.click("alice", next(m for m in slack.messages("incident") if m["ts"] == ts), "Unmask")
    slack.wait_for(lambda: any(_is_end(message) for message in slack.messages("incident")[-6:]), 60)
    return took


def _is_end(message: dict[str, object]) -> bool:
    return str(message["text"]).startswith("UNMASKED")


def _locally(host: LabHost) -> float:
    """Time the bare steps as root: show, stop, link, reload, start, show; without looks, audit log or Slack."""
    steps = [
        ("systemctl", "show", "--", str(UNIT)),
        ("systemctl", "stop", "--", str(UNIT)),
        ("ln", "-s", "/dev/null", f"/etc/systemd/system/{UNIT}"),
        ("systemctl", "daemon-reload"),
        ("systemctl", "start", "--", str(UNIT)),
        ("systemctl", "show", "--", str(UNIT)),
    ]
    began = time.perf_counter()
    for step in steps:
        host.run(*step)
    took = (time.perf_counter() - began) * 1000
    host.run("systemctl", "unmask", "--", str(UNIT))
    host.run("systemctl", "start", "--", str(UNIT))
    return took


def acks(demo: Demo) -> None:
    """Time slash commands until they are acknowledged: twenty others at once, and while those are being checked."""

    def ask(number: int) -> float | None:
        return demo.slack.slash("alice", "incident", f"/mask web-0{1 + number % 2} worker number {number}").millis

    with ThreadPoolExecutor(IN_FLIGHT + 1) as people:
        at_once = list(people.map(ask, range(IN_FLIGHT + 1)))
    after_them = [ask(number) for number in range(IN_FLIGHT)]
    print("acknowledging a slash command")
    for name, answers in ((f"with {IN_FLIGHT} others", at_once), ("after them", after_them)):
        taken = [millis for millis in answers if millis is not None]
        _row(name, taken)
        print(f"  limit: {ALLOWED_ACK_MS} ms; never acknowledged: {len(answers) - len(taken)}", flush=True)


def _row(name: str, values: Sequence[float], *, form: str = "{:8.0f}") -> None:
    shown = (form.format(value) for value in (min(values), statistics.median(values), max(values)))
    print(f"  {name:<14}", " ".join(shown), "  (min, median, max)")


if __name__ == "__main__":
    main()
