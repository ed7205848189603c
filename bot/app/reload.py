"""Reload the configuration: a valid one replaces the current one as a whole; otherwise nothing changes."""

import time
from collections.abc import Callable

import structlog

from bot.app.compose import Assembly
from bot.errors import ConfigError, MaskbotError
from bot.workflow.engine.config_reload import put_in_force, reject_configuration
from config.loading import Configuration
from config.settings import Settings
from config.start import load_anew

log = structlog.get_logger()
_SETTLED = 0.25  # seconds between two reads: files that are being written differ
_TRIES = 8


def reload(assembly: Assembly, say: Callable[[str], None]) -> None:
    """Read the files again and put them in force, or report why not. Never raises: the bot keeps what it has."""
    deps = assembly.deps
    try:
        configuration = read_settled(assembly.settings)
        what = put_in_force(deps, configuration.configured)
    except ConfigError as error:
        complaints = str(error).splitlines()
        say("configuration NOT reloaded, the old one stays in force:")
        for line in complaints:
            say(f"  {line}")
        _try_to_record(lambda: reject_configuration(deps, complaints))
    except MaskbotError as error:
        say(f"configuration NOT reloaded, the old one stays in force: {error}")
    else:
        for warning in configuration.warnings:
            say(f"warning: {warning.text}")
        say(f"configuration reloaded: {'; '.join(what) or 'nothing new'}")


def why_not_in_force(assembly: Assembly) -> str:
    """How the files differ from what is in force; empty if they do not."""
    try:
        found = load_anew(assembly.settings)
    except ConfigError:
        return "the configuration files hold mistakes now, and the old ones stay in force: `maskbot check` names them"
    if found.policy.digest == assembly.deps.in_force.policy.digest:
        return ""
    return "the configuration files have changed since they were read: reload them (SIGHUP)"


def read_settled(settings: Settings, *, pause: Callable[[float], None] = time.sleep) -> Configuration:
    """The configuration, once the files have not changed for a moment. Raises `ConfigError`.

    A half-written file may be invalid for a moment; or it may be valid, and say less than was meant.
    """
    before = _attempt(settings)
    for _ in range(_TRIES):
        pause(_SETTLED)
        now = _attempt(settings)
        if _same(before, now):
            return _or_raise(now)
        before = now
    raise ConfigError("The files changed while they were read. Reload again when they are complete.")


def _attempt(settings: Settings) -> Configuration | ConfigError:
    try:
        return load_anew(settings)
    except ConfigError as error:
        return error


def _same(before: Configuration | ConfigError, now: Configuration | ConfigError) -> bool:
    if isinstance(before, Configuration) and isinstance(now, Configuration):
        return before.policy.digest == now.policy.digest
    return str(before) == str(now)


def _or_raise(found: Configuration | ConfigError) -> Configuration:
    if isinstance(found, ConfigError):
        raise found
    return found


def _try_to_record(record: Callable[[], None]) -> None:
    try:
        record()
    except MaskbotError as error:
        log.error("config.rejection_not_recorded", why=str(error))
