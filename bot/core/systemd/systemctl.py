"""The commands that we send to a host, and the sudo rules for them: nothing else is ever sent."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from bot.core.systemd.mask_links import FIND, LINK, UNLINK, UNPROBE, removing, removing_probe
from bot.core.systemd.mask_links import PROBE as PROBE_NAME
from bot.core.systemd.properties import (
    RELATIONS,
    SHOWN,
    SHOWN_OF_EDITED,
    SHOWN_OF_MANAGER,
    SHOWN_OF_NAME,
    SHOWN_OF_OLDER,
    SHOWN_OF_RELATED,
    STAT_FORMAT,
    STATES,
    STATUS,
)
from bot.core.systemd.search_path import folder_of
from bot.core.systemd.units import Layer, LayerFile, UnitName
from bot.errors import UsageError

Argv = tuple[str, ...]

# A command that runs as root: `{unit}` is the only word that varies.
_SYSTEMCTL: Argv = ("/usr/bin/systemctl", "--no-ask-password")
_STOP: Argv = (*_SYSTEMCTL, "stop", "--no-block", "--", "{unit}")
# Every process of its control group, whatever KillMode= and SendSIGKILL= say: systemctl(1), `kill`.
_KILL: Argv = (*_SYSTEMCTL, "kill", "--signal=SIGKILL", "--", "{unit}")
_START: Argv = (*_SYSTEMCTL, "start", "--no-block", "--", "{unit}")
_RESET_FAILED: Argv = (*_SYSTEMCTL, "reset-failed", "--", "{unit}")
_RELOAD: Argv = (*_SYSTEMCTL, "daemon-reload")

# systemctl makes directories that a user may not have yet; a process of that user removes the link.
_LINK_OF_USER: Mapping[Layer, Argv] = MappingProxyType(
    {
        Layer.PERSISTENT: (*_SYSTEMCTL, "mask", "--no-reload", "--", "{unit}"),
        Layer.RUNTIME: (*_SYSTEMCTL, "mask", "--runtime", "--no-reload", "--", "{unit}"),
    }
)
_UNLINK_OF_USER: Argv = removing("{link}")
_UNPROBE_OF_USER: Argv = removing_probe("{probe}")
_BY_USER = (_UNLINK_OF_USER, _UNPROBE_OF_USER)

_COMMON: Mapping[str, tuple[Argv, ...]] = MappingProxyType(
    {"stop": (_STOP,), "start": (_START,), "reset-failed": (_RESET_FAILED,), "reload": (_RELOAD,), "kill": (_KILL,)}
)
RIGHTS: Mapping[str, tuple[Argv, ...]] = MappingProxyType(
    {
        "mask": tuple(forms[layer] for layer in (Layer.PERSISTENT, Layer.RUNTIME) for forms in (LINK, UNPROBE)),
        "unmask": (UNLINK[Layer.PERSISTENT], UNLINK[Layer.RUNTIME]),
        **_COMMON,
        "control": (LINK[Layer.CONTROL], UNPROBE[Layer.CONTROL], UNLINK[Layer.CONTROL]),
    }
)
"""What root does for us, by the word that a look reports when sudo admits all of it."""

USER_RIGHTS: Mapping[str, tuple[Argv, ...]] = MappingProxyType(
    {"mask": (*_LINK_OF_USER.values(), _UNPROBE_OF_USER), "unmask": (_UNLINK_OF_USER,), **_COMMON}
)
"""The same for a user's own manager, where the control layer is left alone."""

PROBE = UnitName(PROBE_NAME)
_IDENTITY = re.compile(r"(?P<inode>\d+):(?P<changed>\d+\.\d+)", re.ASCII)
_LOGIN = re.compile(r"[a-z_][a-z0-9_-]{0,30}", re.ASCII)


def checked_login(name: str) -> str:
    """A login name that is safe as a word of a command (useradd(8)'s own default grammar). Raises `UsageError`."""
    if not _LOGIN.fullmatch(name):
        raise UsageError(f"`{name[:40]}` is not a login name.")
    return name


