"""The disk of a host: this machine's own root, quietened, with the lab's users, units and sshd over it."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.machine import command, mount
from tests.lab.rights import RIGHTS

UNITS = Path(__file__).parent / "units"
PLACES = {
    "vendor": "usr/lib/systemd/system",
    "local": "etc/systemd/system",
    "linked": "opt/lab",
    "user-vendor": "usr/lib/systemd/user",
    "user-own": "home/deploy/.config/systemd/user",
    "generators": "usr/lib/systemd/system-generators",
}
LOGIN = "maskbot"
USERS = (LOGIN, "deploy", "idle")
LINGERING = "deploy"
GUARD, GUARDS_CONFIGURATION = "usr/local/libexec/maskbot-guard", "etc/maskbot/guard.conf"

# Units, crontabs, mounts and greetings of this machine that each host would start or run too.
EMPTIED = (
    "etc/systemd/system", "etc/systemd/user", "etc/systemd/system-generators", "etc/systemd/system.control",
    "etc/cron.d", "etc/sudoers.d", "etc/update-motd.d", "etc/ssh/sshd_config.d", "etc/rc2.d", "etc/rc3.d", "etc/rcS.d",
    "var/spool/cron/crontabs", "var/lib/systemd/linger",
)  # fmt: skip
# Of what packages start by links in /usr/lib, a host keeps what has work in a container; the rest would look for some
# at boot, and be read anew at each daemon-reload. It keeps no generator: they took half the time of each reload.
KEPT = ("dbus", "systemd-initctl", "systemd-journal", "systemd-logind", "systemd-tmpfiles", "systemd-user-sessions")

WRITTEN = {
    "etc/fstab": "",
    "etc/crontab": "",
    "etc/resolv.conf": "",
    "etc/systemd/journald.conf": "[Journal]\nStorage=volatile\n",
    "etc/sudoers": "Defaults env_reset\nroot ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n",
    # systemd would otherwise find that /usr is newer than /etc and rebuild caches at each first boot
    "etc/.updated": "",
    "var/.updated": "",
}
SSHD = """\
Port {port}
ListenAddress {address}
HostKey /etc/ssh/ssh_host_ed25519_key
AllowUsers {login}
PermitRootLogin no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM yes
PrintMotd no
X11Forwarding no
AcceptEnv LANG LC_*
Subsystem sftp /usr/lib/openssh/sftp-server
"""


@contextmanager
def laid_over(root: Path, *lower: Path, upper: Path) -> Iterator[Path]:
    """Mount an overlay for the duration of a `with`."""
    mount_over(root, *lower, upper=upper)
    try:
        yield root
    finally:
        command("umount", root)


def mount_over(root: Path, *lower: Path, upper: Path) -> None:
    """Lay `upper` over the lower trees, topmost first; what is written to `root` ends in `upper` alone."""
    work = upper.with_name(f"{upper.name}.work")
    for directory in (root, upper, work):
        directory.mkdir()
    layers = f"lowerdir={':'.join(map(str, lower))},upperdir={upper},workdir={work}"
    mount("overlay", "-o", layers, "maskbot-lab", root)


def furnish(root: Path, *, sudoers: str, public_key: str) -> None:
    """Make what all hosts of a lab have in common."""
    _quieten(root)
    _add_users(root, public_key)
    _place_units(root)
    RIGHTS.admit(root, sudoers)
    (root / "var/lib/lab").mkdir()
    (root / "var/lib/systemd/linger" / LINGERING).touch()


def install_guard(root: Path, program: str, configuration: str) -> None:
    """Root's part on a host: the program, and what is special about these hosts."""
    for path, text, mode in (
        (root / GUARD, program, 0o755),
        (root / GUARDS_CONFIGURATION, configuration, 0o644),
    ):
        for folder in reversed(path.relative_to(root).parents):
            (root / folder).mkdir(mode=0o755, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)


