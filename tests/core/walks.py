"""worker.service on a host of the model, and the steps of a change taken there one after the other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bot.core.hosts.inventory import Host
from bot.core.requests import Change, Outcome, Sent, Target, Verb
from bot.core.steps import Done, Step, StepContext, StepLimits, next_step, observe
from bot.core.steps.commands import argv
from bot.core.steps.kinds import Command, LookFully, Wait, label
from bot.core.systemd.look import look_argv, parse_look
from bot.core.systemd.units import ActiveState, FileKind, Layer, LayerFile, LoadState, Snapshot, UnitName
from tests.model.files import CONTROL, ETC, NULL, RUN, VENDOR, Files
from tests.model.hosts import ADDRESS, LOGIN, ModelHost, ModelHosts
from tests.model.manager import Manager, Running

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
WORKER = UnitName("worker.service")
FILE = f"{VENDOR}/worker.service"
PATHS = {layer: f"{folder}/worker.service" for layer, folder in zip(Layer, (CONTROL, ETC, RUN), strict=True)}
WANTED = f"{ETC}/multi-user.target.wants"
UP, DOWN = ActiveState.ACTIVE, ActiveState.INACTIVE


@dataclass
class Site:
    """A host with worker.service and units that have to do with it. All of them were started long before noon.

    `settings` of worker.service come on top of those that it always has, and unless `is_up` it was stopped again;
    `beside` has the settings of the other units by their names.
    """

    settings: str = ""
    beside: Mapping[str, str] = field(default_factory=dict)
    is_up: bool = True
    files: Files = field(default_factory=Files)
    now: datetime = NOON - timedelta(weeks=9)

    def __post_init__(self) -> None:
        own = f"ExecStart=/usr/bin/sleep infinity\nExecStop=/usr/bin/true\n{self.settings}"
        for name, settings in {"worker.service": own, **self.beside}.items():
            self.files.write(f"{VENDOR}/{name}", f"{settings}\n[Install]\nWantedBy=multi-user.target\n")
            self.files.enable(f"{VENDOR}/{name}")
        self.host = ModelHost("web-01", Manager(self.files, self._clock), machine_id="0" * 32)
        self.manager = self.host.manager
        self.now = NOON
        if not self.is_up:
            self.root("stop worker.service")
        self.manager.marks.clear()
        self._known = Host("web-01", ADDRESS, 22, LOGIN, "prod")
        self._hosts = ModelHosts({"web-01": self.host})

    def _clock(self) -> float:
        return self.now.timestamp()

    def root(self, words: str) -> None:
        """A call of systemctl by somebody else: a person, a timer, configuration management."""
        self.host.systemctl(words.split())

    def edit(self, settings: str) -> None:
        """Somebody adds settings, and reloads."""
        self.files.write(FILE, self.files.text(FILE) + settings)
        self.manager.reload()

    def put_mask(self, layer: Layer, *, loaded: bool = False) -> None:
        """Somebody links to /dev/null."""
        self.files.link(PATHS[layer], NULL)
        if loaded:
            self.manager.reload()

    def force(self, active: ActiveState) -> None:
        """Put worker.service into a state for which the model has no way there."""
        self.running.active = active

    def look(self, *, full: bool = False, also: frozenset[str] = frozenset()) -> Snapshot:
        """What the bot sees."""
        size = "result" if full else "short"
        reply = self._hosts.run(self._known, look_argv(WORKER, size=size), deadline=1)
        return parse_look(reply.stdout, WORKER, also=also)

    def send(self, words: tuple[str, ...]) -> tuple[int, str]:
        """What a command of the bot's exits with, and its words."""
        reply = self._hosts.run(self._known, words, deadline=1)
        return reply.exit_code, reply.stderr.strip()

    def layer(self, layer: Layer) -> LayerFile:
        """What stands there now."""
        return self.look().layer(layer)

    @property
    def has_links(self) -> bool:
        """Whether anything stands in any layer."""
        return any(file.kind is not FileKind.ABSENT for file in self.look().layers)

    @property
    def running(self) -> Running:
        """How it is doing."""
        return self.manager.running("worker.service")

    @property
    def active(self) -> ActiveState:
        """Whether it runs."""
        return ActiveState(self.running.active)

    @property
    def is_masked(self) -> bool:
        """Whether systemd itself calls it masked."""
        return self.look().load is LoadState.MASKED

    @property
    def seconds(self) -> float:
        """Since noon."""
        return (self.now - NOON).total_seconds()

    @property
    def ran_its_own(self) -> bool:
        """Whether its stop commands were carried out to the last."""
        self.manager.settle("worker.service")
        return "worker.service" in self.manager.marks


