"""One host, real or of the model, as the bot and as root reach it, so that tests need not know which it is."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.core.hosts.inventory import Host
from bot.core.systemd.guard import Argv
from bot.core.systemd.look import look_argv, parse_look
from bot.core.systemd.systemctl import unlink_argv
from bot.core.systemd.units import ActiveState, Layer, LoadState, Snapshot, UnitName
from bot.ports import Hosts
from tests.lab.hosts import LabHost
from tests.model.hosts import ModelHost

_BY_ROOT = {
    "start": ("start", "--no-block"),
    "try-start": ("start", "--no-block"),
    "stop": ("stop", "--no-block"),
    "kill": ("kill", "--signal=SIGKILL"),
    "reset-failed": ("reset-failed",),
}


@dataclass(frozen=True, slots=True)
class Side:
    """A host; `wait` lets time pass there."""

    hosts: Hosts
    known: Host
    host: LabHost | ModelHost
    wait: Callable[[float], None]

    def look(self, unit: str, *, full: bool = False) -> Snapshot:
        """A look as the bot takes it."""
        name = UnitName(unit)
        return parse_look(
            self.hosts.run(self.known, look_argv(name, size="full" if full else "short"), deadline=20).stdout, name
        )

    def send(self, argv: Argv) -> tuple[int, str]:
        """Send a command of the bot; return its exit code and output.

        What the guard does only to units that it stopped itself, root does as the guard would.
        """
        if argv[1] in _BY_ROOT:
            done = self.host.run("systemctl", *_BY_ROOT[argv[1]], "--", argv[2])
            return done.returncode, done.stderr.strip()
        reply = self.hosts.run(self.known, argv, deadline=20)
        return reply.exit_code, reply.stderr.strip()

    def removal(self, unit: UnitName, layer: Layer, *, foreign: bool = False) -> Argv:
        """The command that removes the present link; without a link, the one that would have removed it."""
        file = self.look(unit.text).layer(layer)
        return unlink_argv(unit, replace(file, identity=file.identity or "1:1.0"), foreign=foreign)

    def states(self, unit: str) -> tuple[LoadState, ActiveState]:
        """The states of a unit."""
        now = self.look(unit)
        return now.load, now.active

    def doing(self, unit: str) -> tuple[str, str, bool]:
        """A unit's two states, and whether it has a job."""
        now = self.look(unit)
        return now.active, now.sub, bool(now.pending_job)

    def until(self, unit: str, wanted: tuple[str, str, bool]) -> None:
        """Let time pass until a unit is in a state."""
        for _ in range(120):
            if self.doing(unit) == wanted:
                return
            self.wait(0.25)
        raise AssertionError(f"{unit} is {self.doing(unit)}, and was to be {wanted}")

    def root(self, *words: str) -> None:
        """A call of systemctl by root, which does not wait."""
        self.host.run("systemctl", *words, "--no-block")
