"""The rules that the bot and the guard on a host share: names of units, the critical list, what goes down.

This file is copied into the guard, which runs with the host's own Python (3.6 or later) and loads nothing
that takes time: hence annotations in quotes, and neither `re` nor `fnmatch`.
"""

from collections.abc import Callable, Iterable, Mapping

UNIT_TYPES = (
    "service", "socket", "device", "mount", "automount", "swap", "target", "path", "timer", "slice", "scope",
)  # fmt: skip
_FIRST = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
_SIGNS = _FIRST | {":", ".", "-"}
_HEX = frozenset("0123456789abcdef")
_LONGEST_NAME = 255
_ESCAPE = 2  # `x2d` has one sign more
_LOOPBACK = ("127.", "::1", "::ffff:127.")

TRIGGER_TYPES = ("socket", "timer", "path")
"""The types of units that start others (systemd.socket(5), systemd.timer(5), systemd.path(5))."""

MASKABLE_TYPES = ("service", *TRIGGER_TYPES)
"""The types of units that are ever masked."""

STOPS_TOO = ("RequiredBy", "RequisiteOf", "BoundBy", "ConsistsOf", "PropagatesStopTo")
"""All relations by which a stop of one unit stops others; `list-dependencies --reverse` omits PartOf= (measured)."""

GUARD = "/usr/local/libexec/maskbot-guard"
"""The only command that the bot runs on a host."""

PROBE = "mask-probe.service"
"""A name that no unit has, and no critical list: a mask is tried with it where ours goes, and taken away at once."""

LOOK_SECONDS = 20
LONGEST_LOOK = 90
"""How many seconds the script of a look may run on the host: if the bot does not say how long, and at most."""

RIGHTS_FD = 9
"""Where a look's script reads what root would do for the bot, with the head of that part."""

STARTS_TOO = ("Requires", "Requisite", "BindsTo", "Wants", "Upholds")
"""All relations by which a start of one unit starts others."""

NEEDED_BY = ("RequiredBy", "RequisiteOf", "WantedBy", "BoundBy", "UpheldBy")
"""By which a unit that runs keeps one up that has StopWhenUnneeded=yes: `STARTS_TOO`, from the other side."""

NEEDED_BY_ALL = ("sysinit.target", "basic.target", "system.slice", "-.slice", "-.mount")
"""Units that others need by default (systemd.service(5)): something that runs always does. To ask systemd about one of
them takes long, because it names all that come after it.
"""

RIVALS = ("Conflicts", "ConflictedBy")
"""All relations by which a start of one unit stops others: Conflicts= counts on both sides (measured)."""

END_ACTIONS = ("SuccessAction", "FailureAction", "JobTimeoutAction", "StartLimitAction")
"""Settings that may take the whole host down when a unit ends, or when it is started too often."""

REMOTE_ACCESS = ("ssh.service", "sshd.service", "ssh.socket", "sshd.socket")
"""Our way in by its names alone, also where a host tells nothing."""

END_STARTS = ("OnSuccess", "OnFailure")
"""Settings that start other units when a unit ends; some of those end the host (`ENDS_THE_HOST`)."""

WHOLE_TYPES = ("*.target", "*.mount", "*.automount", "*.slice", "*.scope")
"""Entries of the critical list that are not about a particular unit."""

