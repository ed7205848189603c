"""What the guard remembers, in a folder of this process: one small file for each unit, and what is over in it."""

import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.edges.guard import memory
from bot.edges.guard.links import NANO
from bot.edges.guard.memory import Memory, Record
from bot.edges.guard.process import REQUEST_SECONDS, Refused
from bot.edges.guard.root_client import Unanswered
from tests.edges.descriptors import open_around

DAY = 24 * 3600
Change = Callable[[Record], object]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where root would have it; tests of the guard run as root."""
    monkeypatch.setattr(memory, "FOLDER", str(tmp_path / "remembered"))
    monkeypatch.setattr(memory, "_LOCK_SECONDS", 0.2)
    return tmp_path / "remembered"


@pytest.fixture
def kept(folder: Path) -> Iterator[Memory]:
    """Locked, as for a change."""
    del folder
    one = Memory()
    yield one
    one.close()


def full(boot: str, unit: str = "cron.service", manager: str = "") -> Record:
    """A record of everything."""
    record = Record(manager, unit)
    record.names, record.stopped_in = ["cron.service", "crond.service"], boot
    record.links = {"persistent": ("12:3.000000004", boot, "R-7"), "runtime": ("13:5.000000006", boot, "-")}
    record.up = {unit: boot, "atd.service": boot}
    record.tried = {"anacron.service": (boot, str(int(time.time())))}
    return record


def test_a_record_comes_back_as_it_was_written(kept: Memory, folder: Path) -> None:
    record = full(kept.boot)
    record.ended = 7
    kept.write(record)
    again = Memory(locked=False).of("", "cron.service")
    assert vars(again) == vars(record)
    path = folder / ":cron.service"
    assert [one.name for one in sorted(folder.iterdir())] == [":cron.service", "lock"]
    assert {stat.S_IMODE(one.stat().st_mode) for one in (path, folder / "lock")} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert path.read_text().splitlines() == [
        "maskbot-guard memory 1",
        "names cron.service crond.service",
        f"stopped {kept.boot}",
        "ended 7",
        f"link persistent 12:3.000000004 {kept.boot} R-7",
        f"link runtime 13:5.000000006 {kept.boot} -",
        f"up cron.service {kept.boot}",
        f"up atd.service {kept.boot}",
        f"tried anacron.service {kept.boot} {record.tried['anacron.service'][1]}",
    ]


def test_of_a_unit_of_which_it_knows_nothing_there_is_an_empty_record(kept: Memory) -> None:
    record = kept.of("deploy", "cron.service")
    assert (record.manager, record.unit, record.is_empty, record.names, record.stopped_in) == (
        "deploy", "cron.service", True, [], "",
    )  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.links.update({"persistent 1:2.3 b r": (">1", "b", "-")}),
        lambda one: one.links.update({"persistent": ("1:2.3\nup ssh.service b", "b", "-")}),
        lambda one: one.up.update({"ssh.service x": "b"}),
        lambda one: one.names.append("a\nended 9"),
        lambda one: one.names.append("a\nended x"),
        lambda one: one.names.append("a\x85ended 9"),
    ],
)
def test_what_would_not_be_read_as_it_was_written_is_not_remembered(kept: Memory, folder: Path, change: Change) -> None:
    record = full(kept.boot)
    change(record)
    with pytest.raises(Refused, match="what is to be remembered of cron.service cannot be written"):
        kept.write(record)
    assert not (folder / ":cron.service").exists()


@pytest.mark.parametrize(
    "text",
    ["", "maskbot-guard memory 2\n", "maskbot-guard memory 1\nelse a b 3\n", "maskbot-guard memory 1\nended x\n",
     "maskbot-guard memory 1\nlink persistent 1:2.3 b\n", "maskbot-guard memory 1\nup x\n",
     "maskbot-guard memory 1\ntried x b y\n", "maskbot-guard memory 1\nstopped\n"],
)  # fmt: skip
def test_what_it_did_not_write_is_not_read(kept: Memory, folder: Path, text: str) -> None:
    (folder / ":cron.service").write_text(text)
    with pytest.raises(Refused, match=r"what it remembers of cron.service cannot be read|not enough values"):
        kept.of("", "cron.service")


def test_no_file_of_somebody_else_is_read_through_a_link(kept: Memory, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text(full(kept.boot).text())
    (folder / ":cron.service").symlink_to(tmp_path / "theirs")
    with pytest.raises(OSError, match="symbolic links"):
        kept.of("", "cron.service")


def only_up(record: Record) -> Record:
    record.links, record.tried = {}, {}
    return record


def ended(record: Record, ago: int) -> Record:
    record.ended = int(time.time()) - ago
    return record


def up_before(record: Record) -> Record:
    record.up["atd.service"] = "another-boot"
    return record


def tried(record: Record, ago: int, boot: str = "") -> Record:
    record.tried["a.service"] = (boot or record.stopped_in, str(int(time.time()) - ago))
    return record


@pytest.mark.parametrize(
    ("before", "links", "up", "tries"),
    [
        (lambda one: one, {"persistent", "runtime"}, 2, 1),
        (lambda one: one.links.update(runtime=("1:2.3", "another-boot", "-")), {"persistent"}, 2, 1),
        (lambda one: one.links.update(persistent=("1:2.3", "another-boot", "-")), {"persistent", "runtime"}, 2, 1),
        (up_before, {"persistent", "runtime"}, 2, 1),
        (lambda one: ended(one, 10 * DAY), {"persistent", "runtime"}, 2, 1),
        (lambda one: up_before(only_up(one)), set(), 1, 0),
        (lambda one: ended(only_up(one), DAY - 60), set(), 2, 0),
        (lambda one: ended(up_before(only_up(one)), 60), set(), 2, 0),
        (lambda one: ended(only_up(one), 0), set(), 2, 0),
        (lambda one: ended(only_up(one), DAY + 60), set(), 0, 0),
        (lambda one: ended(only_up(one), -60), set(), 0, 0),
        (lambda one: tried(one, 0, "another-boot"), {"persistent", "runtime"}, 2, 1),
        (lambda one: tried(one, 590), {"persistent", "runtime"}, 2, 2),
        (lambda one: tried(one, 602), {"persistent", "runtime"}, 2, 1),
        (lambda one: tried(one, -60), {"persistent", "runtime"}, 2, 1),
    ],
)  # fmt: skip
def test_what_is_over_is_forgotten(kept: Memory, before: Change, links: set[str], up: int, tries: int) -> None:
    record = full(kept.boot)
    before(record)
    kept.write(record)
    again = kept.of("", "cron.service")
    assert (set(again.links), len(again.up), len(again.tried)) == (links, up, tries)


def test_a_record_of_which_nothing_is_left_goes(kept: Memory, folder: Path) -> None:
    record = full(kept.boot)
    kept.write(record)
    for last in ("up", "tried", "links"):
        record = full(kept.boot)
        for part in {"up", "tried", "links"} - {last}:
            getattr(record, part).clear()
        assert not record.is_empty
    record.links.clear()
    kept.write(record)
    kept.write(record)
    assert [one.name for one in folder.iterdir()] == ["lock"]


def test_what_was_not_started_after_all_may_be_started_once_more(kept: Memory) -> None:
    record = full(kept.boot)
    kept.give_back(record, "anacron.service")
    again = kept.of("", "cron.service")
    assert (again.tried, again.up["anacron.service"]) == ({}, kept.boot)


def test_records_are_those_of_one_manager_or_all(kept: Memory) -> None:
    for manager, unit in (("", "a:b.service"), ("deploy", "a.service"), ("deploy", "b.service")):
        kept.write(full(kept.boot, unit, manager))
    assert [one.unit for one in kept.all("deploy")] == ["a.service", "b.service"]
    assert [one.unit for one in kept.all("")] == ["a:b.service"]
    assert [(one.manager, one.unit) for one in kept.everything()] == [
        ("", "a:b.service"), ("deploy", "a.service"), ("deploy", "b.service"),
    ]  # fmt: skip


def test_a_mask_is_found_by_every_name_that_its_unit_has_or_had(kept: Memory) -> None:
    kept.write(full(kept.boot, "a.service"))
    kept.write(full(kept.boot, "a.service", "deploy"))
    other = full(kept.boot, "b.service")
    other.names = []
    kept.write(other)
    for name in ("a.service", "crond.service"):
        assert [*kept.masks_named("", name)] == [("a.service", "persistent"), ("a.service", "runtime")]
    assert [*kept.masks_named("", "c.service")] == []


def test_a_mask_is_told_with_whose_it_is_and_whether_the_unit_ran() -> None:
    record = full("b00t")
    assert record.masks == [
        "mask cron.service - persistent 12:3.000000004 R-7 ran",
        "mask cron.service - runtime 13:5.000000006 - ran",
    ]
    theirs = full("b00t", manager="deploy")
    theirs.links, theirs.up = {"persistent": ("1:2.3", "b00t", "")}, {"atd.service": "b00t"}
    assert theirs.masks == ["mask cron.service deploy persistent 1:2.3 - did-not-run"]


BEGAN = 5_000_000_007  # nanoseconds
LAST = BEGAN + int(REQUEST_SECONDS * NANO)


@pytest.mark.parametrize(
    ("known", "seen", "is_its"),
    [
        ("12:3.4", "12:3.4", True), ("12:3.4", "12:3.5", False), ("", "", False), ("", "12:3.4", False),
        (f">{BEGAN}", "12:5.000000007", True), (f">{BEGAN}", "12:5.000000006", False),
        (f">{BEGAN}", f"12:{LAST // NANO}.{LAST % NANO:09}", True),
        (f">{BEGAN}", f"12:{LAST // NANO}.{LAST % NANO + 1:09}", False),
        (f">{BEGAN}", "x:5.000000007", False), (f">{BEGAN}", "12:5.00000000.7", False), (f">{BEGAN}", "12", False),
    ],
)  # fmt: skip
def test_a_link_is_its_own_by_its_identity_or_by_when_it_was_made(known: str, seen: str, *, is_its: bool) -> None:
    """What begins with `>` is when the guard began to make a link of which it did not see the end."""
    record = Record("", "cron.service")
    record.links = {"persistent": (known, "b00t", "-")} if known else {}
    assert record.is_its_link("persistent", seen) is is_its
    assert not record.is_its_link("runtime", seen)


def test_it_has_a_bound_and_what_is_over_makes_room(kept: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_MOST_RECORDS", 3)
    for unit in ("a.service", "b.service"):
        kept.write(full(kept.boot, unit))
    over = only_up(full(kept.boot, "c:x.service"))
    over.up = {"c:x.service": "another-boot"}
    kept.write(over)
    kept.write(full(kept.boot, "a.service"))
    kept.write(full(kept.boot, "d.service"))
    assert [one.unit for one in kept.everything()] == ["a.service", "b.service", "d.service"]
    kept.write(full(kept.boot, "a.service"))
    with pytest.raises(Refused, match="it remembers 3 units already"):
        kept.write(full(kept.boot, "e.service"))


def test_a_record_has_a_bound(kept: Memory) -> None:
    record = full(kept.boot)
    record.names = ["x" * (256 * 1024 - len(record.text()) - 1 + len(" ".join(record.names)))]
    record.names[0] += "x" * (256 * 1024 - len(record.text()))
    kept.write(record)
    assert kept.of("", "cron.service").names == record.names
    record.names[0] += "x"
    with pytest.raises(Refused, match="there is too much to remember of cron.service"):
        kept.write(record)
    with pytest.raises(Unanswered):  # it has been done already
        kept.keep(record)


@pytest.mark.parametrize(
    ("unit", "is_name"),
    [("x" * 246 + ".service", True), ("x" * 247 + ".service", False), ("../cron.service", False)],
)
def test_a_name_is_that_of_one_file(kept: Memory, unit: str, *, is_name: bool) -> None:
    try:
        kept.of("", unit)
    except Refused as why:
        assert (str(why), is_name) == ("that is no name to be remembered by", False)
    else:
        assert is_name


def test_one_change_is_made_at_a_time_and_who_reads_does_not_wait(kept: Memory, folder: Path) -> None:
    Memory(locked=False).close()
    began = time.monotonic()
    before = open_around(folder)
    with pytest.raises(Refused, match="another change is being made"):
        Memory()
    assert 0.15 < time.monotonic() - began < 60
    assert open_around(folder) == before
    kept.close()
    kept._folder = kept._lock = -1
    other = Memory()
    assert abs(other.now() - time.time_ns()) < 10**9
    assert other.now() >= (folder / "lock").stat().st_ctime_ns - 10**9
    earlier = other.now()
    time.sleep(0.02)
    assert other.now() > earlier
    other.close()


def test_a_link_in_the_place_of_the_folder_is_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "theirs")
    with pytest.raises(OSError, match="Not a directory"):
        Memory(locked=False)


@pytest.mark.parametrize(("mode", "owner"), [(0o755, 0), (0o770, 0), (0o700, 4711)])
def test_a_folder_that_is_not_root_s_alone_is_not_used(folder: Path, mode: int, owner: int) -> None:
    folder.mkdir(mode=mode)
    folder.chmod(mode)
    os.chown(folder, owner, -1)
    before = open_around(folder)
    with pytest.raises(Refused, match="is not root's alone"):
        Memory(locked=False)
    assert open_around(folder) == before
