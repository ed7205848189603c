"""A structured log line at level debug. A process that has set up no log, such as a test, writes none."""

from typing import Any

import structlog

log = structlog.get_logger()


def debug(event: str, **said: Any) -> None:
    """Log it, if this process has a log of that level."""
    if structlog.is_configured():
        log.debug(event, **said)