# Of those, the units that carry the host: systemd.special(7), and mounts of the system itself.
VITAL = (
    "basic.target", "boot-complete.target", "cryptsetup*.target", "ctrl-alt-del.target", "default.target",
    "emergency.target", "exit.target", "factory-reset.target", "final.target", "first-boot-complete.target",
    "getty*.target", "graphical.target", "halt.target", "hibernate.target", "hybrid-sleep.target", "initrd*.target",
    "integritysetup*.target", "kexec.target", "local-fs*.target", "machines.target", "multi-user.target",
    "network*.target", "nss-*.target", "paths.target", "poweroff.target", "reboot.target", "remote-*.target",
    "rescue.target", "rpcbind.target", "runlevel*.target", "shutdown.target", "sigpwr.target", "sleep.target",
    "slices.target", "sockets.target", "soft-reboot.target", "suspend*.target", "swap.target", "sysinit.target",
    "system-update*.target", "time-s*.target", "timers.target", "umount.target", "veritysetup*.target",
    "-.mount", "boot*.mount", "dev*.mount", "efi*.mount", "etc*.mount", "home.mount", "proc*.mount", "root.mount",
    "run*.mount", "sys*.mount", "tmp.mount", "usr*.mount", "var*.mount",
    "-.slice", "init.scope", "machine.slice", "session-*.scope", "system.slice", "user.slice", "user-*.slice",
    "boot.automount", "efi.automount", "home.automount", "proc-sys-fs-binfmt_misc.automount",
)  # fmt: skip

ENDS_THE_HOST = (
    "ctrl-alt-del.target", "emergency.*", "exit.target", "factory-reset.target", "final.target", "halt.target",
    "hibernate.target", "hybrid-sleep.target", "initrd*", "kexec.target", "poweroff.target", "reboot.target",
    "rescue.*", "runlevel[016].target", "shutdown.target", "sleep.target", "soft-reboot.target", "suspend*.target",
    "system-update*", "systemd-exit.service", "systemd-halt.service", "systemd-hibernate*", "systemd-hybrid-sleep*",
    "systemd-kexec.service", "systemd-poweroff.service", "systemd-reboot.service", "systemd-soft-reboot.service",
    "systemd-suspend*", "umount.target",
)  # fmt: skip
"""What nobody may bring up with another unit: the host would go down, or to a shell that nobody can reach."""


def is_unit_name(text: "str") -> "bool":
    """Whether it is systemd's own unit_name_is_valid(), narrowed: no leading `-`, `.` or backslash, no `..`.

    A backslash is allowed only as systemd-escape(1) writes one. Checked against systemd 252 on 916 names without a
    difference before it was narrowed.
    """
    stem, _, kind = text.rpartition(".")
    if kind not in UNIT_TYPES or len(text) > _LONGEST_NAME or stem[:1] not in _FIRST or ".." in text:
        return False
    prefix, _, instance = stem.partition("@")
    return _has_only(prefix, _SIGNS) and _has_only(instance, _SIGNS | {"@"})


def _has_only(text: "str", signs: "frozenset[str]") -> "bool":
    """Whether there are only these signs, and others as `\\x2d`."""
    first, *escaped = text.split("\\")
    return signs.issuperset(first) and all(_is_escape(part) and signs.issuperset(part[3:]) for part in escaped)


def is_template(unit: "str") -> "bool":
    """Whether it is a template, `foo@.service`: a pattern for units, not a unit."""
    return unit.rpartition(".")[0].partition("@")[1:] == ("@", "")


def with_templates(names: "Iterable[str]") -> "tuple[str, ...]":
    r"""Names with their template and unescaped forms: `getty@tty1.service` also `getty@.service`, `a\x2db` also
    `a-b`.
    """
    wide: dict[str, None] = {}
    for name in names:
        stem, dot, kind = name.rpartition(".")
        wide[name] = None
        if "@" in stem:
            wide[f"{stem.partition('@')[0]}@{dot}{kind}"] = None
        wide[_unescaped(name)] = None
    return tuple(wide)


def _unescaped(name: "str") -> "str":
    first, *escaped = name.split("\\")
    parts = [chr(int(part[1:3], 16)) + part[3:] if _is_escape(part) else f"\\{part}" for part in escaped]
    return "".join([first, *parts])


def _is_escape(part: "str") -> "bool":
    return part[:1] == "x" and len(part) > _ESCAPE and _HEX.issuperset(part[1:3])


