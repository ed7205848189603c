"""What root does for the bot's login. Each verb checks for itself, and remembers before it acts."""

import os
import pwd
import time
from collections.abc import Callable, Sequence
from contextlib import closing

from bot.edges.guard.journal import Note, log
from bot.edges.guard.judge import check_name, judge, judge_removal, judge_start
from bot.edges.guard.links import Layer, check_layer, done_in, system_layer, user_layer
from bot.edges.guard.logins import as_user, systemctl
from bot.edges.guard.memory import Memory, Record
from bot.edges.guard.process import FAILED, LATE, Ended, Refused
from bot.edges.guard.root_client import Unanswered
from bot.edges.guard.settings import Settings
from bot.edges.guard.units import Manager, runs_on

_UNPROVEN = ("masked", "error")
"""The load states in which systemd refuses a start (measured)."""

_REFUSED_FOR_EARLIER_STARTS = "start-limit-hit"

_RIGHTS = ("mask", "unmask", "stop", "start", "reset-failed", "reload", "kill")
"""What this version can do, in words that a bot of another version knows, too."""


class Changes:
    """The changes of one request to one manager."""

    def __init__(
        self, manager: Manager, settings: Settings, critical: "Sequence[str]", note: Note, connection: str
    ) -> None:
        self.manager = manager
        self.user = manager.user
        self.settings = settings
        self.critical = critical
        self.note = note
        self.connection = connection
        self._memory: Memory | None = None

    def __enter__(self) -> "Changes":
        return self

    def __exit__(self, *_: object) -> None:
        if self._memory is not None:
            self._memory.close()

    def _remembered(self, *, locked: bool = True) -> Memory:
        """The memory, which is let go at the end of the request."""
        self._memory = Memory(locked=locked)
        return self._memory

    def check(self, unit: str) -> Ended:
        """What root would do for this unit: words, one on each line, and a reason why not."""
        words = [*_RIGHTS, *(["foreign-masks"] if self.settings.foreign_masks else [])]
        words += [] if self.user else self._control()
        try:
            check_name(unit)
            record = self._remembered(locked=False).of(self.user, unit)
            words += ["foreign-masks"] if record.links else []  # one of its own, if the bot has forgotten it
            words += record.masks
            judge(self.manager, unit, self.critical, record.names, self.connection, is_ours=bool(record.links))
        except Refused as why:
            words.append(f"never {why}")
        return Ended(0, "".join(f"{word}\n" for word in words).encode(), b"")

    def _control(self) -> "list[str]":
        try:
            os.close(system_layer("control").descriptor)
        except Refused:
            return []
        return ["control"]

    def probe(self, layer: str) -> Ended:
        """Try a link in a layer, so that an impossible one fails before anything is stopped."""
        return self._in_layer(layer, lambda folder: folder.probe())

    def link(self, layer: str, unit: str) -> Ended:
        """Make a mask. It has no effect before a reload."""
        check_name(unit)
        memory = self._remembered()
        earlier = memory.of(self.user, unit)
        record = self._judged(memory, unit)
        before = record.links.get(layer)
        there = self._identity(layer, unit)  # also whether there is such a layer
        if before and there == before[0]:
            return Ended(FAILED, b"", f"{unit} is masked already ({layer})\n".encode())
        record.links[layer] = (f">{memory.now()}", memory.boot, self.note.request)
        record.ended = 0
        memory.write(record)
        done = self._in_layer(layer, lambda folder: folder.link(unit))
        if done.code == 0:
            record.links[layer] = (done.out.decode(), memory.boot, self.note.request)
            self._log(f"{unit} is masked ({layer})", unit, f"link {layer}")
        else:
            del record.links[layer]
            record.up, record.ended = earlier.up, earlier.ended  # nothing goes down with it
        memory.keep(record, is_sure=False)
        return Ended(done.code, b"", done.err)

    def unlink(self, layer: str, unit: str, identity: str) -> Ended:
        """Remove a mask that it made, if it is still the very one."""
        check_name(unit)
        memory = self._remembered()
        record = memory.of(self.user, unit)
        if not record.is_its_link(layer, identity):
            raise Refused(f"the {layer} mask of {unit} was not made by the bot")
        # where it stopped nothing, what runs on did not go down with its mask
        running = {one["Id"] for one in self.manager.show([] if record.stopped_in else record.up) if runs_on(one)}
        done = self._remove("unlink", layer, unit, identity)
        if done.code == 0:
            record.links.pop(layer, None)
            record.up = {name: boot for name, boot in record.up.items() if name not in running}
            record.ended = 0 if record.links else int(time.time())
            memory.keep(record)
        return done

    def unlink_foreign(self, layer: str, unit: str, identity: str) -> Ended:
        """Remove somebody else's mask, where root allows that on this host, or one of its own. It starts nothing."""
        if self._made(layer, unit, identity):
            return self.unlink(layer, unit, identity)
        if not self.settings.foreign_masks:
            raise Refused("masks that the bot did not make are not removed on this host (foreign-masks)")
        judge_removal(self.manager, unit, self.critical)
        return self._remove("unlink-foreign", layer, unit, identity)

    def _made(self, layer: str, unit: str, identity: str) -> bool:
        """Whether it made a mask of which the bot knows nothing: its database may be an older copy."""
        check_name(unit)
        with closing(Memory(locked=False)) as memory:
            return memory.of(self.user, unit).is_its_link(layer, identity)

    def _remove(self, verb: str, layer: str, unit: str, identity: str) -> Ended:
        done = self._in_layer(layer, lambda folder: folder.unlink(unit, identity))
        if done.code == 0:
            self._log(f"{unit} is not masked any more ({layer})", unit, f"{verb} {layer}")
        return done

    def stop(self, unit: str) -> Ended:
        """Ask for a stop, and do not wait for it."""
        memory = self._remembered()
        record = self._judged(memory, unit)
        record.stopped_in, record.ended = memory.boot, 0
        memory.write(record)
        self._log(f"{unit} is being stopped", unit, "stop")
        return self._systemctl("stop", "--no-block", "--", unit)

    def kill(self, unit: str) -> Ended:
        """SIGKILL to every process of a unit that it was told to stop."""
        check_name(unit)
        memory = self._remembered()
        if memory.of(self.user, unit).stopped_in != memory.boot:
            raise Refused(f"the bot has not stopped {unit}")
        self._judged(memory, unit)
        self._log(f"{unit} is being killed", unit, "kill")
        return self._systemctl("kill", "--signal=SIGKILL", "--", unit)

    def start(self, unit: str) -> Ended:
        """Start, once, what ran before the bot's change and stopped with it."""
        check_name(unit)
        memory = self._remembered()
        records = [record for record in memory.all(self.user) if unit in record.up]
        if not records:
            raise Refused(f"{unit} was not stopped by the bot, or it was started again already")
        judge_start(self.manager, unit, self.critical, self.connection)
        for record in records:
            del record.up[unit]
            record.tried[unit] = (memory.boot, str(int(time.time())))
            memory.write(record)
        done = self._systemctl("start", "--no-block", "--", unit)
        if done.code == 0:
            self._log(f"{unit} is being started again", unit, "start")
        elif done.code < LATE:  # else systemd may start it all the same
            for record in records:
                memory.give_back(record, unit)
        return done

    def try_start(self, unit: str) -> Ended:
        """The start of a proof: only of a unit whose link the guard made, and keeps in force: systemd refuses it."""
        check_name(unit)
        folders = self.manager.folders
        masks = list(self._remembered().masks_named(self.user, unit, folders))
        is_masked = self.manager.one(unit).get("LoadState") in _UNPROVEN
        if not is_masked or not any(self._identity(layer, name, folders) for name, layer in masks):
            raise Refused(f"{unit} is not masked by the bot, so no start was tried")
        return self._systemctl("start", "--no-block", "--", unit)

    def reset_failed(self, unit: str) -> Ended:
        """Reset the failed state of what it may start, or started in vain, which then counts as not started.

        systemd refuses a start for earlier ones of the unit, and says so in its result.
        """
        check_name(unit)
        memory = self._remembered()
        records = list(memory.all(self.user))
        if not any(unit in record.up for record in records):
            tried = [record for record in records if unit in record.tried]
            if not tried or self.manager.result_of(unit) != _REFUSED_FOR_EARLIER_STARTS:
                raise Refused(f"{unit} was not stopped by the bot")
            for record in tried:
                memory.give_back(record, unit)
        self._log(f"the failed state of {unit} is reset", unit, "reset-failed")
        return self._systemctl("reset-failed", "--", unit)

    def reload(self) -> Ended:
        """Let systemd read all unit files again."""
        self._log("systemd reads all unit files again", "", "reload")
        return self._systemctl("daemon-reload")

    def _judged(self, memory: Memory, unit: str) -> Record:
        """The record of a unit that may go down, with all that runs now and may stop with it."""
        check_name(unit)
        record = memory.of(self.user, unit)
        known = record.names if record.links or record.up else ()
        judged = judge(self.manager, unit, self.critical, known, self.connection, is_ours=bool(record.links))
        record.names = sorted({*record.names, *judged.names})
        record.up.update((name, memory.boot) for name in judged.running)
        return record

    def _systemctl(self, *words: str) -> Ended:
        return systemctl(self.user, words)

    def _log(self, what: str, unit: str, did: str) -> None:
        """As root; and as the user whose unit it is, for that is what `systemctl --user status` shows."""
        whose = f"--user {self.user} " if self.user else ""
        fields = dict(self.note.said, did=f"{whose}{did} {unit}".strip())

        def send() -> Ended:
            log(self.note.sentence(what), unit, self.user, fields)
            return Ended(0, b"", b"")

        send()
        if self.user:
            as_user(pwd.getpwnam(self.user), send)

    def _identity(self, layer: str, unit: str, folders: "Sequence[str]" = ()) -> str:
        return self._in_layer(layer, lambda folder: folder.identity(unit, folders)).out.decode()

    def _in_layer(self, layer: str, do: "Callable[[Layer], str | None]") -> Ended:
        """Do something in the folder of a layer; in a user's as that user, who may hold it up (`Unanswered`)."""
        check_layer(layer, self.user)
        if not self.user:
            folder = system_layer(layer)
            return done_in(folder, do)
        entry = pwd.getpwnam(self.user)
        done = as_user(entry, lambda: done_in(user_layer(layer, entry.pw_uid, entry.pw_dir), do))
        if done.code == LATE:
            raise Unanswered
        return done
