"""The command line on a real host: the whole way of a request, with Slack there and with Slack away."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import pytest
import yaml

from bot.edges.cli_socket.client import call
from tests.lab.demo import workspace
from tests.lab.hosts import LabHost
from tests.lab.installation import Bot, Installation
from tests.lab.slack.lab import SlackLab

pytestmark = [pytest.mark.ssh, pytest.mark.slack]
NOBODY = 65534
SECONDS = 60.0
NOT_ITS_KEY = "SHA256:" + "A" * 43
Told = list[dict[str, Any]]


@dataclass
class Asking:
    """A command that waits, and what it says meanwhile."""

    process: subprocess.Popen[str]

    @property
    def stderr(self) -> IO[str]:
        assert self.process.stderr
        return self.process.stderr

    def until(self, words: str) -> str:
        """The line in which these words are said."""
        line = next((line for line in self.stderr if words in line), "")
        assert line, f"it never said: {words}"
        return line

    def end(self) -> tuple[int, str, str]:
        """Exit code, and the rest of what it said."""
        out, err = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, out, err


@pytest.fixture
def installation(host: LabHost, slack: SlackLab) -> Iterator[Installation]:
    """root is alice, who may ask; nobody is bob, who may approve. The approvers are named one by one."""
    with tempfile.TemporaryDirectory(prefix="maskbot-shell-") as folder:
        Path(folder).chmod(0o755)  # other users reach the socket
        written = Installation.write(Path(folder), [host], workspace(slack), settings={"MASKBOT_LOG_LEVEL": "debug"})
        path = Path(folder) / "config/policy.yaml"
        policy = yaml.safe_load(path.read_text())
        policy["groups"]["sre"] = {"users": [slack.users["bob"]]}
        path.write_text(yaml.safe_dump(policy))
        yield written


@pytest.fixture
def bot(installation: Installation) -> Iterator[Bot]:
    with Bot(installation, is_warm=True) as running:
        yield running


@pytest.fixture
def asking(installation: Installation) -> Iterator[Any]:
    """Start commands that wait; those that still do are ended."""
    with ExitStack() as stack:

        def start(*words: str, without: Installation | None = None) -> Asking:
            process = subprocess.Popen(
                ["env", "--default-signal=INT", sys.executable, "-m", "bot", *words],  # not if we run in the background
                env=dict((without or installation).environment),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return Asking(process)

        yield start


def as_nobody(installation: Installation, words: Mapping[str, Any]) -> Told:
    """Call the bot as another user: a child gives up its rights, and the kernel tells the bot so."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        told = list(call(Path(installation.environment["MASKBOT_SOCKET"]), words))
        os.write(writing, json.dumps(told).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as told_back:
        raw = told_back.read()
    os.waitpid(child, 0)
    return list(json.loads(raw))


def asked_for(line: str) -> str:
    """The request that a line tells how to approve."""
    return line.partition("`maskbot approve ")[2].partition("`")[0]


def approved(installation: Installation, line: str) -> tuple[int, str]:
    """bob approves what the line asks for."""
    request, *_ = as_nobody(installation, {"do": "show", "id": asked_for(line)})
    plan = request["request"]["plan"]
    told = as_nobody(installation, {"do": "vote", "verdict": "approve", "id": asked_for(line), "plan": plan})
    end = next(one for one in told if one["event"] == "end")
    return end["exit"], end["text"]


def states(host: LabHost) -> dict[str, str]:
    return host.show("cron.service", "LoadState", "ActiveState", "UnitFileState")


def test_asked_at_one_terminal_approved_at_another_masked_proven_and_undone(
    host: LabHost, bot: Bot, asking: Any, slack: SlackLab
) -> None:
    before = states(host)
    mask = asking("mask", "web-01", "cron", "INC-1", "it", "runs", "away")

    line = mask.until("waits for 1 approval")
    own = bot.installation.maskbot("approve", asked_for(line))
    assert (own.returncode, "You asked for this" in own.stderr) == (1, True)
    assert approved(bot.installation, line) == (0, "")
    code, said, progress = mask.end()

    assert code == 0, progress
    assert "MASKED AND PROVEN" in said
    assert "refused" in said
    assert "stopping the unit" in progress
    assert states(host) == {"LoadState": "masked", "ActiveState": "inactive", "UnitFileState": "masked"}
    card = slack.wait_for(lambda: slack.messages("incident"), SECONDS)[0]
    assert "cron.service" in json.dumps(card)

    undo = bot.installation.maskbot("unmask", "web-01", "cron", "--json")

    assert json.loads(undo.stdout)["outcome"] == "restored"
    assert states(host) == before
    logged = lines_about(asked_for(line), bot)
    assert [one["stage"] for one in logged if one["event"] == "stage"] == ["waiting", "approved", "running", "done"]
    said = {one["event"] for one in logged}
    assert {"request.received", "policy.evaluated", "approval.voted", "exec.intent", "exec.result", "command"} <= said
    sent = [one for one in logged if one["event"] == "command"]
    assert all(one["host"] == "web-01" and one["exit_code"] is not None for one in sent)
    assert any("mask" in one["argv"] for one in sent)


def lines_about(request: str, bot: Bot) -> list[dict[str, Any]]:
    """The lines of the log, in JSON, that carry the id of a request."""
    logged = [json.loads(one) for one in bot.output.splitlines() if one.startswith("{")]
    return [one for one in logged if one.get("request") == request]


def test_control_c_leaves_the_request_alone_and_says_so(bot: Bot, asking: Any) -> None:
    mask = asking("mask", "web-01", "cron")
    line = mask.until("waits for 1 approval")

    mask.process.send_signal(signal.SIGINT)
    code, _, rest = mask.end()

    assert code == 1
    assert "goes on without you" in rest
    assert approved(bot.installation, line)[0] == 0


def test_what_would_be_asked_and_why_can_be_read_without_asking(bot: Bot) -> None:
    plan = bot.installation.maskbot("plan", "web-01", "cron", "--json")
    why = bot.installation.maskbot("explain", "web-01", "sshd")
    status = bot.installation.maskbot("status", "web-01", "cron", "--json")

    assert json.loads(plan.stdout)["decision"]["answer"] == "needs_approval"
    assert "critical list" in why.stdout
    assert "passed: " not in why.stdout
    assert "passed: requester is one of us" in bot.installation.maskbot("explain", "web-01", "sshd", "--verbose").stdout
    assert json.loads(status.stdout)["unit"]["load"] == "loaded"


def test_a_running_bot_is_ready_and_says_so_to_a_health_check_of_any_user(bot: Bot) -> None:
    state, end, *_ = as_nobody(bot.installation, {"do": "state"})

    assert (state["state"]["ready"], end["exit"]) == (True, 0)


def test_doctor_finds_a_well_kept_host_and_slack_in_order(bot: Bot) -> None:
    done = bot.installation.maskbot("doctor", "--json")

    assert [one for one in json.loads(done.stdout)["findings"] if not one["is_ok"]] == []
    assert done.returncode == 0


SLACK = {
    "teams": "Write `teams: [T0MASKLAB]` into policy.yaml, or leave `teams` out.",
    "channel C000RANDOM": "Type `/invite @maskbot` in #random, or remove it from policy.yaml.",
    "U0NOBODY in group eng": "Correct the id in `groups` of policy.yaml (in Slack: a person's profile, three dots,",
    "group sre": "Correct `slack_group` in policy.yaml; user groups need the scope usergroups:read and a paid plan.",
}
HOSTS = {
    "web-01: host key": "Compare with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the host itself.",
    "login: login": "`maskbot host install-script --login maskbott | ssh -p",
    "port: reachable": "Check that sshd listens at 127.0.0.1 port 9, as ",
    "name: reachable": "Correct the address in ",
}


def test_doctor_names_each_of_many_mistakes_about_slack_and_hosts_with_what_mends_it(
    installation: Installation, host: LabHost
) -> None:
    """Each is made beside the others, and none hides another; tests/config has those that need nobody."""
    config = installation.folder / "config"
    policy = yaml.safe_load((config / "policy.yaml").read_text())
    policy["groups"] = {"eng": {"users": ["U0NOBODY"]}, "sre": {"slack_group": "S0NOGROUP"}}
    policy |= {"teams": ["T0OTHER"], "operations_channel": "C000RANDOM"}
    (config / "policy.yaml").write_text(yaml.safe_dump(policy))
    (right,) = yaml.safe_load((config / "hosts.yaml").read_text())["hosts"]
    del right["machine_id"]
    wrong = [
        right | {"host_keys": [NOT_ITS_KEY]},
        right | {"name": "login", "address": "localhost", "login": "maskbott"},
        right | {"name": "port", "port": 9},
        right | {"name": "name", "address": "web-01.invalid"},
    ]
    (config / "hosts.yaml").write_text(json.dumps({"hosts": wrong}))
    done = installation.maskbot("doctor", "--json")
    found = [one for one in json.loads(done.stdout)["findings"] if not one["is_ok"]]
    fixes = {f"{one['about']}: {one['check']}".removeprefix("Slack: "): one["fix"] for one in found}
    assert done.returncode == 1
    for where, fix in {**SLACK, **HOSTS}.items():
        assert fixes.get(where, "").startswith(fix), fixes
    assert all(fixes.values())
    assert f"as {config}/hosts.yaml:1 says" in fixes["port: reachable"]


@pytest.fixture
def away(installation: Installation) -> Installation:
    """The same, on the day when Slack is down and there is no bot."""
    return replace(installation, environment={**installation.environment, "SLACK_API_URL": "http://127.0.0.1:9/api/"})


def test_root_carries_out_while_slack_is_down_with_a_second_persons_approval(
    host: LabHost, away: Installation, asking: Any
) -> None:
    mask = asking("mask", "web-01", "cron", "--carry-out", without=away)

    assert approved(away, mask.until("waits for 1 approval"))[0] == 0
    code, said, progress = mask.end()

    assert code == 0, progress
    assert "MASKED AND PROVEN" in said
    assert states(host)["LoadState"] == "masked"
    assert away.maskbot("audit", "verify").returncode == 0
    assert "cron.service on web-01" in away.maskbot("list").stdout


def test_what_was_carried_out_without_slack_is_told_there_by_the_next_run(
    away: Installation, asking: Any, slack: SlackLab, installation: Installation
) -> None:
    mask = asking("mask", "web-01", "cron", "--carry-out", without=away)
    approved(away, mask.until("waits for 1 approval"))
    assert mask.end()[0] == 0
    assert slack.messages("incident") == []

    with Bot(installation):
        card = slack.wait_for(lambda: slack.messages("incident"), SECONDS)[0]

    assert "MASKED AND PROVEN" in json.dumps(card)


def test_beside_a_running_bot_nothing_is_carried_out(bot: Bot) -> None:
    done = bot.installation.maskbot("mask", "web-01", "cron", "--carry-out")

    assert done.returncode == 1
    assert "Another maskbot" in done.stderr


@pytest.mark.parametrize(
    ("name", "token", "what"),
    [
        ("SLACK_BOT_TOKEN", "xoxb-of-somebody-else", "it"),
        ("SLACK_APP_TOKEN", "xapp-1-A0MASKBOT-1-of-somebody-else", "the app token"),
    ],
)
def test_a_token_that_slack_refuses_ends_the_run_with_a_sentence(
    name: str, token: str, what: str, installation: Installation
) -> None:
    wrong = replace(installation, environment={**installation.environment, name: token})

    done = wrong.maskbot("run")

    assert done.returncode == 1
    assert json.loads(done.stderr.splitlines()[-1])["why"] == (
        f"The bot cannot connect. Slack refused {what} (invalid_auth). `maskbot doctor` says what to do."
    )
