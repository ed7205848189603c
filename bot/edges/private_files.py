"""One rule for every file and folder that the bot reads or writes: who else can read it, change it, or owns it."""

import grp
import os
import pwd
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

_ACL_HEADER, _ACL_USER, _ACL_GROUP = 4, 0x02, 0x08  # bytes, and tags of entries (linux/posix_acl_xattr.h)


class Use(Enum):
    """What a file is for. Each value says what somebody who changes the file can do."""

    CONFIGURATION = "can approve anything"  # the bot only reads it, and should not own it
    SECRET = "can act as the bot, or keep it from working"  # noqa: S105 - no secret
    RECORDS = "can change what the bot remembers"  # the bot writes it: its database, its socket, what it keeps


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a file, and how to mend it. A serious one keeps the bot from starting."""

    path: Path
    text: str
    is_serious: bool

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


def faults(path: Path, use: Use, *, bot: int | None = None) -> list[Fault]:
    """What is wrong with a file or folder; nothing if it is not there.

    `bot` is the user id of the bot, by default of this process; root, who looks after a bot of another user, does not
    know it, and accepts any owner. What only the bot's own group can do is no fault: platforms for containers give
    files to a group in which only the bot is.
    """
    try:
        found = path.stat()
    except OSError:
        return []
    if bot is None:
        bot = os.geteuid() or found.st_uid
    is_shared = not _is_private(found.st_gid, bot) or _names_others(path, bot)
    wrong = _wrong(found, use, bot, is_shared=is_shared)
    is_ours = stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)  # nobody shall change the mode of a device
    texts = ((text.format(path=path) if is_ours else text.partition(" (")[0], bad) for text, bad in wrong)
    return [Fault(path, text, is_serious) for text, is_serious in texts]


def faults_above(path: Path, use: Use, *, bot: int) -> list[Fault]:
    """Who else can put another file in the place of this one: folders on the way to it, also where links lead."""
    found = list[Fault]()
    for folder in sorted({*path.absolute().parents, *path.resolve().parents}):
        try:
            status = folder.stat()
        except OSError:
            continue
        if status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
            who = f"everybody on this machine can write to it (chmod o-w {folder})"
        elif status.st_uid not in (0, bot):
            who = f"it belongs to {_name(status.st_uid)} (chown root {folder})"
        else:
            continue
        found.append(Fault(folder, f"{who}; whoever puts something else below it {use.value}", is_serious=False))
    return found


def _wrong(found: os.stat_result, use: Use, bot: int, *, is_shared: bool) -> Iterator[tuple[str, bool]]:
    mode, is_config = found.st_mode, use is Use.CONFIGURATION
    whoever = f"whoever changes it {use.value}"
    is_sticky = stat.S_ISDIR(mode) and mode & stat.S_ISVTX
    if mode & stat.S_IWOTH and not (is_sticky and use is Use.RECORDS):
        yield "everybody on this machine can write to it (chmod o-w {path})", True
    elif mode & stat.S_IWGRP and (is_shared or is_config):
        yield f"its group can write it; {whoever} (chmod g-w {{path}})", not is_config
    if found.st_uid not in (0, bot):
        yield f"it belongs to {_name(found.st_uid)}; {whoever} (chown root {{path}})", True
    elif is_config and found.st_uid == bot != 0:
        yield f"the bot's own user owns it; a compromised bot {use.value} (chown root {{path}})", False
    if use is Use.SECRET and not stat.S_ISDIR(mode):
        if mode & stat.S_IROTH:
            yield "everybody on this machine can read it (chmod 600 {path})", False
        elif mode & stat.S_IRGRP and is_shared:
            yield "others in its group can read it (chmod 600 {path})", False


def _is_private(group: int, bot: int) -> bool:
    """Whether only the bot, and root, are in a group, as far as this machine lists its users."""
    own = {0, bot}
    try:
        named = grp.getgrgid(group).gr_mem
    except KeyError:
        named = []
    users = pwd.getpwall()
    members = {user.pw_uid for user in users if user.pw_gid == group or user.pw_name in named}
    unknown = set(named) - {user.pw_name for user in users}
    return members <= own and not unknown


def _names_others(path: Path, bot: int) -> bool:
    """Whether an access control list names somebody else; what they can do shows as what the group can (acl(5))."""
    try:
        entries = os.getxattr(path, "system.posix_acl_access")[_ACL_HEADER:]
    except OSError:  # it has none
        return False
    named = [(tag, who) for tag, may, who in struct.iter_unpack("<HHI", entries) if may]
    groups = (who for tag, who in named if tag == _ACL_GROUP)
    return any(tag == _ACL_USER and who not in (0, bot) for tag, who in named) or not all(
        _is_private(group, bot) for group in groups
    )


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"the user {user}"