def individualise(root: Path, name: str, *, address: str, port: int, control: bool) -> str:
    """Make what is different for each host, and return its public host key."""
    (root / "etc/hostname").write_text(f"{name}\n")
    # sudo resolves its own host's name at each call; a name server would cost seconds
    (root / "etc/hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 {name}\n")
    (root / "etc/machine-id").unlink(missing_ok=True)
    (root / "etc/machine-id").write_text(f"{uuid.uuid4().hex}\n")
    (root / "etc/ssh/sshd_config").write_text(SSHD.format(address=address, port=port, login=LOGIN))
    if control:
        (root / "etc/systemd/system.control").mkdir()
    return make_key(root / "etc/ssh/ssh_host_ed25519_key", comment=f"root@{name}")


def make_key(path: Path, *, comment: str) -> str:
    """A new ed25519 key pair; returns the public line without its comment."""
    path.unlink(missing_ok=True)
    command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path)
    return " ".join(Path(f"{path}.pub").read_text().split()[:2])


def _quieten(root: Path) -> None:
    for place in EMPTIED:
        shutil.rmtree(root / place, ignore_errors=True)
    for place in set(EMPTIED) - {"etc/systemd/system.control"}:
        (root / place).mkdir(parents=True)
    for place, text in WRITTEN.items():
        (root / place).unlink(missing_ok=True)
        (root / place).write_text(text)
    system = root / "usr/lib/systemd"
    for found in (*system.glob("system/*.wants/*"), *system.glob("user/*.wants/*")):
        if not found.name.startswith(KEPT):
            found.unlink()
    for unread in (*system.glob("*-generators/*"), *system.glob("system/initrd*")):
        shutil.rmtree(unread) if unread.is_dir() else unread.unlink()
    login = root / "etc/pam.d/sshd"
    silent = [line for line in login.read_text().splitlines() if "pam_motd.so" not in line]
    login.write_text("\n".join([*silent, ""]))


def _add_users(root: Path, public_key: str) -> None:
    passwd, group, shadow = (root / "etc" / name for name in ("passwd", "group", "shadow"))
    for table in (passwd, group, shadow):
        lines = table.read_text().splitlines()
        table.write_text("".join(f"{line}\n" for line in lines if line.split(":")[0] not in USERS))
    taken = {int(line.split(":")[2]) for table in (passwd, group) for line in table.read_text().splitlines()}
    free = (number for number in range(2001, 60000) if number not in taken)
    for user, number in zip(USERS, free, strict=False):
        home = root / "home" / user
        for table, line in (
            (passwd, f"{user}:x:{number}:{number}::/home/{user}:/bin/sh"),
            (group, f"{user}:x:{number}:"),
            (shadow, f"{user}:*:20000:0:99999:7:::"),  # no password, but not locked: sshd refuses locked accounts
        ):
            with table.open("a") as file:
                file.write(f"{line}\n")
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(mode=0o755, parents=True)
        os.chown(home, number, number)
    ssh = root / "home" / LOGIN / ".ssh"
    ssh.mkdir(mode=0o700)
    (ssh / "authorized_keys").write_text(f"{public_key}\n")
    _give(ssh.parent)


def _place_units(root: Path) -> None:
    for folder, place in PLACES.items():
        shutil.copytree(UNITS / folder, root / place, dirs_exist_ok=True)
    for line in (UNITS / "links.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            path, target = line.split(" -> ")
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).symlink_to(target)
    wanted = [file.name for folder in ("vendor", "local") for file in (UNITS / folder).glob("*.*") if _installs(file)]
    command("systemctl", f"--root={root}", "--quiet", "enable", "--", *sorted(wanted))
    _give(root / "home" / LINGERING)


def _installs(unit: Path) -> bool:
    return unit.is_file() and "[Install]" in unit.read_text()


def _give(home: Path) -> None:
    """Give a home, with everything in it, to its user."""
    owner = home.stat()
    for path in home.rglob("*"):
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
