"""What people and events do to a host behind the bot's back, on real and model hosts."""

from tests.model.hosts import ModelHost
from tests.workflow.fleet import AnyHost

SESSION = "^sshd(-session)?: maskbot"


def cut_off(host: AnyHost) -> None:
    """Block SSH to the host and close open sessions."""
    if isinstance(host, ModelHost):
        host.is_away = True
        return
    host.run("sh", "-c", f"systemctl stop ssh.service; pkill -KILL -u maskbot; pkill -KILL -f '{SESSION}'")


def let_in(host: AnyHost) -> None:
    """Allow SSH to the host again."""
    if isinstance(host, ModelHost):
        host.is_away = False
        return
    # Several tests in a row restart it more often than systemd allows in ten seconds.
    host.run("sh", "-c", "systemctl reset-failed ssh.service; systemctl start ssh.service")


def knock(host: AnyHost) -> None:
    """Connect to a socket whose service is masked, which makes systemd fail the socket."""
    if isinstance(host, ModelHost):
        host.manager.trigger("echo.socket")
        return
    host.run("perl", "-MIO::Socket::UNIX", "-e", 'IO::Socket::UNIX->new("/run/echo.sock")')
    host.run("sh", "-c", "until systemctl is-failed --quiet echo.socket; do sleep 0.05; done", seconds=20)


def fail(host: AnyHost, unit: str) -> None:
    """Let a new unit start and fail at once."""
    if isinstance(host, ModelHost):
        host.manager.fail(unit)
        return
    host.run("systemd-run", f"--unit={unit}", "false")
    host.run("sh", "-c", f"until systemctl is-failed --quiet {unit}; do sleep 0.05; done", seconds=20)


def edit(host: AnyHost, path: str) -> None:
    """Edit a file without a daemon-reload."""
    if isinstance(host, ModelHost):
        host.write(path, f"{host.manager.files.text(path)}# edited\n")
        return
    host.run("sh", "-c", f"echo '# edited' >>{path}")
