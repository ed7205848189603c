"""Configure logging on stderr: lines for a person at a terminal, JSON for programs.

No thread ever waits for whoever reads the log. The audit log is separate: it is in the database, and nothing of it is
ever dropped.
"""

import json
import logging
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any

import structlog

from bot.edges.ops.log_writer import LogWriter

# Slack's tokens and the path of its webhooks, and a secret in a URL, in front of the host or among the options.
# We log none on purpose; errors of libraries might.
_SECRET = re.compile(
    r"x(?:ox[a-z]|app)-[A-Za-z0-9-]{5,}"
    r"|(?<=://hooks\.slack\.com/)[^\s\"'<>)]+"
    r"|(?<=://)[^/\s:@]*:[^\s@\"']+(?=@)"
    r"|(?i:(?<=[?&])[a-z_-]*(?:pass|secret|token|key|sig)[a-z_-]*=[^&\s\"'<>)]+)"
)
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
# Errors that the first two report are raised as well. The third warns of each request that waits: whoever reaches a
# port would fill the log.
_TOO_CHATTY = {
    "paramiko": logging.CRITICAL,
    "slack_sdk.web.base_client": logging.CRITICAL,
    "waitress": logging.ERROR,
}


def set_up(*, level: str, as_json: bool) -> LogWriter:
    """Log from this level on; libraries from `warning` on. The last lines are still written at exit."""
    writer = LogWriter(sys.stderr, dropped=in_json) if as_json else LogWriter(sys.stderr)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _without_secrets,
            *([structlog.processors.JSONRenderer()] if as_json else [_on_lines_of_its_own, _for_people()]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda *_: _Lines(writer),
        cache_logger_on_first_use=False,  # loggers are not cached, so that a new configuration reaches all of them
    )
    logging.basicConfig(handlers=[_Forward()], level=max(_LEVELS[level], logging.WARNING), force=True)
    for name, least in _TOO_CHATTY.items():
        logging.getLogger(name).setLevel(least)
    return writer


def in_json(dropped: int) -> str:
    """What stands in a log of JSON in place of lines that were dropped."""
    return json.dumps({"event": "lines dropped: nobody read them in time", "lines": dropped, "level": "warning"})


def saying(out: LogWriter) -> Callable[[str], None]:
    """What the process says of itself on standard output, as lines of JSON."""

    def say(text: str) -> None:
        stamp = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        out.say(json.dumps({"event": text, "level": "info", "timestamp": stamp}))

    return say


class _Lines:
    """structlog's output: a method for each level, all alike."""

    def __init__(self, writer: LogWriter) -> None:
        self.debug = self.info = self.warning = self.error = self.critical = writer.say


class _Forward(logging.Handler):
    """Forward log records of libraries."""

    def emit(self, record: logging.LogRecord) -> None:
        said = structlog.get_logger(record.name)
        said.log(record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info)


def _without_secrets(_: Any, __: str, said: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: _cleaned(value) for key, value in said.items() if value is not None}


def _cleaned(value: Any) -> Any:
    """A value without secrets, whatever it is made of."""
    match value:
        case str():
            return _SECRET.sub("[secret]", value)
        case Mapping():
            return {key: _cleaned(each) for key, each in value.items()}
        case list() | tuple():
            return [_cleaned(each) for each in value]
        case _:
            return value


def _on_lines_of_its_own(_: Any, __: str, said: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Foreign text moves nothing at a terminal and begins no line there; JSON escapes it anyway."""
    return {key: _visible(value, margin="  " * (key == "exception")) for key, value in said.items()}


def _visible(value: Any, *, margin: str) -> Any:
    if not isinstance(value, str):
        return value
    lines = value.splitlines() if margin else [value]
    return "\n".join(margin + "".join(map(_escaped, line)) for line in lines)


def _escaped(sign: str) -> str:
    return sign if sign.isprintable() else sign.encode("unicode_escape").decode()


def _for_people() -> structlog.dev.ConsoleRenderer:
    plain = structlog.dev.plain_traceback  # the other formatter shows the values of variables
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)