def is_match(pattern: "str", name: "str") -> "bool":
    """Whether a shell-style pattern (`*`, `?`, `[...]`) matches the whole name, with case: as fnmatch.fnmatchcase()."""
    start = pattern.partition("*")[0]
    if "[" not in start and "?" not in start and not name.startswith(start):
        return False  # as most do
    at, place, star, resume = 0, 0, -1, 0
    while place < len(name):
        end = _match_one(pattern, at, name[place]) if at < len(pattern) and pattern[at] != "*" else -1
        if end > 0:
            at, place = end, place + 1
        elif at < len(pattern) and pattern[at] == "*":
            star, resume, at = at, place, at + 1
        elif star >= 0:
            at, resume, place = star + 1, resume + 1, resume + 1
        else:
            return False
    return not pattern[at:].strip("*")


def _match_one(pattern: "str", at: "int", sign: "str") -> "int":
    """Where the pattern goes on after one sign; -1 if the sign does not match."""
    if pattern[at] == "[":
        end = pattern.find("]", at + (3 if pattern[at + 1 : at + 2] == "!" else 2))
        if end > 0:
            chosen = pattern[at + 1 : end]
            is_other = chosen[:1] == "!"
            return end + 1 if _is_among(chosen[1:] if is_other else chosen, sign) != is_other else -1
    return at + 1 if pattern[at] in ("?", sign) else -1


def _is_among(chosen: "str", sign: "str") -> "bool":
    """Whether the sign is in the brackets, which hold signs and ranges (`a-z`)."""
    at = 0
    while at < len(chosen):
        if chosen[at + 1 : at + 2] == "-" and at + 2 < len(chosen):
            if chosen[at] <= sign <= chosen[at + 2]:
                return True
            at += 3
        elif chosen[at] == sign:
            return True
        else:
            at += 1
    return False


def first_listed(patterns: "Iterable[str]", names: "Iterable[str]") -> "tuple[str, str] | None":
    """The first name that a pattern matches, and that pattern."""
    patterns = tuple(patterns)
    return next(((name, one) for name in names for one in patterns if is_match(one, name)), None)


def first_that_carries(patterns: "Iterable[str]", names: "Iterable[str]") -> "tuple[str, str] | None":
    """The first of these names that carries the host for itself, as boot or storage; not every target or mount does.

    A target or mount that the boot needs has a vital target that depends on it, which is checked too.
    """
    patterns, names = tuple(patterns), tuple(names)
    by_itself = (one for one in patterns if one not in WHOLE_TYPES)
    vital = (name for name in names if any(is_match(one, name) for one in VITAL))
    return first_listed(by_itself, names) or first_listed(patterns, vital)


def started_by_name(names: "Iterable[str]") -> "list[str]":
    """What units of these names start unless configured: systemd.socket(5), systemd.timer(5), systemd.path(5)."""
    stems = [name.rpartition(".")[0] for name in names if name.rpartition(".")[2] in TRIGGER_TYPES]
    return [f"{stem}{suffix}" for stem in stems for suffix in (".service", "@.service")]


def comes_from_here(client: "str", server: "str") -> "bool":
    """Whether a connection between these addresses has both ends on the host itself, as through a relay there."""
    return client == server or client.startswith(_LOOPBACK)


def ends_of_host(
    unit: "Mapping[str, str]", names_in: "Callable[[str], Iterable[str]]"
) -> "tuple[dict[str, str], list[tuple[str, str]]]":
    """How the end of a unit may end the host, by its properties: the actions of its settings, and what it starts then.

    `names_in` reads the names of units from a property. `{"SuccessAction": "reboot"}, [("OnFailure", "halt.target")]`
    """
    actions = {key: unit[key] for key in END_ACTIONS if unit.get(key) not in (None, "", "none")}
    started = [(key, name) for key in END_STARTS for name in names_in(unit.get(key, ""))]
    return actions, [(key, name) for key, name in started if first_listed(ENDS_THE_HOST, [name])]


def reached(start: "str", related: "Callable[[list[str]], Iterable[str]]") -> "list[str]":
    """Every other unit that relations lead to, directly or indirectly: `related` is asked about one level at a time."""
    found: dict[str, None] = {}
    level = [start]
    while level:
        level = [name for name in dict.fromkeys(related(level)) if name not in found and name != start]
        found.update(dict.fromkeys(level))
    return list(found)
