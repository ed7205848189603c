"""The guard as one file: what it is made of, and what a Python of 2016 can do with it."""

import ast
import builtins
import re
from collections import Counter
from contextlib import suppress
from pathlib import Path

from bot import __version__
from bot.core.systemd import host_rules
from bot.core.systemd.look import SIZES
from bot.core.systemd.look_script import SCRIPT as LOOK
from bot.core.systemd.scan_script import SCRIPT as SCAN
from bot.core.systemd.search_path import SYSTEM, USER
from bot.core.systemd.unit_list import SCRIPT as UNITS
from bot.edges.guard import text
from bot.edges.guard.text import guard

TEXT = guard(["ssh*", "pay[ab]*", "ssh*"])
# Without what takes time to load: enum, json, re, socket, subprocess.
NEEDED = {"_json", "_socket", "contextlib", "fcntl", "grp", "marshal"} | {
    "os",
    "pwd",
    "resource",
    "select",
    "stat",
    "sys",
    "time",
}
ON_THE_BOTS_SIDE = {"__init__", "install", "text"}
# What came after Python 3.6, as far as somebody might write it here.
NEWER = (
    r"removeprefix|removesuffix|capture_output|dataclass|posix_spawn|math\.prod|strict=True\)|int\.bit_count"
    r"|time_ns\(|_ns\(\)|isascii|fromisoformat|waitstatus|breakpoint|reconfigure|create_server"
)


def constants(half: ast.Module) -> dict[str, object]:
    """The constants of a half by their names, unless they are made from others."""
    found = {}
    for node in half.body:
        if isinstance(node, ast.Assign):
            with suppress(ValueError):
                found[ast.unparse(node.targets[0])] = ast.literal_eval(node.value)
    return found


def halves() -> list[ast.Module]:
    whole = ast.parse(TEXT, feature_version=(3, 6))
    roots = constants(whole)["ROOTS_PART"]
    assert isinstance(roots, str)
    return [whole, ast.parse(roots, feature_version=(3, 6))]


def test_python_3_6_can_read_both_halves() -> None:
    assert len(halves()) == 2
    assert re.findall(NEWER, TEXT) == []


def test_no_name_is_taken_twice() -> None:
    """Both halves share one namespace, so a constant of one module would be that of another."""
    names = Counter(
        name.id if isinstance(name, ast.Name) else name.name
        for half in halves()
        for node in half.body
        for name in ([node] if isinstance(node, ast.FunctionDef | ast.ClassDef) else ast.walk(node))
        if isinstance(name, ast.FunctionDef | ast.ClassDef)
        or (isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store))
    )
    assert {name for name, times in names.items() if times > 1} == {
        "GUARD",
        "LOOK_SECONDS",
        "LONGEST_LOOK",
        "RIGHTS_FD",
    }


def test_every_name_that_a_half_uses_is_there() -> None:
    """No module, constant or import that another part needs was left out. What is for types alone is not evaluated."""
    known: set[str] = {*dir(builtins), "__file__"}
    for half in halves():
        nodes = [*ast.walk(half)]
        known |= {name.id for name in nodes if isinstance(name, ast.Name) and not isinstance(name.ctx, ast.Load)}
        known |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        known |= {one.name for one in nodes if isinstance(one, ast.ExceptHandler) and one.name}
        known |= {one.arg for one in nodes if isinstance(one, ast.arg)}
        known |= {
            (alias.asname or alias.name).partition(".")[0]
            for node in nodes
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        of_types = {name for one in nodes if isinstance(one, ast.AnnAssign) for name in ast.walk(one.annotation)}
        read = (name for name in nodes if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Load))
        assert {name.id for name in read if name not in of_types} - known == set()


def test_it_loads_nothing_that_takes_time() -> None:
    loaded = {
        alias.name if isinstance(node, ast.Import) else str(node.module)
        for half in halves()
        for node in ast.walk(half)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert loaded == NEEDED


def test_no_annotation_is_evaluated_that_an_older_python_does_not_know() -> None:
    quoted = [
        ast.unparse(one)
        for half in halves()
        for node in ast.walk(half)
        if isinstance(node, ast.FunctionDef)
        for one in [node.returns, *(argument.annotation for argument in [*node.args.args, *node.args.kwonlyargs])]
        if isinstance(one, ast.Subscript | ast.BinOp)
    ]
    assert quoted == []


def test_it_has_the_lists_scripts_and_bounds_of_the_bot() -> None:
    logins, roots = map(constants, halves())
    scripts = logins["SCRIPTS"]
    assert isinstance(scripts, dict)
    assert "systemctl" in scripts.pop("status")
    assert scripts == {"look": LOOK, "scan": SCAN, "units": UNITS}
    assert {name: logins[name] for name in ("VERSION", "SIZES")} == {"VERSION": __version__, "SIZES": tuple(SIZES)}
    for name in ("GUARD", "LOOK_SECONDS", "LONGEST_LOOK", "RIGHTS_FD"):
        assert logins[name] == getattr(host_rules, name)
    assert roots["FLOOR"] == ("ssh*", "pay[ab]*")
    assert roots["FOLDERS"] == {"system": SYSTEM, "user": USER}


def test_root_reads_there_what_is_written_here() -> None:
    """Its scripts as they are, and each module under the comment that says what it is for."""
    assert TEXT.startswith("#!/usr/bin/python3 -IS\n")
    assert all(script in TEXT for script in (LOOK, SCAN, UNITS))
    assert f"VERSION = {__version__!r}\n" in TEXT
    assert "\ndef is_match(" in TEXT
    ours = {path for path in Path(text.__file__).parent.glob("*.py") if path.stem not in ON_THE_BOTS_SIDE}
    for path in [Path(host_rules.__file__), *ours]:
        said = ast.get_docstring(ast.parse(path.read_text()))
        assert said
        assert "".join(f"# {line}".rstrip() + "\n" for line in said.splitlines()) in TEXT