def _for_root(form: Argv, *, user: str = "", unit: object = "", **more: str) -> Argv:
    varying = {"unit": str(unit), **more}
    words = tuple(re.sub(r"\{(\w+)\}", lambda found: varying[found[1]], word) for word in form)
    return with_sudo(words, user and checked_login(user))


def with_sudo(words: Argv, user: str = "") -> Argv:
    """The whole command line, with sudo: as root, or as the user for the user's own files."""
    if user and words[0] == FIND:
        return ("sudo", "-n", "-u", user, *words)
    return ("sudo", "-n", *for_manager(words, user))


def for_manager(words: Argv, user: str) -> Argv:
    """The command for a user's own manager: root reaches it through the user's login, systemctl(1) -M."""
    if not user:
        return words
    return (*_SYSTEMCTL, "--user", "-M", f"{user}@.host", *words[len(_SYSTEMCTL) :])


def link_argv(unit: UnitName, layer: Layer, *, user: str = "") -> Argv:
    """Make the mask's link. It has no effect before a reload, and nothing is stopped."""
    form = _LINK_OF_USER[_user_layer(layer)] if user else LINK[layer]
    return _for_root(form, user=user, unit=unit)


def unlink_argv(unit: UnitName, file: LayerFile, *, user: str = "") -> Argv:
    """Remove the mask's link where a look found it, if it is still the same, and nothing else."""
    identity = _IDENTITY.fullmatch(file.identity)
    if identity is None:
        raise UsageError("A link that was not seen is not removed.")
    known = identity.groupdict()
    if not user:
        return _for_root(UNLINK[file.layer], unit=unit, **known)
    return _for_root(_UNLINK_OF_USER, user=user, link=_of_user(file, unit, "{link}"), **known)


def unprobe_argv(file: LayerFile, *, user: str = "") -> Argv:
    """Remove the probe's link, beside that file of a layer."""
    if not user:
        return _for_root(UNPROBE[file.layer])
    return _for_root(_UNPROBE_OF_USER, user=user, probe=_of_user(file, PROBE, "{probe}"))


def _of_user(file: LayerFile, unit: UnitName, pattern: str) -> str:
    """The path of a user's mask, in the directory where a look found that file."""
    _user_layer(file.layer)
    link = f"{folder_of(file.path)}/{unit}"
    if not re.fullmatch(as_pattern(pattern), link, re.ASCII):
        raise UsageError(f"`{link[:80]}` is not where a user's mask can be.")
    return link


def _user_layer(layer: Layer) -> Layer:
    if layer is Layer.CONTROL:
        raise UsageError("The control layer is not used for the units of a user's own manager.")
    return layer


def stop_argv(unit: UnitName, *, user: str = "") -> Argv:
    """Request a stop without waiting; its effect is seen by looking."""
    return _for_root(_STOP, user=user, unit=unit)


def kill_argv(unit: UnitName, *, user: str = "") -> Argv:
    """Send SIGKILL to every process of the unit."""
    return _for_root(_KILL, user=user, unit=unit)


def start_argv(unit: UnitName, *, user: str = "") -> Argv:
    """Request a start without waiting; a masked unit is refused at once (measured)."""
    return _for_root(_START, user=user, unit=unit)


def reset_failed_argv(unit: UnitName, *, user: str = "") -> Argv:
    """Reset the unit's failed state."""
    return _for_root(_RESET_FAILED, user=user, unit=unit)


def reload_argv(*, user: str = "") -> Argv:
    """Make systemd reload all unit files, also those that other people have edited."""
    return _for_root(_RELOAD, user=user)


def status_argv(unit: UnitName, *, user: str = "") -> Argv:
    """The status for people, as evidence in the thread; never read by the bot."""
    return tuple(word.replace("{unit}", str(unit)) for word in status_form(user and checked_login(user)))


def status_form(user: str = "") -> Argv:
    """The status command with a placeholder for the unit."""
    words = (*_SYSTEMCTL, *STATUS, "{unit}")
    if user:
        return ("sudo", "-n", *for_manager(words, user))
    return ("/usr/bin/env", "LC_ALL=C", "SYSTEMD_COLORS=0", *words)


