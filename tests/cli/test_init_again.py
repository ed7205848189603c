"""`maskbot init` where an installation is there already: every option is applied, or said not to be."""

import os
import pty
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from tests.edges.ssh_server import Sshd, free_port, sshd
from tests.handlers.web_api import WebApi, web_api
from tests.lab.installation import ROOT
from tests.lab.warm import maskbot

PEOPLE = [("U0ALICE", "alice"), ("U0BOB", "bob"), ("U0CAROL", "carol")]
CHANNELS = [("C0INCIDENT", "incident"), ("C0RANDOM", "random")]
SHELL = (sys.executable, "-m", "bot")


@pytest.fixture
def slack() -> Iterator[WebApi]:
    with web_api() as running:
        listed = [{"id": one, "name": name, "team_id": "T1"} for one, name in PEOPLE]
        running.answer("users.list", {"ok": True, "members": listed})
        running.answer("usergroups.list", {"ok": True, "usergroups": []})
        running.answer("conversations.list", {"ok": True, "channels": [{"id": i, "name": n} for i, n in CHANNELS]})
        yield running


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    (tmp_path / "sshd").mkdir()
    with sshd(tmp_path / "sshd") as running:
        (tmp_path / "fingerprints").write_text("\n".join(running.host.pins))
        yield running


class Place:
    """A folder in which somebody types `maskbot init`."""

    def __init__(self, path: Path, slack: WebApi) -> None:
        self.path = path
        self.folder = path / "maskbot"
        clean = {name: text for name, text in os.environ.items() if not name.startswith(("MASKBOT_", "SLACK_"))}
        self.environment: Mapping[str, str] = {**clean, "PYTHONPATH": str(ROOT), "SLACK_API_URL": slack.base}

    def init(self, *words: str, given: Mapping[str, str] | None = None, code: int = 1) -> str:
        """By a program. Doctor cannot log in, so the code is 1; all that was said before doctor is returned."""
        done = maskbot(("init", str(self.folder), *words), {**self.environment, **(given or {})}, seconds=60)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout.partition("Doctor says now")[0] + done.stderr

    def hosts(self) -> dict[str, tuple[str, int, int]]:
        """Where each host is, and how many keys of it are pinned."""
        listed = yaml.safe_load((self.folder / "hosts.yaml").read_text())["hosts"]
        return {one["name"]: (one["address"], one.get("port", 22), len(one["host_keys"])) for one in listed}

    def typed(self, *words: str, answers: Mapping[str, list[str]]) -> str:
        """By a person at a terminal, who answers each question; the last answer is given again and again."""
        child, terminal = pty.fork()
        if child == 0:
            words = (*SHELL, "init", str(self.folder), *words)
            os.execve(words[0], words, self.environment)  # noqa: S606
        seen, said = "", ""
        try:
            while chunk := os.read(terminal, 65536).decode():
                seen, said = seen + chunk, said + chunk
                if question := next((one for one in answers if re.search(f"{one}[^\n]*: $", said)), ""):
                    left = answers[question]
                    os.write(terminal, f"{left.pop(0) if len(left) > 1 else left[0]}\n".encode())
                    said = ""
        except OSError:  # the other side of a terminal has ended
            pass
        os.waitpid(child, 0)
        os.close(terminal)
        return seen.replace("\r\n", "\n")


TOKENS = {"SLACK_BOT_TOKEN": "xoxb-1-test", "SLACK_APP_TOKEN": "xapp-1-A1-2-test"}
POLICY = ("--channel", "#incident", "--ask", "@alice", "--approve", "@bob")


@pytest.fixture
def place(tmp_path: Path, slack: WebApi) -> Place:
    return Place(tmp_path, slack)


@pytest.fixture
def finished(place: Place, server: Sshd, tmp_path: Path) -> Place:
    """web-01 and its key, and a policy."""
    one = ("--host", f"web-01=127.0.0.1:{server.host.port}", "--from", "192.0.2.5")
    place.init(*one, *POLICY, "--expect", str(tmp_path / "fingerprints"), given=TOKENS)
    assert place.hosts() == {"web-01": ("127.0.0.1", server.host.port, 1)}
    return place


