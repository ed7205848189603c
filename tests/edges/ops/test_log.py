"""What the process says about itself: no secrets, whoever lets one slip, and each line readable by a program."""

import json
import logging

import pytest
import structlog

from bot.edges.ops import log

TOKEN = "xoxb-123456-abcdef"
pytestmark = pytest.mark.usefixtures("log_as_before")


@pytest.mark.parametrize(
    "secret",
    [
        TOKEN,
        "xapp-1-A1-2-0a1b2c",
        "postgresql://bot:pass-word@db/maskbot",
        "postgresql://:pass-word/with@db/maskbot",
        "postgresql://db/maskbot?user=bot&password=pass-word&sslmode=require",
        "https://example.com/alert?apiKey=pass-word",
        "https://hooks.slack.com/commands/T1/pass-word",
    ],
)
def test_a_secret_in_a_line_is_blacked_out(capsys: pytest.CaptureFixture[str], secret: str) -> None:
    writer = log.set_up(level="info", as_json=True)

    structlog.get_logger().warning(f"no luck with {secret}", why=f"{secret} again")

    assert writer.settle()
    said = capsys.readouterr().err
    assert said.count("[secret]") == 2
    assert not any(part in said for part in (TOKEN, "0a1b2c", "pass-word"))


def test_a_secret_inside_of_what_is_logged_is_blacked_out(capsys: pytest.CaptureFixture[str]) -> None:
    writer = log.set_up(level="debug", as_json=True)

    structlog.get_logger().debug("exec.result", data={"stderr": TOKEN, "argv": ["x", TOKEN], "exit": 1}, code=None)

    assert writer.settle()
    said = json.loads(capsys.readouterr().err)
    assert said["data"] == {"stderr": "[secret]", "argv": ["x", "[secret]"], "exit": 1}
    assert "code" not in said


def test_a_secret_in_a_traceback_is_blacked_out_too(capsys: pytest.CaptureFixture[str]) -> None:
    writer = log.set_up(level="info", as_json=True)
    try:
        raise RuntimeError(TOKEN)
    except RuntimeError:
        structlog.get_logger().exception("failed")

    assert writer.settle()
    said = json.loads(capsys.readouterr().err)
    assert "RuntimeError: [secret]" in said["exception"]


def test_at_a_terminal_an_exception_shows_no_values_of_variables(capsys: pytest.CaptureFixture[str]) -> None:
    writer = log.set_up(level="info", as_json=False)
    hidden = "a password in a variable"
    try:
        raise RuntimeError(len(hidden))
    except RuntimeError:
        structlog.get_logger().exception("failed")

    assert writer.settle()
    said = capsys.readouterr().err
    assert "RuntimeError" in said
    assert hidden not in said.replace('hidden = "a password in a variable"', "")


def test_at_a_terminal_foreign_text_moves_nothing_and_begins_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    writer = log.set_up(level="info", as_json=False)
    foreign = "x\r\n2026-11-30T08:00:00Z [info] approved\u2028\u202e\x1b[2J\x9b2J\ud800é"
    said = structlog.get_logger()
    said.warning(foreign, short="U\x1b[2Jx", whole=foreign)
    logging.getLogger("library").warning("%s", foreign)
    try:
        raise ValueError(foreign)
    except ValueError:
        said.exception("failed")

    assert writer.settle()
    lines = capsys.readouterr().err.split("\n")
    assert all(line.isprintable() for line in lines)
    assert sum(line.startswith("20") for line in lines) == 3
    assert "é" in "".join(lines)
    assert not [line for line in lines if line and not line.startswith(("20", "  "))]


def test_other_peoples_libraries_are_heard_from_warnings_on(capsys: pytest.CaptureFixture[str]) -> None:
    writer = log.set_up(level="info", as_json=True)

    logging.getLogger("alembic").info("not this")
    logging.getLogger("alembic").warning("but this %s", TOKEN)

    assert writer.settle()
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "but this [secret]"


def test_whoever_reaches_a_port_does_not_fill_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    writer = log.set_up(level="info", as_json=True)

    logging.getLogger("waitress.queue").warning("Task queue depth is 1")
    logging.getLogger("waitress").error("Exception while serving /healthz")

    assert writer.settle()
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "Exception while serving /healthz"


def test_below_its_level_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    writer = log.set_up(level="warning", as_json=True)

    structlog.get_logger().info("not this")

    assert writer.settle()
    assert capsys.readouterr().err == ""
