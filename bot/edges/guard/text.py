"""The guard as one file: the other modules, the shared rules, and the bot's scripts."""

import ast
import re
from collections.abc import Iterable, Mapping
from importlib import resources

from bot import __version__
from bot.core.systemd.host_rules import GUARD, LONGEST_LOOK, LOOK_SECONDS, RIGHTS_FD
from bot.core.systemd.look import SIZES
from bot.core.systemd.look_script import SCRIPT as LOOK
from bot.core.systemd.properties import STATUS
from bot.core.systemd.scan_script import SCRIPT as SCAN
from bot.core.systemd.search_path import SYSTEM, USER
from bot.core.systemd.systemctl import checked_login
from bot.core.systemd.unit_list import SCRIPT as UNITS

_HEAD = """\
#!/usr/bin/python3 -IS
# Root's part of maskbot on a host, from `maskbot host install-script`. It belongs to root, and nobody edits it:
# what is special about this host is in /etc/maskbot/guard.conf. The bot's key leads here (command= in
# authorized_keys), and so does the bot's one line in sudoers or doas.conf. docs/operations.md says what it does.

"""
_LOGINS_PARTS = (
    "process",
    "settings",
    "requests",
    "frame",
    "ways",
    "root_client",
    "looks",
    "rights",
    "serving",
    "main",
)
_ROOTS_PARTS = (
    "links",
    "memory",
    "bus",
    "logins",
    "units",
    "own_route",
    "own_login",
    "judge",
    "journal",
    "changes",
    "rules",
    "root",
)
_LEFT_OUT = ("bot.", "collections.abc", "types", "typing")
_STATUS = f"""\
if [ "$2" ]; then
  uid=$(id -u -- "$2") && gid=$(id -g -- "$2") || exit
  set -- "$1" /usr/bin/setpriv --reuid="$uid" --regid="$gid" --clear-groups -- /usr/bin/systemctl --user
  export XDG_RUNTIME_DIR="/run/user/$uid"
else
  set -- "$1" /usr/bin/systemctl
fi
unit=$1
shift
exec "$@" --no-ask-password {" ".join(STATUS)} "$unit"
"""


def guard(critical: Iterable[str]) -> str:
    """The whole program. `critical` are the patterns of the critical list, which a host can only add to."""
    made = {"FLOOR": tuple(dict.fromkeys(critical)), "FOLDERS": {"system": SYSTEM, "user": USER}}
    rules = _source("bot.core.systemd", "host_rules")
    roots_part = _joined([rules, *(_source("bot.edges.guard", part) for part in _ROOTS_PARTS)], made)
    first = {
        "VERSION": __version__,
        "GUARD": GUARD,
        "LOOK_SECONDS": LOOK_SECONDS,
        "LONGEST_LOOK": LONGEST_LOOK,
        "RIGHTS_FD": RIGHTS_FD,
        "SIZES": tuple(SIZES),
        "SCRIPTS": {"look": LOOK, "scan": SCAN, "units": UNITS, "status": _STATUS},
        "ROOTS_PART": roots_part,
    }
    return _HEAD + _joined([_source("bot.edges.guard", part) for part in _LOGINS_PARTS], first)


def sudoers_line(login: str) -> str:
    """The one line of sudoers(5): the guard without any argument, for every sudo since 1.8 and for sudo-rs."""
    return f'{checked_login(login)} ALL=(root) NOPASSWD: {GUARD} ""\n'


def terminal_line() -> str:
    """What the guard needs besides where sudoers(5) has `Defaults requiretty`: it has no terminal. sudo-rs has no such
    setting, and does not know the word.
    """
    return f"Defaults!{GUARD} !requiretty\n"


def doas_line(login: str) -> str:
    """The one line of doas.conf(5): the guard without any argument."""
    return f"permit nopass {checked_login(login)} as root cmd {GUARD} args\n"


def _joined(sources: list[str], made: Mapping[str, object]) -> str:
    """Modules as one: what they import, what is made here, and the rest of each."""
    imports = sorted({line for source in sources for line in _imports(source)})
    constants = "".join(f"{name} = {_literal(value)}\n" for name, value in made.items())
    bodies = [_without(source, made) for source in sources]
    return f"{''.join(imports)}\n{constants}\n\n" + "\n\n".join(bodies)


def _source(package: str, module: str) -> str:
    return resources.files(package).joinpath(f"{module}.py").read_text()


def _imports(source: str) -> Iterable[str]:
    """The lines that import from the standard library, without what only annotations need."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import) or _is_needed(node):
            yield f"{ast.unparse(node)}\n"


def _is_needed(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and not str(node.module).startswith(_LEFT_OUT)


def _without(source: str, made: Mapping[str, object]) -> str:
    """A module without its imports, and without what is made here; its docstring becomes a comment."""
    lines, tree = source.splitlines(keepends=True), ast.parse(source)
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names = {target.id for target in targets if isinstance(target, ast.Name)}
        if isinstance(node, ast.Import | ast.ImportFrom) or names & made.keys():
            lines[node.lineno - 1 : node.end_lineno] = [""] * ((node.end_lineno or 0) - node.lineno + 1)
    said = (ast.get_docstring(tree) or "").splitlines()
    lines[: tree.body[0].end_lineno] = [f"# {line}".rstrip() + "\n" for line in said]
    return re.sub(r"\n{4,}", "\n\n\n", "".join(lines))


def _literal(value: object) -> str:
    """A constant as it reads best: a text as it is written, between quotes that none of ours has."""
    if isinstance(value, dict):
        return "{\n" + "".join(f"    {key!r}: {_literal(one)},\n" for key, one in value.items()) + "}"
    if isinstance(value, str) and "\n" in value:
        return f"r'''{value}'''"
    return repr(value)