def test_a_host_that_is_named_later_is_added_with_its_command_and_its_key(finished: Place, tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()
    with sshd(tmp_path / "second", name="web-02") as second:
        port = second.host.port
        (tmp_path / "fingerprints").write_text("\n".join(second.host.pins))
        said = finished.init("--host", f"web-02=127.0.0.1:{port}", "--expect", str(tmp_path / "fingerprints"))
    assert finished.hosts()["web-02"] == ("127.0.0.1", port, 1)
    script = finished.folder / "host-install.sh"
    assert f"  web-02:\n    ssh -p {port} root@127.0.0.1 sh -s <{script}\n" in said
    assert "  web-01:\n" not in said


def test_without_an_option_nothing_is_asked_and_nothing_is_changed(finished: Place) -> None:
    before = {path: path.read_bytes() for path in finished.folder.rglob("*") if path.is_file()}
    said = finished.init()
    assert "NOT changed" not in said
    assert "sh -s" not in said
    assert {path: path.read_bytes() for path in before} == before


def test_the_same_options_again_are_no_change(finished: Place, server: Sshd) -> None:
    said = finished.init("--host", f"web-01=127.0.0.1:{server.host.port}", "--from", "192.0.2.5", *POLICY)
    assert ("NOT changed" in said, "anew" in said) == (False, False)


def test_what_is_not_changed_is_said_with_the_place_to_change_it(finished: Place) -> None:
    others = ("--channel", "#random", "--ask", "@carol", "--approve", "@carol")
    said = finished.init("--host", "web-01=192.0.2.9", "--environment", "staging", *others)
    address = "web-01 is there with another address (127.0.0.1), environment (prod): edit its entry there"
    assert f"  NOT changed, {address}\n" in said
    assert "  NOT changed by --channel #random: write C0RANDOM under `ids:` in line 9 of policy.yaml yourself" in said
    assert "  NOT changed by --ask @carol: write U0CAROL under `may-ask:` in line 16 of policy.yaml yourself" in said
    assert "  NOT changed by --approve @carol: write U0CAROL under `approvers:` in line 19 of policy.yaml" in said


def test_other_addresses_of_the_bot_are_written_and_every_host_needs_the_script(finished: Place) -> None:
    script = finished.folder / "host-install.sh"
    assert 'from="192.0.2.5"' in script.read_text()
    said = finished.init("--from", "192.0.2.6")
    assert 'from="192.0.2.6"' in script.read_text()
    assert (f"rewrote {script}" in said, "  web-01:\n" in said) == (True, True)


def test_a_jump_host_and_a_login_are_in_the_command_and_no_repository_is_a_host(place: Place, tmp_path: Path) -> None:
    config = tmp_path / "ssh_config"
    config.write_text(
        "Host bastion\n  HostName 192.0.2.1\n  Port 2222\n  User ops\nHost web-02\n  HostName 10.0.0.2\n"
        f"  ProxyJump bastion\nHost web-03\n  HostName 127.0.0.1\n  Port {free_port()}\nHost github.com\n  User git\n"
    )
    done = maskbot(("init", str(place.folder), "--import", str(config), *POLICY), place.environment, seconds=60)
    assert "github.com: left out: people log in there as git, so it hosts repositories" in done.stderr
    said = place.init("--import", str(config), *POLICY, given=TOKENS)
    assert "  bastion:\n    ssh -p 2222 ops@192.0.2.1 sudo sh -s <" in said
    assert "  web-02:\n    ssh -J ops@192.0.2.1:2222 root@10.0.0.2 sh -s <" in said
    assert "github" not in (place.folder / "hosts.yaml").read_text()


def test_whoever_sits_at_a_terminal_is_asked_again(place: Place) -> None:
    answers = {
        "Bot User OAuth Token": ["xapp-1-A1-2-test", "xoxb-1-test"],
        "app-level token": ["'xapp-1-A1-2-test'"],
        "The channel": ["#incidents", "#incident"],
        "Who may ask": ["@alise", "@alice"],
        "Who approves": ["@alice", "@bob"],
    }
    said = place.typed("--host", "web-01=127.0.0.1:9", answers=answers)
    assert said.count("nothing is shown while you paste it") == 3
    assert said.index("Did you mean `incident`?") < said.index("Who may ask")
    assert "Did you mean `alice`?" in said
    assert "Nobody approves their own request: name a second person who may ask, or who approves." in said
    groups = yaml.safe_load((place.folder / "policy.yaml").read_text())["groups"]
    assert groups == {"may-ask": {"users": ["U0ALICE"]}, "approvers": {"users": ["U0BOB"]}}
    assert (place.folder / "secrets/slack_app_token").read_text() == "xapp-1-A1-2-test\n"


def test_nobody_who_would_approve_their_own_request_is_written(place: Place) -> None:
    alone = ("--channel", "#incident", "--ask", "@alice", "--approve", "@alice")
    said = place.init("--host", "web-01=127.0.0.1:9", *alone, code=2, given=TOKENS)
    assert "Nobody approves their own request" in said
    assert not (place.folder / "policy.yaml").exists()
