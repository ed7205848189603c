"""The script with which root sets a host up, which `maskbot host install-script` prints: login, key, guard, sudoers."""

import base64
import hashlib
import ipaddress
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import paramiko

from bot import __version__
from bot.core.systemd.guard import PROTOCOL
from bot.core.systemd.host_rules import GUARD
from bot.core.systemd.systemctl import checked_login
from bot.edges.guard.text import doas_line, guard, sudoers_line, terminal_line
from bot.edges.guard.ways import WAYS_TO_ROOT
from bot.errors import UsageError

_HEAD = f"""\
#!/bin/sh
# Set a host up for maskbot {__version__}, as root. Printed by `maskbot host install-script`.
#   sh install.sh            do what is missing, with one line for each change; the second time nothing changes
#   sh install.sh --check    print those lines, and change nothing
#   sh install.sh --remove   take away what it made here, and nothing else; not while masks of the bot are in place
# A newer script replaces the guard. What is in /etc/maskbot/guard.conf belongs to this host and is never changed.

"""
_END = "END OF THE GUARD"
_KEY_PARTS = 2
_FROM = re.compile(r"""^KEY='[^']*,from="([^"]*)" """, re.MULTILINE)
ANYWHERE = "*"  # said, and not only left out: a host keeps the addresses that it has


@dataclass(frozen=True, slots=True)
class Setup:
    """What is special about a host, or the same on all: whose key opens what, from where."""

    login: str
    key: str  # type and text, without a comment
    addresses: tuple[str, ...] = ()  # from which the key is accepted; if there are none, those that a host has already
    users: tuple[str, ...] = ()  # whose own managers the bot may use
    is_doas: bool = False  # also where there is sudo
    has_control: bool = True  # whether units with a file of their own in /etc/systemd/system can be masked


def install_script(setup: Setup, critical: Iterable[str]) -> str:
    """The whole script, which says at its beginning what is special. `critical` is the bot's critical list."""
    program = guard(critical)
    settings = {
        "LOGIN": setup.login,
        "KEY": key_line(setup),
        "BLOB": setup.key.split()[1],
        "USERS": " ".join(setup.users),
        "DOAS": "yes" if setup.is_doas else "",
        "WITH_CONTROL": "yes" if setup.has_control else "",
        "WAYS": " ".join(WAYS_TO_ROOT),
        "FROM": next((one for one in setup.addresses if "/" not in one and one != ANYWHERE), ""),
        "SUDOERS_LINE": sudoers_line(setup.login).strip(),
        "TERMINAL_LINE": terminal_line().strip(),
        "DOAS_LINE": doas_line(setup.login).strip(),
        "QUESTION": f'{{"protocol": {PROTOCOL}, "id": "0", "do": ["rules"]}}',
        "GUARD_SUM": hashlib.sha256(program.encode()).hexdigest(),
    }
    constants = "".join(f"{name}={shlex.quote(text)}\n" for name, text in settings.items())
    body = resources.files("bot.edges.guard").joinpath("install.sh").read_text()
    texts = _here("configuration", _configuration(setup)) + _here("guard", program)
    return f'{_HEAD}{constants}\n{body}\n{texts}\nmain "$@" </dev/null\n'


def key_line(setup: Setup) -> str:
    """The line of authorized_keys(5): the key opens nothing but the guard."""
    places = f',from="{",".join(setup.addresses)}"' if setup.addresses else ""
    return f'restrict,command="{GUARD}"{places} {setup.key} maskbot'


def checked_setup_login(name: str) -> str:
    """The name of the login. Raises `UsageError` for root, and for what is no name."""
    if checked_login(name) == "root":
        raise UsageError("The bot does not log in as root. Choose a login of its own.")
    return name


def checked_key(text: str) -> str:
    """The type and the text of one public key. Raises `UsageError` for anything else."""
    if "PRIVATE KEY" in text:
        raise UsageError("That is a private key. The script needs the public one (the file that ends in .pub).")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if len(lines) != 1 or not lines[0].isprintable():
        raise UsageError("One public key is needed, on one line: `ssh-ed25519 AAAA...`.")
    kind, blob = [*lines[0].split(), "", ""][:_KEY_PARTS]
    try:
        key = paramiko.PKey.from_type_string(kind, base64.b64decode(blob, validate=True))
    except (ValueError, OverflowError, paramiko.SSHException, paramiko.pkey.UnknownKeyType):
        raise UsageError(f"`{lines[0][:40]}` is no public key that the bot can log in with.") from None
    if key.get_name() != kind or key.get_base64() != blob:
        raise UsageError(f"`{lines[0][:40]}` is damaged: it is not the key that it says.")
    return f"{kind} {blob}"


def checked_addresses(text: str) -> tuple[str, ...]:
    """Addresses and networks, or `*` for anywhere. Raises `UsageError` for names: sshd would not look them up."""
    words = text.replace(",", " ").split()
    return (ANYWHERE,) if words == [ANYWHERE] else tuple(map(_checked_address, words))


def written_addresses(script: Path) -> str:
    """The addresses in a script that was written before; none if it has none, or is not there."""
    try:
        found = _FROM.search(script.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return ""
    return found.group(1) if found else ""


def _checked_address(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text)) if "/" in text else str(ipaddress.ip_address(text))
    except ValueError:
        hint = "Give addresses (192.0.2.5) or networks (192.0.2.0/24) from which the bot connects."
        raise UsageError(f"`{text[:40]}` is neither an address nor a network. {hint}") from None


def _configuration(setup: Setup) -> str:
    """The first guard.conf of a host."""
    by_doas = "# doas calls root's half, although there is sudo\nbecome: doas\n" if setup.is_doas else ""
    return f"""\
# What is special about this host for maskbot's guard. It is this host's own: no script and no upgrade changes it.
# the bot's login, which alone may call the guard
login: {setup.login}
# units that are never stopped or masked here, beside those that the guard brings
#critical: payments* worker@.service
# people whose own managers the bot may use
{"" if setup.users else "#"}users: {" ".join(setup.users) or "deploy"}
# whether the bot may remove masks that it did not make
foreign-masks: no
{by_doas}"""


def _here(name: str, text: str) -> str:
    """A function of the shell that prints this text."""
    return f"{name}() {{\n  cat <<'{_END}'\n{text}{_END}\n}}\n\n"
