"""What people and events do to a host behind the bot's back."""

from tests.lab.hosts import LabHost


def knock(host: LabHost) -> None:
    """A connection to a socket whose service is masked: systemd gives the socket up."""
    host.run("perl", "-MIO::Socket::UNIX", "-e", 'IO::Socket::UNIX->new("/run/echo.sock")')
    host.run("sh", "-c", "until systemctl is-failed --quiet echo.socket; do sleep 0.05; done", seconds=20)