def nobody() -> None:
    """Does nothing."""


@dataclass
class Walk:
    """Steps taken one after the other until it is done, each after a look, as the workflow does it."""

    site: Site
    change: Change
    target: Target
    undoes: Target | None = None
    try_start: bool = True
    limits: StepLimits = StepLimits()
    meanwhile: Callable[[], None] = nobody  # what others do there before each look
    around: Mapping[str, tuple[Callable[[], None], Callable[[], None]]] = field(default_factory=dict)  # and at a step

    def run(self, *, most: int = 4000) -> Done:
        """Walk to the end; an end is believed only of a full look."""
        for _ in range(most):
            step, full = self.step()
            if isinstance(step, Done) and full:
                return step
        raise AssertionError(f"it never ends: {[sent.step for sent in self.target.sent][-10:]}")

    def until(self, name: str) -> "Walk":
        """Walk until a step was sent."""
        while name not in self.steps:
            assert not isinstance(self.step()[0], Done), f"it ended before {name}: {self.steps}"
        return self

    def step(self) -> tuple[Step, bool]:
        """One look and one step; the bool says whether the look was a full one."""
        self.meanwhile()
        now = self.site.look()
        step = self.next(now)
        if isinstance(step, Done | LookFully):
            now = self.look_fully()
            step = self.next(now)
        match step:
            case Wait(seconds=seconds):
                self.site.now += timedelta(seconds=seconds)
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
            step = self.next(self.look_fully())
            if isinstance(step, Wait | LookFully | Done):
                raise AssertionError(f"{step} came before {name}")
            if label(step) == name:
                break
            self._send(step)
        self.dies(step, was_sent=was_sent)

    def dies(self, step: Command, *, was_sent: bool) -> None:
        """A step of which no answer comes."""
        words = argv(step, self.target, user=self.change.user)
        if was_sent:
            self.site.send(words)
        self.target = replace(self.target, sent=(*self.target.sent, Sent(label(step), words, self.site.now)))

    def next(self, now: Snapshot) -> Step:
        """The step that a look leads to."""
        self.target = observe(self.target, self.change, now)
        context = StepContext(self.change, self.target, self.undoes, self.try_start, self.limits)
        return next_step(context, now, self.site.now)

    def look_fully(self) -> Snapshot:
        """And at what had to do with the unit before (`lineage.known_related_units`)."""
        records = [target.before.around for target in (self.target, self.undoes) if target and target.before]
        names = (other.unit for one in records if one for other in (*one.would_stop, *one.triggers))
        return self.site.look(full=True, also=frozenset(names))

    def _send(self, step: Command) -> None:
        words = argv(step, self.target, user=self.change.user)
        before, after = self.around.get(label(step), (nobody, nobody))
        before()
        exit_code, output = self.site.send(words)
        after()
        sent = Sent(label(step), words, self.site.now, exit_code, output)
        self.target = replace(self.target, sent=(*self.target.sent, sent))

    @property
    def steps(self) -> list[str]:
        """What was sent, in order."""
        return [sent.step for sent in self.target.sent]


def masking(site: Site, *, keep_running: bool = False) -> Walk:
    """`/mask web-01 worker` there."""
    change = Change(Verb.MASK, "web-01", WORKER, keep_running=keep_running)
    return Walk(site, change, Target("web-01", WORKER, Layer.PERSISTENT, before=site.look(full=True)))


def masked(site: Site, *, keep_running: bool = False) -> Walk:
    """The same, carried out."""
    walk = masking(site, keep_running=keep_running)
    walk.run()
    return walk


def undoing(mask: Walk, outcome: Outcome = Outcome.PROVEN) -> Walk:
    """The undo of a mask that was made."""
    change = replace(mask.change, verb=Verb.UNMASK, keep_running=False)
    target = Target("web-01", WORKER, Layer.PERSISTENT, before=mask.look_fully())
    return Walk(mask.site, change, target, undoes=replace(mask.target, outcome=outcome))


def unmasking(site: Site) -> Walk:
    """`/unmask web-01 worker` where the mask is somebody else's."""
    change = Change(Verb.UNMASK, "web-01", WORKER)
    return Walk(site, change, Target("web-01", WORKER, Layer.PERSISTENT, before=site.look(full=True)))
