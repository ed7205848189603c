"""systemd's search path for unit files: every directory, in order of precedence (systemd.unit(5))."""

from pathlib import PurePosixPath

SYSTEM = (
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/run/systemd/generator.late",
)
"""Of the system manager, as `systemctl show -p UnitPath` says it on systemd 252 and 257."""

USER = (
    "$home/.config/systemd/user.control",
    "/run/user/$uid/systemd/user.control",
    "/run/user/$uid/systemd/transient",
    "/run/user/$uid/systemd/generator.early",
    "$home/.config/systemd/user",
    "/etc/xdg/systemd/user",
    "/etc/systemd/user",
    "/run/user/$uid/systemd/user",
    "/run/systemd/user",
    "/run/user/$uid/systemd/generator",
    "$home/.local/share/systemd/user",
    "/usr/local/share/systemd/user",
    "/usr/share/systemd/user",
    "/usr/local/lib/systemd/user",
    "/usr/lib/systemd/user",
    "/run/user/$uid/systemd/generator.late",
)
"""Of a user's own manager; `home` and `uid` are variables of the script that looks."""

PACKAGED = ("/lib/systemd/system", "/usr/lib/systemd/system", "/usr/lib/systemd/user", "/usr/share/systemd/user")
"""Where packages put their unit files."""


def words(folders: tuple[str, ...]) -> str:
    """The directories as words of a shell."""
    return " ".join(f'"{folder}"' for folder in folders)


# `/lib` is the same directory as `/usr/lib` on most hosts, and is searched once.
ONLY_THOSE_THERE = """\
for folder; do
  shift
  case $folder in /lib/*) [ ! -h /lib ] || continue ;; esac
  [ ! -d "$folder" ] || set -- "$@" "$folder"
done
"""
"""Shell text: of the positional parameters only the folders that are there; `find -H` enters those that are links."""


def folder_of(path: str) -> str:
    """The directory of a unit file."""
    return str(PurePosixPath(path).parent)


def rank(path: str) -> int:
    """The precedence of a unit file's directory: the lowest number wins; an unknown directory comes last."""
    folder = folder_of(path)
    return SYSTEM.index(folder) if folder in SYSTEM else len(SYSTEM)
