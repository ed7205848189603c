"""Every command that we send to a host, as words for its guard: nothing else is ever sent."""

import re

from bot.core.systemd.guard import NAME, Argv
from bot.core.systemd.host_rules import PROBE as PROBE_NAME
from bot.core.systemd.units import Layer, LayerFile, UnitName
from bot.errors import UsageError

PROBE = UnitName(PROBE_NAME)
_IDENTITY = re.compile(r"\d+:\d+\.\d+", re.ASCII)
_LOGIN = re.compile(r"[a-z_][a-z0-9_-]{0,30}", re.ASCII)


def checked_login(name: str) -> str:
    """A login name that is safe as a word of a command (useradd(8)'s own default grammar). Raises `UsageError`."""
    if not _LOGIN.fullmatch(name):
        raise UsageError(f"`{name[:40]}` is not a login name.")
    return name


def asked_of_guard(*words: object, user: str = "") -> Argv:
    """The words of a request, about the system's own manager or about a user's."""
    of_user = ("--user", checked_login(user)) if user else ()
    return (NAME, *of_user, *map(str, words))


def probe_argv(layer: Layer, *, user: str = "") -> Argv:
    """Make a link under a name that no unit has and remove it, so that an impossible link fails before a stop."""
    return asked_of_guard("probe", _layer(layer, user), user=user)


def link_argv(unit: UnitName, layer: Layer, *, user: str = "") -> Argv:
    """Make the mask's link. It has no effect before a reload, and nothing is stopped."""
    return asked_of_guard("link", _layer(layer, user), unit, user=user)


def unlink_argv(unit: UnitName, file: LayerFile, *, user: str = "", foreign: bool = False) -> Argv:
    """Remove the mask's link where a look found it, if it is still the same, and nothing else.

    `foreign` is for one that the bot did not make.
    """
    if not _IDENTITY.fullmatch(file.identity):
        raise UsageError("A link that was not seen is not removed.")
    verb = "unlink-foreign" if foreign else "unlink"
    return asked_of_guard(verb, _layer(file.layer, user), unit, file.identity, user=user)


def _layer(layer: Layer, user: str) -> Layer:
    if user and layer is Layer.CONTROL:
        raise UsageError("The control layer is not used for the units of a user's own manager.")
    return layer


def stop_argv(unit: UnitName, *, user: str = "") -> Argv:
    """Request a stop without waiting; its effect is seen by looking."""
    return asked_of_guard("stop", unit, user=user)


def kill_argv(unit: UnitName, *, user: str = "") -> Argv:
    """Send SIGKILL to every process of the unit's control group, whatever KillMode= and SendSIGKILL= say."""
    return asked_of_guard("kill", unit, user=user)


def start_argv(unit: UnitName, *, user: str = "") -> Argv:
    """Request a start of what ran before, without waiting."""
    return asked_of_guard("start", unit, user=user)


def try_start_argv(unit: UnitName, *, user: str = "") -> Argv:
    """Try to start a masked unit, which is refused at once (measured); the guard tries no other."""
    return asked_of_guard("try-start", unit, user=user)


def reset_failed_argv(unit: UnitName, *, user: str = "") -> Argv:
    """Reset the unit's failed state."""
    return asked_of_guard("reset-failed", unit, user=user)


def reload_argv(*, user: str = "") -> Argv:
    """Make systemd reload all unit files, also those that other people have edited."""
    return asked_of_guard("reload", user=user)


def rules_argv() -> Argv:
    """The critical list that holds on the host, and whatever else its login may do there as root."""
    return asked_of_guard("rules")


def status_argv(unit: UnitName, *, user: str = "") -> Argv:
    """The status for people, as evidence in the thread; never read by the bot."""
    return asked_of_guard("status", unit, user=user)
