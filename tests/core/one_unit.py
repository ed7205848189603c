"""A model of one unit under systemd, with the habits that were measured on the real one; for steps, without a host."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bot.core.changes import Change, Outcome, Sent, Target, Verb
from bot.core.steps import Done, Limits, Step, Work, next_step, observe
from bot.core.steps.commands import argv
from bot.core.steps.kinds import (
    Command,
    Link,
    LookFully,
    Probe,
    Reload,
    ResetFailed,
    Start,
    Stop,
    TryStart,
    Unlink,
    Unprobe,
    Wait,
    label,
)
from bot.core.units import (
    ActiveState,
    FileKind,
    Layer,
    LayerFile,
    LoadState,
    Neighbour,
    Snapshot,
    Surroundings,
    UnitName,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PATHS = {
    Layer.CONTROL: "/etc/systemd/system.control/worker.service",
    Layer.PERSISTENT: "/etc/systemd/system/worker.service",
    Layer.RUNTIME: "/run/systemd/system/worker.service",
}
VENDOR = "/usr/lib/systemd/system/worker.service"
UP, DOWN = ActiveState.ACTIVE, ActiveState.INACTIVE


@dataclass
class OneUnit:
    """worker.service, and everything that can be odd about it. Times are in seconds."""

    active: ActiveState = UP
    stop_takes: float = 0.0  # all of its stop commands together, however often they ask for more time
    stop_limit: float = 5.0  # of each of them
    queued_for: float = 0.0  # a stop waits so long for others to stop
    reloaded_by_others: bool = False  # again and again, as configuration management does
    comes_back: int = 0  # how often something starts it again once it is down, while no mask is loaded
    link_fails: str = ""
    probe_fails: str = ""
    reload_fails: bool = False
    refuses_stop: bool = False
    refuses_start_by_hand: bool = False
    start_slips_through: bool = False  # a mask that does not hold, whatever systemd calls it
    start_takes: float = 0.0
    names: tuple[str, ...] = ()  # beside its own
    forgets: bool = False  # what had to do with it: it was masked, and unloaded
    starts_as: str = ""  # a name that its mask does not cover
    crashes_on_start: bool = False  # and systemd starts it again and again
    fails_to_start: bool = False
    files: dict[Layer, LayerFile] = field(default_factory=dict)
    links: set[tuple[str, str]] = field(default_factory=set)
    others: dict[str, ActiveState] = field(default_factory=dict)  # what stops with it
    jobs: set[str] = field(default_factory=set)  # of the others, what is queued
    sub: str = ""
    triggers: dict[str, ActiveState] = field(default_factory=dict)  # timers and sockets that start it
    mask_loaded: bool = False
    invocation: int = 1
    now: datetime = NOON
    stop_asked: datetime | None = None
    stopping_since: datetime | None = None
    starting_since: datetime | None = None
    made: int = 0
    own_stop_commands_ran: bool = False
    settings_gone: bool = False  # the mask was loaded during its stop
    probe_is_there: bool = False

    def look(self, *, full: bool = False) -> Snapshot:
        """What a look would say."""
        self._settle()
        layers = tuple(self.files.get(layer, LayerFile(layer, PATHS[layer], FileKind.ABSENT)) for layer in Layer)
        masks = [file.path for file in layers if file.kind is FileKind.MASK]
        return Snapshot(
            asked=UnitName("worker.service"),
            id=UnitName("worker.service"),
            names=frozenset({"worker.service", *self.names}),
            machine_id="0" * 32,
            load=LoadState.MASKED if self.mask_loaded else LoadState.LOADED,
            active=self.active,
            sub=self.sub,
            file_state="masked" if masks else "enabled",
            fragment=(masks or [""])[0] if self.mask_loaded else VENDOR,
            layers=layers,
            refuse_manual_start=self.refuses_start_by_hand,
            invocation=str(self.invocation),
            main_pid=0 if self.active.is_down else 100 + self.invocation,
            pending_job="7" if self.stop_asked else "",
            timeout_stop_usec=int((90 if self.mask_loaded else self.stop_limit) * 1e6),
            around=self._around() if full else None,
        )

    def _around(self) -> Surroundings:
        others, triggers = (
            tuple(
                Neighbour(name, frozenset({name}), LoadState.LOADED, active, job="9" * (name in self.jobs))
                for name, active in those.items()
            )
            for those in (self.others, self.triggers)
        )
        around = Surroundings("web-01", "boot", "252", "hash", triggers=triggers, wants_links=tuple(sorted(self.links)))
        return replace(around, others=others) if self.forgets else replace(around, would_stop=others)

    def _settle(self) -> None:
        if self.stop_asked and self.now - self.stop_asked >= timedelta(seconds=self.queued_for):
            self.active, self.stopping_since, self.stop_asked = ActiveState.DEACTIVATING, self.now, None
            self.settings_gone = self.mask_loaded
        if self.reloaded_by_others:
            self._read_files()
        if self.stopping_since and (
            self.settings_gone or self.now - self.stopping_since >= timedelta(seconds=self.stop_takes)
        ):
            self.active, self.stopping_since = (
                ActiveState.FAILED if self.settings_gone and self.stop_takes else DOWN,
                None,
            )
            self.own_stop_commands_ran = not self.settings_gone
            if self.comes_back and not self.mask_loaded:
                self.comes_back -= 1
                self.active, self.invocation = UP, self.invocation + 1
        if self.starting_since and self.now - self.starting_since >= timedelta(seconds=self.start_takes):
            self.active, self.starting_since = ActiveState.FAILED if self.fails_to_start else UP, None
            self.invocation += 1
            if self.crashes_on_start:
                self.active, self.sub = ActiveState.ACTIVATING, "auto-restart"

    def do(self, step: Command) -> tuple[int, str]:  # noqa: C901, PLR0912 - one answer for each kind
        """Carry a step out as systemd would: exit code and words."""
        self._settle()
        match step:
            case Link() if self.link_fails:
                return 1, self.link_fails
            case Probe() if self.probe_fails or self.probe_is_there:
                return 1, self.probe_fails or "File exists"
            case Probe():
                self.probe_is_there = True
            case Unprobe():
                self.probe_is_there = False
            case Link():
                self.put_mask(Layer.PERSISTENT)
            case Unlink(layer=layer):
                self.files.pop(layer)
            case Stop():
                return self._stop()
            case Reload() if self.reload_fails:
                return 1, "Reload daemon failed: Connection timed out"
            case Reload():
                self._read_files()
            case TryStart(unit=name) if name and name == self.starts_as:
                self.active, self.starting_since = ActiveState.ACTIVATING, self.now
            case TryStart() | Start(unit="worker.service"):
                return self._start()
            case Start(unit=unit):
                self.others[unit] = UP
            case ResetFailed(unit=unit):
                self._reset(unit)
        return 0, ""

    def _read_files(self) -> None:
        self.mask_loaded = any(file.kind is FileKind.MASK for file in self.files.values())
        if self.mask_loaded and self.stopping_since:
            self.settings_gone = True

    def put_mask(self, layer: Layer) -> None:
        """A link to /dev/null, newer than any before."""
        self.made += 1
        self.files[layer] = LayerFile(layer, PATHS[layer], FileKind.MASK, "/dev/null", f"1:{self.made}:0")

    def _stop(self) -> tuple[int, str]:
        if self.refuses_stop:
            return 4, "Operation refused, unit worker.service may be requested by dependency only."
        self.others = dict.fromkeys(self.others, DOWN)
        if not self.active.is_down:
            self.stop_asked = self.stop_asked or self.now if not self.stopping_since else None
            self._settle()
        return 0, ""

    def _start(self) -> tuple[int, str]:
        if self.mask_loaded and not self.start_slips_through:
            return 1, "Failed to start worker.service: Unit worker.service is masked."
        self.active, self.starting_since = ActiveState.ACTIVATING, self.now
        return 0, ""

    def _reset(self, unit: str) -> None:
        if unit == "worker.service":
            self.active = DOWN
        else:
            self.others[unit] = DOWN


@dataclass
class Walk:
    """Steps taken one after the other until it is done, each after a look, as the workflow does it."""

    unit: OneUnit
    change: Change
    target: Target
    undoes: Target | None = None
    try_start: bool = True
    limits: Limits = Limits()

    def run(self, *, most: int = 4000) -> Done:
        """Walk to the end; an end is believed only of a full look."""
        for _ in range(most):
            step, full = self.step()
            if isinstance(step, Done) and full:
                return step
        raise AssertionError(f"it never ends: {[sent.step for sent in self.target.sent][-10:]}")

    def step(self) -> tuple[Step, bool]:
        """One look and one step; the bool says whether the look was a full one."""
        now = self.unit.look()
        step = self._next(now)
        if isinstance(step, Done | LookFully):
            now = self.unit.look(full=True)
            step = self._next(now)
        match step:
            case Wait(seconds=seconds):
                self.unit.now += timedelta(seconds=seconds)
            case Done():
                return step, now.around is not None
            case LookFully():
                raise AssertionError("a full look is as full as it gets")
            case _:
                self._send(step)
        return step, False

    def dies_at(self, name: str, *, was_sent: bool) -> None:
        """Walk to a step, and die once it is recorded: before it is sent, or before its answer is read."""
        while True:
            step = self._next(self.unit.look(full=True))
            if isinstance(step, Wait | LookFully | Done):
                raise AssertionError(f"{step} came before {name}")
            if label(step) == name:
                break
            self._send(step)
        if was_sent:
            self.unit.do(step)
        sent = Sent(name, argv(step, self.target, user=self.change.user), self.unit.now)
        self.target = replace(self.target, sent=(*self.target.sent, sent))

    def _next(self, now: Snapshot) -> Step:
        self.target = observe(self.target, self.change, now)
        return next_step(Work(self.change, self.target, self.undoes, self.try_start, self.limits), now, self.unit.now)

    def _send(self, step: Command) -> None:
        exit_code, output = self.unit.do(step)
        words = argv(step, self.target, user=self.change.user)
        sent = Sent(label(step), words, self.unit.now, exit_code, output)
        self.target = replace(self.target, sent=(*self.target.sent, sent))

    @property
    def steps(self) -> list[str]:
        """What was sent, in order."""
        return [sent.step for sent in self.target.sent]


def masking(unit: OneUnit, *, keep_running: bool = False) -> Walk:
    """`/mask web-01 worker` on this unit."""
    change = Change(Verb.MASK, "web-01", UnitName("worker.service"), keep_running=keep_running)
    seen = unit.look(full=True)
    return Walk(unit, change, Target("web-01", change.unit, Layer.PERSISTENT, before=seen))


def undoing(mask: Walk, outcome: Outcome = Outcome.PROVEN) -> Walk:
    """The undo of a mask that was made."""
    change = replace(mask.change, verb=Verb.UNMASK, keep_running=False)
    undone = replace(mask.target, outcome=outcome)
    target = Target("web-01", change.unit, Layer.PERSISTENT, before=mask.unit.look(full=True))
    return Walk(mask.unit, change, target, undoes=undone)


def unmasking(unit: OneUnit) -> Walk:
    """`/unmask web-01 worker` where the mask is somebody else's."""
    change = Change(Verb.UNMASK, "web-01", UnitName("worker.service"))
    return Walk(unit, change, Target("web-01", change.unit, Layer.PERSISTENT, before=unit.look(full=True)))
