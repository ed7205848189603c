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
    Reload,
    ResetFailed,
    Start,
    Stop,
    TryStart,
    Unlink,
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
    stop_takes: float = 0.0
    stop_limit: float = 5.0
    comes_back: int = 0  # how often something starts it again once it is down, while no mask is loaded
    link_fails: str = ""
    reload_fails: bool = False
    refuses_stop: bool = False
    refuses_start_by_hand: bool = False
    start_slips_through: bool = False  # a mask that does not hold, whatever systemd calls it
    start_takes: float = 0.0
    names: tuple[str, ...] = ()  # beside its own
    starts_as: str = ""  # a name that its mask does not cover
    files: dict[Layer, LayerFile] = field(default_factory=dict)
    links: set[tuple[str, str]] = field(default_factory=set)
    others: dict[str, ActiveState] = field(default_factory=dict)  # what stops with it
    triggers: dict[str, ActiveState] = field(default_factory=dict)  # timers and sockets that start it
    mask_loaded: bool = False
    invocation: int = 1
    now: datetime = NOON
    stopping_since: datetime | None = None
    starting_since: datetime | None = None
    made: int = 0
    own_stop_commands_ran: bool = False

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
            sub="",
            file_state="masked" if masks else "enabled",
            fragment=(masks or [""])[0] if self.mask_loaded else VENDOR,
            layers=layers,
            refuse_manual_start=self.refuses_start_by_hand,
            invocation=str(self.invocation),
            timeout_stop_usec=int((90 if self.mask_loaded else self.stop_limit) * 1e6),
            around=self._around() if full else None,
        )

    def _around(self) -> Surroundings:
        others, triggers = (
            tuple(Neighbour(name, frozenset({name}), LoadState.LOADED, active) for name, active in those.items())
            for those in (self.others, self.triggers)
        )
        links = tuple(sorted(self.links))
        return Surroundings("web-01", "boot", "252", "hash", triggers=triggers, would_stop=others, wants_links=links)

    def _settle(self) -> None:
        if self.stopping_since and self.now - self.stopping_since >= timedelta(seconds=self.stop_takes):
            self.active, self.stopping_since = DOWN, None
            self.own_stop_commands_ran = not self.mask_loaded
            if self.comes_back and not self.mask_loaded:
                self.comes_back -= 1
                self.active, self.invocation = UP, self.invocation + 1
        if self.starting_since and self.now - self.starting_since >= timedelta(seconds=self.start_takes):
            self.active, self.starting_since = UP, None
            self.invocation += 1

    def do(self, step: Command) -> tuple[int, str]:  # noqa: C901 - one answer for each kind of step
        """Carry a step out as systemd would: exit code and words."""
        self._settle()
        match step:
            case Link() if self.link_fails:
                return 1, self.link_fails
            case Link():
                self.put_mask(Layer.PERSISTENT)
            case Unlink(layer=layer):
                self.files.pop(layer)
            case Stop():
                return self._stop()
            case Reload() if self.reload_fails:
                return 1, "Reload daemon failed: Connection timed out"
            case Reload():
                self.mask_loaded = any(file.kind is FileKind.MASK for file in self.files.values())
            case TryStart(unit=name) if name and name == self.starts_as:
                self.active, self.starting_since = ActiveState.ACTIVATING, self.now
            case TryStart() | Start(unit="worker.service"):
                return self._start()
            case Start(unit=unit):
                self.others[unit] = UP
            case ResetFailed(unit=unit):
                self._reset(unit)
        return 0, ""

    def put_mask(self, layer: Layer) -> None:
        """A link to /dev/null, newer than any before."""
        self.made += 1
        self.files[layer] = LayerFile(layer, PATHS[layer], FileKind.MASK, "/dev/null", f"1:{self.made}:0")

    def _stop(self) -> tuple[int, str]:
        if self.refuses_stop:
            return 4, "Operation refused, unit worker.service may be requested by dependency only."
        self.others = dict.fromkeys(self.others, DOWN)
        if not self.active.is_down:
            self.active, self.stopping_since = ActiveState.DEACTIVATING, self.stopping_since or self.now
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
