"""What the guard did on this host, so that it brings back that and nothing else: one small file for each unit."""

import fcntl
import os
import time
from collections.abc import Iterator, Sequence

from bot.edges.guard.links import NANO, leads_to
from bot.edges.guard.process import REQUEST_SECONDS, Refused
from bot.edges.guard.root_client import Unanswered
from bot.edges.guard.settings import FOLDER

_FIRST_LINE = "maskbot-guard memory 1"
_MOST_RECORDS, _BIGGEST_RECORD, _LONGEST_FILE_NAME = 1000, 256 * 1024, 255
_GRACE = 24 * 3600
"""Seconds after its last mask was removed in which what stopped with a unit can still be started."""

_TRIED_SECONDS = 600
"""How long after a start it can be told that systemd refused it."""

_LOCK_SECONDS = 10.0


class Record:
    """What was done to one unit: links that were made, units that ran before, and under which names it was judged."""

    def __init__(self, manager: str, unit: str) -> None:
        self.manager = manager
        self.unit = unit
        self.links: dict[str, tuple[str, str, str]] = {}  # layer -> identity, boot, request
        self.up: dict[str, str] = {}  # unit that ran before, and may be started once -> boot of its stop
        self.tried: dict[str, tuple[str, str]] = {}  # unit that was started -> boot and time of that
        self.names: list[str] = []
        self.stopped_in = ""  # the boot in which the unit was stopped
        self.ended = 0  # when its last mask was removed

    def text(self) -> str:
        """The file: a word, and what belongs to it, on each line."""
        lines = [_FIRST_LINE, f"names {' '.join(self.names)}", f"stopped {self.stopped_in}", f"ended {self.ended}"]
        lines += [f"link {layer} {' '.join(link)}" for layer, link in self.links.items()]
        lines += [f"up {unit} {boot}" for unit, boot in self.up.items()]
        lines += [f"tried {unit} {' '.join(when)}" for unit, when in self.tried.items()]
        return "\n".join(lines) + "\n"

    def read(self, text: str) -> None:
        """Raises `ValueError` or `IndexError` for what was not written by `text`."""
        first, *lines = text.splitlines()
        if first != _FIRST_LINE:
            raise ValueError
        for line in lines:
            word, *rest = line.split(" ")
            if word == "names":
                self.names = rest
            elif word == "stopped":
                self.stopped_in = rest[0]
            elif word == "ended":
                self.ended = int(rest[0])
            elif word == "link":
                self.links[rest[0]] = (rest[1], rest[2], rest[3])
            elif word == "up":
                self.up[rest[0]] = rest[1]
            elif word == "tried":
                self.tried[rest[0]] = (rest[1], str(int(rest[2])))
            else:
                raise ValueError

    def forget_what_is_over(self, boot: str) -> None:
        """A runtime mask ends with its boot, and so does a stop that no mask followed; the rest ends with the grace."""
        self.tried = {unit: when for unit, when in self.tried.items() if _is_recent(when, boot)}
        self.links = {layer: link for layer, link in self.links.items() if layer != "runtime" or link[1] == boot}
        if self.links:
            return
        if self.ended and not 0 <= time.time() - self.ended <= _GRACE:
            self.up = {}
        self.up = {unit: when for unit, when in self.up.items() if self.ended or when == boot}

    def is_its_link(self, layer: str, identity: str) -> bool:
        """Its own link; one that was made while the guard was killed is known by its time."""
        known = self.links.get(layer, ("",))[0]
        if known.startswith(">"):
            inode, _, changed = identity.partition(":")
            digits, begin = changed.replace(".", "", 1), int(known[1:])
            is_one = inode.isdigit() and digits.isdigit()
            return is_one and begin <= int(digits) <= begin + int(REQUEST_SECONDS * NANO)
        return bool(known) and known == identity

    @property
    def masks(self) -> "list[str]":
        """Each mask: the unit, its user or a dash, the layer, the link, the request, and whether the unit ran."""
        ran, whose = "ran" if self.unit in self.up else "did-not-run", self.manager or "-"
        return [
            f"mask {self.unit} {whose} {layer} {identity} {request or '-'} {ran}"
            for layer, (identity, _, request) in self.links.items()
        ]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to be brought back."""
        return not self.links and not self.up and not self.tried


class Memory:
    """The folder, locked while one change is made; who only reads does not wait."""

    def __init__(self, *, locked: bool = True) -> None:
        os.makedirs(FOLDER, 0o700, exist_ok=True)
        self._lock = -1
        self._folder = os.open(FOLDER, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        found = os.fstat(self._folder)
        if found.st_uid != 0 or found.st_mode & 0o077:
            self.close()
            raise Refused(f"{FOLDER} is not root's alone")
        with open("/proc/sys/kernel/random/boot_id") as file:
            self.boot = file.read().strip()
        if locked:
            self._wait_for_the_others()

    def _wait_for_the_others(self) -> None:
        """One change at a time."""
        self._lock = os.open("lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=self._folder)
        end = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except OSError:
                if time.monotonic() > end:
                    self.close()
                    raise Refused("another change is being made") from None
                time.sleep(0.01)

    def now(self) -> int:
        """Nanoseconds by the clock of file systems, which lags behind the other by up to a tick; while it is locked."""
        os.utime(self._lock)
        return os.fstat(self._lock).st_ctime_ns

    def close(self) -> None:
        """Let others in."""
        for descriptor in (self._folder, self._lock):
            if descriptor >= 0:
                os.close(descriptor)

    def of(self, manager: str, unit: str) -> Record:
        """What is remembered of a unit; an empty record if nothing is."""
        record = Record(manager, unit)
        try:
            descriptor = os.open(_name(record), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._folder)
        except FileNotFoundError:
            return record
        with os.fdopen(descriptor, "rb") as file:
            text = file.read(_BIGGEST_RECORD).decode("utf-8", "replace")
        try:
            record.read(text)
        except (ValueError, IndexError):
            raise Refused(f"what it remembers of {unit} cannot be read") from None
        record.forget_what_is_over(self.boot)
        return record

    def all(self, manager: str) -> "Iterator[Record]":
        """Every record of a manager."""
        for name in self._names():
            whose, _, unit = name.partition(":")
            if whose == manager:
                yield self.of(manager, unit)

    def masks_named(self, manager: str, name: str, folders: "Sequence[str]" = ()) -> "Iterator[tuple[str, str]]":
        """Unit and layer of each mask that it made of a unit which has, or had, this name, and no other unit has."""
        for record in self.all(manager):
            if name == record.unit or (name in record.names and leads_to(name, record.names, folders)):
                yield from ((record.unit, layer) for layer in record.links)

    def write(self, record: Record, *, is_sure: bool = True) -> None:
        """Write atomically; `is_sure`: it is on the disk before this returns."""
        if record.is_empty:
            self._remove(_name(record))
            return
        text = record.text().encode()
        if not _is_read_as_written(record):
            raise Refused(f"what is to be remembered of {record.unit} cannot be written")
        if len(text) > _BIGGEST_RECORD:
            raise Refused(f"there is too much to remember of {record.unit}")
        self._make_room(_name(record))
        descriptor = os.open("new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600, dir_fd=self._folder)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            if is_sure:
                os.fsync(file.fileno())
        os.rename("new", _name(record), src_dir_fd=self._folder, dst_dir_fd=self._folder)
        if is_sure:
            os.fsync(self._folder)

    def keep(self, record: Record, *, is_sure: bool = True) -> None:
        """Write what has been done already: where that fails, nobody can tell what holds (`Unanswered`)."""
        try:
            self.write(record, is_sure=is_sure)
        except (Refused, OSError):
            raise Unanswered from None

    def give_back(self, record: Record, unit: str) -> None:
        """Remember that the unit was not started after all, so that it may be started once more."""
        del record.tried[unit]
        record.up[unit] = self.boot
        self.write(record)

    def everything(self) -> "Iterator[Record]":
        """Every record of every manager."""
        for name in self._names():
            yield self.of(*name.split(":", 1))

    def _make_room(self, name: str) -> None:
        """A bound on what is remembered: what is over goes first, and nothing new is done when the rest is too much."""
        names = self._names()
        if name in names or len(names) < _MOST_RECORDS:
            return
        for other in names:
            if self.of(*other.split(":", 1)).is_empty:
                self._remove(other)
        if len(self._names()) >= _MOST_RECORDS:
            raise Refused(f"it remembers {_MOST_RECORDS} units already")

    def _names(self) -> "list[str]":
        return sorted(name for name in os.listdir(self._folder) if ":" in name)

    def _remove(self, name: str) -> None:
        if name in os.listdir(self._folder):
            os.unlink(name, dir_fd=self._folder)


def _is_read_as_written(record: Record) -> bool:
    """A word with a space in it would be read as something that was never done."""
    again = Record(record.manager, record.unit)
    try:
        again.read(record.text())
    except (ValueError, IndexError):
        return False
    return again.text() == record.text()


def _is_recent(when: "tuple[str, str]", boot: str) -> bool:
    return when[0] == boot and 0 <= time.time() - int(when[1]) <= _TRIED_SECONDS


def _name(record: Record) -> str:
    """The user, a colon, and the unit."""
    name = f"{record.manager}:{record.unit}"
    if len(name) > _LONGEST_FILE_NAME or "/" in name:
        raise Refused("that is no name to be remembered by")
    return name
