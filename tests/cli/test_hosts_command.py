"""`maskbot hosts`: other inventories imported and keys pinned, by a person at a terminal and by a program."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from bot.core.hosts.inventory import Inventory
from config.host_keys import read_public_key
from config.hosts import read_inventory
from config.strict_yaml import read_document
from tests.edges.ssh_server import Sshd, free_port, make_key, sshd
from tests.lab.installation import ROOT
from tests.lab.warm import maskbot

KEY = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"
FILE = f"""\
# Our hosts.
hosts:
  - name: old  # by hand
    address: 192.0.2.1
    environment: prod
    host_keys: [{KEY}]
# The end.
"""
COMMAND = (sys.executable, "-m", "bot", "hosts")


class Place:
    """A folder with a hosts.yaml of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file.write_text(FILE)
        self.file.chmod(0o640)
        make_key(folder / "key")

    @property
    def file(self) -> Path:
        return self.folder / "hosts.yaml"

    @property
    def environment(self) -> Mapping[str, str]:
        ours = {"MASKBOT_CONFIG_DIR": str(self.folder), "MASKBOT_SSH_KEY_FILE": str(self.folder / "key")}
        clean = {name: text for name, text in os.environ.items() if not name.startswith(("MASKBOT_", "SLACK_"))}
        return clean | ours | {"PYTHONPATH": str(ROOT)}

    def inventory(self) -> Inventory:
        return read_inventory(read_document(self.file))

    def hosts(self, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """By a program: there is no terminal."""
        done = maskbot(("hosts", *words), self.environment, seconds=60, given=given)
        assert "Traceback" not in done.stderr
        return done

    def at_terminal(self, *words: str, answer: str, given: Path) -> str:
        """By a person, who sees the question and types an answer; standard input is a file."""
        child, terminal = pty.fork()
        if child == 0:
            os.dup2(os.open(given, os.O_RDONLY), 0)
            os.execve(COMMAND[0], [*COMMAND, *words], self.environment)  # noqa: S606
        seen = b""
        try:
            while chunk := os.read(terminal, 65536):
                seen += chunk
                if seen.endswith(b"[y/N] "):
                    os.write(terminal, answer.encode() + b"\n")
        except OSError:  # the other side of a terminal has ended
            pass
        os.waitpid(child, 0)
        os.close(terminal)
        return seen.decode()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def ansible(tmp_path: Path) -> Path:
    """200 hosts in groups, and a known_hosts file that has the keys of half of them."""
    names = [f"app-{number:03}.example" for number in range(200)]
    public = " ".join(make_key(tmp_path / "host").split()[:2])
    variables = {name: {"ansible_host": f"10.1.{number // 100}.{number % 100}"} for number, name in enumerate(names)}
    told = {"_meta": {"hostvars": variables}, "app": {"hosts": names}, "eu": {"children": ["app"]}}
    (tmp_path / "known_hosts").write_text("".join(f"{name} {public}\n" for name in names[:100]))
    (tmp_path / "inventory.json").write_text(json.dumps(told))
    return tmp_path / "inventory.json"


def test_two_hundred_hosts_are_shown_and_taken_over(place: Place, ansible: Path) -> None:
    words = ("import", str(ansible), "--known-hosts", str(place.folder / "known_hosts"), "--environment", "prod")
    shown = place.hosts(*words)
    assert (shown.returncode, place.file.read_text()) == (1, FILE), "nobody said yes"
    assert shown.stdout.count("+  - name: app-") == 200
    assert "nothing was written" in shown.stdout
    done = place.hosts(*words, "--yes")
    assert done.returncode == 0, done.stderr
    text = place.file.read_text()
    assert text.startswith(FILE.removesuffix("# The end.\n"))
    assert text.endswith("# The end.\n")
    assert place.file.stat().st_mode & 0o7777 == 0o640
    inventory = place.inventory()
    assert len(inventory.hosts) == 201
    pinned = {one.name for one in inventory.hosts if one.pins}
    assert pinned == {"old", *(f"app-{number:03}" for number in range(100))}
    last = inventory.get("app-199")
    assert last is not None
    assert (last.address, last.groups, last.environment) == ("10.1.1.99", frozenset({"app", "eu"}), "prod")
    assert place.hosts(*words, "--yes").stdout == "nothing to change\n"


def test_a_person_is_asked_also_where_the_source_is_standard_input(place: Place, ansible: Path) -> None:
    words = ("import", "--environment", "prod")
    seen = place.at_terminal(*words, answer="n", given=ansible)
    assert "nothing was written" in seen
    assert place.file.read_text() == FILE
    seen = place.at_terminal(*words, answer="y", given=ansible)
    assert "written." in seen
    assert len(place.inventory().hosts) == 201


def test_what_is_left_out_is_named_and_the_exit_code_says_so(place: Place) -> None:
    done = place.hosts("import", "--environment", "prod", "--yes", given="Host status web-01\n")
    assert done.returncode == 1
    assert "status: left out: `status` is a command word" in done.stderr
    assert place.inventory().names == ("old", "web-01")


def test_what_would_not_be_valid_is_not_written(place: Place) -> None:
    done = place.hosts(
        "import", "--yes", "--environment", "prod", given="Host a b\nHost a\n ProxyJump b\nHost b\n ProxyJump a\n"
    )
    assert done.returncode == 1
    assert "leads in a circle" in done.stderr
    assert place.file.read_text() == FILE


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    (tmp_path / "sshd").mkdir()
    with sshd(tmp_path / "sshd") as running:
        yield running


def listed(server: Sshd, *keys: str, name: str = "web-01", port: int = 0) -> str:
    return (
        f"  - name: {name}\n    address: 127.0.0.1\n    port: {port or server.host.port}\n    environment: prod\n"
        f"    host_keys: [{', '.join(keys)}]\n"
    )


def test_a_scan_shows_keys_and_pins_those_that_were_expected(place: Place, server: Sshd) -> None:
    (pin,) = server.host.pins
    place.file.write_text(f"hosts:\n{listed(server)}")
    shown = place.hosts("scan")
    assert shown.returncode == 1
    assert f"web-01: {pin} (ssh-ed25519): not pinned yet" in shown.stdout
    assert "Compare each with `ssh-keygen -lf" in shown.stdout
    assert place.inventory().hosts[0].pins == frozenset()

    expected = place.folder / "expected"
    expected.write_text(f"256 {KEY} other (ED25519)\n")
    done = place.hosts("scan", "--expect", str(expected))
    assert (done.returncode, place.inventory().hosts[0].pins) == (1, frozenset())
    assert "web-01: its key is not in" in done.stderr

    expected.write_text(f"256 {pin} root@web-01 (ED25519)\n")
    done = place.hosts("scan", "--expect", str(expected))
    assert done.returncode == 0, done.stdout + done.stderr
    assert place.inventory().hosts[0].pins == {pin}
    assert "userauth-request" not in server.log
    assert json.loads(place.hosts("scan", "web-01", "--json").stdout) == [
        {"host": "web-01", "state": "pinned", "key": pin, "kind": "ssh-ed25519"}
    ]


def test_a_person_pins_what_was_compared(place: Place, server: Sshd) -> None:
    place.file.write_text(f"hosts:\n{listed(server)}")
    assert "nothing was written" in place.at_terminal("scan", answer="", given=Path("/dev/null"))
    assert "written." in place.at_terminal("scan", answer="yes", given=Path("/dev/null"))
    assert place.inventory().hosts[0].pins == server.host.pins


def test_a_scan_never_changes_a_pin_and_says_when_it_does_not_match(place: Place, server: Sshd) -> None:
    text = f"hosts:\n{listed(server, KEY)}{listed(server, name='gone', port=free_port())}"
    place.file.write_text(text)
    expected = place.folder / "expected"
    expected.write_text(" ".join(server.host.pins))
    done = place.hosts("scan", "web-01", "gone", "--expect", str(expected))
    assert (done.returncode, place.file.read_text()) == (1, text)
    assert "(ssh-ed25519): NOT THE PINNED KEY; hosts.yaml keeps the pinned one" in done.stdout
    assert "gone: connection refused. Nothing was sent." in done.stdout
    assert place.hosts("scan", "nobody").returncode == 2


def test_the_key_that_is_shown_is_that_of_the_host(server: Sshd) -> None:
    assert {read_public_key((server.folder / "host_key.pub").read_text())} == server.host.pins
