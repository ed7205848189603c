"""Every kind of unit that can be masked: what root sees on the host after the mask, and after the undo."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from bot.core.requests import Outcome, Request
from tests.workflow.fleet import AnyHost, Fleet
from tests.workflow.world import World


@pytest.fixture(scope="module")
def fleet(real_fleet: Fleet) -> Fleet:
    """Systemd itself is the subject."""
    return real_fleet


pytestmark = pytest.mark.ssh

SLEEPER = "[Service]\\nExecStart=/usr/bin/sleep infinity\\n"
SHOWN = ("LoadState", "ActiveState", "UnitFileState")
# What root does on all hosts before anybody asks.
PREPARED = f"""
printf '{SLEEPER}' >/run/systemd/system/fleeting.service
printf '{SLEEPER}' >/usr/lib/systemd/system/lazy.service
printf '{SLEEPER}' >/usr/lib/systemd/system/moved.service
printf '[Service]\\nExecStart=/bin/true\\nType=oneshot\\nExecStart=\\n' >/usr/lib/systemd/system/broken.service
cd /etc/systemd/system
mkdir -p cron.service.wants cron.service.requires timers.target.wants
for folder in multi-user.target.wants timers.target.wants cron.service.wants; do
  ln -s /etc/systemd/system/moved.service $folder/moved.service
done
ln -s ../moved.service cron.service.requires/moved.service
ln -s moved.service alsomoved.service
ln -s /etc/systemd/system/alsomoved.service multi-user.target.wants/alsomoved.service
systemctl mask --quiet --runtime lazy.service
systemctl daemon-reload
systemctl start fleeting.service echo.service moved.service
"""


@dataclass(frozen=True)
class Row:
    """A unit as people ask for it, what it really is, and what the mask comes to."""

    unit: str
    id: str = ""
    host: str = "web-01"
    outcome: Outcome = Outcome.PROVEN
    link: str = "/etc/systemd/system"
    active: str = "inactive"
    options: Mapping[str, Any] = field(default_factory=dict)
    is_undone: bool = True

    def __str__(self) -> str:
        return " ".join([self.unit, *(f"{key}={value}" for key, value in self.options.items())])

    @property
    def name(self) -> str:
        """The real Id."""
        return self.id or (self.unit if "." in self.unit else f"{self.unit}.service")


CONTROL = "/etc/systemd/system.control"
ROWS = [
    Row("worker"),
    Row("local", link=CONTROL),
    Row("linked", link=CONTROL, host="web-02"),
    Row("secondary", "primary.service", host="db-01"),
    Row("oldname", "worker.service", host="db-01", is_undone=False),
    Row("fleeting", host="web-02", is_undone=False),
    Row("lazy", host="db-01"),
    Row("moved", host="web-02"),
    Row("broken", host="db-01", is_undone=False),
    Row("crashloop", host="db-01", active="*"),
    Row("beat.timer", host="web-02"),
    Row("db", is_undone=False),
    Row("tuned", active="active", options={"keep_running": True}),
    Row("indexer", link="/home/deploy/.config/systemd/user", options={"user": "deploy"}),
]
UNDONE = [row for row in ROWS if row.is_undone]


@dataclass
class Course:
    """What root saw of a row's unit at each stand."""

    before: dict[str, str]
    done: Request
    masked: dict[str, str] = field(default_factory=dict)
    start: str = ""
    link: str = ""
    back: Request | None = None
    restored: dict[str, str] = field(default_factory=dict)
    links: tuple[str, str] = ("", "")


def systemctl(host: AnyHost, row: Row, *words: str) -> str:
    user = ("--user", "-M", f"{row.options['user']}@.host") if "user" in row.options else ()
    answer = host.run("systemctl", *user, *words, "--", row.name)
    return answer.stdout + answer.stderr


def shown_properties(host: AnyHost, row: Row) -> dict[str, str]:
    lines = systemctl(host, row, "show", *(f"--property={name}" for name in SHOWN)).splitlines()
    return dict(line.split("=", 1) for line in lines)


def every_link(host: AnyHost) -> str:
    """Each link in a folder that masks are made in, with where it leads."""
    folders = "/etc/systemd/system /etc/systemd/system.control /run/systemd/system /home/deploy/.config/systemd/user"
    return host.run("sh", "-c", f"find {folders} -type l -printf '%p %l\\n' | sort").stdout


@pytest.fixture(scope="module")
def courses(shared_world: World) -> Iterator[Mapping[str, Course]]:
    """All of them gone through, one after the other on each host, the hosts side by side."""
    world = shared_world
    for host in world.hosts.values():
        prepared = host.run("sh", "-ec", PREPARED)
        assert not prepared.stderr, prepared.stderr
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(partial(_go_through, world), world.hosts.values()))
    yield {name: course for courses in found for name, course in courses.items()}
    for host in world.hosts.values():
        host.run("sh", "-c", "systemctl stop moved fleeting echo; cd /usr/lib/systemd/system; rm lazy* moved* broken*")
        host.run("sh", "-c", "cd /etc/systemd/system; rm -r *moved* */*moved*")


def _go_through(world: World, host: AnyHost) -> dict[str, Course]:
    """Mask each, look as root, undo, look again."""
    return {str(row) + row.host: _course(world, host, row) for row in ROWS if row.host == host.name}


def _course(world: World, host: AnyHost, row: Row) -> Course:
    links = every_link(host)
    course = Course(shown_properties(host, row), world.masked(row.unit, host=row.host, **row.options))
    course.masked = shown_properties(host, row)
    course.link = host.run("readlink", f"{row.link}/{row.name}").stdout.strip()
    course.start = systemctl(host, row, "start")
    if row.is_undone and course.done.is_live_mask:
        course.back = world.undo(course.done)
        course.restored = shown_properties(host, row)
        course.links = links, every_link(host)
    return course


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_outcome_is_what_root_sees(row: Row, courses: Mapping[str, Course]) -> None:
    course = courses[str(row) + row.host]
    target = course.done.target
    assert (target.outcome, target.unit.text) == (row.outcome, row.name), (course.done.because, target.note)
    assert course.masked["LoadState"] == "masked"
    assert course.link == "/dev/null"
    assert "is masked" in course.start
    assert row.active in ("*", course.masked["ActiveState"])


@pytest.mark.parametrize("row", UNDONE, ids=str)
def test_the_undo_restores_what_was_there_before(row: Row, courses: Mapping[str, Course]) -> None:
    course = courses[str(row) + row.host]
    assert course.back is not None
    assert course.back.target.outcome is Outcome.RESTORED, course.back.target.note
    if row.active != "*":
        assert course.restored == course.before


@pytest.mark.parametrize("row", UNDONE, ids=str)
def test_the_undo_leaves_every_link_as_it_was(row: Row, courses: Mapping[str, Course]) -> None:
    before, after = courses[str(row) + row.host].links
    assert after == before
    assert "cron.service.requires/moved.service ../moved.service" in before