# The types that may be masked, and no name that could be a path, an option or a pattern. A backslash is allowed only
# where systemd-escape(1) writes one (`\x2d`), and in brackets, for sudo and sh(1) remove one of two elsewhere.
# Templates are left out on purpose: their mask would affect all their instances. The length is not limited here:
# glibc compiles a counted repetition as that many copies, which cost each call of sudo 60 ms.
STARTABLE = ("service", "socket", "timer", "path")
_ESCAPED = r"[\\]x([01][0-9a-f]|2[0-9a-e]|3[b-f]|40|5[b-e]|60|7[b-f]|[89a-f][0-9a-f])"
_STEM = rf"[A-Za-z0-9_]([A-Za-z0-9:_.-]|{_ESCAPED})*"
_UNIT = rf"{_STEM}(@([A-Za-z0-9:_.@-]|{_ESCAPED})+)?\.({'|'.join(STARTABLE)})"
_PATTERNS = {
    "{unit}": _UNIT,
    "{units}": f"{_UNIT}( {_UNIT})*",
    "{link}": f"/[^ ]+/systemd/user/{_UNIT}",
    "{probe}": f"/[^ ]+/systemd/user/{PROBE_NAME}".replace(".", "[.]"),
    "{inode}": "[0-9]+",
    "{changed}": "[0-9]+[.][0-9]+",
    "{names}": "[^ ]+( [^ ]+)*",  # only to be shown
    "{layer}": f"/[^ ]+/systemd/user(\\.control)?/{_UNIT}",
}


def sudoers_fragment(login: str, *, users: Sequence[str] = ()) -> str:
    """The lines of sudoers(5) that allow exactly these commands, for sudo 1.9.10 or later (regular expressions).

    `users` are the people whose own managers the bot may use.
    """
    commands = [admitted(form) for forms in RIGHTS.values() for form in forms]
    alias = f"{checked_login(login).upper().replace('-', '_')}_COMMANDS"
    lines = [
        f"Cmnd_Alias {alias} = \\",
        *(f"    {command}, \\" for command in commands[:-1]),
        f"    {commands[-1]}",
        f"Defaults:{login} !requiretty, env_reset, !setenv",
        f"{login} ALL=(root) NOPASSWD: {alias}",
    ]
    for user in users:
        lines += _user_lines(login, checked_login(user))
    return "\n".join(lines) + "\n"


def admitted(form: Argv) -> str:
    """A command in the syntax of sudoers(5); varying words are a regular expression over all arguments together."""
    return f"{form[0]} ^{as_pattern(' '.join(form[1:]))}$"


def is_admitted_name(unit: str) -> bool:
    """Whether the pattern for units, of all that is allowed, matches this name."""
    return bool(re.fullmatch(_UNIT, unit, re.ASCII))


def as_pattern(words: str) -> str:
    """A command as an extended regular expression, with a pattern for each word that varies."""
    for sign in "|.*+":
        words = words.replace(sign, f"\\{sign}")
    for word, pattern in _PATTERNS.items():
        words = words.replace(word, pattern)
    return words


def _user_lines(login: str, user: str) -> list[str]:
    """A user's manager answers only to root and to that user, and the user owns the directories of its layers."""
    asked: list[Argv] = [
        ("show", "-p", ",".join((*SHOWN, *RELATIONS)), "--", "{unit}"),
        ("show", "-p", ",".join(SHOWN_OF_NAME), "--", "{units}"),
        ("show", "-p", ",".join(SHOWN_OF_RELATED), "--", "{names}"),
        ("show", "-p", ",".join(SHOWN_OF_EDITED), "--", "{names}"),
        SHOWN_OF_MANAGER,
        SHOWN_OF_OLDER,
        STATES,
        (*STATUS, "{unit}"),
    ]
    changed = [form for forms in USER_RIGHTS.values() for form in forms if form not in _BY_USER]
    forms = [for_manager(form, user) for form in changed + [(*_SYSTEMCTL, *words) for words in asked]]
    layers = ("/usr/bin/stat", "-c", STAT_FORMAT, "--", "/", "{layer}", "{layer}", "{layer}")
    return [
        *(f"{login} ALL=(root) NOPASSWD: {admitted(form)}" for form in forms),
        *(f"{login} ALL=({user}) NOPASSWD: {admitted(form)}" for form in (layers, *_BY_USER)),
    ]
